/*
 * Transport-wide congestion control (draft-holmer-rmcat-transport-wide-cc-extensions-01), arithmetic only; the wire
 * format of the feedback is read and written elsewhere. Owner thread only.
 */
#ifndef CN_MEDIA_TWCC_H
#define CN_MEDIA_TWCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/wire/rtcp.h"
#include "media/stream/seq.h"

#define CN_TWCC_LOST INT64_MIN
#define CN_TWCC_WINDOW 1024 /* numbers that may wait for a report, or stand in a parsed one, at most */
#define CN_TWCC_INTERVAL_NS 50000000ull
#define CN_TWCC_FEW 10                       /* fewer packets than these are worth a feedback of their own … */
#define CN_TWCC_FEW_INTERVAL_NS 250000000ull /* … only after so long: a voice's 50 a second need none every 50 ms */

/* ---- towards a publisher: what came from him ---- */

/** Zeroed is ready; cn_twcc_in_free at the end. */
typedef struct cn_twcc_in {
    cn_seq seq;
    uint64_t next;       /* first extended number not yet reported; 0: nothing yet */
    uint64_t sent_ns;    /* when the former feedback was taken */
    size_t waiting;      /* packets that came and were not reported */
    uint8_t number;      /* of the next feedback: the caller writes it and counts it up per packet written */
    int64_t *arrival_us; /* ring by number, 0: did not come; as long as what waits and the last second need */
    size_t room;         /* of the ring, CN_TWCC_WINDOW at most */
} cn_twcc_in;

/** Every authenticated packet with the extension, RTX and padding included. */
void cn_twcc_in_packet(cn_twcc_in *twcc, uint16_t seq, uint64_t arrival_ns);
void cn_twcc_in_free(cn_twcc_in *twcc);
/** Time for a feedback: 50 ms passed (250 when fewer than ten packets wait), or 100 packets wait. */
bool cn_twcc_in_due(const cn_twcc_in *twcc, uint64_t now_ns);
/** Takes at most `max` arrivals that wait, ascending, and the number to report from (`*base`: losses before the first
 * arrival are told too), as cn_rtcp_write_twcc wants them. A packet that comes after its number was reported lost is
 * reported again, in a list that starts at it. Returns how many; 0 when nothing waits. Take until it returns fewer than
 * `max`. */
size_t cn_twcc_in_take(cn_twcc_in *twcc, uint64_t now_ns, cn_twcc_arrival *out, size_t max, uint16_t *base);

/* ---- towards a receiver: what was sent to him ---- */

typedef enum cn_twcc_kind { CN_TWCC_AUDIO, CN_TWCC_VIDEO, CN_TWCC_RESENT, CN_TWCC_PROBE } cn_twcc_kind;

/** One packet with its fate: material of a delay-based estimator. */
typedef struct cn_twcc_result {
    uint64_t seq;       /* extended */
    uint64_t sent_ns;   /* server's monotonic clock */
    int64_t arrival_us; /* receiver's clock, CN_TWCC_LOST when lost */
    uint16_t size;
    uint8_t kind; /* cn_twcc_kind */
    bool late;    /* arrived, but an earlier feedback said lost: it was overtaken */
} cn_twcc_result;

/** A parsed feedback: arrival_us[i] belongs to number base_seq + i; CN_TWCC_LOST: did not come. */
typedef struct cn_twcc_list {
    uint16_t base_seq, count;
    int64_t arrival_us[CN_TWCC_WINDOW]; /* receiver's clock */
} cn_twcc_list;

/** Reads a feedback packet; times wrap with its 24-bit reference, after 12 days. CN_ERR_INVALID: another type;
 * CN_ERR_TOOBIG: more than CN_TWCC_WINDOW numbers. */
cn_err cn_twcc_list_read(cn_twcc_list *out, const cn_rtcp *pkt);

typedef struct cn_twcc_out cn_twcc_out;

/** `records`: power of two, e.g. 2,048: packets in flight and not yet reported, at most; as many are held as were sent
 * in the last two seconds. */
cn_err cn_twcc_out_new(cn_twcc_out **out, size_t records);
void cn_twcc_out_free(cn_twcc_out *twcc);

/** Brings nearer what the next packet will touch. */
void cn_twcc_out_prefetch(const cn_twcc_out *twcc);
/** What the next number will touch; the struct itself is near already. */
void cn_twcc_out_prefetch_next(const cn_twcc_out *twcc, uint64_t now_ns);
/** The number for the next packet of this receiver; `size`: bytes on the wire above UDP. */
uint16_t cn_twcc_out_next(cn_twcc_out *twcc, size_t size, cn_twcc_kind kind, uint64_t now_ns);

/** The extended number of the newest packet; 0: none yet. */
uint64_t cn_twcc_out_last(const cn_twcc_out *twcc);

typedef struct cn_twcc_summary {
    uint32_t acked, lost; /* packets newly known by this feedback */
    uint64_t acked_bytes;
    uint32_t rtt_ms;               /* now − the newest acknowledged packet's send time; 0: not known */
    const cn_twcc_result *results; /* `acked + lost` of them in order of number; until this thread's next call */
    size_t result_count;
} cn_twcc_summary;

/** Consumes a parsed feedback. Numbers that were never sent, fell out of the ring or were reported as arrived before
 * are ignored. A packet reported lost that arrives after all counts as acknowledged then, and its loss is taken back.
 * CN_ERR_INVALID when nothing in it was ours. */
cn_err cn_twcc_out_feedback(cn_twcc_out *twcc, const cn_twcc_list *list, uint64_t now_ns, cn_twcc_summary *out);

/** Over the last second of feedback: lost ÷ all, 0…1; 0 when fewer than 10 packets were reported. */
double cn_twcc_out_loss(cn_twcc_out *twcc, uint64_t now_ns);

#endif
