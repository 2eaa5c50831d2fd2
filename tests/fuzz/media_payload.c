/* Any bytes as a payload: what is read lies inside it, and rewriting touches the named fields alone. First byte: the
 * codec. */
// covers: media/stream/payload.c media/wire/payload_vp8.c media/wire/payload_vp9.c media/wire/payload_av1.c
// media/wire/payload_h264.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/stream/payload.h"
#include "media/wire/payload_vp8.h"
#include "media/wire/payload_vp9.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(cn_packet *p)
{
    if ((p->picture_id_at && p->picture_id_at + (p->picture_id_15 ? 1u : 0u) >= p->payload_len) ||
        p->tl0picidx_at >= p->payload_len)
        abort();
    uint8_t *payload = cn_packet_data(p) + p->payload_at;
    cn_vp8_rewrite(payload, p->picture_id_at, p->picture_id_15, (uint16_t)(p->picture_id + 5), p->tl0picidx_at,
                   (uint8_t)(p->tl0picidx + 1));
    cn_vp8 v;
    if (cn_vp8_parse(&v, payload, p->payload_len)) abort();
    uint16_t mask = p->picture_id_15 ? 0x7fff : 0x7f;
    if (v.has_picture_id && v.picture_id != ((p->picture_id + 5) & mask)) abort();
    if (v.has_tl0picidx && v.tl0picidx != (uint8_t)(p->tl0picidx + 1)) abort();
    if (v.key != p->key || v.frame_start != p->frame_start || v.width != p->width) abort();
}

static void rewrite_vp9(cn_packet *p)
{
    uint8_t *payload = cn_packet_data(p) + p->payload_at;
    cn_vp9_rewrite(payload, p->picture_id_at, p->picture_id_15, (uint16_t)(p->picture_id + 5), p->tl0picidx_at,
                   (uint8_t)(p->tl0picidx + 1));
    cn_vp9 v;
    if (cn_vp9_parse(&v, payload, p->payload_len)) abort();
    uint16_t mask = p->picture_id_15 ? 0x7fff : 0x7f;
    if (v.has_picture_id && v.picture_id != ((p->picture_id + 5) & mask)) abort();
    if (v.has_tl0picidx && v.tl0picidx != (uint8_t)(p->tl0picidx + 1)) abort();
    if (v.sid != p->sid || v.frame_start != p->frame_start || v.frame_end != p->frame_end) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t codecs[] = {CN_CODEC_VP8, CN_CODEC_H264, CN_CODEC_OPUS, CN_CODEC_VP9, CN_CODEC_AV1};
    if (!size || size - 1 > CN_PACKET_MAX) return 0;
    cn_packet *p = calloc(1, sizeof *p);
    if (!p) return 0;
    p->codec = codecs[data[0] % sizeof codecs];
    p->payload_len = (uint16_t)(size - 1);
    /* at the very end of the buffer, so that a read past it is seen */
    p->payload_at = (uint16_t)(CN_PACKET_MAX - p->payload_len);
    memcpy(cn_packet_data(p) + p->payload_at, data + 1, p->payload_len);
    bool fits = cn_payload_parse(p) == CN_OK && p->payload_len;
    if (fits && p->codec == CN_CODEC_VP8) rewrite(p);
    if (fits && p->codec == CN_CODEC_VP9) rewrite_vp9(p);
    free(p);
    return 0;
}
