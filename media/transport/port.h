/*
 * One worker's sockets: for UDP and for TCP one per listening address, all with the same port number. Receives in
 * batches, tells STUN, DTLS, RTP and RTCP apart (RFC 7983) and hands each datagram to its transport
 * (media/transport/transport.h); sends in batches. TCP carries the same datagrams, framed (RFC 6544, RFC 4571):
 * media/transport/tcp.h.
 *
 * Threads: owner thread of the loop only (before the loop runs: any one thread).
 */
#ifndef CN_MEDIA_PORT_H
#define CN_MEDIA_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/loop.h"
#include "media/transport/delay.h"
#include "media/secure/identity.h"

#define CN_PORT_ADDRESSES 8     /* listening addresses at most */
#define CN_PORT_ADDRESS_TEXT 46 /* a numeric address with its end */

typedef struct cn_port cn_port;

/** Zero in a member means its default. */
typedef struct cn_port_limits {
    uint32_t timeout_ms;     /* a transport without authenticated sign of life for so long is closed; default 20,000 */
    uint32_t transports_max; /* default 4,096 */
    uint32_t
        handshakes_max; /* DTLS handshakes under way at once; default 256; more wait for the client's retransmission */
    uint32_t buffer_bytes;      /* socket buffers, forced where permitted; default 4 MiB */
    bool no_gso;                /* never send with UDP_SEGMENT (the floors and tests compare) */
    uint32_t tcp_max;           /* TCP connections at once; default 4,096 */
    uint32_t tcp_per_address;   /* of them from one address (a hospital behind one NAT is one); default 512 */
    uint32_t tcp_unchecked_max; /* of them without a valid STUN check yet; default 1,024; more replace the oldest */
    uint32_t tcp_check_ms;      /* time for the first valid STUN check; default 5,000 */
    uint32_t tcp_idle_ms;       /* between two of them; default 60,000 */
} cn_port_limits;

/** Everything that is counted since the port was opened. What was refused had no other effect. */
typedef struct cn_port_totals {
    uint64_t datagrams_in, datagrams_out;
    uint64_t bytes_in, bytes_out;      /* UDP payload */
    uint64_t send_calls;               /* system calls */
    uint64_t gso_sends, gso_datagrams; /* messages that carried more than one segment, and their segments */
    uint64_t messages;                 /* of the batch, GSO or not: datagrams in runs to one destination */
    uint64_t bad_stun;                 /* malformed, unknown user, wrong password, not a binding request */
    uint64_t bad_dtls;                 /* malformed, unexpected, over the handshake's budget */
    uint64_t bad_rtp;                  /* malformed or not authentic */
    uint64_t bad_rtcp;
    uint64_t replayed;        /* authentic RTP or RTCP seen before */
    uint64_t unknown_source;  /* DTLS, RTP or RTCP from an address without a STUN check, or before the handshake */
    uint64_t unknown_kind;    /* first byte of no protocol (RFC 7983 §7) */
    uint64_t send_failed;     /* refused by the kernel, or its buffer full */
    uint64_t protect_failed;  /* SRTP refused to protect: an index was used before, or no keys yet */
    uint64_t role_conflicts;  /* STUN checks answered 487 */
    uint64_t receive_dropped; /* by the kernel, receive buffer full (cn_port_measure) */
} cn_port_totals;

/** TCP. Counted since the start, but for `open`: now. */
typedef struct cn_tcp_totals {
    uint64_t open;
    uint64_t accepted;
    uint64_t refused; /* at a bound */
    uint64_t broken;  /* frame too long, or refused by the user */
    uint64_t late;    /* no check within the deadline, or none for too long */
    uint64_t slow;    /* did not read what was sent */
    uint64_t frames_in, frames_out, bytes_in, bytes_out, send_calls; /* without the length fields */
} cn_tcp_totals;

/**
 * Opens and watches the sockets. `listen`: `count` numeric IPv4 or IPv6 addresses; `announce[i]`: what clients are told
 * instead (NULL array, NULL member or "": the listening one). `port` 0 takes one that is free for UDP and TCP on all
 * addresses.
 * CN_ERR_INVALID for a bad address, CN_ERR_IO or CN_ERR_CONFLICT when a socket cannot be bound.
 */
cn_err cn_port_new(cn_port **out, cn_loop *loop, const cn_identity *identity, const char *const listen[],
                   const char *const announce[], size_t count, uint16_t port, const cn_port_limits *limits);

/** The bound port, the same for UDP and TCP. */
uint16_t cn_port_number(const cn_port *port);

#define CN_PORT_CANDIDATES (2 * CN_PORT_ADDRESSES)

/** One host candidate for the SDP (RFC 8839 §5.1): component 1, typ host; TCP ones are passive (RFC 6544 §4.5). */
typedef struct cn_candidate {
    bool tcp;
    char address[CN_PORT_ADDRESS_TEXT];
    uint16_t port;
    uint32_t priority;
    char foundation[4]; /* of an address and protocol (RFC 8445 §5.1.1.3) */
} cn_candidate;

/** Fills at most `max`, UDP first; returns how many there are: ≤ CN_PORT_CANDIDATES. */
size_t cn_port_candidates(const cn_port *port, cn_candidate *out, size_t max);

/**
 * Protects and sends what was queued: per transport, packets of (nearly) the same size are equalised with RTP padding
 * and leave as one GSO send, the rest by sendmmsg. To be called after every turn of the loop (cn_loop_after_turn) by
 * whoever owns the worker.
 */
void cn_port_flush(cn_port *port);
/** `fn` runs whenever the events of the datagrams that were read at once have been delivered. One at most. */
void cn_port_after_receive(cn_port *port, void (*fn)(void *arg), void *arg);

const cn_port_totals *cn_port_totals_get(const cn_port *port);
/** The datagrams that went over TCP are counted here instead. */
const cn_tcp_totals *cn_port_tcp_totals_get(const cn_port *port);

/** Asks the kernel what it dropped. About once a second. */
void cn_port_measure(cn_port *port);

/** Who forwards counts here what was queued (cn_delay_queued); sending counts the rest. */
cn_delay *cn_port_delay(cn_port *port);

/** All transports must be freed first. NULL allowed. */
void cn_port_free(cn_port *port);

#endif
