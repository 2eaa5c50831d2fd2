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
    line *wire = CN_NEW(line);
    if (!wire) return NULL;
    wire->heap = cn_calloc(LINE_PACKETS, sizeof(line_packet *));
    if (!wire->heap) {
        line_free(wire);
        return NULL;
    }
    wire->last = &wire->first;
    line_seed(wire, seed);
    return wire;
}

static void free_list(line_packet *packet)
{
    while (packet) {
        line_packet *next = packet->next;
        free(packet);
        packet = next;
    }
}

void line_free(line *wire)
{
    if (!wire) return;
    free_list(wire->first);
    free_list(wire->spare);
    for (size_t i = 0; i < wire->heap_count; i++) free(wire->heap[i]);
    free(wire->heap);
    free(wire);
}

void line_seed(line *wire, uint64_t seed)
{
    wire->chance = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
    if (!wire->chance) wire->chance = 1;
    wire->bad = false;
}

line_shape *line_shape_of(line *wire)
{
    return &wire->shape;
}

line_counts *line_counts_of(line *wire)
{
    return &wire->counts;
}

/* xorshift64* (Marsaglia; Vigna 2016), 0 ≤ x < 1. */
static double chance(line *wire)
{
    uint64_t x = wire->chance;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    wire->chance = x;
    return (double)((x * 0x2545f4914f6cdd1dull) >> 11) / 9007199254740992.0;
}

line_packet *line_packet_new(line *wire)
{
    line_packet *packet = wire->spare;
    if (packet) {
        wire->spare = packet->next;
        return packet;
    }
    if (wire->made == LINE_PACKETS || !(packet = CN_NEW(line_packet))) {
        wire->counts.overflow++;
        return NULL;
    }
    wire->made++;
    return packet;
}

void line_drop(line *wire, line_packet *packet)
{
    packet->next = wire->spare;
    wire->spare = packet;
}

/* ---- on the way: a binary heap ---- */

static bool before(const line_packet *left, const line_packet *right)
{
    return left->due_ns < right->due_ns || (left->due_ns == right->due_ns && left->order < right->order);
}

static void heap_put(line *wire, line_packet *packet)
{
    size_t i = wire->heap_count++;
    for (; i && before(packet, wire->heap[(i - 1) / 2]); i = (i - 1) / 2) wire->heap[i] = wire->heap[(i - 1) / 2];
    wire->heap[i] = packet;
}

static line_packet *heap_take(line *wire)
{
    line_packet *top = wire->heap[0], *packet = wire->heap[--wire->heap_count];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < wire->heap_count; i = child) {
        if (child + 1 < wire->heap_count && before(wire->heap[child + 1], wire->heap[child])) child++;
        if (!before(wire->heap[child], packet)) break;
        wire->heap[i] = wire->heap[child];
    }
    if (wire->heap_count) wire->heap[i] = packet;
    return top;
}

static void travel(line *wire, line_packet *packet, uint64_t from_ns)
{
    const line_shape *shape = &wire->shape;
    double ms = shape->delay_ms;
    if (shape->jitter_ms > 0) ms += shape->jitter_ms * (2 * chance(wire) - 1);
    uint64_t due = from_ns + (uint64_t)((ms > 0 ? ms : 0) * 1e6);
    if (shape->reorder > 0 && chance(wire) < shape->reorder) {
        due += (uint64_t)(shape->reorder_ms * 1e6);
    } else if (!shape->jitter_reorders) {
        if (due < wire->last_due_ns) due = wire->last_due_ns;
        wire->last_due_ns = due;
    }
    packet->due_ns = due;
    packet->order = wire->order++;
    heap_put(wire, packet);
}

/* ---- the link ---- */

static double bits(const line_packet *packet)
{
    return 8.0 * (packet->size + HEADERS);
}

static void begin_sending(line *wire, uint64_t now_ns)
{
    double kbps = wire->shape.rate_kbps;
    wire->free_ns = now_ns + (kbps > 0 ? (uint64_t)(bits(wire->first) / kbps * 1e6) : 0);
}

static void link_turn(line *wire, uint64_t now_ns)
{
    while (wire->first && wire->free_ns <= now_ns) {
        line_packet *packet = wire->first;
        wire->first = packet->next;
        if (!wire->first) wire->last = &wire->first;
        wire->queued_bits -= bits(packet);
        uint64_t left_ns = wire->free_ns;
        if (wire->first) begin_sending(wire, left_ns);
        travel(wire, packet, left_ns);
    }
}

static bool is_lost(line *wire)
{
    const line_shape *shape = &wire->shape;
    if (shape->cut) return true;
    if (shape->burst_enter > 0) {
        wire->bad = wire->bad ? chance(wire) >= shape->burst_leave : chance(wire) < shape->burst_enter;
        if (wire->bad && chance(wire) < shape->burst_loss) return true;
    }
    return shape->loss > 0 && chance(wire) < shape->loss;
}

line_fate line_push(line *wire, line_packet *packet, uint64_t now_ns)
{
    const line_shape *shape = &wire->shape;
    wire->counts.in++;
    packet->pushed_ns = now_ns;
    if (is_lost(wire)) {
        wire->counts.lost++;
        line_drop(wire, packet);
        return LINE_LOST;
    }
    link_turn(wire, now_ns);
    if (shape->rate_kbps > 0) {
        double wait_ms = wire->queued_bits / shape->rate_kbps;
        if (wait_ms > (shape->queue_ms > 0 ? shape->queue_ms : QUEUE_MS)) {
            wire->counts.dropped++;
            line_drop(wire, packet);
            return LINE_DROPPED;
        }
        if (wait_ms > wire->counts.queue_ms) wire->counts.queue_ms = wait_ms;
    } else if (!wire->first) {
        travel(wire, packet, now_ns);
        return LINE_UNDER_WAY;
    }
    packet->next = NULL;
    *wire->last = packet;
    wire->last = &packet->next;
    wire->queued_bits += bits(packet);
    if (wire->first == packet) begin_sending(wire, now_ns);
    return LINE_UNDER_WAY;
}

uint64_t line_next_ns(const line *wire)
{
    uint64_t link = wire->first ? wire->free_ns : LINE_NONE, way = wire->heap_count ? wire->heap[0]->due_ns : LINE_NONE;
    return link < way ? link : way;
}

static void note_late(line_counts *counts, uint64_t us)
{
    static const uint64_t below[] = {100, 200, 500, 1000, 2000, 5000, 10000};
    size_t i = 0;
    while (i < sizeof below / sizeof below[0] && us >= below[i]) i++;
    counts->late_us[i]++;
    if (us > counts->late_max_us) counts->late_max_us = us;
}

line_packet *line_pop(line *wire, uint64_t now_ns)
{
    link_turn(wire, now_ns);
    if (!wire->heap_count || wire->heap[0]->due_ns > now_ns) return NULL;
    line_packet *packet = heap_take(wire);
    wire->counts.out++;
    wire->counts.bytes_out += packet->size;
    note_late(&wire->counts, (now_ns - packet->due_ns) / 1000);
    return packet;
}
