/*
 * What a slot's receiver sees as one unbroken stream, whatever sources and layers feed it: sequence numbers,
 * timestamps, picture ids and TL0PICIDX (VP8, VP9), frame numbers (dependency descriptor). And the record of what was
 * sent under which number. One per slot, owner thread only.
 *
 *   in:   source 7   100 101 (102 dropped) 103  105        | source 9 from its key frame   40  41
 *   out:             500 501               502  504        |                              505 506      (104 may still
 * come: it will be 503)
 *
 * Rules:
 *  1. Missing numbers of a source stay missing towards the receiver, so that he asks for them; deliberately dropped
 * ones leave no hole.
 *  2. A number that was given to a packet never carries another one: CN_REWRITE_CONFLICT is answered rather than that.
 *  3. Within a source, time runs as the source's. A switch continues with the time that passed, or, between layers of
 * one source whose capture times are known, with the exact capture time. A run of older frames is compressed to end at
 * now.
 */
#ifndef CN_MEDIA_REWRITE_H
#define CN_MEDIA_REWRITE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/stream/packet.h"

typedef struct cn_rewrite cn_rewrite;

typedef struct cn_rewrite_config {
    uint32_t clock;     /* Hz of the slot's codec */
    size_t records;     /* power of two: how many sent packets are remembered; 512 for video, 64 for audio */
    uint16_t first_seq; /* random (RFC 3550 §5.1) */
    uint32_t first_ts;  /* random */
} cn_rewrite_config;

/** CN_ERR_INVALID: clock 0 or records not a power of two between 16 and 32,768. */
cn_err cn_rewrite_new(cn_rewrite **out, const cn_rewrite_config *config);
void cn_rewrite_free(cn_rewrite *rw);
/** Brings nearer what the next packet will touch; the struct itself is near already. */
void cn_rewrite_prefetch(const cn_rewrite *rw);

/** Which packet a slot continues with. */
typedef struct cn_rewrite_from {
    uint32_t source;        /* the caller's number of this source and layer, never reused within 2 s; not 0 */
    uint32_t group;         /* the same for all layers of one source; 0: none */
    const cn_packet *first; /* key frame's first packet (video) or the first to be sent (audio) */
    uint32_t run_end_ts;    /* newest timestamp of the run sent at once (cn_history_run.last_ts), else first->ts */
    int64_t capture_ns; /* when the frame of run_end_ts was captured, on the server's monotonic clock (cn_ntpmap); 0:
                           not known */
    uint64_t now_ns;
} cn_rewrite_from;

/** Continues the slot with another source or layer, or with the same one after a pause. Returns the outgoing timestamp
 * of `first`: what the slot event names. Late packets of the former source keep their numbers. */
uint32_t cn_rewrite_switch(cn_rewrite *rw, const cn_rewrite_from *from);

/** Capture time of a recent frame of the current source (server's monotonic ns) for the exact layer switch; call now
 * and then, e.g. per frame. */
void cn_rewrite_capture(cn_rewrite *rw, uint32_t in_ts, int64_t capture_ns);

typedef struct cn_rewrite_out {
    uint16_t seq;
    uint32_t ts;
    bool marker;         /* the packet's; also set on the first audio packet after a switch (RFC 3551 §4.1) */
    uint16_t picture_id; /* for cn_vp8_rewrite, with the offsets in the packet */
    uint8_t tl0picidx;
    uint16_t frame_number; /* for cn_depdesc_rewrite, where the packet has a descriptor */
} cn_rewrite_out;

typedef enum cn_rewrite_verdict {
    CN_REWRITE_SEND,      /* send it with these values */
    CN_REWRITE_FILL,      /* send a packet of padding only with this seq and ts in its place */
    CN_REWRITE_SKIP,      /* send nothing: no hole is left */
    CN_REWRITE_DUPLICATE, /* send nothing: was sent already */
    CN_REWRITE_OLD,       /* send nothing: before the switch's first packet, dropped before, or too long ago */
    CN_REWRITE_FOREIGN,   /* send nothing: of a source that this slot does not show and did not show just before */
    CN_REWRITE_CONFLICT   /* send nothing: its number carries another packet (never expected) */
} cn_rewrite_verdict;

/** Values for forwarding `packet` of `source`, and its record. `out` is written on SEND and on FILL: packet belongs to
 * a frame of which packets were dropped. Never SKIP. */
cn_rewrite_verdict cn_rewrite_packet(cn_rewrite *rw, uint32_t source, const cn_packet *packet, uint64_t now_ns,
                                     cn_rewrite_out *out);

/**
 * `packet` is deliberately not forwarded (temporal layer, padding only). SKIP: what follows closes up. If something
 * later was forwarded already, its number cannot be taken back and the receiver would wait for it: then FILL (padding,
 * or the frame's other packets were dropped) or SEND (nothing of its frame was dropped: forward it after all, so that
 * VP8 picture ids have no hole); `out` is written as by cn_rewrite_packet.
 */
cn_rewrite_verdict cn_rewrite_drop(cn_rewrite *rw, uint32_t source, const cn_packet *packet, uint64_t now_ns,
                                   cn_rewrite_out *out);

/** Outgoing timestamp of an incoming one of the current source, for sender reports. False before the first switch. */
bool cn_rewrite_ts(const cn_rewrite *rw, uint32_t in_ts, uint32_t *out_ts);

/** One packet that was sent; fetch it with cn_history_get(ring of source, in_seq) and write the same values to get the
 * same payload. */
typedef struct cn_sent {
    uint32_t source;
    uint32_t out_ext; /* outgoing number, extended; 0: empty record */
    uint64_t in_seq;
    uint32_t ts;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint8_t marker : 1;
    uint8_t filler : 1; /* padding only was sent in its place */
    uint8_t resent : 6; /* times, saturating */
    uint16_t frame_number;
    uint32_t sent_ms; /* low bits of monotonic ms of the last (re)transmission */
} cn_sent;

#define CN_SENT_BYTES 32 /* per receiver and packet: what a retransmission needs to know */
static_assert(sizeof(cn_sent) <= CN_SENT_BYTES, "a room of 230 has thousands of these per second");

/** The record of an outgoing number; NULL when it was not sent or is forgotten. Borrowed until the next packet. */
const cn_sent *cn_rewrite_sent(const cn_rewrite *rw, uint16_t out_seq);

/** Asked for by a NACK: like cn_rewrite_sent, but NULL also when it was sent again less than `rtt_ms` ago (that is on
 * its way) or 10 times already; otherwise notes this retransmission. The first request is always taken at its word: no
 * measured round trip is sure to be shorter than the one that the request and the packet just made. */
const cn_sent *cn_rewrite_resend(cn_rewrite *rw, uint16_t out_seq, uint32_t rtt_ms, uint64_t now_ns);

/**
 * Asked for by a NACK and never sent: where it lies ahead of all that was, the receiver (GStreamer's jitter buffer) takes the next
 * packet for late, gives it up after its latency and throws it away when it comes. After a pause the next packet gets the
 * number behind it then. Nothing else is done with it.
 */
void cn_rewrite_asked(cn_rewrite *rw, uint16_t out_seq);

/** Highest outgoing number so far, extended (65,536 + first_seq is the first); false before the first packet. For
 * checking a receiver's report. */
bool cn_rewrite_highest(const cn_rewrite *rw, uint32_t *ext);

#endif
