#include "media/stream/nackgen.h"

#include <string.h>

#define RTT_UNKNOWN_MS 100
#define INTERVAL_MIN_NS 20000000ull

/* Position of the first missing number ≥ seq. */
static size_t find(const cn_nackgen *g, uint64_t seq)
{
    size_t low = 0, high = g->count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (g->missing[mid].seq < seq)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void give_up_all(cn_nackgen *g)
{
    g->abandoned += g->count;
    g->count = 0;
    g->gave_up = true;
}

static void add_gap(cn_nackgen *g, uint64_t from, uint64_t to, uint64_t now_ns)
{
    if (to - from > CN_NACKGEN_MISSING - g->count) give_up_all(g);
    if (to - from > CN_NACKGEN_MISSING) {
        g->abandoned += to - from;
        return;
    }
    for (uint64_t s = from; s < to; s++) g->missing[g->count++] = (cn_nack_item){.seq = s, .since_ns = now_ns};
}

/* A packet below the highest: fills a gap, or came before. */
static bool fill(cn_nackgen *g, uint64_t ext)
{
    size_t i = find(g, ext);
    if (i == g->count || g->missing[i].seq != ext) return false;
    g->recovered++;
    memmove(&g->missing[i], &g->missing[i + 1], (g->count - i - 1) * sizeof g->missing[0]);
    g->count--;
    return true;
}

/* The sender began anew: numbers go on far above what was seen, so that rings never mistake the new for the old. */
static uint64_t restart(cn_nackgen *g, uint16_t seq)
{
    uint64_t base = g->seq.highest + 65536 - CN_NACKGEN_GAP_MAX;
    uint64_t ext = base + (uint16_t)(seq - (uint16_t)base);
    g->restarts++;
    give_up_all(g);
    g->seq.highest = ext;
    return ext;
}

/* A packet far outside: the second one in order is believed. */
static uint64_t doubt(cn_nackgen *g, uint16_t seq, uint64_t ext, bool *fresh)
{
    *fresh = g->suspicious && seq == (uint16_t)(g->suspect + 1);
    g->suspicious = !*fresh;
    g->suspect = seq;
    return *fresh ? restart(g, seq) : ext;
}

uint64_t cn_nackgen_packet(cn_nackgen *g, uint16_t seq, uint64_t now_ns, bool *fresh)
{
    bool is_fresh = true;
    uint64_t highest = g->seq.highest, ext;
    if (!highest) {
        ext = cn_seq_extend(&g->seq, seq);
    } else {
        ext = cn_seq_nearest(&g->seq, seq);
        if (ext + CN_NACKGEN_LATE_MAX < highest || ext > highest + CN_NACKGEN_GAP_MAX) {
            ext = doubt(g, seq, ext, &is_fresh);
        } else {
            g->suspicious = false;
            if (ext > highest) {
                g->seq.highest = ext;
                add_gap(g, highest + 1, ext, now_ns);
            } else {
                is_fresh = fill(g, ext);
            }
        }
    }
    if (fresh) *fresh = is_fresh;
    return ext;
}

static uint64_t interval_ns(uint32_t rtt_ms, unsigned retries)
{
    uint64_t ns = (uint64_t)(rtt_ms ? rtt_ms : RTT_UNKNOWN_MS) * 1250000;
    if (ns < INTERVAL_MIN_NS) ns = INTERVAL_MIN_NS;
    for (unsigned i = 1; i < retries; i++) ns += ns / 4;
    return ns;
}

/* When an item is to be asked for: at once after a few newer packets, else after the time allowed for reordering. */
static uint64_t item_due_ns(const cn_nackgen *g, const cn_nack_item *m, uint32_t rtt_ms)
{
    if (m->forgotten) return UINT64_MAX;
    if (m->retries) return m->asked_ns + interval_ns(rtt_ms, m->retries);
    return g->seq.highest - m->seq >= CN_NACKGEN_REORDER_PACKETS ? m->since_ns : m->since_ns + CN_NACKGEN_REORDER_NS;
}

size_t cn_nackgen_due(cn_nackgen *g, uint64_t now_ns, uint32_t rtt_ms, uint16_t *out, size_t max)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < g->count; i++) {
        cn_nack_item m = g->missing[i];
        bool due = item_due_ns(g, &m, rtt_ms) <= now_ns;
        if (now_ns > m.since_ns + CN_NACKGEN_AGE_NS || (due && m.retries >= CN_NACKGEN_RETRIES)) {
            g->abandoned += !m.forgotten;
            g->gave_up |= !m.forgotten;
            continue;
        }
        if (due && n < max) {
            out[n++] = (uint16_t)m.seq;
            m.asked_ns = now_ns;
            m.retries++;
            g->asked++;
        }
        g->missing[kept++] = m;
    }
    g->count = kept;
    return n;
}

uint64_t cn_nackgen_next_ns(const cn_nackgen *g, uint32_t rtt_ms)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < g->count; i++) {
        uint64_t due = item_due_ns(g, &g->missing[i], rtt_ms);
        if (due < next) next = due;
    }
    return next;
}

bool cn_nackgen_gave_up(cn_nackgen *g)
{
    bool was = g->gave_up;
    g->gave_up = false;
    return was;
}

void cn_nackgen_forget_before(cn_nackgen *g, uint64_t ext_seq)
{
    for (size_t i = 0; i < g->count && g->missing[i].seq < ext_seq; i++) g->missing[i].forgotten = true;
}

/* ---- RFC 3550 A.1, A.3, A.8 ---- */

void cn_recvstats_init(cn_recvstats *s, uint32_t clock)
{
    *s = (cn_recvstats){.clock = clock};
}

void cn_recvstats_packet(cn_recvstats *s, uint16_t seq, uint32_t ts, size_t bytes, uint64_t arrival_ns)
{
    uint64_t before = s->seq.highest, ext = cn_seq_extend(&s->seq, seq);
    /* a restart or a jump over more than A.1's MAX_DROPOUT: count anew rather than report thousands lost */
    if (before && (ext > before + 3000 || ext + 3000 < before)) {
        s->seq.highest = ext;
        s->base = ext;
        s->received = s->expected_prior = s->received_prior = 0;
    }
    if (!before) s->base = ext;
    if (ext < s->base) s->base = ext;
    s->received++;
    s->bytes += bytes;
    int64_t transit = cn_ticks_from_ns((int64_t)arrival_ns, s->clock) - (int64_t)ts;
    if (s->started) {
        int32_t d = (int32_t)(uint32_t)(uint64_t)(transit - s->transit);
        uint32_t size = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
        /* a jump of the timestamps (a new stream) is no jitter */
        if (size < s->clock * 5) s->jitter_q4 += size - ((s->jitter_q4 + 8) >> 4);
    }
    s->transit = transit;
    s->started = true;
}

bool cn_recvstats_report(cn_recvstats *s, cn_rtcp_block *out)
{
    if (!s->started) return false;
    uint64_t expected = s->seq.highest - s->base + 1;
    int64_t lost = (int64_t)expected - (int64_t)s->received;
    if (lost > 0x7fffff) lost = 0x7fffff;
    if (lost < -0x800000) lost = -0x800000;
    int64_t expected_now = (int64_t)(expected - s->expected_prior),
            received_now = (int64_t)(s->received - s->received_prior);
    int64_t lost_now = expected_now - received_now;
    s->expected_prior = expected;
    s->received_prior = s->received;
    int64_t fraction = expected_now > 0 && lost_now > 0 ? lost_now * 256 / expected_now : 0;
    out->fraction_lost = (uint8_t)(fraction > 255 ? 255 : fraction);
    out->lost = (int32_t)lost;
    /* extended numbers start at one cycle, those of reports at none */
    out->highest_seq = (uint32_t)(s->seq.highest - 65536);
    out->jitter = (uint32_t)(s->jitter_q4 >> 4);
    return true;
}
