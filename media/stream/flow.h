/*
 * For how long of a stretch of time a layer flowed, so that what it takes is told by the time in which it did: a layer
 * that is switched off in the middle costs as much as before when it comes again. Plain struct, injected clock.
 */
#ifndef CN_MEDIA_FLOW_H
#define CN_MEDIA_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#define CN_FLOW_PAUSE_NS 300000000ull /* a layer that was silent for so long had stopped */

/** Zeroed is ready. */
typedef struct cn_flow {
    uint64_t last_ns, since_ns; /* the last packet, 0: none; the first one after a pause */
    bool skipped;               /* the former stretch told nothing */
} cn_flow;

static inline void cn_flow_packet(cn_flow *flow, uint64_t now_ns)
{
    if (now_ns - flow->last_ns > CN_FLOW_PAUSE_NS) flow->since_ns = now_ns;
    flow->last_ns = now_ns;
}

/** Of [from, now) the time in which the layer flowed, in ns; 0: it began or stopped so soon that a rate over it would
 * be chance, and `known` says that a better one is there. With few pictures it is silent between any two: two such
 * stretches in a row count whole. */
uint64_t cn_flow_time(cn_flow *flow, uint64_t from_ns, uint64_t now_ns, unsigned pictures, bool known);

#endif
