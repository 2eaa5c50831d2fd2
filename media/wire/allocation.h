/*
 * What an encoder says that it sends: http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00. Pure.
 *
 *  0 1 2 3 4 5 6 7
 * |RID|NS-1| sl   |  stream that carries it, streams, spatial layers active in all of them; 0: told per stream
 * |sl 0   | sl 1  |  … then, four bits for each stream
 * |tl|tl|tl|tl| …    temporal layers − 1 of each active spatial layer, two bits each
 * |kbit/s| …         LEB128, for each of these temporal layers
 * |width − 1 (16)|height − 1 (16)|frames/s (8)| …  for each active spatial layer; may be left out
 */
#ifndef CN_MEDIA_ALLOCATION_H
#define CN_MEDIA_ALLOCATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_ALLOCATION_STREAMS 4
#define CN_ALLOCATION_SPATIAL 4

typedef struct cn_allocation {
    uint8_t streams;
    bool sized;                                                  /* it tells sizes */
    uint64_t area[CN_ALLOCATION_STREAMS][CN_ALLOCATION_SPATIAL]; /* pixels; 0: not sent, or not told */
} cn_allocation;

/** CN_ERR_PARSE, `out` undefined, for what ends early or goes on too long. */
cn_err cn_allocation_parse(cn_allocation *out, const uint8_t *bytes, size_t len);

#endif
