#include "media/stream/payload.h"

#include "media/wire/payload_av1.h"
#include "media/wire/payload_h264.h"
#include "media/wire/payload_vp8.h"
#include "media/wire/red.h"
#include "media/wire/payload_vp9.h"

static cn_err fill_vp8(cn_packet *p)
{
    cn_vp8 v;
    cn_err err = cn_vp8_parse(&v, cn_packet_payload(p), p->payload_len);
    if (err) return err;
    p->frame_start = v.frame_start;
    p->frame_end = p->marker;
    p->key = v.key;
    p->discardable = v.non_reference;
    p->has_picture_id = v.has_picture_id;
    p->picture_id_15 = v.picture_id_15;
    p->picture_id = v.picture_id;
    p->picture_id_at = v.picture_id_at;
    p->has_tl0picidx = v.has_tl0picidx;
    p->tl0picidx = v.tl0picidx;
    p->tl0picidx_at = v.tl0picidx_at;
    p->tid = v.has_tid ? v.tid : CN_PACKET_NO_TID;
    p->layer_sync = v.layer_sync;
    p->width = v.width;
    p->height = v.height;
    return CN_OK;
}

static cn_err fill_h264(cn_packet *p)
{
    cn_h264 v;
    cn_err err = cn_h264_parse(&v, cn_packet_payload(p), p->payload_len);
    if (err) return err;
    p->frame_start = v.frame_start;
    p->frame_end = p->marker;
    p->key = v.key;
    p->discardable = v.non_reference;
    p->width = v.width;
    p->height = v.height;
    return CN_OK;
}

static void fill_sizes(cn_packet *p, const uint16_t *width, const uint16_t *height, unsigned layers)
{
    p->spatial = (uint8_t)(layers < 4 ? layers : 4);
    for (unsigned i = 0; i < p->spatial; i++) {
        p->sizes[i][0] = width[i];
        p->sizes[i][1] = height[i];
    }
    p->width = width[p->spatial - 1];
    p->height = height[p->spatial - 1];
}

static cn_err fill_vp9(cn_packet *p)
{
    cn_vp9 v;
    cn_err err = cn_vp9_parse(&v, cn_packet_payload(p), p->payload_len);
    if (err) return err;
    p->frame_start = v.frame_start;
    p->frame_end = v.frame_end;
    p->key = !v.inter && !v.sid;
    p->has_picture_id = v.has_picture_id;
    p->picture_id_15 = v.picture_id_15;
    p->picture_id = v.picture_id;
    p->picture_id_at = v.picture_id_at;
    p->has_tl0picidx = v.has_tl0picidx;
    p->tl0picidx = v.tl0picidx;
    p->tl0picidx_at = v.tl0picidx_at;
    p->tid = v.has_layers ? v.tid : CN_PACKET_NO_TID;
    p->sid = v.sid;
    p->layer_sync = v.switch_up;
    if (v.spatial) fill_sizes(p, v.width, v.height, v.spatial);
    return CN_OK;
}

/* Only the first packet of a key frame can be told from others. */
static cn_err fill_av1(cn_packet *p)
{
    cn_av1 v;
    cn_err err = cn_av1_parse(&v, cn_packet_payload(p), p->payload_len);
    if (err) return err;
    p->frame_start = p->key = v.sequence;
    p->frame_end = p->marker;
    return CN_OK;
}

void cn_payload_describe(cn_packet *p, const cn_depdesc *d, const cn_dd_structure *fresh)
{
    p->frame_start = d->start;
    p->frame_end = d->end;
    p->key = d->has_structure;
    p->sid = d->sid;
    p->tid = d->tid;
    p->frame_number = d->frame_number;
    p->dtis = d->dtis;
    p->dd_bit = d->active_at;
    p->dd_active = d->has_active;
    p->dd_mask = d->active;
    p->dd_structure = d->has_structure;
    p->fdiff_count = d->fdiff_count;
    for (unsigned i = 0; i < d->fdiff_count; i++) p->fdiffs[i] = d->fdiff[i];
    if (d->has_structure && fresh->has_resolutions) fill_sizes(p, fresh->width, fresh->height, fresh->spatial);
}

static cn_err fill_audio(cn_packet *p)
{
    p->frame_start = p->frame_end = true;
    return CN_OK;
}

static cn_err fill_red(cn_packet *p)
{
    cn_red r;
    CN_TRY(cn_red_parse(&r, cn_packet_payload(p), p->payload_len));
    p->newest_at = cn_red_newest(&r)->at;
    return fill_audio(p);
}

static cn_err fill_unknown(cn_packet *p)
{
    p->frame_end = p->marker;
    return CN_OK;
}

typedef cn_err (*fill_fn)(cn_packet *p);

static const fill_fn fills[CN_CODEC_COUNT] = {
    [CN_CODEC_OPUS] = fill_audio, [CN_CODEC_AUDIO_RED] = fill_red, [CN_CODEC_PCMU] = fill_audio,
    [CN_CODEC_PCMA] = fill_audio, [CN_CODEC_G722] = fill_audio,    [CN_CODEC_VP8] = fill_vp8,
    [CN_CODEC_H264] = fill_h264,  [CN_CODEC_VP9] = fill_vp9,       [CN_CODEC_AV1] = fill_av1,
};

cn_err cn_payload_parse(cn_packet *p)
{
    if (!p->payload_len) return CN_OK;
    fill_fn fill = p->codec < CN_CODEC_COUNT ? fills[p->codec] : NULL;
    return fill ? fill(p) : fill_unknown(p);
}
