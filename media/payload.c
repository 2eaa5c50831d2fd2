#include "media/payload.h"

#include "media/payload_h264.h"
#include "media/payload_vp8.h"
#include "media/red.h"

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
    [CN_CODEC_H264] = fill_h264,
};

cn_err cn_payload_parse(cn_packet *p)
{
    if (!p->payload_len) return CN_OK;
    fill_fn fill = p->codec < CN_CODEC_COUNT ? fills[p->codec] : NULL;
    return fill ? fill(p) : fill_unknown(p);
}
