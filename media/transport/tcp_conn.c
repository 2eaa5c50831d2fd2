/* One TCP connection: frames in, frames out, and how long what is queued will take. */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "media/transport/tcp_impl.h"

#define DATAGRAMS_PER_CALL 64
#define LOWAT_MS \
    50 /* of the expected rate may wait unsent in the kernel: small, since what lies there cannot be judged */
#define LOWAT_MIN 4096u
#define LOWAT_MAX 65536u
#define DRAIN_WINDOW_NS 60000000ull
#define FULL_MIN 4096u /* at very low rates a few packets may always wait */

/* reading */

static bool on_frame(void *conn, uint8_t *p, size_t n)
{
    cn_conn *c = conn;
    cn_tcp *t = c->tcp;
    t->totals.frames_in++;
    t->totals.bytes_in += n;
    bool wanted = t->events->frame(t->arg, c, p, n);
    return wanted && !c->closed;
}

static void on_readable(cn_conn *c)
{
    cn_tcp *t = c->tcp;
    uint8_t *chunk = t->chunk + CN_DEFRAME_ROOM;
    ssize_t got = recv(c->fd, chunk, CN_TCP_CHUNK, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        cn_conn_drop(c, true);
        return;
    }
    cn_err err = cn_deframe(&c->in, chunk, (size_t)got, on_frame, c);
    if (!err || c->closed) return;
    t->totals.broken++;
    cn_conn_drop(c, true);
}

/* writing */

static void ring_put(cn_conn *c, const uint8_t *p, size_t n)
{
    size_t at = (c->out_at + c->out_n) % CN_TCP_QUEUE, first = CN_TCP_QUEUE - at;
    if (first > n) first = n;
    memcpy(c->out + at, p, first);
    memcpy(c->out, p + first, n - first);
    c->out_n += n;
}

/** Nothing more can be sent; the connection ends at its next event, which comes at once. */
static void give_up(cn_conn *c)
{
    c->broken = true;
    c->out_n = 0;
    (void)shutdown(c->fd, SHUT_RDWR);
}

/** How much the kernel may be given now, so that at most `lowat` bytes lie there unsent. */
static size_t kernel_room(cn_conn *c)
{
    int unsent = 0;
    if (ioctl(c->fd, SIOCOUTQNSD, &unsent)) unsent = 0;
    c->unsent = (uint32_t)unsent;
    return c->unsent < c->lowat ? c->lowat - c->unsent : 0;
}

/** Bytes taken of `v`, which holds no more than the kernel has room for. */
static size_t kernel_put(cn_conn *c, struct iovec *v, size_t n)
{
    struct msghdr h = {.msg_iov = v, .msg_iovlen = n};
    c->tcp->totals.send_calls++;
    ssize_t sent = sendmsg(c->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return (size_t)sent;
    if (errno != EAGAIN && errno != EINTR) give_up(c);
    return 0;
}

/** At the end of a window of 60 ms: what left in it. */
static void drain_measure(cn_conn *c, size_t sent)
{
    uint64_t now = cn_loop_now_ns(c->tcp->loop);
    c->drained += sent;
    if (!c->out_n) {
        c->drain_ns = 0;
    } else if (!c->drain_ns) {
        c->drain_ns = now;
        c->drained = 0;
        c->drain_bps = 0;
    } else if (now - c->drain_ns >= DRAIN_WINDOW_NS) {
        uint64_t bps = c->drained * 8 * 1000000000 / (now - c->drain_ns);
        c->drain_bps = bps > UINT32_MAX ? UINT32_MAX : bps < 1 ? 1 : (uint32_t)bps;
        c->drain_ns = now;
        c->drained = 0;
    }
}

static void ring_send(cn_conn *c)
{
    size_t room = kernel_room(c), n = c->out_n < room ? c->out_n : room;
    size_t first = CN_TCP_QUEUE - c->out_at;
    if (first > n) first = n;
    struct iovec v[2] = {{c->out + c->out_at, first}, {c->out, n - first}};
    size_t sent = n ? kernel_put(c, v, v[1].iov_len ? 2 : 1) : 0;
    if (c->broken) return;
    c->out_at = (c->out_at + sent) % CN_TCP_QUEUE;
    c->out_n -= sent;
    c->unsent += (uint32_t)sent;
    drain_measure(c, sent);
    if (!c->out_n) (void)cn_loop_watch_change(c->tcp->loop, c->fd, EPOLLIN);
}

static bool ring_ready(cn_conn *c, size_t n)
{
    if (!c->out) c->out = malloc(CN_TCP_QUEUE);
    return c->out && c->out_n + n <= CN_TCP_QUEUE;
}

/** Queues everything of `v` from byte `from` on. */
static void queue_rest(cn_conn *c, const struct iovec *v, size_t n, size_t from)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) total += v[i].iov_len;
    if (!ring_ready(c, total - from)) {
        c->tcp->totals.slow++;
        give_up(c);
        return;
    }
    bool idle = !c->out_n;
    for (size_t i = 0; i < n; i++) {
        size_t skip = from < v[i].iov_len ? from : v[i].iov_len;
        from -= skip;
        ring_put(c, (const uint8_t *)v[i].iov_base + skip, v[i].iov_len - skip);
    }
    if (!idle) return;
    drain_measure(c, 0);
    (void)cn_loop_watch_change(c->tcp->loop, c->fd, EPOLLIN | EPOLLOUT);
}

/** How many of `n` spans, from the first, fit into `room`; at most. */
static size_t spans_within(const struct iovec *v, size_t n, size_t room, size_t *bytes)
{
    size_t fit = 0;
    *bytes = 0;
    while (fit < n && *bytes + v[fit].iov_len <= room) *bytes += v[fit++].iov_len;
    return fit;
}

static void send_some(cn_conn *c, const struct iovec *datagrams, size_t n)
{
    uint8_t heads[DATAGRAMS_PER_CALL][CN_FRAME_HEAD];
    struct iovec v[2 * DATAGRAMS_PER_CALL];
    for (size_t i = 0; i < n; i++) {
        cn_frame_head(heads[i], datagrams[i].iov_len);
        v[2 * i] = (struct iovec){heads[i], CN_FRAME_HEAD};
        v[2 * i + 1] = datagrams[i];
        c->tcp->totals.bytes_out += datagrams[i].iov_len;
    }
    c->tcp->totals.frames_out += n;
    size_t sent = 0, bytes = 0;
    if (!c->out_n) {
        size_t fit = spans_within(v, 2 * n, kernel_room(c), &bytes);
        sent = fit ? kernel_put(c, v, fit) : 0;
        c->unsent += (uint32_t)sent;
        if (sent == bytes && fit == 2 * n) return;
    }
    if (!c->broken) queue_rest(c, v, 2 * n, sent);
}

void cn_conn_send(cn_conn *c, const struct iovec *datagrams, size_t n)
{
    for (size_t at = 0, some; at < n && !c->closed && !c->broken; at += some) {
        some = n - at < DATAGRAMS_PER_CALL ? n - at : DATAGRAMS_PER_CALL;
        send_some(c, datagrams + at, some);
    }
}

void cn_conn_on_event(void *conn, uint32_t events)
{
    cn_conn *c = conn;
    c->reading = true;
    if (events & EPOLLOUT && c->out_n) ring_send(c);
    if (c->broken) {
        cn_conn_drop(c, true);
    } else if (events & ~(uint32_t)EPOLLOUT) {
        on_readable(c);
    }
    c->reading = false;
    if (!c->closed) return;
    free(c->out);
    free(c);
}

/* how much waits */

void cn_conn_rate(cn_conn *c, uint32_t bps)
{
    c->rate_bps = bps;
    uint32_t want = (uint32_t)((uint64_t)bps * LOWAT_MS / 8000);
    if (want < LOWAT_MIN) want = LOWAT_MIN;
    if (want > LOWAT_MAX) want = LOWAT_MAX;
    if (c->lowat && want < c->lowat + c->lowat / 4 && want > c->lowat - c->lowat / 4) return;
    c->lowat = want;
    int value = (int)want; /* wakes us as soon as there is room again */
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, sizeof value);
}

bool cn_conn_full(const cn_conn *c, unsigned ms)
{
    if (!c->out_n) return false;
    uint64_t rate = c->drain_bps ? c->drain_bps : c->rate_bps, most = rate * ms / 8000;
    return c->out_n + c->unsent > (most < FULL_MIN ? FULL_MIN : most);
}

size_t cn_conn_queued(const cn_conn *c)
{
    return c->out_n;
}

/* the rest */

const cn_sockaddr *cn_conn_peer(const cn_conn *c)
{
    return &c->peer;
}

unsigned cn_conn_sock(const cn_conn *c)
{
    return c->sock;
}

void cn_conn_user_set(cn_conn *c, void *user)
{
    c->user = user;
}

void *cn_conn_user(const cn_conn *c)
{
    return c->user;
}

void cn_conn_checked(cn_conn *c)
{
    cn_tcp *t = c->tcp;
    if (c->closed) return;
    cn_conn_list_remove(c->checked ? &t->checked : &t->unchecked, c);
    c->checked = true;
    c->checked_ns = cn_loop_now_ns(t->loop);
    cn_conn_list_add(&t->checked, c);
}

bool cn_conn_is_checked(const cn_conn *c)
{
    return c->checked;
}

unsigned cn_conn_strike(cn_conn *c)
{
    return ++c->strikes;
}

void cn_conn_close(cn_conn *c)
{
    cn_conn_drop(c, false);
}
