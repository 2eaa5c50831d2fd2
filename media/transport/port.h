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
#include "media/secure/identity.h"
#include "media/transport/delay.h"
#include "media/transport/figures.h"

#define CN_PORT_ADDRESSES 8     /* listening addresses at most */
#define CN_PORT_ADDRESS_TEXT 46 /* a numeric address with its end */

typedef struct cn_port cn_port;

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
