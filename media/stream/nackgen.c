#include "media/stream/nackgen.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16
#define RTT_UNKNOWN_MS 100
#define INTERVAL_MIN_NS 20000000ull

/* Position of the first missing number ≥ seq. */
static size_t find(const cn_nackgen *nackgen, uint64_t seq)
{
    size_t low = 0, high = nackgen->count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (nackgen->missing[mid].seq < seq)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void give_up_all(cn_nackgen *nackgen)
{
    nackgen->abandoned += nackgen->count;
    nackgen->count = 0;
    nackgen->gave_up = true;
}

/* Room for so many at once. */
static bool make_room(cn_nackgen *nackgen, size_t count)
{
    size_t room = nackgen->room ? nackgen->room : ROOM_FIRST;
    while (room < count) room *= 2;
    if (room == nackgen->room) return true;
    cn_nack_item *bigger = reallocarray(nackgen->missing, room, sizeof *bigger);
    if (!bigger) return false;
    nackgen->missing = bigger;
    nackgen->room = room;
    return true;
}

static void add_gap(cn_nackgen *nackgen, uint64_t from, uint64_t to, uint64_t now_ns)
{
    size_t n = (size_t)(to - from);
    if (!n) return;
    if (n > CN_NACKGEN_MISSING - nackgen->count) give_up_all(nackgen);
    if (n > CN_NACKGEN_MISSING || !make_room(nackgen, nackgen->count + n)) {
        nackgen->abandoned += n;
        nackgen->gave_up = true;
        return;
    }
    for (uint64_t s = from; s < to; s++)
        nackgen->missing[nackgen->count++] = (cn_nack_item){.seq = s, .since_ns = now_ns};
}

/* A packet below the highest: fills a gap, or came before. */
static bool fill(cn_nackgen *nackgen, uint64_t ext)
{
    size_t i = find(nackgen, ext);
    if (i == nackgen->count || nackgen->missing[i].seq != ext) return false;
    nackgen->recovered++;
    memmove(&nackgen->missing[i], &nackgen->missing[i + 1], (nackgen->count - i - 1) * sizeof nackgen->missing[0]);
    nackgen->count--;
    return true;
}

/* The sender began anew: numbers go on far above what was seen, so that rings never mistake the new for the old. */
static uint64_t restart(cn_nackgen *nackgen, uint16_t seq)
{
    uint64_t base = nackgen->seq.highest + 65536 - CN_NACKGEN_GAP_MAX;
    uint64_t ext = base + (uint16_t)(seq - (uint16_t)base);
    nackgen->restarts++;
    give_up_all(nackgen);
    nackgen->seq.highest = ext;
    return ext;
}

/* A packet far outside: the second one in order is believed. */
static uint64_t doubt(cn_nackgen *nackgen, uint16_t seq, uint64_t ext, bool *fresh)
{
    *fresh = nackgen->suspicious && seq == (uint16_t)(nackgen->suspect + 1);
    nackgen->suspicious = !*fresh;
    nackgen->suspect = seq;
    return *fresh ? restart(nackgen, seq) : ext;
}

uint64_t cn_nackgen_packet(cn_nackgen *nackgen, uint16_t seq, uint64_t now_ns, bool *fresh)
{
    bool is_fresh = true;
    uint64_t highest = nackgen->seq.highest, ext;
    if (!highest) {
        ext = cn_seq_extend(&nackgen->seq, seq);
    } else {
        ext = cn_seq_nearest(&nackgen->seq, seq);
        if (ext + CN_NACKGEN_LATE_MAX < highest || ext > highest + CN_NACKGEN_GAP_MAX) {
            ext = doubt(nackgen, seq, ext, &is_fresh);
        } else {
            nackgen->suspicious = false;
            if (ext > highest) {
                nackgen->seq.highest = ext;
                add_gap(nackgen, highest + 1, ext, now_ns);
            } else {
                is_fresh = fill(nackgen, ext);
            }
        }
    }
    if (fresh) *fresh = is_fresh;
    return ext;
}

void cn_nackgen_free(cn_nackgen *nackgen)
{
    free(nackgen->missing);
    *nackgen = (cn_nackgen){0};
}

static uint64_t interval_ns(uint32_t rtt_ms, unsigned retries)
{
    uint64_t ns = (uint64_t)(rtt_ms ? rtt_ms : RTT_UNKNOWN_MS) * 1250000;
    if (ns < INTERVAL_MIN_NS) ns = INTERVAL_MIN_NS;
    for (unsigned i = 1; i < retries; i++) ns += ns / 4;
    return ns;
}

/* When an item is to be asked for: at once after a few newer packets, else after the time allowed for reordering. */
static uint64_t item_due_ns(const cn_nackgen *nackgen, const cn_nack_item *item, uint32_t rtt_ms)
{
    if (item->forgotten) return UINT64_MAX;
    if (item->retries) return item->asked_ns + interval_ns(rtt_ms, item->retries);
    return nackgen->seq.highest - item->seq >= CN_NACKGEN_REORDER_PACKETS ? item->since_ns
                                                                          : item->since_ns + CN_NACKGEN_REORDER_NS;
}

size_t cn_nackgen_due(cn_nackgen *nackgen, uint64_t now_ns, uint32_t rtt_ms, uint16_t *out, size_t max)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < nackgen->count; i++) {
        cn_nack_item item = nackgen->missing[i];
        bool due = item_due_ns(nackgen, &item, rtt_ms) <= now_ns;
        if (now_ns > item.since_ns + CN_NACKGEN_AGE_NS || (due && item.retries >= CN_NACKGEN_RETRIES)) {
            nackgen->abandoned += !item.forgotten;
            nackgen->gave_up |= !item.forgotten;
            continue;
        }
        if (due && n < max) {
            out[n++] = (uint16_t)item.seq;
            item.asked_ns = now_ns;
            item.retries++;
            nackgen->asked++;
        }
        nackgen->missing[kept++] = item;
    }
    nackgen->count = kept;
    return n;
}

uint64_t cn_nackgen_next_ns(const cn_nackgen *nackgen, uint32_t rtt_ms)
{
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < nackgen->count; i++) {
        uint64_t due = item_due_ns(nackgen, &nackgen->missing[i], rtt_ms);
        if (due < next) next = due;
    }
    return next;
}

bool cn_nackgen_gave_up(cn_nackgen *nackgen)
{
    bool was = nackgen->gave_up;
    nackgen->gave_up = false;
    return was;
}

void cn_nackgen_forget_before(cn_nackgen *nackgen, uint64_t ext_seq)
{
    for (size_t i = 0; i < nackgen->count && nackgen->missing[i].seq < ext_seq; i++)
        nackgen->missing[i].forgotten = true;
}

/* ---- RFC 3550 A.1, A.3, A.8 ---- */

void cn_recvstats_init(cn_recvstats *stats, uint32_t clock)
{
    *stats = (cn_recvstats){.clock = clock};
}

void cn_recvstats_packet(cn_recvstats *stats, uint16_t seq, uint32_t ts, size_t bytes, uint64_t arrival_ns)
{
    uint64_t before = stats->seq.highest, ext = cn_seq_extend(&stats->seq, seq);
    /* a restart or a jump over more than A.1's MAX_DROPOUT: count anew rather than report thousands lost */
    if (before && (ext > before + 3000 || ext + 3000 < before)) {
        stats->seq.highest = ext;
        stats->base = ext;
        stats->received = stats->expected_prior = stats->received_prior = 0;
    }
    if (!before) stats->base = ext;
    if (ext < stats->base) stats->base = ext;
    stats->received++;
    stats->bytes += bytes;
    int64_t transit = cn_ticks_from_ns((int64_t)arrival_ns, stats->clock) - (int64_t)ts;
    if (stats->started) {
        int32_t d = (int32_t)(uint32_t)(uint64_t)(transit - stats->transit);
        uint32_t size = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
        /* a jump of the timestamps (a new stream) is no jitter */
        if (size < stats->clock * 5) stats->jitter_q4 += size - ((stats->jitter_q4 + 8) >> 4);
    }
    stats->transit = transit;
    stats->started = true;
}

bool cn_recvstats_report(cn_recvstats *stats, cn_rtcp_block *out)
{
    if (!stats->started) return false;
    uint64_t expected = stats->seq.highest - stats->base + 1;
    int64_t lost = (int64_t)expected - (int64_t)stats->received;
    if (lost > 0x7fffff) lost = 0x7fffff;
    if (lost < -0x800000) lost = -0x800000;
    int64_t expected_now = (int64_t)(expected - stats->expected_prior),
            received_now = (int64_t)(stats->received - stats->received_prior);
    int64_t lost_now = expected_now - received_now;
    stats->expected_prior = expected;
    stats->received_prior = stats->received;
    int64_t fraction = expected_now > 0 && lost_now > 0 ? lost_now * 256 / expected_now : 0;
    out->fraction_lost = (uint8_t)(fraction > 255 ? 255 : fraction);
    out->lost = (int32_t)lost;
    /* extended numbers start at one cycle, those of reports at none */
    out->highest_seq = (uint32_t)(stats->seq.highest - 65536);
    out->jitter = (uint32_t)(stats->jitter_q4 >> 4);
    return true;
}
