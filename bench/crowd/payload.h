/* Payloads that say who sent them: VP8 (RFC 7741), H.264 (RFC 6184) and Opus packets whose headers are right and whose
 * bodies the receiver can work out again, so that every byte that arrives is compared. Pure; any thread. */
#ifndef CN_BENCH_PAYLOAD_H
#define CN_BENCH_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/wire/codec.h"

#define PAYLOAD_MAX 1180
#define PAYLOAD_MIN 96 /* room for headers, parameter sets and stamp; Opus needs PAYLOAD_MIN_OPUS */
#define PAYLOAD_MIN_OPUS 28

/* One packet of a source. */
typedef struct payload_piece {
    cn_codec codec; /* OPUS, VP8 or H264 */
    uint16_t sender;
    uint8_t layer;
    bool first, last, key; /* of its frame; of a key frame */
    bool starts;           /* H.264: the first packet of a slice in fragments */
    uint32_t index;        /* of the packet in its layer, from 0 */
    uint16_t bytes;        /* of the payload */
    uint16_t picture;      /* VP8: picture id, 15 bits */
    uint8_t tl0;           /* VP8: TL0PICIDX */
    uint16_t width, height;
    uint64_t sent_ns; /* wall clock */
} payload_piece;

/** Writes piece->bytes bytes. */
void payload_write(uint8_t *out, const payload_piece *piece);
/** Reads who sent it, which packet it is and when it left, and compares every byte behind the codec's descriptor with
 * what that sender wrote. False when anything differs; `out` is then not to be used. */
bool payload_check(const uint8_t *bytes, size_t len, cn_codec codec, payload_piece *out);

#endif
