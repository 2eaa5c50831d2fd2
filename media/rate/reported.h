/*
 * Receiver reports (RFC 3550 §6.4) of all SSRCs that one receiver is sent, summed up over stretches of time: how much
 * was lost, how much of what was sent came, and how long what is not reported yet has been on its way. Plain structs, all
 * zero to begin with; injected clock.
 */
#ifndef CN_MEDIA_REPORTED_H
#define CN_MEDIA_REPORTED_H

#include <stdbool.h>
#include <stdint.h>

#include "media/rate/bwe.h"

/** One SSRC. */
typedef struct cn_reported_stream {
    bool known;
    uint32_t sent;    /* highest number that was sent when the former report came, extended */
    uint16_t highest; /* what it reported */
} cn_reported_stream;

/** All of them, since `from_ns`. */
typedef struct cn_reported {
    uint64_t from_ns, from_bytes;
    uint32_t sent, expected; /* packets */
    double lost;
    uint32_t age_ms; /* of the oldest packet that is not reported, at its longest */
} cn_reported;

/** A report's block as the sender sees it. */
typedef struct cn_reported_block {
    uint32_t sent, first; /* highest number sent, and the number before the first one, extended */
    uint32_t highest;     /* reported */
    uint8_t fraction;     /* lost, in 1/256 */
    uint32_t age_ms;      /* how long ago the packet after `highest` left; 0: there is none */
} cn_reported_block;

void cn_reported_add(cn_reported *reported, cn_reported_stream *stream, const cn_reported_block *block);

/** Enough to be judged? Fills `loss`, rates, the queue and `from_ns`, and begins anew. `bytes`: sent to him since the
 * start; `rtt_ms`: the least round trip, 0 when not known. */
bool cn_reported_take(cn_reported *reported, uint64_t bytes, uint32_t rtt_ms, uint64_t now_ns, cn_bwe_heard *out);

#endif
