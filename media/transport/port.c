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

void cn_port_enter(cn_port *p)
{
    p->depth++;
}

void cn_port_leave(cn_port *p)
{
    if (--p->depth || !p->reap) return;
    p->reap = false;
    for (cn_transport *t = p->transports, *next; t; t = next) {
        next = t->next;
        if (t->freed) cn_transport_reap(t);
    }
}

/* receiving */

void cn_port_after_receive(cn_port *p, void (*fn)(void *arg), void *arg)
{
    p->after_receive = fn;
    p->after_receive_arg = arg;
}

void cn_port_received(cn_port *p)
{
    if (p->after_receive) p->after_receive(p->after_receive_arg);
}

static void on_stun(cn_port_socket *s, const cn_sockaddr *from, struct msghdr *h, const uint8_t *data, size_t n)
{
    cn_origin origin = {.peer = *from, .sock = s->index};
    if (s->wildcard) cn_local_take(&origin.local, h);
    cn_transport_on_stun(s->port, &origin, data, n);
}

static void dispatch(cn_port_socket *s, const cn_sockaddr *from, struct msghdr *h, uint8_t *data, size_t n)
{
    cn_port *p = s->port;
    cn_datagram kind = cn_demux(data, n);
    if (kind == CN_DATAGRAM_STUN) {
        on_stun(s, from, h, data, n);
        return;
    }
    if (kind == CN_DATAGRAM_OTHER) {
        p->totals.unknown_kind++;
        return;
    }
    cn_key key = cn_sockaddr_key(from, s->index);
    cn_path *path = cn_keymap_get(p->by_address, &key);
    if (!path || path->transport->closed) {
        p->totals.unknown_source++;
    } else if (kind == CN_DATAGRAM_DTLS) {
        cn_transport_on_dtls(path, data, n);
    } else if (kind == CN_DATAGRAM_SRTP) {
        cn_transport_on_rtp(path, data, n);
    } else {
        cn_transport_on_rtcp(path, data, n);
    }
}

static void receive_prepare(cn_receive *r)
{
    for (size_t i = 0; i < CN_RECV_BATCH; i++) {
        r->iov[i] = (struct iovec){.iov_base = r->data[i], .iov_len = CN_RECV_SIZE};
        r->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &r->from[i], .msg_namelen = sizeof r->from[i], .msg_iov = &r->iov[i], .msg_iovlen = 1};
    }
}

static void control_prepare(cn_receive *r)
{
    for (size_t i = 0; i < CN_RECV_BATCH; i++) {
        r->messages[i].msg_hdr.msg_control = r->control[i];
        r->messages[i].msg_hdr.msg_controllen = sizeof r->control[i];
    }
}

static void on_readable(void *arg, uint32_t events)
{
    (void)events;
    cn_port_socket *s = arg;
    cn_port *p = s->port;
    cn_receive *r = p->receive;
    if (s->wildcard) control_prepare(r);
    int got = recvmmsg(s->fd, r->messages, CN_RECV_BATCH, MSG_DONTWAIT, NULL);
    if (got <= 0) return; /* nothing left, or an ICMP error of some destination */
    p->totals.datagrams_in += (uint64_t)got;
    cn_port_enter(p);
    for (int i = 0; i < got; i++) {
        struct msghdr *h = &r->messages[i].msg_hdr;
        size_t n = r->messages[i].msg_len;
        p->totals.bytes_in += n;
        /* a longer datagram than any of ours: what is left of it authenticates nowhere */
        if (h->msg_flags & MSG_TRUNC) {
            p->totals.unknown_kind++;
        } else {
            dispatch(s, &r->from[i], h, r->data[i], n);
        }
        h->msg_namelen = sizeof r->from[i];
    }
    cn_port_received(p);
    cn_port_leave(p);
}

static void on_sweep(void *arg)
{
    cn_port *p = arg;
    uint64_t now = cn_loop_now_ns(p->loop);
    cn_port_enter(p);
    for (cn_transport *t = p->transports; t; t = t->next) cn_transport_sweep(t, now);
    cn_tcp_sweep(p->tcp, now);
    cn_port_leave(p);
    uint64_t every = p->limits.timeout_ms / 8;
    if (every > SWEEP_MS_MAX) every = SWEEP_MS_MAX;
    cn_timer_arm(p->sweep, every < SWEEP_MS_MIN ? SWEEP_MS_MIN : every);
}

/* sending */

void cn_port_send_now(cn_port *p, const cn_origin *to, const uint8_t *data, size_t n)
{
    if (to->conn) {
        cn_conn_send(to->conn, &(struct iovec){(void *)(uintptr_t)data, n}, 1);
        return;
    }
    p->totals.send_calls++;
    _Alignas(struct cmsghdr) uint8_t control[CN_LOCAL_CONTROL];
    struct iovec v = {(void *)(uintptr_t)data, n}; /* the kernel only reads these */
    struct msghdr h = {.msg_name = (void *)(uintptr_t)&to->peer,
                       .msg_namelen = cn_sockaddr_len(&to->peer),
                       .msg_iov = &v,
                       .msg_iovlen = 1,
                       .msg_controllen = cn_local_put(&to->local, control)};
    if (h.msg_controllen) h.msg_control = control;
    ssize_t sent = sendmsg(p->sockets[to->sock].fd, &h, MSG_DONTWAIT);
    if (sent < 0) {
        p->totals.send_failed++;
        return;
    }
    p->totals.datagrams_out++;
    p->totals.bytes_out += n;
}

void cn_port_flush(cn_port *p)
{
    if (cn_batch_empty(p->batch)) return;
    int fds[CN_PORT_ADDRESSES];
    for (size_t i = 0; i < p->sockets_n; i++) fds[i] = p->sockets[i].fd;
    cn_batch_flush(p->batch, fds, p->sockets_n, &p->totals);
    cn_delay_sent(&p->delay, cn_mono_ns());
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

static cn_err socket_open(cn_port_socket *s, uint16_t port, unsigned buffer_bytes)
{
    cn_sockaddr_set_port(&s->bound, port);
    int fd = socket(s->bound.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0) return cn_err_from_errno(errno);
    int one = 1;
    if (s->bound.any.sa_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    socklen_t len = sizeof s->bound;
    if (bind(fd, &s->bound.any, cn_sockaddr_len(&s->bound)) || getsockname(fd, &s->bound.any, &len)) {
        cn_err err = errno == EADDRINUSE ? CN_ERR_CONFLICT : cn_err_from_errno(errno);
        close(fd);
        return err;
    }
    s->wildcard = cn_sockaddr_wildcard(&s->bound);
    if (s->wildcard) (void)cn_local_ask(fd, s->bound.any.sa_family);
    buffer_set(fd, SO_RCVBUFFORCE, SO_RCVBUF, buffer_bytes, "receive");
    buffer_set(fd, SO_SNDBUFFORCE, SO_SNDBUF, buffer_bytes, "send");
    s->fd = fd;
    return CN_OK;
}

/** Binds all addresses to one port number, for UDP and TCP. */
static cn_err sockets_open(cn_port *p, uint16_t port)
{
    cn_err err = CN_OK;
    for (unsigned attempt = 0; attempt < BIND_TRIES; attempt++) {
        uint16_t number = port;
        err = CN_OK;
        for (size_t i = 0; i < p->sockets_n && !err; i++) {
            err = socket_open(&p->sockets[i], number, p->limits.buffer_bytes);
            if (!err) number = cn_sockaddr_port(&p->sockets[i].bound);
        }
        if (!err) err = cn_port_tcp_listen(p);
        if (!err || port || err != CN_ERR_CONFLICT) return err;
        cn_tcp_unlisten(p->tcp);
        for (size_t i = 0; i < p->sockets_n; i++) cn_fd_close(&p->sockets[i].fd);
    }
    return err;
}

static cn_err address_parse(cn_sockaddr *out, const char *text)
{
    cn_err err = cn_sockaddr_parse(out, text, 0);
    if (err) cn_error("media.port", "'%s' is not a numeric IPv4 or IPv6 address", text);
    return err;
}

static cn_err addresses_set(cn_port *p, const char *const listen[], const char *const announce[], size_t count)
{
    if (!count || count > CN_PORT_ADDRESSES) return CN_ERR_INVALID;
    for (size_t i = 0; i < count; i++) {
        cn_port_socket *s = &p->sockets[i];
        *s = (cn_port_socket){.fd = -1, .index = (unsigned)i, .port = p};
        p->sockets_n = i + 1;
        CN_TRY(address_parse(&s->bound, listen[i]));
        bool told = announce && announce[i] && announce[i][0];
        CN_TRY(address_parse(&s->announced, told ? announce[i] : listen[i]));
        if (cn_sockaddr_wildcard(&s->announced)) {
            cn_error("media.port", "nobody can send to %s: the address that clients shall use must be announced",
                     listen[i]);
            return CN_ERR_INVALID;
        }
    }
    return CN_OK;
}

static void limits_set(cn_port *p, const cn_port_limits *given)
{
    if (given) p->limits = *given;
    if (!p->limits.timeout_ms) p->limits.timeout_ms = DEFAULT_TIMEOUT_MS;
    if (!p->limits.transports_max) p->limits.transports_max = DEFAULT_TRANSPORTS;
    if (!p->limits.handshakes_max) p->limits.handshakes_max = DEFAULT_HANDSHAKES;
    if (!p->limits.buffer_bytes) p->limits.buffer_bytes = DEFAULT_BUFFER;
    if (!p->limits.tcp_max) p->limits.tcp_max = DEFAULT_TCP;
    if (!p->limits.tcp_per_address) p->limits.tcp_per_address = DEFAULT_TCP_PER_ADDRESS;
    if (!p->limits.tcp_unchecked_max) p->limits.tcp_unchecked_max = DEFAULT_TCP_UNCHECKED;
    if (!p->limits.tcp_check_ms) p->limits.tcp_check_ms = DEFAULT_TCP_CHECK_MS;
    if (!p->limits.tcp_idle_ms) p->limits.tcp_idle_ms = DEFAULT_TCP_IDLE_MS;
}

static cn_err parts_new(cn_port *p)
{
    size_t max = p->limits.transports_max;
    CN_TRY(cn_keymap_new(&p->by_address, max * CN_PATHS));
    CN_TRY(cn_keymap_new(&p->by_ufrag, max * 2));
    CN_TRY(cn_ice_new(&p->ice));
    CN_TRY(cn_port_tcp_new(p));
    CN_TRY(cn_batch_new(&p->batch, !p->limits.no_gso));
    void *memory = NULL;
    if (posix_memalign(&memory, 64, sizeof(cn_receive))) return CN_ERR_NOMEM;
    p->receive = memory;
    memset(p->receive, 0, sizeof *p->receive);
    receive_prepare(p->receive);
    return cn_timer_new(&p->sweep, p->loop, on_sweep, p);
}

cn_err cn_port_new(cn_port **out, cn_loop *loop, const cn_identity *identity, const char *const listen[],
                   const char *const announce[], size_t count, uint16_t port, const cn_port_limits *limits)
{
    cn_port *p = CN_NEW(cn_port);
    if (!p) return CN_ERR_NOMEM;
    p->loop = loop;
    p->identity = identity;
    limits_set(p, limits);
    cn_err err = addresses_set(p, listen, announce, count);
    if (!err) err = parts_new(p);
    if (!err) err = sockets_open(p, port);
    for (size_t i = 0; i < p->sockets_n && !err; i++) {
        err = cn_loop_watch(loop, p->sockets[i].fd, EPOLLIN, on_readable, &p->sockets[i]);
    }
    if (err) {
        cn_port_free(p);
        return err;
    }
    on_sweep(p);
    *out = p;
    return CN_OK;
}

uint16_t cn_port_number(const cn_port *p)
{
    return cn_sockaddr_port(&p->sockets[0].bound);
}

size_t cn_port_candidates(const cn_port *p, cn_candidate *out, size_t max)
{
    size_t n = 2 * p->sockets_n;
    for (size_t i = 0; i < n && i < max; i++) {
        cn_candidate *c = &out[i];
        memset(c, 0, sizeof *c);
        c->tcp = i >= p->sockets_n;
        cn_sockaddr_text(&p->sockets[i % p->sockets_n].announced, c->address, sizeof c->address);
        c->port = cn_port_number(p);
        /* RFC 8445 §5.1.2.1: the first address is preferred; component 1 */
        uint32_t type = c->tcp ? TYPE_PREFERENCE_TCP : TYPE_PREFERENCE_HOST;
        c->priority = type << 24 | (uint32_t)(65535 - i) << 8 | 255;
        (void)cn_fmt(c->foundation, sizeof c->foundation, "%u", (unsigned)(i + 1));
    }
    return n;
}

const cn_port_totals *cn_port_totals_get(const cn_port *p)
{
    return &p->totals;
}

void cn_port_measure(cn_port *p)
{
    uint64_t dropped = 0;
    for (size_t i = 0; i < p->sockets_n; i++) {
        uint32_t info[SK_MEMINFO_VARS] = {0};
        socklen_t len = sizeof info;
        if (!getsockopt(p->sockets[i].fd, SOL_SOCKET, SO_MEMINFO, info, &len)) dropped += info[SK_MEMINFO_DROPS];
    }
    p->totals.receive_dropped = dropped;
}

cn_delay *cn_port_delay(cn_port *p)
{
    return &p->delay;
}

const cn_tcp_totals *cn_port_tcp_totals_get(const cn_port *p)
{
    return cn_tcp_totals_get(p->tcp);
}

void cn_port_free(cn_port *p)
{
    if (!p) return;
    for (size_t i = 0; i < p->sockets_n; i++) {
        if (p->sockets[i].fd >= 0) cn_loop_unwatch(p->loop, p->sockets[i].fd);
        cn_fd_close(&p->sockets[i].fd);
    }
    cn_tcp_free(p->tcp);
    cn_timer_free(p->sweep);
    cn_keymap_free(p->by_address);
    cn_keymap_free(p->by_ufrag);
    cn_ice_free(p->ice);
    cn_batch_free(p->batch);
    free(p->receive);
    free(p);
}
