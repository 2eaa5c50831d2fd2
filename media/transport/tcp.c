#include "media/transport/tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "media/transport/tcp_state.h"

#define BACKLOG 1024
#define ACCEPTS_PER_TURN 64
#define RATE_START 2000000u

cn_err cn_tcp_new(cn_tcp **out, cn_loop *loop, const cn_tcp_limits *limits, const cn_tcp_events *events, void *arg)
{
    if (!limits->conns_max || !limits->per_address_max || !limits->unchecked_max) return CN_ERR_INVALID;
    cn_tcp *tcp = CN_NEW(cn_tcp);
    if (!tcp) return CN_ERR_NOMEM;
    tcp->loop = loop;
    tcp->limits = *limits;
    tcp->events = events;
    tcp->arg = arg;
    cn_err err = cn_keymap_new(&tcp->hosts, limits->conns_max);
    tcp->chunk = malloc(CN_DEFRAME_ROOM + CN_TCP_CHUNK);
    if (!tcp->chunk) err = CN_ERR_NOMEM;
    if (err) {
        cn_tcp_free(tcp);
        return err;
    }
    *out = tcp;
    return CN_OK;
}

/* who may connect */

/** All of a /64 belongs to one household, and every address of it can be taken at will. */
static cn_key host_key(const cn_sockaddr *addr)
{
    cn_key key = {{0, 0, 0}};
    if (addr->any.sa_family == AF_INET) {
        key.w[0] = addr->v4.sin_addr.s_addr;
        key.w[2] = 4;
    } else {
        memcpy(key.w, &addr->v6.sin6_addr, 8);
        key.w[2] = 6;
    }
    return key;
}

static cn_tcp_host *host_of(cn_tcp *tcp, const cn_sockaddr *peer)
{
    cn_key key = host_key(peer);
    cn_tcp_host *host = cn_keymap_get(tcp->hosts, &key);
    if (host) return host;
    host = CN_NEW(cn_tcp_host);
    if (!host) return NULL;
    host->key = key;
    if (cn_keymap_set(tcp->hosts, &key, host)) {
        free(host);
        return NULL;
    }
    return host;
}

static cn_err admit(cn_tcp *tcp, int fd, const cn_sockaddr *peer, unsigned sock)
{
    if (tcp->unchecked.n + tcp->checked.n >= tcp->limits.conns_max) return CN_ERR_FULL;
    cn_tcp_host *host = host_of(tcp, peer);
    if (!host) return CN_ERR_NOMEM;
    if (host->conns >= tcp->limits.per_address_max) return CN_ERR_FULL;
    host->conns++;
    cn_tcp_conn *conn = CN_NEW(cn_tcp_conn);
    cn_err err = conn ? cn_loop_watch(tcp->loop, fd, EPOLLIN, cn_tcp_conn_on_event, conn) : CN_ERR_NOMEM;
    if (err) {
        cn_tcp_host_leave(tcp, host);
        free(conn);
        return err;
    }
    conn->tcp = tcp;
    conn->fd = fd;
    conn->sock = sock;
    conn->peer = *peer;
    conn->host = host;
    conn->checked_ns = cn_loop_now_ns(tcp->loop);
    cn_tcp_conn_rate(conn, RATE_START);
    if (tcp->unchecked.n == tcp->limits.unchecked_max) {
        tcp->totals.refused++;
        cn_tcp_conn_drop(tcp->unchecked.first, true); /* the oldest: a real client needs a few round trips only */
    }
    cn_tcp_conn_list_add(&tcp->unchecked, conn);
    tcp->totals.open++;
    return CN_OK;
}

static void pause_accepting(cn_tcp *tcp, bool pause)
{
    if (tcp->paused == pause) return;
    tcp->paused = pause;
    if (pause) cn_warn("media.tcp", "no descriptor is left for TCP connections: raise the limit of open files");
    for (size_t i = 0; i < tcp->listeners_n; i++)
        (void)cn_loop_watch_change(tcp->loop, tcp->listeners[i].fd, pause ? 0 : EPOLLIN);
}

static void on_acceptable(void *arg, uint32_t events)
{
    (void)events;
    const cn_listener *listener = arg;
    cn_tcp *tcp = listener->tcp;
    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        cn_sockaddr peer;
        memset(&peer, 0, sizeof peer);
        socklen_t len = sizeof peer;
        int fd = accept4(listener->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause_accepting(tcp, true);
            return;
        }
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        tcp->totals.accepted++;
        if (!admit(tcp, fd, &peer, listener->sock)) continue;
        tcp->totals.refused++;
        close(fd);
    }
}

cn_err cn_tcp_listen(cn_tcp *tcp, const cn_sockaddr *at, unsigned sock)
{
    if (tcp->listeners_n == CN_TCP_LISTENERS) return CN_ERR_FULL;
    int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) return cn_err_from_errno(errno);
    int one = 1;
    if (at->any.sa_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); /* connections of an earlier run may linger */
    cn_err err = CN_OK;
    if (bind(fd, &at->any, cn_sockaddr_len(at)) || listen(fd, BACKLOG)) {
        err = errno == EADDRINUSE ? CN_ERR_CONFLICT : cn_err_from_errno(errno);
    }
    cn_listener *listener = &tcp->listeners[tcp->listeners_n];
    *listener = (cn_listener){.tcp = tcp, .fd = fd, .sock = sock};
    if (!err) err = cn_loop_watch(tcp->loop, fd, EPOLLIN, on_acceptable, listener);
    if (err) {
        close(fd);
        return err;
    }
    tcp->listeners_n++;
    return CN_OK;
}

void cn_tcp_unlisten(cn_tcp *tcp)
{
    while (tcp->listeners_n) {
        cn_listener *listener = &tcp->listeners[--tcp->listeners_n];
        cn_loop_unwatch(tcp->loop, listener->fd);
        cn_fd_close(&listener->fd);
    }
}

/* the end of connections */

static void sweep_list(cn_tcp *tcp, cn_tcp_conn_list *list, uint64_t max_ms, uint64_t now_ns)
{
    /* in order of checked_ns */
    while (list->first && now_ns > list->first->checked_ns && now_ns - list->first->checked_ns > max_ms * 1000000) {
        tcp->totals.late++;
        cn_tcp_conn_drop(list->first, true);
    }
}

void cn_tcp_sweep(cn_tcp *tcp, uint64_t now_ns)
{
    sweep_list(tcp, &tcp->unchecked, tcp->limits.check_ms, now_ns);
    sweep_list(tcp, &tcp->checked, tcp->limits.idle_ms, now_ns);
    pause_accepting(tcp, false);
}

const cn_tcp_totals *cn_tcp_totals_get(const cn_tcp *tcp)
{
    return &tcp->totals;
}

void cn_tcp_free(cn_tcp *tcp)
{
    if (!tcp) return;
    cn_tcp_unlisten(tcp);
    while (tcp->unchecked.first) cn_tcp_conn_drop(tcp->unchecked.first, false);
    while (tcp->checked.first) cn_tcp_conn_drop(tcp->checked.first, false);
    cn_keymap_free(tcp->hosts);
    free(tcp->chunk);
    free(tcp);
}
