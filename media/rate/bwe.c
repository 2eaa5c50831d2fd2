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

void cn_bwe_init(cn_bwe *b)
{
    *b = (cn_bwe){.bps = CN_BWE_START,
                  .loss_bps = CN_BWE_MAX,
                  .min = CN_BWE_MIN,
                  .max = CN_BWE_MAX,
                  .acked_first = INT64_MIN,
                  .acked_newest = INT64_MIN,
                  .probe_wait_ns = PROBE_WAIT_NS};
    for (unsigned i = 0; i < CN_BWE_BUCKETS; i++) b->acked[i].slot = INT64_MIN;
    cn_delaytrend_init(&b->trend);
}

uint32_t cn_bwe_bps(const cn_bwe *b)
{
    double bps = fmin(fmin(b->bps, b->loss_bps), b->max);
    return (uint32_t)fmax(bps, b->min);
}

void cn_bwe_cap(cn_bwe *b, uint32_t bps)
{
    b->max = bps && bps < CN_BWE_MAX ? bps : CN_BWE_MAX;
}

/* ---- acknowledged rate ---- */

static void acked_add(cn_bwe *b, int64_t arrival_us, uint32_t bytes)
{
    int64_t slot = arrival_us / BUCKET_US;
    if (b->acked_first == INT64_MIN) b->acked_first = slot;
    if (slot > b->acked_newest) b->acked_newest = slot;
    unsigned i = (unsigned)((uint64_t)slot % CN_BWE_BUCKETS);
    if (b->acked[i].slot > slot) return;
    if (b->acked[i].slot < slot) b->acked[i].bytes = 0;
    b->acked[i].slot = slot;
    b->acked[i].bytes += bytes;
}

/* Over the last whole buckets; 0 while fewer than `least` are there. */
static double acked_rate(const cn_bwe *b, int buckets, int least)
{
    int64_t whole = b->acked_first == INT64_MIN ? 0 : b->acked_newest - b->acked_first;
    if (whole < buckets) buckets = (int)whole;
    if (buckets < least) return 0;
    uint64_t bytes = 0;
    for (int64_t slot = b->acked_newest - buckets; slot < b->acked_newest; slot++) {
        unsigned i = (unsigned)((uint64_t)slot % CN_BWE_BUCKETS);
        if (b->acked[i].slot == slot) bytes += b->acked[i].bytes;
    }
    return (double)bytes * 8.0 * 1e6 / ((double)buckets * BUCKET_US);
}

/* ---- capacity: where former decreases happened ---- */

static bool near_capacity(const cn_bwe *b, double bps)
{
    return b->capacity > 0 && fabs(bps - b->capacity) < 3 * b->deviation;
}

static void capacity_learn(cn_bwe *b, double acked)
{
    if (b->capacity <= 0 || !near_capacity(b, acked)) {
        b->capacity = acked;
        b->deviation = 0.1 * acked;
        return;
    }
    double off = fabs(acked - b->capacity);
    b->capacity += 0.05 * (acked - b->capacity);
    b->deviation = fmin(fmax(0.95 * b->deviation + 0.05 * off, 0.02 * b->capacity), 0.15 * b->capacity);
}

static void capacity_judge(cn_bwe *b, double bps)
{
    if (b->capacity > 0 && bps > b->capacity + 3 * b->deviation) b->capacity = 0;
}

/* ---- probes ---- */

static void probe_over(cn_bwe *b, bool room, uint64_t now_ns)
{
    b->probe.under_way = false;
    b->echo_ns = now_ns + PROBE_ECHO_NS;
    if (room) {
        b->probe_wait_ns = PROBE_WAIT_NS;
        b->probe_next_ns = now_ns + PROBE_AGAIN_NS;
        return;
    }
    b->probe_next_ns = now_ns + b->probe_wait_ns;
    b->probe_wait_ns = b->probe_wait_ns < PROBE_WAIT_MAX_NS / 2 ? 2 * b->probe_wait_ns : PROBE_WAIT_MAX_NS;
}

bool cn_bwe_probe_want(cn_bwe *b, uint32_t wanted_bps, uint64_t now_ns, cn_bwe_probe *out)
{
    if (b->probe.under_way && now_ns > b->probe.began_ns + PROBE_LOST_NS + b->rtt_ms * 1000000ull)
        probe_over(b, false, now_ns);
    double now_bps = cn_bwe_bps(b), most = fmin(1.25 * wanted_bps, b->max);
    if (b->probe.under_way || b->drain_ns || now_ns < b->probe_next_ns || most < 1.1 * now_bps) return false;
    if (cn_delaytrend_state(&b->trend) == CN_TREND_OVER || b->loss > LOSS_HIGH) return false;
    double bps = fmin((b->proved ? 2 : 3) * now_bps, most);
    /* where packets jitter, a longer one, or its ends tell nothing; not so long that its queue is heard */
    double longer = fmin(bps * PROBE_NOISES * b->trend.noise_ms / 8000, PROBE_PACKETS_JITTER * PROBE_PACKET);
    uint32_t bytes = (uint32_t)fmax(bps * PROBE_MS / 8000, fmax(longer, PROBE_PACKETS * PROBE_PACKET));
    *out = (cn_bwe_probe){.bps = (uint32_t)bps, .bytes = bytes};
    b->probe.bps = (uint32_t)bps;
    return true;
}

void cn_bwe_probe_begin(cn_bwe *b, uint64_t seq, uint64_t now_ns)
{
    uint32_t bps = b->probe.bps;
    memset(&b->probe, 0, sizeof b->probe);
    b->probe.under_way = true;
    b->probe.bps = bps;
    b->probe.first = seq;
    b->probe.last = UINT64_MAX;
    b->probe.began_ns = now_ns;
}

void cn_bwe_probe_end(cn_bwe *b, uint64_t seq)
{
    if (b->probe.under_way) b->probe.last = seq;
}

static void probe_packet(cn_bwe *b, const cn_twcc_result *r)
{
    if (!b->probe.under_way || r->seq < b->probe.first || r->seq > b->probe.last) return;
    if (r->arrival_us == CN_TWCC_LOST) {
        b->probe.lost++;
        return;
    }
    if (!b->probe.acked || r->sent_ns < b->probe.sent_first_ns) b->probe.sent_first_ns = r->sent_ns;
    if (!b->probe.acked || r->arrival_us < b->probe.arrival_first_us) {
        b->probe.arrival_first_us = r->arrival_us;
        b->probe.first_bytes = r->size;
    }
    if (!b->probe.acked || r->sent_ns >= b->probe.sent_last_ns) {
        b->probe.sent_last_ns = r->sent_ns;
        b->probe.last_bytes = r->size;
    }
    if (!b->probe.acked || r->arrival_us > b->probe.arrival_last_us) b->probe.arrival_last_us = r->arrival_us;
    b->probe.bytes += r->size;
    b->probe.acked++;
}

/* Rate at which the probe's packets came, 0 when that cannot be told; what was sent bounds it. */
static double probe_rate(const cn_bwe *b)
{
    uint32_t all = b->probe.acked + b->probe.lost;
    double sent_s = (double)(b->probe.sent_last_ns - b->probe.sent_first_ns) / 1e9;
    double came_s = (double)(b->probe.arrival_last_us - b->probe.arrival_first_us) / 1e6;
    if (b->probe.acked < PROBE_PACKETS - 1 || b->probe.acked < 0.8 * all || sent_s < 0.005) return 0;
    double sent = (double)(b->probe.bytes - b->probe.last_bytes) * 8 / sent_s;
    if (came_s <= 0) return fmin(sent, b->probe.bps);
    double came = (double)(b->probe.bytes - b->probe.first_bytes) * 8 / came_s;
    double rate = came < 0.9 * sent ? 0.95 * came : fmin(sent, came);
    return fmin(rate, b->probe.bps);
}

static void probe_judge(cn_bwe *b, uint64_t newest, uint64_t now_ns)
{
    if (!b->probe.under_way || newest < b->probe.last) return;
    double rate = probe_rate(b);
    bool room = rate > 1.05 * cn_bwe_bps(b);
    if (room) {
        b->bps = fmax(b->bps, rate);
        b->loss_bps = fmax(b->loss_bps, rate);
        capacity_judge(b, rate);
    }
    b->proved = true;
    probe_over(b, room && rate > 0.9 * b->probe.bps, now_ns);
}

/* ---- loss ---- */

static void loss_judge(cn_bwe *b, double loss, double acked, uint64_t now_ns)
{
    b->loss = loss;
    if (loss > LOSS_HIGH) {
        if (b->loss_ns && now_ns < b->loss_ns + LOSS_CUT_NS + b->rtt_ms * 1000000ull) return;
        b->loss_bps = fmax(fmin(b->bps, b->loss_bps) * (1 - 0.5 * fmin(loss, 1)), b->min);
        b->loss_ns = now_ns;
        return;
    }
    if (b->loss_bps >= CN_BWE_MAX) return;
    bool random =
        cn_delaytrend_queue_ms(&b->trend) < RANDOM_QUEUE_MS && cn_delaytrend_state(&b->trend) != CN_TREND_OVER;
    double seconds = fmin((double)(now_ns - b->loss_since_ns) / 1e9, 1);
    if (loss < LOSS_LOW)
        b->loss_bps = fmax(b->loss_bps * (1 + LOSS_GROWTH * seconds), random ? 1.5 * acked : 0);
    else if (random)
        b->loss_bps = fmax(b->loss_bps, 1.25 * acked);
    if (b->loss_bps > 2 * b->bps && loss < LOSS_LOW) b->loss_bps = CN_BWE_MAX;
}

static void loss_feedback(cn_bwe *b, double acked, uint64_t now_ns)
{
    bool many = b->loss_all >= LOSS_PACKETS && now_ns >= b->loss_since_ns + LOSS_NS;
    if (!many && (b->loss_all < LOSS_FEW || now_ns < b->loss_since_ns + LOSS_FEW_NS)) return;
    uint32_t lost = b->loss_lost, all = b->loss_all;
    if (now_ns < b->overtaking_ns) {
        lost = b->held_lost;
        all = b->held_all;
        b->held_lost = b->loss_lost;
        b->held_all = b->loss_all;
        b->held_last = b->loss_last;
    } else {
        b->held_all = 0;
    }
    b->loss_all = b->loss_lost = 0;
    if (all) loss_judge(b, (double)lost / all, acked, now_ns);
    b->loss_since_ns = now_ns;
}

/* Reported as lost before, and there now: a browser reports what is missing below the newest arrival. */
static void overtaken(cn_bwe *b, const cn_twcc_result *r, uint64_t now_ns)
{
    uint32_t *lost = b->held_all && r->seq <= b->held_last ? &b->held_lost : &b->loss_lost;
    b->overtaking_ns = now_ns + OVERTAKING_NS;
    if (*lost) --*lost;
    if (b->probe.under_way && r->seq >= b->probe.first && r->seq <= b->probe.last && b->probe.lost) b->probe.lost--;
}

/* ---- delay ---- */

/* What is sent is far below what is believed to fit: if the queue grows then, it is hardly because of us (another way
 * with a longer delay; somebody else's burst), and how much still fits was not seen. When it grows on, it is. */
static bool held_back(const cn_bwe *b, double acked, uint64_t now_ns)
{
    return acked < HELD_BACK * b->bps && cn_delaytrend_queue_ms(&b->trend) < HELD_BACK_MS &&
           (!b->spared_ns || now_ns >= b->spared_ns + SPARED_NS);
}

static void decrease(cn_bwe *b, int buckets, uint64_t now_ns)
{
    if (b->cut_ns && now_ns < b->cut_ns + 200000000ull + b->rtt_ms * 1000000ull) return;
    /* a picture that has just begun fills the line only since then */
    double acked = fmax(acked_rate(b, buckets, BUCKETS_LEAST), acked_rate(b, FULL_BUCKETS, FULL_BUCKETS));
    if (acked <= 0) acked = b->bps;
    if (buckets != STEEP_BUCKETS && held_back(b, acked, now_ns)) {
        b->bps = fmax(CUT_HELD_BACK * b->bps, CUT * acked);
        b->spared_ns = now_ns;
        b->spared_ms = cn_delaytrend_queue_ms(&b->trend);
    } else {
        capacity_learn(b, acked);
        b->bps = fmin(b->bps, fmax(CUT * acked, DELAY_FLOOR));
    }
    b->cut_ns = now_ns;
    b->drain_ns = now_ns + DRAIN_NS;
    if (b->probe.under_way || b->probe_next_ns < now_ns + PROBE_WAIT_NS) probe_over(b, false, now_ns);
}

static void increase(cn_bwe *b, double acked, uint64_t passed_ns)
{
    double seconds = fmin((double)passed_ns / 1e9, 1), before = b->bps;
    double proved = acked > 0 ? 1.5 * acked + 10000 : b->bps;
    capacity_judge(b, acked);
    double grown = near_capacity(b, b->bps) ? b->bps + PACKET_BITS * seconds / ((b->rtt_ms + 100) / 1000.0)
                                            : b->bps * (1 + GROWTH * seconds);
    b->bps = fmin(fmax(before, fmin(grown, proved)), CN_BWE_MAX);
}

/* A full queue does not grow. When it stays in spite of our having given way, it is others' (a download without end):
 * giving way again would only starve us. */
static bool standing(cn_bwe *b, uint64_t now_ns)
{
    bool there = cn_delaytrend_standing_ms(&b->trend) > STANDING_MS;
    if (b->standing_ns && now_ns >= b->standing_ns) {
        b->standing_ns = 0;
        if (there) b->crowd_ns = now_ns + CROWD_NS;
    }
    if (!there || b->drain_ns || now_ns < b->crowd_ns) return false;
    if (!b->standing_ns) b->standing_ns = now_ns + DRAIN_NS + 2000000ull * b->rtt_ms;
    return true;
}

/* Does the queue grow because more is sent than fits? A probe makes a small one, which goes by itself. */
static bool overused(const cn_bwe *b, uint64_t now_ns)
{
    uint32_t queue_ms = cn_delaytrend_queue_ms(&b->trend);
    bool echo = b->probe.under_way || now_ns < b->echo_ns;
    if (b->spared_ns && now_ns < b->spared_ns + SPARED_NS && queue_ms < b->spared_ms + SPARED_MS) return false;
    return cn_delaytrend_state(&b->trend) == CN_TREND_OVER && queue_ms >= (echo ? STANDING_MS : EMPTY_MS);
}

static void delay_judge(cn_bwe *b, double acked, uint64_t passed_ns, uint64_t now_ns)
{
    cn_trend_state state = cn_delaytrend_state(&b->trend);
    if (b->drain_ns && (now_ns >= b->drain_ns || cn_delaytrend_queue_ms(&b->trend) < DRAINED_MS)) b->drain_ns = 0;
    if (cn_delaytrend_steep(&b->trend) && cn_delaytrend_queue_ms(&b->trend) >= STEEP_MS && !b->drain_ns)
        decrease(b, STEEP_BUCKETS, now_ns);
    else if (standing(b, now_ns) || overused(b, now_ns))
        decrease(b, CUT_BUCKETS, now_ns);
    else if (state == CN_TREND_NORMAL && !b->drain_ns)
        increase(b, acked, passed_ns);
}

uint32_t cn_bwe_feedback(cn_bwe *b, const cn_twcc_result *results, size_t count, uint32_t rtt_ms, uint64_t now_ns)
{
    if (rtt_ms) b->rtt_ms = rtt_ms;
    for (size_t i = 0; i < count; i++) {
        const cn_twcc_result *r = &results[i];
        bool counts = r->sent_ns > b->cut_ns && r->sent_ns > b->loss_ns; /* what led to a decrease leads to no other */
        if (r->late) {
            overtaken(b, r, now_ns);
        } else {
            b->loss_all += counts;
            b->loss_last = r->seq;
        }
        probe_packet(b, r);
        if (r->arrival_us == CN_TWCC_LOST) {
            b->loss_lost += counts;
            continue;
        }
        acked_add(b, r->arrival_us, r->size);
        cn_delaytrend_packet(&b->trend, r->sent_ns / 1000, r->arrival_us);
    }
    uint64_t passed = b->last_ns ? now_ns - b->last_ns : 0;
    b->last_ns = now_ns;
    b->acked_bps = acked_rate(b, ACKED_BUCKETS, BUCKETS_LEAST);
    loss_feedback(b, b->acked_bps, now_ns);
    delay_judge(b, b->acked_bps, passed, now_ns);
    if (count) probe_judge(b, results[count - 1].seq, now_ns);
    return cn_bwe_bps(b);
}

uint32_t cn_bwe_report(cn_bwe *b, double loss, uint32_t sent_bps, uint32_t rtt_ms, uint64_t now_ns)
{
    if (rtt_ms) b->rtt_ms = rtt_ms;
    uint64_t passed = b->last_ns ? now_ns - b->last_ns : 0;
    b->last_ns = now_ns;
    loss_judge(b, loss, (1 - loss) * sent_bps, now_ns);
    if (loss < LOSS_LOW) increase(b, sent_bps, passed);
    return cn_bwe_bps(b);
}

uint32_t cn_bwe_budget(const cn_bwe *b, uint64_t now_ns)
{
    uint32_t bps = cn_bwe_bps(b);
    if (!cn_bwe_drains(b, now_ns)) return bps;
    double queued = cn_delaytrend_queue_ms(&b->trend) / 1000.0 * b->acked_bps; /* bits; gone within a second */
    return (uint32_t)fmax(fmax(bps - queued, 0.5 * bps), b->min);
}

bool cn_bwe_drains(const cn_bwe *b, uint64_t now_ns)
{
    return b->drain_ns && now_ns < b->drain_ns;
}

bool cn_bwe_binds(const cn_bwe *b, uint32_t wanted_bps, uint64_t now_ns)
{
    uint64_t last_ns = b->cut_ns > b->loss_ns ? b->cut_ns : b->loss_ns;
    if (last_ns && now_ns - last_ns < LIMIT_KNOWN_NS) return 2.0 * wanted_bps > cn_bwe_bps(b);
    return wanted_bps > b->max || (b->proved && wanted_bps > cn_bwe_bps(b));
}
