#include "media/transport/tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "media/transport/tcp_impl.h"

#define BACKLOG 1024
#define ACCEPTS_PER_TURN 64
#define RATE_START 2000000u

cn_err cn_tcp_new(cn_tcp **out, cn_loop *loop, const cn_tcp_limits *limits, const cn_tcp_events *events, void *arg)
{
    if (!limits->conns_max || !limits->per_address_max || !limits->unchecked_max) return CN_ERR_INVALID;
    cn_tcp *t = CN_NEW(cn_tcp);
    if (!t) return CN_ERR_NOMEM;
    t->loop = loop;
    t->limits = *limits;
    t->events = events;
    t->arg = arg;
    cn_err err = cn_keymap_new(&t->hosts, limits->conns_max);
    t->chunk = malloc(CN_DEFRAME_ROOM + CN_TCP_CHUNK);
    if (!t->chunk) err = CN_ERR_NOMEM;
    if (err) {
        cn_tcp_free(t);
        return err;
    }
    *out = t;
    return CN_OK;
}

/* lists */

void cn_conn_list_add(cn_conn_list *l, cn_conn *c)
{
    c->next = NULL;
    c->prev = l->last;
    if (l->last) {
        l->last->next = c;
    } else {
        l->first = c;
    }
    l->last = c;
    l->n++;
}

void cn_conn_list_remove(cn_conn_list *l, cn_conn *c)
{
    if (c->prev) {
        c->prev->next = c->next;
    } else {
        l->first = c->next;
    }
    if (c->next) {
        c->next->prev = c->prev;
    } else {
        l->last = c->prev;
    }
    c->prev = c->next = NULL;
    l->n--;
}

/* who may connect */

/** All of a /64 belongs to one household, and every address of it can be taken at will. */
static cn_key host_key(const cn_sockaddr *a)
{
    cn_key k = {{0, 0, 0}};
    if (a->any.sa_family == AF_INET) {
        k.w[0] = a->v4.sin_addr.s_addr;
        k.w[2] = 4;
    } else {
        memcpy(k.w, &a->v6.sin6_addr, 8);
        k.w[2] = 6;
    }
    return k;
}

static cn_tcp_host *host_of(cn_tcp *t, const cn_sockaddr *peer)
{
    cn_key key = host_key(peer);
    cn_tcp_host *host = cn_keymap_get(t->hosts, &key);
    if (host) return host;
    host = CN_NEW(cn_tcp_host);
    if (!host) return NULL;
    host->key = key;
    if (cn_keymap_set(t->hosts, &key, host)) {
        free(host);
        return NULL;
    }
    return host;
}

static void host_leave(cn_tcp *t, cn_tcp_host *host)
{
    if (host->conns && --host->conns) return;
    cn_keymap_remove(t->hosts, &host->key);
    free(host);
}

static cn_err admit(cn_tcp *t, int fd, const cn_sockaddr *peer, unsigned sock)
{
    if (t->unchecked.n + t->checked.n >= t->limits.conns_max) return CN_ERR_FULL;
    cn_tcp_host *host = host_of(t, peer);
    if (!host) return CN_ERR_NOMEM;
    if (host->conns >= t->limits.per_address_max) return CN_ERR_FULL;
    host->conns++;
    cn_conn *c = CN_NEW(cn_conn);
    cn_err err = c ? cn_loop_watch(t->loop, fd, EPOLLIN, cn_conn_on_event, c) : CN_ERR_NOMEM;
    if (err) {
        host_leave(t, host);
        free(c);
        return err;
    }
    c->tcp = t;
    c->fd = fd;
    c->sock = sock;
    c->peer = *peer;
    c->host = host;
    c->checked_ns = cn_loop_now_ns(t->loop);
    cn_conn_rate(c, RATE_START);
    if (t->unchecked.n == t->limits.unchecked_max) {
        t->totals.refused++;
        cn_conn_drop(t->unchecked.first, true); /* the oldest: a real client needs a few round trips only */
    }
    cn_conn_list_add(&t->unchecked, c);
    t->totals.open++;
    return CN_OK;
}

static void pause_accepting(cn_tcp *t, bool pause)
{
    if (t->paused == pause) return;
    t->paused = pause;
    if (pause) cn_warn("media.tcp", "no descriptor is left for TCP connections: raise the limit of open files");
    for (size_t i = 0; i < t->listeners_n; i++)
        (void)cn_loop_watch_change(t->loop, t->listeners[i].fd, pause ? 0 : EPOLLIN);
}

static void on_acceptable(void *arg, uint32_t events)
{
    (void)events;
    const cn_listener *l = arg;
    cn_tcp *t = l->tcp;
    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        cn_sockaddr peer;
        memset(&peer, 0, sizeof peer);
        socklen_t len = sizeof peer;
        int fd = accept4(l->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause_accepting(t, true);
            return;
        }
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        t->totals.accepted++;
        if (!admit(t, fd, &peer, l->sock)) continue;
        t->totals.refused++;
        close(fd);
    }
}

cn_err cn_tcp_listen(cn_tcp *t, const cn_sockaddr *at, unsigned sock)
{
    if (t->listeners_n == CN_TCP_LISTENERS) return CN_ERR_FULL;
    int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) return cn_err_from_errno(errno);
    int one = 1;
    if (at->any.sa_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); /* connections of an earlier run may linger */
    cn_err err = CN_OK;
    if (bind(fd, &at->any, cn_sockaddr_len(at)) || listen(fd, BACKLOG)) {
        err = errno == EADDRINUSE ? CN_ERR_CONFLICT : cn_err_from_errno(errno);
    }
    cn_listener *l = &t->listeners[t->listeners_n];
    *l = (cn_listener){.tcp = t, .fd = fd, .sock = sock};
    if (!err) err = cn_loop_watch(t->loop, fd, EPOLLIN, on_acceptable, l);
    if (err) {
        close(fd);
        return err;
    }
    t->listeners_n++;
    return CN_OK;
}

void cn_tcp_unlisten(cn_tcp *t)
{
    while (t->listeners_n) {
        cn_listener *l = &t->listeners[--t->listeners_n];
        cn_loop_unwatch(t->loop, l->fd);
        cn_fd_close(&l->fd);
    }
}

/* the end of connections */

void cn_conn_drop(cn_conn *c, bool tell)
{
    if (c->closed) return;
    cn_tcp *t = c->tcp;
    c->closed = true;
    cn_conn_list_remove(c->checked ? &t->checked : &t->unchecked, c);
    cn_loop_unwatch(t->loop, c->fd);
    cn_fd_close(&c->fd);
    host_leave(t, c->host);
    t->totals.open--;
    if (tell) t->events->gone(t->arg, c);
    if (!c->reading) {
        free(c->out);
        free(c);
    }
}

static void sweep_list(cn_tcp *t, cn_conn_list *l, uint64_t max_ms, uint64_t now_ns)
{
    /* in order of checked_ns */
    while (l->first && now_ns > l->first->checked_ns && now_ns - l->first->checked_ns > max_ms * 1000000) {
        t->totals.late++;
        cn_conn_drop(l->first, true);
    }
}

void cn_tcp_sweep(cn_tcp *t, uint64_t now_ns)
{
    sweep_list(t, &t->unchecked, t->limits.check_ms, now_ns);
    sweep_list(t, &t->checked, t->limits.idle_ms, now_ns);
    pause_accepting(t, false);
}

const cn_tcp_totals *cn_tcp_totals_get(const cn_tcp *t)
{
    return &t->totals;
}

void cn_tcp_free(cn_tcp *t)
{
    if (!t) return;
    cn_tcp_unlisten(t);
    while (t->unchecked.first) cn_conn_drop(t->unchecked.first, false);
    while (t->checked.first) cn_conn_drop(t->checked.first, false);
    cn_keymap_free(t->hosts);
    free(t->chunk);
    free(t);
}
