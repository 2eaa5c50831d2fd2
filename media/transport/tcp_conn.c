/* One TCP connection: frames in, frames out, and how long what is queued will take. */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "media/transport/tcp_state.h"

#define DATAGRAMS_PER_CALL 64
#define LOWAT_MS \
    50 /* of the expected rate may wait unsent in the kernel: small, since what lies there cannot be judged */
#define LOWAT_MIN 4096u
#define LOWAT_MAX 65536u
#define DRAIN_WINDOW_NS 60000000ull
#define FULL_MIN 4096u /* at very low rates a few packets may always wait */

/* lists */

void cn_tcp_conn_list_add(cn_tcp_conn_list *list, cn_tcp_conn *conn)
{
    conn->next = NULL;
    conn->prev = list->last;
    if (list->last) {
        list->last->next = conn;
    } else {
        list->first = conn;
    }
    list->last = conn;
    list->n++;
}

void cn_tcp_conn_list_remove(cn_tcp_conn_list *list, cn_tcp_conn *conn)
{
    if (conn->prev) {
        conn->prev->next = conn->next;
    } else {
        list->first = conn->next;
    }
    if (conn->next) {
        conn->next->prev = conn->prev;
    } else {
        list->last = conn->prev;
    }
    conn->prev = conn->next = NULL;
    list->n--;
}

void cn_tcp_host_leave(cn_tcp *tcp, cn_tcp_host *host)
{
    if (host->conns && --host->conns) return;
    cn_keymap_remove(tcp->hosts, &host->key);
    free(host);
}

/* the end */

void cn_tcp_conn_drop(cn_tcp_conn *conn, bool tell)
{
    if (conn->closed) return;
    cn_tcp *tcp = conn->tcp;
    conn->closed = true;
    cn_tcp_conn_list_remove(conn->checked ? &tcp->checked : &tcp->unchecked, conn);
    cn_loop_unwatch(tcp->loop, conn->fd);
    cn_fd_close(&conn->fd);
    cn_tcp_host_leave(tcp, conn->host);
    tcp->totals.open--;
    if (tell) tcp->events->gone(tcp->arg, conn);
    if (!conn->reading) {
        free(conn->out);
        free(conn);
    }
}

/* reading */

static bool on_frame(void *conn, uint8_t *bytes, size_t len)
{
    cn_tcp_conn *connection = conn;
    cn_tcp *tcp = connection->tcp;
    tcp->totals.frames_in++;
    tcp->totals.bytes_in += len;
    bool wanted = tcp->events->frame(tcp->arg, connection, bytes, len);
    return wanted && !connection->closed;
}

static void on_readable(cn_tcp_conn *conn)
{
    cn_tcp *tcp = conn->tcp;
    uint8_t *chunk = tcp->chunk + CN_DEFRAME_ROOM;
    ssize_t got = recv(conn->fd, chunk, CN_TCP_CHUNK, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
        cn_tcp_conn_drop(conn, true);
        return;
    }
    cn_err err = cn_deframe(&conn->in, chunk, (size_t)got, on_frame, conn);
    if (!err || conn->closed) return;
    tcp->totals.broken++;
    cn_tcp_conn_drop(conn, true);
}

/* writing */

static void ring_put(cn_tcp_conn *conn, const uint8_t *bytes, size_t len)
{
    size_t at = (conn->out_at + conn->out_n) % CN_TCP_QUEUE, first = CN_TCP_QUEUE - at;
    if (first > len) first = len;
    memcpy(conn->out + at, bytes, first);
    memcpy(conn->out, bytes + first, len - first);
    conn->out_n += len;
}

/** Nothing more can be sent; the connection ends at its next event, which comes at once. */
static void give_up(cn_tcp_conn *conn)
{
    conn->broken = true;
    conn->out_n = 0;
    (void)shutdown(conn->fd, SHUT_RDWR);
}

/** How much the kernel may be given now, so that at most `lowat` bytes lie there unsent. */
static size_t kernel_room(cn_tcp_conn *conn)
{
    int unsent = 0;
    if (ioctl(conn->fd, SIOCOUTQNSD, &unsent)) unsent = 0;
    conn->unsent = (uint32_t)unsent;
    return conn->unsent < conn->lowat ? conn->lowat - conn->unsent : 0;
}

/** Bytes taken of `iov`, which holds no more than the kernel has room for. */
static size_t kernel_put(cn_tcp_conn *conn, struct iovec *iov, size_t count)
{
    struct msghdr hdr = {.msg_iov = iov, .msg_iovlen = count};
    conn->tcp->totals.send_calls++;
    ssize_t sent = sendmsg(conn->fd, &hdr, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return (size_t)sent;
    if (errno != EAGAIN && errno != EINTR) give_up(conn);
    return 0;
}

/** At the end of a window of 60 ms: what left in it. */
static void drain_measure(cn_tcp_conn *conn, size_t sent)
{
    uint64_t now = cn_loop_now_ns(conn->tcp->loop);
    conn->drained += sent;
    if (!conn->out_n) {
        conn->drain_ns = 0;
    } else if (!conn->drain_ns) {
        conn->drain_ns = now;
        conn->drained = 0;
        conn->drain_bps = 0;
    } else if (now - conn->drain_ns >= DRAIN_WINDOW_NS) {
        uint64_t bps = conn->drained * 8 * 1000000000 / (now - conn->drain_ns);
        conn->drain_bps = bps > UINT32_MAX ? UINT32_MAX : bps < 1 ? 1 : (uint32_t)bps;
        conn->drain_ns = now;
        conn->drained = 0;
    }
}

static void ring_send(cn_tcp_conn *conn)
{
    size_t room = kernel_room(conn), n = conn->out_n < room ? conn->out_n : room;
    size_t first = CN_TCP_QUEUE - conn->out_at;
    if (first > n) first = n;
    struct iovec iov[2] = {{conn->out + conn->out_at, first}, {conn->out, n - first}};
    size_t sent = n ? kernel_put(conn, iov, iov[1].iov_len ? 2 : 1) : 0;
    if (conn->broken) return;
    conn->out_at = (conn->out_at + sent) % CN_TCP_QUEUE;
    conn->out_n -= sent;
    conn->unsent += (uint32_t)sent;
    drain_measure(conn, sent);
    if (!conn->out_n) (void)cn_loop_watch_change(conn->tcp->loop, conn->fd, EPOLLIN);
}

static bool ring_ready(cn_tcp_conn *conn, size_t len)
{
    if (!conn->out) conn->out = malloc(CN_TCP_QUEUE);
    return conn->out && conn->out_n + len <= CN_TCP_QUEUE;
}

/** Queues everything of `iov` from byte `from` on. */
static void queue_rest(cn_tcp_conn *conn, const struct iovec *iov, size_t count, size_t from)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += iov[i].iov_len;
    if (!ring_ready(conn, total - from)) {
        conn->tcp->totals.slow++;
        give_up(conn);
        return;
    }
    bool idle = !conn->out_n;
    for (size_t i = 0; i < count; i++) {
        size_t skip = from < iov[i].iov_len ? from : iov[i].iov_len;
        from -= skip;
        ring_put(conn, (const uint8_t *)iov[i].iov_base + skip, iov[i].iov_len - skip);
    }
    if (!idle) return;
    drain_measure(conn, 0);
    (void)cn_loop_watch_change(conn->tcp->loop, conn->fd, EPOLLIN | EPOLLOUT);
}

/** How many of `count` spans, from the first, fit into `room`; at most. */
static size_t spans_within(const struct iovec *iov, size_t count, size_t room, size_t *bytes)
{
    size_t fit = 0;
    *bytes = 0;
    while (fit < count && *bytes + iov[fit].iov_len <= room) *bytes += iov[fit++].iov_len;
    return fit;
}

static void send_some(cn_tcp_conn *conn, const struct iovec *datagrams, size_t count)
{
    uint8_t heads[DATAGRAMS_PER_CALL][CN_FRAME_HEAD];
    struct iovec iov[2 * DATAGRAMS_PER_CALL];
    for (size_t i = 0; i < count; i++) {
        cn_frame_head(heads[i], datagrams[i].iov_len);
        iov[2 * i] = (struct iovec){heads[i], CN_FRAME_HEAD};
        iov[2 * i + 1] = datagrams[i];
        conn->tcp->totals.bytes_out += datagrams[i].iov_len;
    }
    conn->tcp->totals.frames_out += count;
    size_t sent = 0, bytes = 0;
    if (!conn->out_n) {
        size_t fit = spans_within(iov, 2 * count, kernel_room(conn), &bytes);
        sent = fit ? kernel_put(conn, iov, fit) : 0;
        conn->unsent += (uint32_t)sent;
        if (sent == bytes && fit == 2 * count) return;
    }
    if (!conn->broken) queue_rest(conn, iov, 2 * count, sent);
}

void cn_tcp_conn_send(cn_tcp_conn *conn, const struct iovec *datagrams, size_t count)
{
    for (size_t at = 0, some; at < count && !conn->closed && !conn->broken; at += some) {
        some = count - at < DATAGRAMS_PER_CALL ? count - at : DATAGRAMS_PER_CALL;
        send_some(conn, datagrams + at, some);
    }
}

void cn_tcp_conn_on_event(void *conn, uint32_t events)
{
    cn_tcp_conn *connection = conn;
    connection->reading = true;
    if (events & EPOLLOUT && connection->out_n) ring_send(connection);
    if (connection->broken) {
        cn_tcp_conn_drop(connection, true);
    } else if (events & ~(uint32_t)EPOLLOUT) {
        on_readable(connection);
    }
    connection->reading = false;
    if (!connection->closed) return;
    free(connection->out);
    free(connection);
}

/* how much waits */

void cn_tcp_conn_rate(cn_tcp_conn *conn, uint32_t bps)
{
    conn->rate_bps = bps;
    uint32_t want = (uint32_t)((uint64_t)bps * LOWAT_MS / 8000);
    if (want < LOWAT_MIN) want = LOWAT_MIN;
    if (want > LOWAT_MAX) want = LOWAT_MAX;
    if (conn->lowat && want < conn->lowat + conn->lowat / 4 && want > conn->lowat - conn->lowat / 4) return;
    conn->lowat = want;
    int value = (int)want; /* wakes us as soon as there is room again */
    (void)setsockopt(conn->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &value, sizeof value);
}

bool cn_tcp_conn_full(const cn_tcp_conn *conn, unsigned ms)
{
    if (!conn->out_n) return false;
    uint64_t rate = conn->drain_bps ? conn->drain_bps : conn->rate_bps, most = rate * ms / 8000;
    return conn->out_n + conn->unsent > (most < FULL_MIN ? FULL_MIN : most);
}

/* the rest */

const cn_sockaddr *cn_tcp_conn_peer(const cn_tcp_conn *conn)
{
    return &conn->peer;
}

unsigned cn_tcp_conn_sock(const cn_tcp_conn *conn)
{
    return conn->sock;
}

void cn_tcp_conn_user_set(cn_tcp_conn *conn, void *user)
{
    conn->user = user;
}

void *cn_tcp_conn_user(const cn_tcp_conn *conn)
{
    return conn->user;
}

void cn_tcp_conn_checked(cn_tcp_conn *conn)
{
    cn_tcp *tcp = conn->tcp;
    if (conn->closed) return;
    cn_tcp_conn_list_remove(conn->checked ? &tcp->checked : &tcp->unchecked, conn);
    conn->checked = true;
    conn->checked_ns = cn_loop_now_ns(tcp->loop);
    cn_tcp_conn_list_add(&tcp->checked, conn);
}

bool cn_tcp_conn_is_checked(const cn_tcp_conn *conn)
{
    return conn->checked;
}

unsigned cn_tcp_conn_strike(cn_tcp_conn *conn)
{
    return ++conn->strikes;
}

void cn_tcp_conn_close(cn_tcp_conn *conn)
{
    cn_tcp_conn_drop(conn, false);
}
