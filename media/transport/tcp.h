/*
 * TCP connections of one port (ICE-TCP, RFC 6544: passive candidates): listening, bounds, reading and writing framed
 * datagrams (media/wire/framing.h). Knows nothing of ICE: its user says when a connection has proved itself.
 *
 *   1. A connection that is not `checked` within the deadline, sends a broken frame, or is refused by the user's
 * `frame` is closed.
 *   2. What the kernel does not take is queued, whole frames, in a bounded queue; at the bound the connection is
 * closed.
 *   3. `gone` comes once when a connection is closed for a reason of its own, never after cn_tcp_conn_close.
 *
 * Threads: owner thread of the loop only.
 */
#ifndef CN_MEDIA_TCP_H
#define CN_MEDIA_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/loop.h"
#include "media/transport/address.h"
#include "media/transport/figures.h"

#define CN_TCP_QUEUE (1u << 20) /* bytes that wait for a connection at most: a reader that is so late is cut off */

typedef struct cn_tcp cn_tcp;
typedef struct cn_tcp_conn cn_tcp_conn;

/** All members are required. */
typedef struct cn_tcp_limits {
    uint32_t conns_max;       /* connections at once */
    uint32_t per_address_max; /* of them from one IPv4 address or IPv6 /64 */
    uint32_t unchecked_max;   /* of them not checked yet; a further one replaces the oldest */
    uint32_t check_ms;        /* until the first cn_tcp_conn_checked */
    uint32_t idle_ms;         /* between two of them */
} cn_tcp_limits;

typedef struct cn_tcp_events {
    /** One datagram, writable, valid until the event returns. False: the connection is to be closed. */
    bool (*frame)(void *arg, cn_tcp_conn *conn, uint8_t *bytes, size_t len);
    void (*gone)(void *arg, cn_tcp_conn *conn);
} cn_tcp_events;

cn_err cn_tcp_new(cn_tcp **out, cn_loop *loop, const cn_tcp_limits *limits, const cn_tcp_events *events, void *arg);

/** Listens on an address with its port; its connections carry `sock`. CN_ERR_CONFLICT when the port is taken,
 * CN_ERR_FULL after 8. */
cn_err cn_tcp_listen(cn_tcp *tcp, const cn_sockaddr *at, unsigned sock);
/** Takes all listeners back: none has accepted anything yet, since the loop did not run. */
void cn_tcp_unlisten(cn_tcp *tcp);

/** Closes what is late. To be called every second or more often. */
void cn_tcp_sweep(cn_tcp *tcp, uint64_t now_ns);

const cn_tcp_totals *cn_tcp_totals_get(const cn_tcp *tcp);

/** Closes everything. NULL allowed. */
void cn_tcp_free(cn_tcp *tcp);

const cn_sockaddr *cn_tcp_conn_peer(const cn_tcp_conn *conn);
unsigned cn_tcp_conn_sock(const cn_tcp_conn *conn);

void cn_tcp_conn_user_set(cn_tcp_conn *conn, void *user);
/** NULL until it is set. */
void *cn_tcp_conn_user(const cn_tcp_conn *conn);

/** The connection has just proved itself. */
void cn_tcp_conn_checked(cn_tcp_conn *conn);
bool cn_tcp_conn_is_checked(const cn_tcp_conn *conn);
/** Counts a failure to prove itself; how many there were. */
unsigned cn_tcp_conn_strike(cn_tcp_conn *conn);

/** Sends `count` datagrams in order, or queues them. */
void cn_tcp_conn_send(cn_tcp_conn *conn, const struct iovec *datagrams, size_t count);

/** The rate at which the connection is expected to take bytes, in bits per second: how much the kernel may hold unsent,
 * and what cn_tcp_conn_full means until it is measured. */
void cn_tcp_conn_rate(cn_tcp_conn *conn, uint32_t bps);

/** Whether what waits, here and unsent in the kernel, takes longer than `ms` at the rate at which it drains. */
bool cn_tcp_conn_full(const cn_tcp_conn *conn, unsigned ms);

/** Closes it; `conn` is not valid any more when no event of it is under way. */
void cn_tcp_conn_close(cn_tcp_conn *conn);

#endif
