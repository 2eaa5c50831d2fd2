/*
 * The estimate towards a receiver whose only feedback are receiver reports, or who sends none at all. They come once in
 * one to five seconds and tell of loss, of what came and, by what is not reported yet, of a queue; nothing can be found
 * out by them but by sending. A picture tells as much as padding would, and is of use while it does.
 */
#include <math.h>

#include "media/rate/bwe.h"

#define LOSS_LOW 0.02
#define LOSS_HIGH 0.10
#define LOSS_FULL 0.3 /* more is sent by far than fits: what came is what fits */
#define QUEUE_LOW_MS 60
#define QUEUE_HIGH_MS 250  /* in two stretches one after the other: a starved receiver looks like a queue, too */
#define QUEUE_FULL_MS 1000 /* … or in one */
#define QUEUE_BLIND_MS 300 /* besides, while the round trip is not known */
#define KEEP 0.9           /* of what came through … */
#define KEEP_QUEUE 0.75    /* … and while a queue must drain */
#define FLOOR 250000.0     /* loss alone, or a queue alone, cuts no deeper: a starved receiver looks like that, too */
#define HEADROOM 1.25      /* an encoder's rate is not even */
#define DOUBLE_NS 900000000ull
#define SETTLE_NS 200000000ull
#define WAIT_NS 10000000000ull
#define WAIT_MAX_NS 240000000000ull
#define FORGIVEN 3               /* times the wait without a cut: the next one is the first again */
#define SILENT_NS 10000000000ull /* who has not reported for so long never will */

/* A try that fails is dear: a second of everybody's words. */
static void limit(cn_bwe *bwe, double came, uint64_t now_ns)
{
    uint64_t wait_ns = bwe->reports.wait_ns;
    bool relapse = wait_ns && now_ns < bwe->reports.limit_ns + FORGIVEN * wait_ns;
    bool under_way = now_ns < bwe->reports.limit_ns;
    if (!relapse)
        wait_ns = WAIT_NS;
    else if (!under_way)
        wait_ns = wait_ns < WAIT_MAX_NS / 2 ? 2 * wait_ns : WAIT_MAX_NS;
    bwe->reports.wait_ns = wait_ns;
    bwe->reports.limit_ns = now_ns + wait_ns;
    bwe->reports.limit = came;
}

static void cut(cn_bwe *bwe, const cn_bwe_heard *heard, bool queue, uint64_t now_ns)
{
    double base = fmin(bwe->bps, 1.1 * heard->sent_bps), came = heard->came_bps;
    double kept = queue ? KEEP_QUEUE * came : heard->loss > LOSS_FULL ? KEEP * came : base * (1 - 0.5 * heard->loss);
    if (heard->loss <= LOSS_HIGH || (!queue && heard->loss <= LOSS_FULL)) kept = fmax(kept, FLOOR);
    bwe->bps = fmax(fmin(bwe->bps, kept), bwe->min);
    bwe->cut_ns = now_ns;
    bwe->reports.settled_ns = now_ns + (uint64_t)(heard->rtt_ms + heard->queue_ms) * 1000000ull + SETTLE_NS;
    limit(bwe, came, now_ns);
}

static void raise(cn_bwe *bwe, const cn_bwe_heard *heard, uint64_t now_ns)
{
    double most = fmin(HEADROOM * heard->wanted_bps, CN_BWE_MAX);
    if (now_ns < bwe->reports.raised_ns + DOUBLE_NS + 2000000ull * heard->rtt_ms) return;
    if (now_ns < bwe->reports.limit_ns) most = fmin(most, KEEP * bwe->reports.limit);
    double bps = fmin(2 * bwe->bps, most);
    if (bps <= bwe->bps) return;
    bwe->bps = bps;
    bwe->reports.raised_ns = now_ns;
}

uint32_t cn_bwe_report(cn_bwe *bwe, const cn_bwe_heard *heard, uint64_t now_ns)
{
    uint32_t slack_ms = heard->rtt_ms ? 0 : QUEUE_BLIND_MS;
    bwe->reports.any = true;
    if (heard->rtt_ms) bwe->rtt_ms = heard->rtt_ms;
    bwe->last_ns = now_ns;
    if (heard->from_ns < bwe->reports.settled_ns) return cn_bwe_bps(bwe);
    bool high = heard->queue_ms > QUEUE_HIGH_MS + slack_ms, before = bwe->reports.queue;
    bool queue = (high && before) || heard->queue_ms > QUEUE_FULL_MS + slack_ms || (high && heard->loss > LOSS_HIGH);
    bwe->reports.queue = high;
    bwe->loss = heard->loss;
    if (queue || heard->loss > LOSS_HIGH)
        cut(bwe, heard, queue, now_ns);
    else if (heard->loss > LOSS_LOW) /* what comes may go on */
        bwe->bps = fmax(bwe->bps, fmin(HEADROOM * heard->came_bps, HEADROOM * heard->wanted_bps));
    else if (heard->queue_ms < QUEUE_LOW_MS + slack_ms)
        raise(bwe, heard, now_ns);
    return cn_bwe_bps(bwe);
}

uint32_t cn_bwe_try_least(cn_bwe *bwe, const cn_bwe_least *least, uint64_t now_ns)
{
    if (!bwe->reports.since_ns) bwe->reports.since_ns = now_ns;
    if (now_ns < bwe->reports.limit_ns) return cn_bwe_bps(bwe);
    bool silent = !bwe->reports.any && now_ns - bwe->reports.since_ns > SILENT_NS;
    double bps = silent ? least->all_bps : least->first_bps;
    bps = bps <= least->ceiling_bps ? HEADROOM * bps : least->ceiling_bps;
    if (silent)
        bwe->bps = fmax(bps, CN_BWE_START); /* follows down, too: nobody would say that it does not fit */
    else if (bps > bwe->bps)
        bwe->bps = bps;
    return cn_bwe_bps(bwe);
}
