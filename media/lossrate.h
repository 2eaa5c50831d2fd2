/* The loss-based estimate of what fits towards a receiver, used until a delay-based one exists. Plain struct, injected
 * clock. */
#ifndef CN_MEDIA_LOSSRATE_H
#define CN_MEDIA_LOSSRATE_H

#include <stdint.h>

#define CN_LOSSRATE_START 2000000u
#define CN_LOSSRATE_MIN 64000u
#define CN_LOSSRATE_MAX 100000000u

typedef struct cn_lossrate {
    double bps;
    uint32_t min, max;
    uint64_t last_ns;      /* of the former update; 0: none */
    uint64_t decreased_ns; /* of the former decrease */
} cn_lossrate;

/** Starts at 2 Mbit/s between CN_LOSSRATE_MIN and CN_LOSSRATE_MAX. */
void cn_lossrate_init(cn_lossrate *r);

/**
 * A report of loss (0…1: TWCC or a receiver report), with what was really sent (bps over the last second) and the round
 * trip. Below 2 %: up by at most 8 % per second that passed (reports over 1 s apart count as 1 s), never above 1.5 ×
 * sent + 200 kbit/s (but never lowered by that); 2–10 %: holds; above 10 %: × (1 − 0.5 × loss), at most once per 300 ms
 * + round trip. Returns the estimate in bps.
 */
uint32_t cn_lossrate_update(cn_lossrate *r, double loss, uint32_t sent_bps, uint32_t rtt_ms, uint64_t now_ns);

/** Present estimate, bps. */
uint32_t cn_lossrate_bps(const cn_lossrate *r);

/** A ceiling from the receiver (REMB) or 0 for none: caps the estimate. */
void cn_lossrate_cap(cn_lossrate *r, uint32_t bps);

#endif
