/*
 * The least round trip of the last 10 to 20 seconds: what a retransmission needs at least. Samples from transport-wide
 * feedback are too long by up to its interval, those of receiver reports are exact but rare. Plain struct, all zero to
 * begin with.
 */
#ifndef CN_MEDIA_RTT_H
#define CN_MEDIA_RTT_H

#include <stdint.h>

typedef struct cn_rtt {
    uint64_t window;            /* of `now`: time ÷ 10 s */
    uint32_t now_ms, former_ms; /* least of that window and of the one before; 0: none */
} cn_rtt;

/** A sample; 0 (not known) is ignored. */
void cn_rtt_sample(cn_rtt *rtt, uint32_t ms, uint64_t now_ns);
/** Milliseconds, 0 when not known. */
uint32_t cn_rtt_least(const cn_rtt *rtt);

#endif
