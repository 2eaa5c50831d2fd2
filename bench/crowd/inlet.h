/* One received stream: which sequence numbers came, which are missing, and whether the packets are those that the named
 * sender wrote, in their order. Arithmetic only. */
#ifndef CN_CROWD_INLET_H
#define CN_CROWD_INLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/names.h"
#include "payload.h"
#include "totals.h"

#define INLET_WINDOW 1024
#define INLET_NAMES 8

typedef struct inlet_name {
    uint16_t sender;
    uint32_t ts;
    uint64_t at_ns;
    bool used, open; /* open: an arrival that waits for its announcement */
} inlet_name;

typedef struct inlet_asked {
    uint32_t ms;
    uint8_t times;
} inlet_asked;

typedef struct inlet {
    uint32_t ssrc, rtx;
    char mid[RTC_MID];
    bool video, started;
    uint64_t highest; /* extended sequence number, from 65536 */
    uint64_t floor;   /* what is below was judged */
    uint64_t got[INLET_WINDOW / 64];
    inlet_asked asked[INLET_WINDOW]; /* for missing ones, by number */
    unsigned holes;
    /* the last packet in order */
    bool sourced;
    uint16_t sender;
    uint8_t layer;
    uint32_t index;
    uint64_t index_at, last_ns;
    int64_t switched_ns; /* arrival of the first packet after the last switch, wall clock */
    /* names: what the server said and what came */
    int fixed; /* sender, -1: by announcements */
    inlet_name said[INLET_NAMES], seen[INLET_NAMES];
    size_t said_n, seen_n;
    /* reports */
    uint64_t packets, lost;
    uint32_t sr_middle;
    uint64_t sr_ns;
    double jitter;
    int64_t transit;
    uint64_t nack_ns;
    struct film_watch *watch; /* NULL: payloads are checked one by one */
} inlet;

/** A packet with this sequence number came: true when it is new. `again`: a retransmission. */
bool inlet_arrived(inlet *in, crowd_totals *totals, uint16_t seq, bool again);
/** A sequence number without its wrap; of one that inlet_arrived took. */
uint64_t inlet_extended(const inlet *in, uint16_t seq);
/** True when it comes with a switch: within 5 ms of the first packet from another sender or layer. Before
 * inlet_content. */
bool inlet_switching(inlet *in, const payload_piece *piece, int64_t arrived_ns);
/** Its checked content, when it was new and not a retransmission. */
void inlet_content(inlet *in, crowd_totals *totals, uint16_t seq, uint32_t ts, const payload_piece *piece,
                   uint64_t now_ns);
/** The server's word about who is on the slot. */
void inlet_said(inlet *in, crowd_totals *totals, uint16_t sender, uint32_t ts, uint64_t now_ns);
/** Counts arrivals that nobody announced for a second. */
void inlet_names_judge(inlet *in, crowd_totals *totals, uint64_t now_ns);
/** Numbers to be asked for now, at most `max`, oldest first: each ten times at most, 100 ms apart. */
size_t inlet_missing(inlet *in, uint64_t now_ns, uint16_t *out, size_t max);
/** Everything up to the highest number is judged now. */
void inlet_close(inlet *in, crowd_totals *totals);

#endif
