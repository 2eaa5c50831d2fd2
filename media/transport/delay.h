/*
 * How long forwarded packets stayed in the server: from the turn that received them to the end of the system call that
 * sent them, as a histogram. Plain counters of one thread: a packet costs a comparison and an addition, a flush of the
 * send batch one reading of the clock. The time that a datagram waited in the socket's buffer before the turn is not in
 * it, and packets that the pacer holds back for a slow line are not counted.
 */
#ifndef CN_MEDIA_DELAY_H
#define CN_MEDIA_DELAY_H

#include <stdint.h>

#include "media/kinds.h"

#define CN_DELAY_WAITING 32 /* different arrival times in one batch; more are counted with the last one */

/** Zeroed is ready. */
typedef struct cn_delay {
    uint64_t counts[CN_MEDIA_DELAYS]; /* not cumulative; bounds: cn_media_delay_us */
    uint64_t sum_ns;
    struct {
        uint64_t arrival_ns, packets;
    } waiting[CN_DELAY_WAITING]; /* in the batch, not yet sent */
    unsigned waiting_n;
} cn_delay;

void cn_delay_next(cn_delay *delay, uint64_t arrival_ns, uint64_t packets);

/** `packets` that arrived then were put into the send batch. */
static inline void cn_delay_queued(cn_delay *delay, uint64_t arrival_ns, uint64_t packets)
{
    if (delay->waiting_n && delay->waiting[delay->waiting_n - 1].arrival_ns == arrival_ns)
        delay->waiting[delay->waiting_n - 1].packets += packets;
    else if (packets)
        cn_delay_next(delay, arrival_ns, packets);
}

/** The batch was sent. */
void cn_delay_sent(cn_delay *delay, uint64_t now_ns);

#endif
