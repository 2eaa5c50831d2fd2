#include "media/rate/bwe.h"

#include <math.h>
#include <string.h>

#define BUCKET_US 50000
#define ACKED_BUCKETS 10 /* whole ones that make the acknowledged rate: 500 ms … */
#define CUT_BUCKETS 6    /* … and when something got worse: 300 ms, */
#define STEEP_BUCKETS 3  /* or fast */
#define BUCKETS_LEAST 3
#define FULL_BUCKETS 2 /* in which the line was full, whatever came before */

#define DELAY_FLOOR 250000.0    /* delay alone never cuts deeper: a starved receiver's clock looks like a queue too */
#define CUT 0.85                /* of the acknowledged rate, when the queue grows */
#define HELD_BACK 0.3           /* of the estimate: who sends less is not … */
#define HELD_BACK_MS 150        /* … taken to have made a queue shorter than this … */
#define CUT_HELD_BACK 0.5       /* … and loses no more of it at once */
#define SPARED_NS 3000000000ull /* the next decrease within, when the queue has grown by … */
#define SPARED_MS 20            /* … so much more, is whole */
#define GROWTH 0.08             /* per second, far from the link's capacity */
#define PACKET_BITS 9600        /* per round trip and 100 ms, near it */
#define DRAIN_NS 2000000000ull
#define DRAINED_MS 15
#define STEEP_MS 20 /* a queue that climbed and is shorter now was a large picture's */
#define EMPTY_MS 5  /* whatever the trend says, that is behind us */
#define STANDING_MS 60
#define CROWD_NS 10000000000ull
#define LIMIT_KNOWN_NS 30000000000ull

#define LOSS_LOW 0.02
#define LOSS_HIGH 0.10
#define LOSS_PACKETS 100 /* judged over so many and 200 ms at least … */
#define LOSS_NS 200000000ull
#define LOSS_GROWTH 0.25 /* per second, once it is over */
#define LOSS_FEW 20      /* … or so many and a second */
#define LOSS_FEW_NS 1000000000ull
#define LOSS_CUT_NS 300000000ull
#define OVERTAKING_NS 10000000000ull /* how long it is expected to happen again */
#define RANDOM_QUEUE_MS 30           /* loss without a longer queue than this is not of our making */

#define PROBE_MS 25
#define PROBE_NOISES 10 /* times the noise */
#define PROBE_PACKETS_JITTER 9
#define PROBE_PACKETS 6
#define PROBE_PACKET 1200
#define PROBE_AGAIN_NS 100000000ull /* after one that found room */
#define PROBE_WAIT_NS 1500000000ull /* after one that did not, doubling … */
#define PROBE_WAIT_MAX_NS 4000000000ull
#define PROBE_ECHO_NS 400000000ull  /* so long its own queue is to be seen */
#define PROBE_LOST_NS 1000000000ull /* no answer for so long besides the round trip */

void cn_bwe_init(cn_bwe *bwe)
{
    *bwe = (cn_bwe){.bps = CN_BWE_START,
                    .loss_bps = CN_BWE_MAX,
                    .min = CN_BWE_MIN,
                    .max = CN_BWE_MAX,
                    .acked_first = INT64_MIN,
                    .acked_newest = INT64_MIN,
                    .probe_wait_ns = PROBE_WAIT_NS};
    for (unsigned i = 0; i < CN_BWE_BUCKETS; i++) bwe->acked[i].slot = INT64_MIN;
    cn_delaytrend_init(&bwe->trend);
}

uint32_t cn_bwe_bps(const cn_bwe *bwe)
{
    double bps = fmin(fmin(bwe->bps, bwe->loss_bps), bwe->max);
    return (uint32_t)fmax(bps, bwe->min);
}

void cn_bwe_cap(cn_bwe *bwe, uint32_t bps)
{
    bwe->max = bps && bps < CN_BWE_MAX ? bps : CN_BWE_MAX;
}

/* ---- acknowledged rate ---- */

static void acked_add(cn_bwe *bwe, int64_t arrival_us, uint32_t bytes)
{
    int64_t slot = arrival_us / BUCKET_US;
    if (bwe->acked_first == INT64_MIN) bwe->acked_first = slot;
    if (slot > bwe->acked_newest) bwe->acked_newest = slot;
    unsigned i = (unsigned)((uint64_t)slot % CN_BWE_BUCKETS);
    if (bwe->acked[i].slot > slot) return;
    if (bwe->acked[i].slot < slot) bwe->acked[i].bytes = 0;
    bwe->acked[i].slot = slot;
    bwe->acked[i].bytes += bytes;
}

/* Over the last whole buckets; 0 while fewer than `least` are there. */
static double acked_rate(const cn_bwe *bwe, int buckets, int least)
{
    int64_t whole = bwe->acked_first == INT64_MIN ? 0 : bwe->acked_newest - bwe->acked_first;
    if (whole < buckets) buckets = (int)whole;
    if (buckets < least) return 0;
    uint64_t bytes = 0;
    for (int64_t slot = bwe->acked_newest - buckets; slot < bwe->acked_newest; slot++) {
        unsigned i = (unsigned)((uint64_t)slot % CN_BWE_BUCKETS);
        if (bwe->acked[i].slot == slot) bytes += bwe->acked[i].bytes;
    }
    return (double)bytes * 8.0 * 1e6 / ((double)buckets * BUCKET_US);
}

/* ---- capacity: where former decreases happened ---- */

static bool near_capacity(const cn_bwe *bwe, double bps)
{
    return bwe->capacity > 0 && fabs(bps - bwe->capacity) < 3 * bwe->deviation;
}

static void capacity_learn(cn_bwe *bwe, double acked)
{
    if (bwe->capacity <= 0 || !near_capacity(bwe, acked)) {
        bwe->capacity = acked;
        bwe->deviation = 0.1 * acked;
        return;
    }
    double off = fabs(acked - bwe->capacity);
    bwe->capacity += 0.05 * (acked - bwe->capacity);
    bwe->deviation = fmin(fmax(0.95 * bwe->deviation + 0.05 * off, 0.02 * bwe->capacity), 0.15 * bwe->capacity);
}

static void capacity_judge(cn_bwe *bwe, double bps)
{
    if (bwe->capacity > 0 && bps > bwe->capacity + 3 * bwe->deviation) bwe->capacity = 0;
}

/* ---- probes ---- */

static void probe_over(cn_bwe *bwe, bool room, uint64_t now_ns)
{
    bwe->probe.under_way = false;
    bwe->echo_ns = now_ns + PROBE_ECHO_NS;
    if (room) {
        bwe->probe_wait_ns = PROBE_WAIT_NS;
        bwe->probe_next_ns = now_ns + PROBE_AGAIN_NS;
        return;
    }
    bwe->probe_next_ns = now_ns + bwe->probe_wait_ns;
    bwe->probe_wait_ns = bwe->probe_wait_ns < PROBE_WAIT_MAX_NS / 2 ? 2 * bwe->probe_wait_ns : PROBE_WAIT_MAX_NS;
}

bool cn_bwe_probe_want(cn_bwe *bwe, uint32_t wanted_bps, uint64_t now_ns, cn_bwe_probe *out)
{
    if (bwe->probe.under_way && now_ns > bwe->probe.began_ns + PROBE_LOST_NS + bwe->rtt_ms * 1000000ull)
        probe_over(bwe, false, now_ns);
    double now_bps = cn_bwe_bps(bwe), most = fmin(1.25 * wanted_bps, bwe->max);
    if (bwe->probe.under_way || bwe->drain_ns || now_ns < bwe->probe_next_ns || most < 1.1 * now_bps) return false;
    if (cn_delaytrend_state(&bwe->trend) == CN_TREND_OVER || bwe->loss > LOSS_HIGH) return false;
    double bps = fmin((bwe->proved ? 2 : 3) * now_bps, most);
    /* where packets jitter, a longer one, or its ends tell nothing; not so long that its queue is heard */
    double longer = fmin(bps * PROBE_NOISES * bwe->trend.noise_ms / 8000, PROBE_PACKETS_JITTER * PROBE_PACKET);
    uint32_t bytes = (uint32_t)fmax(bps * PROBE_MS / 8000, fmax(longer, PROBE_PACKETS * PROBE_PACKET));
    *out = (cn_bwe_probe){.bps = (uint32_t)bps, .bytes = bytes};
    bwe->probe.bps = (uint32_t)bps;
    return true;
}

void cn_bwe_probe_begin(cn_bwe *bwe, uint64_t seq, uint64_t now_ns)
{
    uint32_t bps = bwe->probe.bps;
    memset(&bwe->probe, 0, sizeof bwe->probe);
    bwe->probe.under_way = true;
    bwe->probe.bps = bps;
    bwe->probe.first = seq;
    bwe->probe.last = UINT64_MAX;
    bwe->probe.began_ns = now_ns;
}

void cn_bwe_probe_end(cn_bwe *bwe, uint64_t seq)
{
    if (bwe->probe.under_way) bwe->probe.last = seq;
}

static void probe_packet(cn_bwe *bwe, const cn_twcc_result *result)
{
    if (!bwe->probe.under_way || result->seq < bwe->probe.first || result->seq > bwe->probe.last) return;
    if (result->arrival_us == CN_TWCC_LOST) {
        bwe->probe.lost++;
        return;
    }
    if (!bwe->probe.acked || result->sent_ns < bwe->probe.sent_first_ns) bwe->probe.sent_first_ns = result->sent_ns;
    if (!bwe->probe.acked || result->arrival_us < bwe->probe.arrival_first_us) {
        bwe->probe.arrival_first_us = result->arrival_us;
        bwe->probe.first_bytes = result->size;
    }
    if (!bwe->probe.acked || result->sent_ns >= bwe->probe.sent_last_ns) {
        bwe->probe.sent_last_ns = result->sent_ns;
        bwe->probe.last_bytes = result->size;
    }
    if (!bwe->probe.acked || result->arrival_us > bwe->probe.arrival_last_us)
        bwe->probe.arrival_last_us = result->arrival_us;
    bwe->probe.bytes += result->size;
    bwe->probe.acked++;
}

/* Rate at which the probe's packets came, 0 when that cannot be told; what was sent bounds it. */
static double probe_rate(const cn_bwe *bwe)
{
    uint32_t all = bwe->probe.acked + bwe->probe.lost;
    double sent_s = (double)(bwe->probe.sent_last_ns - bwe->probe.sent_first_ns) / 1e9;
    double came_s = (double)(bwe->probe.arrival_last_us - bwe->probe.arrival_first_us) / 1e6;
    if (bwe->probe.acked < PROBE_PACKETS - 1 || bwe->probe.acked < 0.8 * all || sent_s < 0.005) return 0;
    double sent = (double)(bwe->probe.bytes - bwe->probe.last_bytes) * 8 / sent_s;
    if (came_s <= 0) return fmin(sent, bwe->probe.bps);
    double came = (double)(bwe->probe.bytes - bwe->probe.first_bytes) * 8 / came_s;
    double rate = came < 0.9 * sent ? 0.95 * came : fmin(sent, came);
    return fmin(rate, bwe->probe.bps);
}

static void probe_judge(cn_bwe *bwe, uint64_t newest, uint64_t now_ns)
{
    if (!bwe->probe.under_way || newest < bwe->probe.last) return;
    double rate = probe_rate(bwe);
    bool room = rate > 1.05 * cn_bwe_bps(bwe);
    if (room) {
        bwe->bps = fmax(bwe->bps, rate);
        bwe->loss_bps = fmax(bwe->loss_bps, rate);
        capacity_judge(bwe, rate);
    }
    bwe->proved = true;
    probe_over(bwe, room && rate > 0.9 * bwe->probe.bps, now_ns);
}

/* ---- loss ---- */

static void loss_judge(cn_bwe *bwe, double loss, double acked, uint64_t now_ns)
{
    bwe->loss = loss;
    if (loss > LOSS_HIGH) {
        if (bwe->loss_ns && now_ns < bwe->loss_ns + LOSS_CUT_NS + bwe->rtt_ms * 1000000ull) return;
        bwe->loss_bps = fmax(fmin(bwe->bps, bwe->loss_bps) * (1 - 0.5 * fmin(loss, 1)), bwe->min);
        bwe->loss_ns = now_ns;
        return;
    }
    if (bwe->loss_bps >= CN_BWE_MAX) return;
    bool random =
        cn_delaytrend_queue_ms(&bwe->trend) < RANDOM_QUEUE_MS && cn_delaytrend_state(&bwe->trend) != CN_TREND_OVER;
    double seconds = fmin((double)(now_ns - bwe->loss_since_ns) / 1e9, 1);
    if (loss < LOSS_LOW)
        bwe->loss_bps = fmax(bwe->loss_bps * (1 + LOSS_GROWTH * seconds), random ? 1.5 * acked : 0);
    else if (random)
        bwe->loss_bps = fmax(bwe->loss_bps, 1.25 * acked);
    if (bwe->loss_bps > 2 * bwe->bps && loss < LOSS_LOW) bwe->loss_bps = CN_BWE_MAX;
}

static void loss_feedback(cn_bwe *bwe, double acked, uint64_t now_ns)
{
    bool many = bwe->loss_all >= LOSS_PACKETS && now_ns >= bwe->loss_since_ns + LOSS_NS;
    if (!many && (bwe->loss_all < LOSS_FEW || now_ns < bwe->loss_since_ns + LOSS_FEW_NS)) return;
    uint32_t lost = bwe->loss_lost, all = bwe->loss_all;
    if (now_ns < bwe->overtaking_ns) {
        lost = bwe->held_lost;
        all = bwe->held_all;
        bwe->held_lost = bwe->loss_lost;
        bwe->held_all = bwe->loss_all;
        bwe->held_last = bwe->loss_last;
    } else {
        bwe->held_all = 0;
    }
    bwe->loss_all = bwe->loss_lost = 0;
    if (all) loss_judge(bwe, (double)lost / all, acked, now_ns);
    bwe->loss_since_ns = now_ns;
}

/* Reported as lost before, and there now: a browser reports what is missing below the newest arrival. */
static void overtaken(cn_bwe *bwe, const cn_twcc_result *result, uint64_t now_ns)
{
    uint32_t *lost = bwe->held_all && result->seq <= bwe->held_last ? &bwe->held_lost : &bwe->loss_lost;
    bwe->overtaking_ns = now_ns + OVERTAKING_NS;
    if (*lost) --*lost;
    if (bwe->probe.under_way && result->seq >= bwe->probe.first && result->seq <= bwe->probe.last && bwe->probe.lost)
        bwe->probe.lost--;
}

/* ---- delay ---- */

/* What is sent is far below what is believed to fit: if the queue grows then, it is hardly because of us (another way
 * with a longer delay; somebody else's burst), and how much still fits was not seen. When it grows on, it is. */
static bool held_back(const cn_bwe *bwe, double acked, uint64_t now_ns)
{
    return acked < HELD_BACK * bwe->bps && cn_delaytrend_queue_ms(&bwe->trend) < HELD_BACK_MS &&
           (!bwe->spared_ns || now_ns >= bwe->spared_ns + SPARED_NS);
}

static void decrease(cn_bwe *bwe, int buckets, uint64_t now_ns)
{
    if (bwe->cut_ns && now_ns < bwe->cut_ns + 200000000ull + bwe->rtt_ms * 1000000ull) return;
    /* a picture that has just begun fills the line only since then */
    double acked = fmax(acked_rate(bwe, buckets, BUCKETS_LEAST), acked_rate(bwe, FULL_BUCKETS, FULL_BUCKETS));
    if (acked <= 0) acked = bwe->bps;
    if (buckets != STEEP_BUCKETS && held_back(bwe, acked, now_ns)) {
        bwe->bps = fmax(CUT_HELD_BACK * bwe->bps, CUT * acked);
        bwe->spared_ns = now_ns;
        bwe->spared_ms = cn_delaytrend_queue_ms(&bwe->trend);
    } else {
        capacity_learn(bwe, acked);
        bwe->bps = fmin(bwe->bps, fmax(CUT * acked, DELAY_FLOOR));
    }
    bwe->cut_ns = now_ns;
    bwe->drain_ns = now_ns + DRAIN_NS;
    if (bwe->probe.under_way || bwe->probe_next_ns < now_ns + PROBE_WAIT_NS) probe_over(bwe, false, now_ns);
}

static void increase(cn_bwe *bwe, double acked, uint64_t passed_ns)
{
    double seconds = fmin((double)passed_ns / 1e9, 1), before = bwe->bps;
    double proved = acked > 0 ? 1.5 * acked + 10000 : bwe->bps;
    capacity_judge(bwe, acked);
    double grown = near_capacity(bwe, bwe->bps) ? bwe->bps + PACKET_BITS * seconds / ((bwe->rtt_ms + 100) / 1000.0)
                                                : bwe->bps * (1 + GROWTH * seconds);
    bwe->bps = fmin(fmax(before, fmin(grown, proved)), CN_BWE_MAX);
}

/* A full queue does not grow. When it stays in spite of our having given way, it is others' (a download without end):
 * giving way again would only starve us. */
static bool standing(cn_bwe *bwe, uint64_t now_ns)
{
    bool there = cn_delaytrend_standing_ms(&bwe->trend) > STANDING_MS;
    if (bwe->standing_ns && now_ns >= bwe->standing_ns) {
        bwe->standing_ns = 0;
        if (there) bwe->crowd_ns = now_ns + CROWD_NS;
    }
    if (!there || bwe->drain_ns || now_ns < bwe->crowd_ns) return false;
    if (!bwe->standing_ns) bwe->standing_ns = now_ns + DRAIN_NS + 2000000ull * bwe->rtt_ms;
    return true;
}

/* Does the queue grow because more is sent than fits? A probe makes a small one, which goes by itself. */
static bool overused(const cn_bwe *bwe, uint64_t now_ns)
{
    uint32_t queue_ms = cn_delaytrend_queue_ms(&bwe->trend);
    bool echo = bwe->probe.under_way || now_ns < bwe->echo_ns;
    if (bwe->spared_ns && now_ns < bwe->spared_ns + SPARED_NS && queue_ms < bwe->spared_ms + SPARED_MS) return false;
    return cn_delaytrend_state(&bwe->trend) == CN_TREND_OVER && queue_ms >= (echo ? STANDING_MS : EMPTY_MS);
}

static void delay_judge(cn_bwe *bwe, double acked, uint64_t passed_ns, uint64_t now_ns)
{
    cn_trend_state state = cn_delaytrend_state(&bwe->trend);
    if (bwe->drain_ns && (now_ns >= bwe->drain_ns || cn_delaytrend_queue_ms(&bwe->trend) < DRAINED_MS))
        bwe->drain_ns = 0;
    if (cn_delaytrend_steep(&bwe->trend) && cn_delaytrend_queue_ms(&bwe->trend) >= STEEP_MS && !bwe->drain_ns)
        decrease(bwe, STEEP_BUCKETS, now_ns);
    else if (standing(bwe, now_ns) || overused(bwe, now_ns))
        decrease(bwe, CUT_BUCKETS, now_ns);
    else if (state == CN_TREND_NORMAL && !bwe->drain_ns)
        increase(bwe, acked, passed_ns);
}

uint32_t cn_bwe_feedback(cn_bwe *bwe, const cn_twcc_result *results, size_t count, uint32_t rtt_ms, uint64_t now_ns)
{
    if (rtt_ms) bwe->rtt_ms = rtt_ms;
    for (size_t i = 0; i < count; i++) {
        const cn_twcc_result *result = &results[i];
        bool counts = result->sent_ns > bwe->cut_ns &&
                      result->sent_ns > bwe->loss_ns; /* what led to a decrease leads to no other */
        if (result->late) {
            overtaken(bwe, result, now_ns);
        } else {
            bwe->loss_all += counts;
            bwe->loss_last = result->seq;
        }
        probe_packet(bwe, result);
        if (result->arrival_us == CN_TWCC_LOST) {
            bwe->loss_lost += counts;
            continue;
        }
        acked_add(bwe, result->arrival_us, result->size);
        cn_delaytrend_packet(&bwe->trend, result->sent_ns / 1000, result->arrival_us);
    }
    uint64_t passed = bwe->last_ns ? now_ns - bwe->last_ns : 0;
    bwe->last_ns = now_ns;
    bwe->acked_bps = acked_rate(bwe, ACKED_BUCKETS, BUCKETS_LEAST);
    loss_feedback(bwe, bwe->acked_bps, now_ns);
    delay_judge(bwe, bwe->acked_bps, passed, now_ns);
    if (count) probe_judge(bwe, results[count - 1].seq, now_ns);
    return cn_bwe_bps(bwe);
}

uint32_t cn_bwe_budget(const cn_bwe *bwe, uint64_t now_ns)
{
    uint32_t bps = cn_bwe_bps(bwe);
    if (!cn_bwe_drains(bwe, now_ns)) return bps;
    double queued = cn_delaytrend_queue_ms(&bwe->trend) / 1000.0 * bwe->acked_bps; /* bits; gone within a second */
    return (uint32_t)fmax(fmax(bps - queued, 0.5 * bps), bwe->min);
}

bool cn_bwe_drains(const cn_bwe *bwe, uint64_t now_ns)
{
    return bwe->drain_ns && now_ns < bwe->drain_ns;
}

bool cn_bwe_binds(const cn_bwe *bwe, uint32_t wanted_bps, uint64_t now_ns)
{
    uint64_t last_ns = bwe->cut_ns > bwe->loss_ns ? bwe->cut_ns : bwe->loss_ns;
    if (last_ns && now_ns - last_ns < LIMIT_KNOWN_NS) return 2.0 * wanted_bps > cn_bwe_bps(bwe);
    return wanted_bps > bwe->max || (bwe->proved && wanted_bps > cn_bwe_bps(bwe));
}
