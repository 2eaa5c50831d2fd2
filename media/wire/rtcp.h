/*
 * RTCP (RFC 3550 §6), feedback (RFC 4585, RFC 5104), REMB (draft-alvestrand-rmcat-remb-03), transport-wide feedback
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01). Views over the caller's bytes and writers into the caller's
 * buffer: any thread, no allocation.
 *
 *     cn_rtcp_it it;
 *     if (cn_rtcp_open(&it, p, n) != CN_OK) drop;
 *     for (cn_rtcp pkt; cn_rtcp_next(&it, &pkt);) switch on pkt.type …
 */
#ifndef CN_MEDIA_RTCP_H
#define CN_MEDIA_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** What a packet is; the wire's packet type and feedback format in one. */
typedef enum cn_rtcp_type {
    CN_RTCP_UNKNOWN, /* APP, XR, AFB other than REMB, …: skip */
    CN_RTCP_SR,
    CN_RTCP_RR,
    CN_RTCP_SDES,
    CN_RTCP_BYE,
    CN_RTCP_NACK,
    CN_RTCP_TWCC,
    CN_RTCP_PLI,
    CN_RTCP_FIR,
    CN_RTCP_REMB
} cn_rtcp_type;

/** One packet of a compound. */
typedef struct cn_rtcp {
    cn_rtcp_type type;
    uint8_t pt, count;   /* as on the wire: packet type; RC, SC or FMT */
    const uint8_t *body; /* after the 4-byte header */
    size_t body_len;     /* without padding */
} cn_rtcp;

typedef struct cn_rtcp_it {
    const uint8_t *p;
    size_t n;
} cn_rtcp_it;

/**
 * Validates the whole datagram: every packet's version, length (the sum is exactly length), padding only in the last,
 * and the body's own structure for the types above. Reduced-size RTCP (RFC 5506) is accepted: any first packet.
 * CN_ERR_PARSE otherwise, so that nothing of a bad compound is acted on.
 */
cn_err cn_rtcp_open(cn_rtcp_it *it, const uint8_t *bytes, size_t length);
/** Next packet; false at the end. */
bool cn_rtcp_next(cn_rtcp_it *it, cn_rtcp *out);

/** Reception report block. */
typedef struct cn_rtcp_block {
    uint32_t ssrc;
    uint8_t fraction_lost; /* 1/256 */
    int32_t lost;          /* cumulative, signed 24 bit */
    uint32_t highest_seq;  /* extended */
    uint32_t jitter;       /* RTP clock */
    uint32_t lsr, dlsr;    /* middle 32 bits of NTP; 1/65536 s */
} cn_rtcp_block;

typedef struct cn_rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp;
    uint32_t rtp_ts, packets, octets;
} cn_rtcp_sr;

/* The readers below return false, or nothing, for a packet of another type. */

/** Sender report. */
bool cn_rtcp_sr_read(const cn_rtcp *pkt, cn_rtcp_sr *out);
/** Media source SSRC of NACK, TWCC and PLI; 0 for other types. */
uint32_t cn_rtcp_media(const cn_rtcp *pkt);
/** i-th report block of an SR or RR; false past the last. */
bool cn_rtcp_block_read(const cn_rtcp *pkt, size_t index, cn_rtcp_block *out);

/** i-th FIR entry: media SSRC and command number (RFC 5104 §4.3.1); false past the last. */
bool cn_rtcp_fir_read(const cn_rtcp *pkt, size_t index, uint32_t *ssrc, uint8_t *number);

/** REMB's bitrate in bit/s (saturated at 2^63) and number of SSRCs it names. */
bool cn_rtcp_remb_read(const cn_rtcp *pkt, uint64_t *bps, size_t *ssrcs);

/** Sequence numbers that a NACK asks for, in order of its entries. Zero-initialise with the packet: `{.pkt = &pkt}`. */
typedef struct cn_rtcp_nack_it {
    const cn_rtcp *pkt;
    size_t entry;
    unsigned bit;
} cn_rtcp_nack_it;
bool cn_rtcp_nack_next(cn_rtcp_nack_it *it, uint16_t *seq);

/** Transport-wide feedback, packet by packet. */
typedef struct cn_rtcp_twcc_it {
    uint16_t base_seq, count; /* first sequence number, packets reported (also lost ones) */
    int32_t reference;        /* signed 24 bit, multiples of 64 ms */
    uint8_t number;           /* feedback packet count */
    /* the rest belongs to the iterator */
    const uint8_t *chunk, *delta;
    uint16_t at, in_chunk;
} cn_rtcp_twcc_it;

typedef struct cn_rtcp_twcc {
    uint16_t seq;
    bool received;
    int32_t
        delta_250us; /* to the packet received before; the first one's is to `reference` × 64 ms. 0 when not received */
} cn_rtcp_twcc;

/** cn_rtcp_open has checked that chunks and deltas are complete. False for another type. */
bool cn_rtcp_twcc_open(cn_rtcp_twcc_it *it, const cn_rtcp *pkt);
bool cn_rtcp_twcc_next(cn_rtcp_twcc_it *it, cn_rtcp_twcc *out);

/*
 * Writers: append one packet at `out` and return its length, a multiple of 4; 0 when `cap` is too small or the
 * arguments cannot be expressed. A compound is made by calling them one after the other.
 */
size_t cn_rtcp_write_sr(uint8_t *out, size_t cap, const cn_rtcp_sr *sr, const cn_rtcp_block *blocks,
                        size_t count); /* n ≤ 31 */
size_t cn_rtcp_write_rr(uint8_t *out, size_t cap, uint32_t ssrc, const cn_rtcp_block *blocks,
                        size_t count); /* n ≤ 31 */
/** One chunk with a CNAME of at most 255 bytes. */
size_t cn_rtcp_write_cname(uint8_t *out, size_t cap, uint32_t ssrc, const char *cname);
size_t cn_rtcp_write_pli(uint8_t *out, size_t cap, uint32_t sender, uint32_t media);

/**
 * Generic NACK of `count` sequence numbers, ascending (modulo 2^16), packed into PID/BLP entries. `*used` (NULL
 * allowed) gets how many were written: fewer than count when `cap` is reached, so call again for the rest. 0 when none
 * fits.
 */
size_t cn_rtcp_write_nack(uint8_t *out, size_t cap, uint32_t sender, uint32_t media, const uint16_t *seqs, size_t count,
                          size_t *used);

typedef struct cn_twcc_arrival {
    uint16_t seq;
    int64_t time_us; /* any monotonic clock, ≥ 0 */
} cn_twcc_arrival;

/**
 * Transport-wide feedback over arrivals in ascending order of seq (modulo 2^16, no doubles; times need not ascend).
 * Numbers between them are reported lost; `base` ≤ arrivals[0].seq is the first one reported (normally the one after
 * the last report's). `*used` gets how many arrivals were written: fewer than count when `cap` is reached, a gap is
 * over 8191 numbers or a time difference is over 8.19 s; call again with the rest and number + 1. 0 when none fits.
 */
size_t cn_rtcp_write_twcc(uint8_t *out, size_t cap, uint32_t sender, uint32_t media, uint8_t number, uint16_t base,
                          const cn_twcc_arrival *arrivals, size_t count, size_t *used);

#endif
