/*
 * Spreads what goes to one receiver when his line is the limit: a leaky bucket before the packets are numbered for the
 * transport and protected. Retransmissions leave before media, because media waits for them; what the caller never lets
 * wait (audio, reports) still fills the bucket. Injected clock, no I/O. Owner thread only.
 *
 *   forward ──► cn_pacer_hold ── no ──► leaves now ──► cn_pacer_left
 *                    │ yes                                 ▲
 *                    ▼                                     │
 *               resend │ media ────► cn_pacer_next ────────┘
 */
#ifndef CN_MEDIA_PACER_H
#define CN_MEDIA_PACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/stream/packet.h"
#include "media/stream/rewrite.h"

#define CN_PACER_MEDIA 512            /* packets that may wait … */
#define CN_PACER_RESEND 128           /* … and retransmissions */
#define CN_PACER_WAIT_NS 300000000ull /* nothing waits longer: the rate is raised instead */
#define CN_PACER_BURST_NS 5000000ull  /* so much of the rate may leave at once */

typedef struct cn_pacer cn_pacer;

typedef enum cn_paced_kind { CN_PACED_RESEND, CN_PACED_MEDIA, CN_PACED_FILL } cn_paced_kind;

/** One packet that waits. `owner` is the caller's slot; `p` is NULL for a retransmission, which is looked up when it
 * leaves. */
typedef struct cn_paced {
    void *owner;
    cn_packet *p;
    cn_rewrite_out out; /* of a retransmission only seq */
    uint16_t bytes;
    uint8_t kind; /* cn_paced_kind */
} cn_paced;

cn_err cn_pacer_new(cn_pacer **out);
/** Drops what waits. NULL allowed. */
void cn_pacer_free(cn_pacer *pacer);

/** Bits per second at which the bucket leaks; 0: everything may leave. */
void cn_pacer_rate(cn_pacer *pacer, uint32_t bps, uint64_t now_ns);
/** A packet of `bytes` left. */
void cn_pacer_left(cn_pacer *pacer, size_t bytes, uint64_t now_ns);

/** Must this one wait? True: it is kept, with a reference to its packet. False: send it now (also when the queue is
 * full: drain it first, so that the order stays). */
bool cn_pacer_hold(cn_pacer *pacer, const cn_paced *paced, uint64_t now_ns);
/** The next one that may leave now; its packet's reference is the caller's. */
bool cn_pacer_next(cn_pacer *pacer, uint64_t now_ns, cn_paced *out);
/** The oldest that waits, of one owner or (NULL) of all, whatever the rate; its packet's reference is the caller's. */
bool cn_pacer_take(cn_pacer *pacer, const void *owner, cn_paced *out);

size_t cn_pacer_waiting(const cn_pacer *pacer);
/** Until cn_pacer_next has something; 0: now. Only meaningful while something waits. */
uint64_t cn_pacer_wait_ns(cn_pacer *pacer, uint64_t now_ns);

#endif
