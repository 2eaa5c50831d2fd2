#include "media/transport/port.h"

#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "media/transport/port_open.h"
#include "media/transport/port_send.h"
#include "media/transport/transport_ice.h"
#include "media/transport/transport_impl.h"
#include "media/wire/demux.h"

#define SWEEP_MS_MAX 500
#define SWEEP_MS_MIN 20
#define TYPE_PREFERENCE_HOST 126u /* RFC 8445 §5.1.2.2 */
#define BAD_CHECKS_MAX 8          /* of a connection that never sent a good one */
#define TYPE_PREFERENCE_TCP 90u   /* RFC 6544 §4.2: below UDP's */

#define RECV_BATCH 64 /* datagrams per readable turn */
#define RECV_SIZE 2048

typedef struct cn_receive {
    struct mmsghdr messages[RECV_BATCH];
    struct iovec iov[RECV_BATCH];
    cn_sockaddr from[RECV_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[RECV_BATCH][CN_LOCAL_CONTROL];
    _Alignas(64) uint8_t data[RECV_BATCH][RECV_SIZE];
} cn_receive;

/* receiving */

void cn_port_after_receive(cn_port *port, void (*fn)(void *arg), void *arg)
{
    port->after_receive = fn;
    port->after_receive_arg = arg;
}

static void received(cn_port *port)
{
    if (port->after_receive) port->after_receive(port->after_receive_arg);
}

/** What is known of a datagram before it is looked at. */
typedef struct arrival {
    cn_tcp_conn *conn; /* NULL: UDP, with the members below */
    const cn_port_socket *socket;
    const cn_sockaddr *peer;
    struct msghdr *message;
} arrival;

typedef enum verdict { DELIVERED, UNKNOWN_KIND, UNKNOWN_SOURCE } verdict;

static void on_stun(cn_port *port, const arrival *came, const uint8_t *data, size_t len)
{
    cn_origin origin = {.conn = came->conn};
    if (came->conn) {
        origin.peer = *cn_tcp_conn_peer(came->conn);
        origin.sock = cn_tcp_conn_sock(came->conn);
    } else {
        origin.peer = *came->peer;
        origin.sock = came->socket->index;
        if (came->socket->wildcard) cn_local_take(&origin.local, came->message);
    }
    cn_transport_on_stun(port, &origin, data, len);
}

static cn_path *path_of(cn_port *port, const arrival *came)
{
    if (came->conn) return cn_tcp_conn_user(came->conn);
    cn_key key = cn_sockaddr_key(came->peer, came->socket->index);
    return cn_keymap_get(port->by_address, &key);
}

/** A datagram to its transport, over UDP and TCP alike. */
static verdict dispatch(cn_port *port, const arrival *came, uint8_t *data, size_t len)
{
    cn_datagram kind = cn_demux(data, len);
    if (kind == CN_DATAGRAM_STUN) {
        on_stun(port, came, data, len);
        return DELIVERED;
    }
    if (kind == CN_DATAGRAM_OTHER) {
        port->totals.unknown_kind++;
        return UNKNOWN_KIND;
    }
    cn_path *path = path_of(port, came);
    if (!path || path->transport->closed) {
        port->totals.unknown_source++;
        return UNKNOWN_SOURCE;
    }
    if (kind == CN_DATAGRAM_DTLS) {
        cn_transport_on_dtls(path, data, len);
    } else if (kind == CN_DATAGRAM_SRTP) {
        cn_transport_on_rtp(path, data, len);
    } else {
        cn_transport_on_rtcp(path, data, len);
    }
    return DELIVERED;
}

/* TCP: before its first valid check a connection may send checks only, and few bad ones */

static bool on_frame(void *arg, cn_tcp_conn *conn, uint8_t *data, size_t len)
{
    cn_port *port = arg;
    uint64_t bad = port->totals.bad_stun;
    cn_port_enter(port);
    verdict judged = dispatch(port, &(arrival){.conn = conn}, data, len);
    bool wanted = judged == DELIVERED;
    if (judged == UNKNOWN_SOURCE) wanted = cn_tcp_conn_is_checked(conn);
    if (port->totals.bad_stun != bad)
        wanted = cn_tcp_conn_is_checked(conn) || cn_tcp_conn_strike(conn) < BAD_CHECKS_MAX;
    received(port);
    cn_port_leave(port);
    return wanted;
}

static void on_gone(void *arg, cn_tcp_conn *conn)
{
    (void)arg;
    cn_path *path = cn_tcp_conn_user(conn);
    if (path) cn_transport_path_lost(path);
}

static cn_err tcp_new(cn_port *port)
{
    static const cn_tcp_events events = {on_frame, on_gone};
    const cn_port_limits *port_limits = &port->limits;
    const cn_tcp_limits limits = {.conns_max = port_limits->tcp_max,
                                  .per_address_max = port_limits->tcp_per_address,
                                  .unchecked_max = port_limits->tcp_unchecked_max,
                                  .check_ms = port_limits->tcp_check_ms,
                                  .idle_ms = port_limits->tcp_idle_ms};
    return cn_tcp_new(&port->tcp, port->loop, &limits, &events, port);
}

/* UDP: batches */

static void receive_prepare(cn_receive *receive)
{
    for (size_t i = 0; i < RECV_BATCH; i++) {
        receive->iov[i] = (struct iovec){.iov_base = receive->data[i], .iov_len = RECV_SIZE};
        receive->messages[i].msg_hdr = (struct msghdr){.msg_name = &receive->from[i],
                                                       .msg_namelen = sizeof receive->from[i],
                                                       .msg_iov = &receive->iov[i],
                                                       .msg_iovlen = 1};
    }
}

static void control_prepare(cn_receive *receive)
{
    for (size_t i = 0; i < RECV_BATCH; i++) {
        receive->messages[i].msg_hdr.msg_control = receive->control[i];
        receive->messages[i].msg_hdr.msg_controllen = sizeof receive->control[i];
    }
}

static void on_readable(void *arg, uint32_t events)
{
    (void)events;
    cn_port_socket *socket = arg;
    cn_port *port = socket->port;
    cn_receive *receive = port->receive;
    if (socket->wildcard) control_prepare(receive);
    int got = recvmmsg(socket->fd, receive->messages, RECV_BATCH, MSG_DONTWAIT, NULL);
    if (got <= 0) return; /* nothing left, or an ICMP error of some destination */
    port->totals.datagrams_in += (uint64_t)got;
    cn_port_enter(port);
    for (int i = 0; i < got; i++) {
        struct msghdr *hdr = &receive->messages[i].msg_hdr;
        size_t n = receive->messages[i].msg_len;
        port->totals.bytes_in += n;
        /* a longer datagram than any of ours: what is left of it authenticates nowhere */
        if (hdr->msg_flags & MSG_TRUNC) {
            port->totals.unknown_kind++;
        } else {
            const arrival came = {.socket = socket, .peer = &receive->from[i], .message = hdr};
            (void)dispatch(port, &came, receive->data[i], n);
        }
        hdr->msg_namelen = sizeof receive->from[i];
    }
    received(port);
    cn_port_leave(port);
}

static void on_sweep(void *arg)
{
    cn_port *port = arg;
    uint64_t now = cn_loop_now_ns(port->loop);
    cn_port_enter(port);
    for (cn_transport *transport = port->transports; transport; transport = transport->next)
        cn_transport_sweep(transport, now);
    cn_tcp_sweep(port->tcp, now);
    cn_port_leave(port);
    uint64_t every = port->limits.timeout_ms / 8;
    if (every > SWEEP_MS_MAX) every = SWEEP_MS_MAX;
    cn_timer_arm(port->sweep, every < SWEEP_MS_MIN ? SWEEP_MS_MIN : every);
}

/* its life */

static cn_err parts_new(cn_port *port)
{
    size_t max = port->limits.transports_max;
    CN_TRY(cn_keymap_new(&port->by_address, max * CN_PATHS));
    CN_TRY(cn_keymap_new(&port->by_ufrag, max * 2));
    CN_TRY(cn_ice_new(&port->ice));
    CN_TRY(tcp_new(port));
    CN_TRY(cn_batch_new(&port->batch, !port->limits.no_gso));
    void *memory = NULL;
    if (posix_memalign(&memory, 64, sizeof(cn_receive))) return CN_ERR_NOMEM;
    port->receive = memory;
    memset(port->receive, 0, sizeof *port->receive);
    receive_prepare(port->receive);
    return cn_timer_new(&port->sweep, port->loop, on_sweep, port);
}

cn_err cn_port_new(cn_port **out, cn_loop *loop, const cn_identity *identity, const char *const listen[],
                   const char *const announce[], size_t count, uint16_t port, const cn_port_limits *limits)
{
    cn_port *owner = CN_NEW(cn_port);
    if (!owner) return CN_ERR_NOMEM;
    owner->loop = loop;
    owner->identity = identity;
    owner->reap = cn_transport_reap;
    cn_port_limits_set(owner, limits);
    cn_err err = cn_port_addresses_set(owner, listen, announce, count);
    if (!err) err = parts_new(owner);
    if (!err) err = cn_port_sockets_open(owner, port);
    for (size_t i = 0; i < owner->sockets_n && !err; i++) {
        err = cn_loop_watch(loop, owner->sockets[i].fd, EPOLLIN, on_readable, &owner->sockets[i]);
    }
    if (err) {
        cn_port_free(owner);
        return err;
    }
    on_sweep(owner);
    *out = owner;
    return CN_OK;
}

uint16_t cn_port_number(const cn_port *port)
{
    return cn_sockaddr_port(&port->sockets[0].bound);
}

size_t cn_port_candidates(const cn_port *port, cn_candidate *out, size_t max)
{
    size_t n = 2 * port->sockets_n;
    for (size_t i = 0; i < n && i < max; i++) {
        cn_candidate *candidate = &out[i];
        memset(candidate, 0, sizeof *candidate);
        candidate->tcp = i >= port->sockets_n;
        cn_sockaddr_text(&port->sockets[i % port->sockets_n].announced, candidate->address, sizeof candidate->address);
        candidate->port = cn_port_number(port);
        /* RFC 8445 §5.1.2.1: the first address is preferred; component 1 */
        uint32_t type = candidate->tcp ? TYPE_PREFERENCE_TCP : TYPE_PREFERENCE_HOST;
        candidate->priority = type << 24 | (uint32_t)(65535 - i) << 8 | 255;
        (void)cn_fmt(candidate->foundation, sizeof candidate->foundation, "%u", (unsigned)(i + 1));
    }
    return n;
}

const cn_port_totals *cn_port_totals_get(const cn_port *port)
{
    return &port->totals;
}

void cn_port_measure(cn_port *port)
{
    uint64_t dropped = 0;
    for (size_t i = 0; i < port->sockets_n; i++) {
        uint32_t info[SK_MEMINFO_VARS] = {0};
        socklen_t len = sizeof info;
        if (!getsockopt(port->sockets[i].fd, SOL_SOCKET, SO_MEMINFO, info, &len)) dropped += info[SK_MEMINFO_DROPS];
    }
    port->totals.receive_dropped = dropped;
}

cn_delay *cn_port_delay(cn_port *port)
{
    return &port->delay;
}

const cn_tcp_totals *cn_port_tcp_totals_get(const cn_port *port)
{
    return cn_tcp_totals_get(port->tcp);
}

void cn_port_free(cn_port *port)
{
    if (!port) return;
    for (size_t i = 0; i < port->sockets_n; i++) {
        if (port->sockets[i].fd >= 0) cn_loop_unwatch(port->loop, port->sockets[i].fd);
        cn_fd_close(&port->sockets[i].fd);
    }
    cn_tcp_free(port->tcp);
    cn_timer_free(port->sweep);
    cn_keymap_free(port->by_address);
    cn_keymap_free(port->by_ufrag);
    cn_ice_free(port->ice);
    cn_batch_free(port->batch);
    free(port->receive);
    free(port);
}
