/*
 * One direction of a bad line: packets go in, and come out later, in another order or never. Injected clock, seeded
 * chance, no I/O. A packet passes four stages:
 *
 *   loss (each by chance, or in bursts: Gilbert–Elliott) → queue of a link of a given rate → delay, jitter → overtaking
 *
 * Whatever is changed counts from the next packet on; what already waits for the link leaves at its new rate.
 */
#ifndef CN_BENCH_IMPAIR_LINE_H
#define CN_BENCH_IMPAIR_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_PACKET 2048   /* bytes of a datagram at most */
#define LINE_PACKETS 16384 /* under way at most; more are dropped and counted */
#define LINE_NONE UINT64_MAX

/** What a line does. All zero: nothing. */
typedef struct line_shape {
    double loss;                     /* share of packets, 0…1, each by chance */
    double burst_enter, burst_leave; /* chance per packet to get into the bad state and out of it; 0: no bursts */
    double burst_loss;               /* loss in the bad state */
    double delay_ms, jitter_ms;      /* delay ± evenly distributed jitter */
    bool jitter_reorders;            /* jitter may change the order; otherwise a late packet holds up those behind */
    double reorder, reorder_ms;      /* share of packets that are late by so much, whatever is behind */
    double rate_kbps, queue_ms;      /* of the link, headers included; 0: without limit. Queue 0: 300 ms */
    bool cut;                        /* nothing passes */
} line_shape;

typedef struct line_counts {
    uint64_t in, out, bytes_out, lost, dropped, overflow; /* lost by chance, dropped at the queue's end */
    uint64_t late_max_us;                                 /* how much later than wanted a packet was taken out */
    uint64_t late_us[8];                                  /* below 0.1, 0.2, 0.5, 1, 2, 5, 10 ms; above */
    double queue_ms;                                      /* longest wait for the link since line_counts_reset */
} line_counts;

typedef struct line_packet {
    uint64_t due_ns, order, pushed_ns;
    struct line_packet *next;
    void *flow; /* whose */
    uint16_t size;
    uint8_t bytes[LINE_PACKET];
} line_packet;

/* What became of a packet that was pushed. */
typedef enum line_fate { LINE_UNDER_WAY, LINE_LOST, LINE_DROPPED } line_fate;

typedef struct line line;

/** NULL when memory is out. */
line *line_new(uint64_t seed);
/** NULL allowed. */
void line_free(line *wire);
/** Begins the chances anew. */
void line_seed(line *wire, uint64_t seed);

/** Present shape, to be changed in place by whoever reads it. */
line_shape *line_shape_of(line *wire);
line_counts *line_counts_of(line *wire);

/** A packet to fill, NULL at the bound (counted). Hand it back with line_push or line_drop. */
line_packet *line_packet_new(line *wire);
/** Sends it on its way; what is not under way then is no longer the caller's either: it may be read until the next call
 * with this line. */
line_fate line_push(line *wire, line_packet *packet, uint64_t now_ns);
void line_drop(line *wire, line_packet *packet);

/** When the next packet is due or the link free for the next one; LINE_NONE: nothing under way. */
uint64_t line_next_ns(const line *wire);
/** The next packet that is due at `now_ns`, NULL for none. Give it back with line_drop. */
line_packet *line_pop(line *wire, uint64_t now_ns);

#endif
