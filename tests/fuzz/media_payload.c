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

static void rewrite(cn_packet *packet)
{
    if ((packet->picture_id_at && packet->picture_id_at + (packet->picture_id_15 ? 1u : 0u) >= packet->payload_len) ||
        packet->tl0picidx_at >= packet->payload_len)
        abort();
    uint8_t *payload = cn_packet_data(packet) + packet->payload_at;
    cn_vp8_rewrite(payload, packet->picture_id_at, packet->picture_id_15, (uint16_t)(packet->picture_id + 5),
                   packet->tl0picidx_at, (uint8_t)(packet->tl0picidx + 1));
    cn_vp8 vp8;
    if (cn_vp8_parse(&vp8, payload, packet->payload_len)) abort();
    uint16_t mask = packet->picture_id_15 ? 0x7fff : 0x7f;
    if (vp8.has_picture_id && vp8.picture_id != ((packet->picture_id + 5) & mask)) abort();
    if (vp8.has_tl0picidx && vp8.tl0picidx != (uint8_t)(packet->tl0picidx + 1)) abort();
    if (vp8.key != packet->key || vp8.frame_start != packet->frame_start || vp8.width != packet->width) abort();
}

static void rewrite_vp9(cn_packet *packet)
{
    uint8_t *payload = cn_packet_data(packet) + packet->payload_at;
    cn_vp9_rewrite(payload, packet->picture_id_at, packet->picture_id_15, (uint16_t)(packet->picture_id + 5),
                   packet->tl0picidx_at, (uint8_t)(packet->tl0picidx + 1));
    cn_vp9 vp9;
    if (cn_vp9_parse(&vp9, payload, packet->payload_len)) abort();
    uint16_t mask = packet->picture_id_15 ? 0x7fff : 0x7f;
    if (vp9.has_picture_id && vp9.picture_id != ((packet->picture_id + 5) & mask)) abort();
    if (vp9.has_tl0picidx && vp9.tl0picidx != (uint8_t)(packet->tl0picidx + 1)) abort();
    if (vp9.sid != packet->sid || vp9.frame_start != packet->frame_start || vp9.frame_end != packet->frame_end) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t codecs[] = {CN_CODEC_VP8, CN_CODEC_H264, CN_CODEC_OPUS, CN_CODEC_VP9, CN_CODEC_AV1};
    if (!size || size - 1 > CN_PACKET_MAX) return 0;
    cn_packet *packet = calloc(1, sizeof *packet + CN_PACKET_MAX);
    if (!packet) return 0;
    packet->codec = codecs[data[0] % sizeof codecs];
    packet->payload_len = (uint16_t)(size - 1);
    /* at the very end of the buffer, so that a read past it is seen */
    packet->payload_at = (uint16_t)(CN_PACKET_MAX - packet->payload_len);
    memcpy(cn_packet_data(packet) + packet->payload_at, data + 1, packet->payload_len);
    bool fits = cn_payload_parse(packet) == CN_OK && packet->payload_len;
    if (fits && packet->codec == CN_CODEC_VP8) rewrite(packet);
    if (fits && packet->codec == CN_CODEC_VP9) rewrite_vp9(packet);
    free(packet);
    return 0;
}
