/*
 * Receiving side of one publisher's layer: which packets to ask for again (RFC 4585 §6.2.1), when to stop and ask for a
 * key frame, and the numbers for receiver reports (RFC 3550 A.1, A.3, A.8). Plain structs, owner thread only.
 */
#ifndef CN_MEDIA_NACKGEN_H
#define CN_MEDIA_NACKGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/wire/rtcp.h"
#include "media/stream/seq.h"

#define CN_NACKGEN_MISSING 256   /* at most so many wanted at once; more: give up on all, key frame */
#define CN_NACKGEN_GAP_MAX 512   /* a larger jump forward is a restart, not a loss … */
#define CN_NACKGEN_LATE_MAX 3000 /* … and so is this backward */
#define CN_NACKGEN_RETRIES 10
#define CN_NACKGEN_AGE_NS 1000000000ull
#define CN_NACKGEN_REORDER_NS 10000000ull /* a late packet gets this long before the first NACK … */
#define CN_NACKGEN_REORDER_PACKETS 3      /* … unless so many newer ones have come */

typedef struct cn_nack_item {
    uint64_t seq; /* extended */
    uint64_t since_ns, asked_ns;
    uint8_t retries;
    bool forgotten; /* not asked for any more, welcome when it comes after all */
} cn_nack_item;

/** Zeroed is ready; cn_nackgen_free at the end. */
typedef struct cn_nackgen {
    cn_seq seq;
    cn_nack_item *missing; /* ascending; room for as many as were missing at once so far */
    size_t count, room;
    bool gave_up;
    bool suspicious;  /* the former packet lay outside of both: */
    uint16_t suspect; /* its number; the next one in order proves a restart (RFC 3550 A.1) */
    uint64_t asked, recovered, abandoned, restarts;
} cn_nackgen;

/** A packet came (the original or an RTX copy: same number). Returns its extended number. `*fresh` (NULL allowed) is
 * false when it is to be dropped: it had come before, or lies far outside of what is expected. Two such in a row and in
 * order prove a restart: numbering goes on there, still ascending. */
uint64_t cn_nackgen_packet(cn_nackgen *nackgen, uint16_t seq, uint64_t now_ns, bool *fresh);

void cn_nackgen_free(cn_nackgen *nackgen);

/** Numbers to ask for now, ascending, at most `max`; call every 5–20 ms and after a gap. The interval between retries
 * is max(20 ms, rtt × 1.25), growing by a quarter each time; `rtt_ms` 0: not known, 100 is taken. */
size_t cn_nackgen_due(cn_nackgen *nackgen, uint64_t now_ns, uint32_t rtt_ms, uint16_t *out, size_t max);

/** When the next cn_nackgen_due may have something: monotonic ns, UINT64_MAX for nothing missing. */
uint64_t cn_nackgen_next_ns(const cn_nackgen *nackgen, uint32_t rtt_ms);

/** True once after something was given up: ask for a key frame. */
bool cn_nackgen_gave_up(cn_nackgen *nackgen);

/** A key frame begins at this number: what is missing before it is not asked for any more, but still fresh when it
 * comes late. */
void cn_nackgen_forget_before(cn_nackgen *nackgen, uint64_t ext_seq);

/** Reception statistics of one SSRC. Initialise with cn_recvstats_init. */
typedef struct cn_recvstats {
    uint32_t clock;
    cn_seq seq;
    uint64_t base; /* first extended number */
    uint64_t received;
    uint64_t expected_prior, received_prior;
    int64_t transit;    /* ticks, of the former packet */
    uint64_t jitter_q4; /* RFC 3550 A.8, 28.4 fixed point */
    uint64_t bytes;
    bool started;
} cn_recvstats;

void cn_recvstats_init(cn_recvstats *stats, uint32_t clock);
/** RTX copies do not belong here (RFC 4588 §5.4). `bytes`: RTP header and payload. */
void cn_recvstats_packet(cn_recvstats *stats, uint16_t seq, uint32_t ts, size_t bytes, uint64_t arrival_ns);

/** Fills fraction_lost, lost, highest_seq and jitter of a report block and starts the next interval; the rest is the
 * caller's. False when nothing was ever received. */
bool cn_recvstats_report(cn_recvstats *stats, cn_rtcp_block *out);

#endif
