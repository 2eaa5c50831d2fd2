#include "media/transport/port.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "media/wire/demux.h"
#include "media/transport/port_impl.h"

#define DEFAULT_TIMEOUT_MS 20000
#define DEFAULT_TRANSPORTS 4096
#define DEFAULT_HANDSHAKES 256
#define DEFAULT_BUFFER (4u << 20)
#define DEFAULT_TCP 4096
#define DEFAULT_TCP_PER_ADDRESS 512
#define DEFAULT_TCP_UNCHECKED 1024
#define DEFAULT_TCP_CHECK_MS 5000
#define DEFAULT_TCP_IDLE_MS 60000
#define BIND_TRIES 32 /* a free port of the first address may be taken on the second */
#define SWEEP_MS_MAX 500
#define SWEEP_MS_MIN 20
#define TYPE_PREFERENCE_HOST 126u /* RFC 8445 §5.1.2.2 */
#define TYPE_PREFERENCE_TCP 90u   /* RFC 6544 §4.2: below UDP's */

typedef struct cn_receive {
    struct mmsghdr messages[CN_RECV_BATCH];
    struct iovec iov[CN_RECV_BATCH];
    cn_sockaddr from[CN_RECV_BATCH];
    _Alignas(struct cmsghdr) uint8_t control[CN_RECV_BATCH][CN_LOCAL_CONTROL];
    _Alignas(64) uint8_t data[CN_RECV_BATCH][CN_RECV_SIZE];
} cn_receive;

void cn_port_enter(cn_port *port)
{
    port->depth++;
}

void cn_port_leave(cn_port *port)
{
    if (--port->depth || !port->reap) return;
    port->reap = false;
    for (cn_transport *transport = port->transports, *next; transport; transport = next) {
        next = transport->next;
        if (transport->freed) cn_transport_reap(transport);
    }
}

/* receiving */

void cn_port_after_receive(cn_port *port, void (*fn)(void *arg), void *arg)
{
    port->after_receive = fn;
    port->after_receive_arg = arg;
}

void cn_port_received(cn_port *port)
{
    if (port->after_receive) port->after_receive(port->after_receive_arg);
}

static void on_stun(cn_port_socket *socket, const cn_sockaddr *from, struct msghdr *hdr, const uint8_t *data,
                    size_t len)
{
    cn_origin origin = {.peer = *from, .sock = socket->index};
    if (socket->wildcard) cn_local_take(&origin.local, hdr);
    cn_transport_on_stun(socket->port, &origin, data, len);
}

static void dispatch(cn_port_socket *socket, const cn_sockaddr *from, struct msghdr *hdr, uint8_t *data, size_t len)
{
    cn_port *port = socket->port;
    cn_datagram kind = cn_demux(data, len);
    if (kind == CN_DATAGRAM_STUN) {
        on_stun(socket, from, hdr, data, len);
        return;
    }
    if (kind == CN_DATAGRAM_OTHER) {
        port->totals.unknown_kind++;
        return;
    }
    cn_key key = cn_sockaddr_key(from, socket->index);
    cn_path *path = cn_keymap_get(port->by_address, &key);
    if (!path || path->transport->closed) {
        port->totals.unknown_source++;
    } else if (kind == CN_DATAGRAM_DTLS) {
        cn_transport_on_dtls(path, data, len);
    } else if (kind == CN_DATAGRAM_SRTP) {
        cn_transport_on_rtp(path, data, len);
    } else {
        cn_transport_on_rtcp(path, data, len);
    }
}

static void receive_prepare(cn_receive *receive)
{
    for (size_t i = 0; i < CN_RECV_BATCH; i++) {
        receive->iov[i] = (struct iovec){.iov_base = receive->data[i], .iov_len = CN_RECV_SIZE};
        receive->messages[i].msg_hdr = (struct msghdr){.msg_name = &receive->from[i],
                                                       .msg_namelen = sizeof receive->from[i],
                                                       .msg_iov = &receive->iov[i],
                                                       .msg_iovlen = 1};
    }
}

static void control_prepare(cn_receive *receive)
{
    for (size_t i = 0; i < CN_RECV_BATCH; i++) {
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
    int got = recvmmsg(socket->fd, receive->messages, CN_RECV_BATCH, MSG_DONTWAIT, NULL);
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
            dispatch(socket, &receive->from[i], hdr, receive->data[i], n);
        }
        hdr->msg_namelen = sizeof receive->from[i];
    }
    cn_port_received(port);
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

/* sending */

void cn_port_send_now(cn_port *port, const cn_origin *to, const uint8_t *data, size_t len)
{
    if (to->conn) {
        cn_conn_send(to->conn, &(struct iovec){(void *)(uintptr_t)data, len}, 1);
        return;
    }
    port->totals.send_calls++;
    _Alignas(struct cmsghdr) uint8_t control[CN_LOCAL_CONTROL];
    struct iovec iov = {(void *)(uintptr_t)data, len}; /* the kernel only reads these */
    struct msghdr hdr = {.msg_name = (void *)(uintptr_t)&to->peer,
                         .msg_namelen = cn_sockaddr_len(&to->peer),
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_controllen = cn_local_put(&to->local, control)};
    if (hdr.msg_controllen) hdr.msg_control = control;
    ssize_t sent = sendmsg(port->sockets[to->sock].fd, &hdr, MSG_DONTWAIT);
    if (sent < 0) {
        port->totals.send_failed++;
        return;
    }
    port->totals.datagrams_out++;
    port->totals.bytes_out += len;
}

void cn_port_flush(cn_port *port)
{
    if (cn_batch_empty(port->batch)) return;
    int fds[CN_PORT_ADDRESSES];
    for (size_t i = 0; i < port->sockets_n; i++) fds[i] = port->sockets[i].fd;
    cn_batch_flush(port->batch, fds, port->sockets_n, &port->totals);
    cn_delay_sent(&port->delay, cn_mono_ns());
}

/* opening */

static void buffer_set(int fd, int forced, int plain, unsigned bytes, const char *which)
{
    int want = (int)bytes;
    if (!setsockopt(fd, SOL_SOCKET, forced, &want, sizeof want)) return;
    (void)setsockopt(fd, SOL_SOCKET, plain, &want, sizeof want);
    int got = 0;
    socklen_t len = sizeof got;
    (void)getsockopt(fd, SOL_SOCKET, plain, &got, &len);
    if (got / 2 < want) { /* the kernel doubles what it grants */
        cn_warn(
            "media.port",
            "the kernel refuses a %s buffer of %d bytes and grants %d: raise net.core.%cmem_max or grant CAP_NET_ADMIN",
            which, want, got / 2, which[0] == 'r' ? 'r' : 'w');
    }
}

static cn_err socket_open(cn_port_socket *sock, uint16_t port, unsigned buffer_bytes)
{
    cn_sockaddr_set_port(&sock->bound, port);
    int fd = socket(sock->bound.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0) return cn_err_from_errno(errno);
    int one = 1;
    if (sock->bound.any.sa_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    socklen_t len = sizeof sock->bound;
    if (bind(fd, &sock->bound.any, cn_sockaddr_len(&sock->bound)) || getsockname(fd, &sock->bound.any, &len)) {
        cn_err err = errno == EADDRINUSE ? CN_ERR_CONFLICT : cn_err_from_errno(errno);
        close(fd);
        return err;
    }
    sock->wildcard = cn_sockaddr_wildcard(&sock->bound);
    if (sock->wildcard) (void)cn_local_ask(fd, sock->bound.any.sa_family);
    buffer_set(fd, SO_RCVBUFFORCE, SO_RCVBUF, buffer_bytes, "receive");
    buffer_set(fd, SO_SNDBUFFORCE, SO_SNDBUF, buffer_bytes, "send");
    sock->fd = fd;
    return CN_OK;
}

/** Binds all addresses to one port number, for UDP and TCP. */
static cn_err sockets_open(cn_port *owner, uint16_t port)
{
    cn_err err = CN_OK;
    for (unsigned attempt = 0; attempt < BIND_TRIES; attempt++) {
        uint16_t number = port;
        err = CN_OK;
        for (size_t i = 0; i < owner->sockets_n && !err; i++) {
            err = socket_open(&owner->sockets[i], number, owner->limits.buffer_bytes);
            if (!err) number = cn_sockaddr_port(&owner->sockets[i].bound);
        }
        if (!err) err = cn_port_tcp_listen(owner);
        if (!err || port || err != CN_ERR_CONFLICT) return err;
        cn_tcp_unlisten(owner->tcp);
        for (size_t i = 0; i < owner->sockets_n; i++) cn_fd_close(&owner->sockets[i].fd);
    }
    return err;
}

static cn_err address_parse(cn_sockaddr *out, const char *text)
{
    cn_err err = cn_sockaddr_parse(out, text, 0);
    if (err) cn_error("media.port", "'%s' is not a numeric IPv4 or IPv6 address", text);
    return err;
}

static cn_err addresses_set(cn_port *port, const char *const listen[], const char *const announce[], size_t count)
{
    if (!count || count > CN_PORT_ADDRESSES) return CN_ERR_INVALID;
    for (size_t i = 0; i < count; i++) {
        cn_port_socket *socket = &port->sockets[i];
        *socket = (cn_port_socket){.fd = -1, .index = (unsigned)i, .port = port};
        port->sockets_n = i + 1;
        CN_TRY(address_parse(&socket->bound, listen[i]));
        bool told = announce && announce[i] && announce[i][0];
        CN_TRY(address_parse(&socket->announced, told ? announce[i] : listen[i]));
        if (cn_sockaddr_wildcard(&socket->announced)) {
            cn_error("media.port", "nobody can send to %s: the address that clients shall use must be announced",
                     listen[i]);
            return CN_ERR_INVALID;
        }
    }
    return CN_OK;
}

static void limits_set(cn_port *port, const cn_port_limits *given)
{
    if (given) port->limits = *given;
    if (!port->limits.timeout_ms) port->limits.timeout_ms = DEFAULT_TIMEOUT_MS;
    if (!port->limits.transports_max) port->limits.transports_max = DEFAULT_TRANSPORTS;
    if (!port->limits.handshakes_max) port->limits.handshakes_max = DEFAULT_HANDSHAKES;
    if (!port->limits.buffer_bytes) port->limits.buffer_bytes = DEFAULT_BUFFER;
    if (!port->limits.tcp_max) port->limits.tcp_max = DEFAULT_TCP;
    if (!port->limits.tcp_per_address) port->limits.tcp_per_address = DEFAULT_TCP_PER_ADDRESS;
    if (!port->limits.tcp_unchecked_max) port->limits.tcp_unchecked_max = DEFAULT_TCP_UNCHECKED;
    if (!port->limits.tcp_check_ms) port->limits.tcp_check_ms = DEFAULT_TCP_CHECK_MS;
    if (!port->limits.tcp_idle_ms) port->limits.tcp_idle_ms = DEFAULT_TCP_IDLE_MS;
}

static cn_err parts_new(cn_port *port)
{
    size_t max = port->limits.transports_max;
    CN_TRY(cn_keymap_new(&port->by_address, max * CN_PATHS));
    CN_TRY(cn_keymap_new(&port->by_ufrag, max * 2));
    CN_TRY(cn_ice_new(&port->ice));
    CN_TRY(cn_port_tcp_new(port));
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
    limits_set(owner, limits);
    cn_err err = addresses_set(owner, listen, announce, count);
    if (!err) err = parts_new(owner);
    if (!err) err = sockets_open(owner, port);
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
