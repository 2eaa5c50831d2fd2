#include "media/stream/payload.h"

#include "media/wire/payload_av1.h"
#include "media/wire/payload_h264.h"
#include "media/wire/payload_vp8.h"
#include "media/wire/red.h"
#include "media/wire/payload_vp9.h"

static cn_err fill_vp8(cn_packet *packet)
{
    cn_vp8 vp8;
    cn_err err = cn_vp8_parse(&vp8, cn_packet_payload(packet), packet->payload_len);
    if (err) return err;
    packet->frame_start = vp8.frame_start;
    packet->frame_end = packet->marker;
    packet->key = vp8.key;
    packet->discardable = vp8.non_reference;
    packet->has_picture_id = vp8.has_picture_id;
    packet->picture_id_15 = vp8.picture_id_15;
    packet->picture_id = vp8.picture_id;
    packet->picture_id_at = vp8.picture_id_at;
    packet->has_tl0picidx = vp8.has_tl0picidx;
    packet->tl0picidx = vp8.tl0picidx;
    packet->tl0picidx_at = vp8.tl0picidx_at;
    packet->tid = vp8.has_tid ? vp8.tid : CN_PACKET_NO_TID;
    packet->layer_sync = vp8.layer_sync;
    packet->width = vp8.width;
    packet->height = vp8.height;
    return CN_OK;
}

static cn_err fill_h264(cn_packet *packet)
{
    cn_h264 h264;
    cn_err err = cn_h264_parse(&h264, cn_packet_payload(packet), packet->payload_len);
    if (err) return err;
    packet->frame_start = h264.frame_start;
    packet->frame_end = packet->marker;
    packet->key = h264.key;
    packet->discardable = h264.non_reference;
    packet->width = h264.width;
    packet->height = h264.height;
    return CN_OK;
}

static void fill_sizes(cn_packet *packet, const uint16_t *width, const uint16_t *height, unsigned layers)
{
    packet->spatial = (uint8_t)(layers < 4 ? layers : 4);
    for (unsigned i = 0; i < packet->spatial; i++) {
        packet->sizes[i][0] = width[i];
        packet->sizes[i][1] = height[i];
    }
    packet->width = width[packet->spatial - 1];
    packet->height = height[packet->spatial - 1];
}

static cn_err fill_vp9(cn_packet *packet)
{
    cn_vp9 vp9;
    cn_err err = cn_vp9_parse(&vp9, cn_packet_payload(packet), packet->payload_len);
    if (err) return err;
    packet->frame_start = vp9.frame_start;
    packet->frame_end = vp9.frame_end;
    packet->key = !vp9.inter && !vp9.sid;
    packet->has_picture_id = vp9.has_picture_id;
    packet->picture_id_15 = vp9.picture_id_15;
    packet->picture_id = vp9.picture_id;
    packet->picture_id_at = vp9.picture_id_at;
    packet->has_tl0picidx = vp9.has_tl0picidx;
    packet->tl0picidx = vp9.tl0picidx;
    packet->tl0picidx_at = vp9.tl0picidx_at;
    packet->tid = vp9.has_layers ? vp9.tid : CN_PACKET_NO_TID;
    packet->sid = vp9.sid;
    packet->layer_sync = vp9.switch_up;
    if (vp9.spatial) fill_sizes(packet, vp9.width, vp9.height, vp9.spatial);
    return CN_OK;
}

/* Only the first packet of a key frame can be told from others. */
static cn_err fill_av1(cn_packet *packet)
{
    cn_av1 av1;
    cn_err err = cn_av1_parse(&av1, cn_packet_payload(packet), packet->payload_len);
    if (err) return err;
    packet->frame_start = packet->key = av1.sequence;
    packet->frame_end = packet->marker;
    return CN_OK;
}

void cn_payload_describe(cn_packet *packet, const cn_depdesc *depdesc, const cn_dd_structure *fresh)
{
    packet->frame_start = depdesc->start;
    packet->frame_end = depdesc->end;
    packet->key = depdesc->has_structure;
    packet->sid = depdesc->sid;
    packet->tid = depdesc->tid;
    packet->frame_number = depdesc->frame_number;
    packet->dtis = depdesc->dtis;
    packet->dd_bit = depdesc->active_at;
    packet->dd_active = depdesc->has_active;
    packet->dd_mask = depdesc->active;
    packet->dd_structure = depdesc->has_structure;
    packet->fdiff_count = depdesc->fdiff_count;
    for (unsigned i = 0; i < depdesc->fdiff_count; i++) packet->fdiffs[i] = depdesc->fdiff[i];
    if (depdesc->has_structure && fresh->has_resolutions)
        fill_sizes(packet, fresh->width, fresh->height, fresh->spatial);
}

static cn_err fill_audio(cn_packet *packet)
{
    packet->frame_start = packet->frame_end = true;
    return CN_OK;
}

static cn_err fill_red(cn_packet *packet)
{
    cn_red red;
    CN_TRY(cn_red_parse(&red, cn_packet_payload(packet), packet->payload_len));
    packet->newest_at = cn_red_newest(&red)->at;
    return fill_audio(packet);
}

static cn_err fill_unknown(cn_packet *packet)
{
    packet->frame_end = packet->marker;
    return CN_OK;
}

typedef cn_err (*fill_fn)(cn_packet *packet);

static const fill_fn fills[CN_CODEC_COUNT] = {
    [CN_CODEC_OPUS] = fill_audio, [CN_CODEC_AUDIO_RED] = fill_red, [CN_CODEC_PCMU] = fill_audio,
    [CN_CODEC_PCMA] = fill_audio, [CN_CODEC_G722] = fill_audio,    [CN_CODEC_VP8] = fill_vp8,
    [CN_CODEC_H264] = fill_h264,  [CN_CODEC_VP9] = fill_vp9,       [CN_CODEC_AV1] = fill_av1,
};

cn_err cn_payload_parse(cn_packet *packet)
{
    if (!packet->payload_len) return CN_OK;
    fill_fn fill = packet->codec < CN_CODEC_COUNT ? fills[packet->codec] : NULL;
    return fill ? fill(packet) : fill_unknown(packet);
}
