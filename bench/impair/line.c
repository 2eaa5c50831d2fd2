#include "line.h"

#include <stdlib.h>

#include "base/mem.h"

#define HEADERS 28 /* IPv4 and UDP */
#define QUEUE_MS 300.0

struct line {
    line_shape shape;
    line_counts counts;
    uint64_t chance;
    bool bad;                   /* Gilbert–Elliott's state */
    line_packet *first, **last; /* waiting for the link; `first` is being sent until free_ns */
    double queued_bits;
    uint64_t free_ns;
    line_packet **heap; /* on the way, by due_ns and order */
    size_t heap_count;
    uint64_t order, last_due_ns;
    line_packet *spare;
    size_t made;
};

line *line_new(uint64_t seed)
{
    line *l = CN_NEW(line);
    if (!l) return NULL;
    l->heap = cn_calloc(LINE_PACKETS, sizeof(line_packet *));
    if (!l->heap) {
        line_free(l);
        return NULL;
    }
    l->last = &l->first;
    line_seed(l, seed);
    return l;
}

static void free_list(line_packet *p)
{
    while (p) {
        line_packet *next = p->next;
        free(p);
        p = next;
    }
}

void line_free(line *l)
{
    if (!l) return;
    free_list(l->first);
    free_list(l->spare);
    for (size_t i = 0; i < l->heap_count; i++) free(l->heap[i]);
    free(l->heap);
    free(l);
}

void line_seed(line *l, uint64_t seed)
{
    l->chance = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
    if (!l->chance) l->chance = 1;
    l->bad = false;
}

line_shape *line_shape_of(line *l)
{
    return &l->shape;
}

line_counts *line_counts_of(line *l)
{
    return &l->counts;
}

/* xorshift64* (Marsaglia; Vigna 2016), 0 ≤ x < 1. */
static double chance(line *l)
{
    uint64_t x = l->chance;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    l->chance = x;
    return (double)((x * 0x2545f4914f6cdd1dull) >> 11) / 9007199254740992.0;
}

line_packet *line_packet_new(line *l)
{
    line_packet *p = l->spare;
    if (p) {
        l->spare = p->next;
        return p;
    }
    if (l->made == LINE_PACKETS || !(p = CN_NEW(line_packet))) {
        l->counts.overflow++;
        return NULL;
    }
    l->made++;
    return p;
}

void line_drop(line *l, line_packet *p)
{
    p->next = l->spare;
    l->spare = p;
}

/* ---- on the way: a binary heap ---- */

static bool before(const line_packet *a, const line_packet *b)
{
    return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->order < b->order);
}

static void heap_put(line *l, line_packet *p)
{
    size_t i = l->heap_count++;
    for (; i && before(p, l->heap[(i - 1) / 2]); i = (i - 1) / 2) l->heap[i] = l->heap[(i - 1) / 2];
    l->heap[i] = p;
}

static line_packet *heap_take(line *l)
{
    line_packet *top = l->heap[0], *p = l->heap[--l->heap_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < l->heap_count; i = child) {
        if (child + 1 < l->heap_count && before(l->heap[child + 1], l->heap[child])) child++;
        if (!before(l->heap[child], p)) break;
        l->heap[i] = l->heap[child];
    }
    if (l->heap_count) l->heap[i] = p;
    return top;
}

static void travel(line *l, line_packet *p, uint64_t from_ns)
{
    const line_shape *s = &l->shape;
    double ms = s->delay_ms;
    if (s->jitter_ms > 0) ms += s->jitter_ms * (2 * chance(l) - 1);
    uint64_t due = from_ns + (uint64_t)((ms > 0 ? ms : 0) * 1e6);
    if (s->reorder > 0 && chance(l) < s->reorder) {
        due += (uint64_t)(s->reorder_ms * 1e6);
    } else if (!s->jitter_reorders) {
        if (due < l->last_due_ns) due = l->last_due_ns;
        l->last_due_ns = due;
    }
    p->due_ns = due;
    p->order = l->order++;
    heap_put(l, p);
}

/* ---- the link ---- */

static double bits(const line_packet *p)
{
    return 8.0 * (p->size + HEADERS);
}

static void begin_sending(line *l, uint64_t now_ns)
{
    double kbps = l->shape.rate_kbps;
    l->free_ns = now_ns + (kbps > 0 ? (uint64_t)(bits(l->first) / kbps * 1e6) : 0);
}

static void link_turn(line *l, uint64_t now_ns)
{
    while (l->first && l->free_ns <= now_ns) {
        line_packet *p = l->first;
        l->first = p->next;
        if (!l->first) l->last = &l->first;
        l->queued_bits -= bits(p);
        uint64_t left_ns = l->free_ns;
        if (l->first) begin_sending(l, left_ns);
        travel(l, p, left_ns);
    }
}

static bool is_lost(line *l)
{
    const line_shape *s = &l->shape;
    if (s->cut) return true;
    if (s->burst_enter > 0) {
        l->bad = l->bad ? chance(l) >= s->burst_leave : chance(l) < s->burst_enter;
        if (l->bad && chance(l) < s->burst_loss) return true;
    }
    return s->loss > 0 && chance(l) < s->loss;
}

line_fate line_push(line *l, line_packet *p, uint64_t now_ns)
{
    const line_shape *s = &l->shape;
    l->counts.in++;
    p->pushed_ns = now_ns;
    if (is_lost(l)) {
        l->counts.lost++;
        line_drop(l, p);
        return LINE_LOST;
    }
    link_turn(l, now_ns);
    if (s->rate_kbps > 0) {
        double wait_ms = l->queued_bits / s->rate_kbps;
        if (wait_ms > (s->queue_ms > 0 ? s->queue_ms : QUEUE_MS)) {
            l->counts.dropped++;
            line_drop(l, p);
            return LINE_DROPPED;
        }
        if (wait_ms > l->counts.queue_ms) l->counts.queue_ms = wait_ms;
    } else if (!l->first) {
        travel(l, p, now_ns);
        return LINE_UNDER_WAY;
    }
    p->next = NULL;
    *l->last = p;
    l->last = &p->next;
    l->queued_bits += bits(p);
    if (l->first == p) begin_sending(l, now_ns);
    return LINE_UNDER_WAY;
}

uint64_t line_next_ns(const line *l)
{
    uint64_t link = l->first ? l->free_ns : LINE_NONE, way = l->heap_count ? l->heap[0]->due_ns : LINE_NONE;
    return link < way ? link : way;
}

static void note_late(line_counts *c, uint64_t us)
{
    static const uint64_t below[] = {100, 200, 500, 1000, 2000, 5000, 10000};
    size_t i = 0;
    while (i < sizeof below / sizeof below[0] && us >= below[i]) i++;
    c->late_us[i]++;
    if (us > c->late_max_us) c->late_max_us = us;
}

line_packet *line_pop(line *l, uint64_t now_ns)
{
    link_turn(l, now_ns);
    if (!l->heap_count || l->heap[0]->due_ns > now_ns) return NULL;
    line_packet *p = heap_take(l);
    l->counts.out++;
    l->counts.bytes_out += p->size;
    note_late(&l->counts, (now_ns - p->due_ns) / 1000);
    return p;
}
