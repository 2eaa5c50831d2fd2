#include "sink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cpu.h"

#define BATCH 64
#define BUFFER (1 << 20)
#define STEP_NS 10000
#define STEPS 50000

static cn_err open_one(int *out, struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return cn_err_from_errno(errno);
    int size = BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    int on = 1; /* as the clients that the server sends to */
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof *address;
    if (bind(fd, (struct sockaddr *)address, len) || getsockname(fd, (struct sockaddr *)address, &len)) {
        cn_err err = cn_err_from_errno(errno);
        (void)close(fd);
        return err;
    }
    *out = fd;
    return CN_OK;
}

void sink_due_put(uint8_t *datagram, uint64_t due_ns)
{
    memcpy(datagram + SINK_DUE_AT, &due_ns, sizeof due_ns);
}

static uint32_t delays[STEPS];

static void note_delay(struct msghdr *head, const uint8_t *datagram)
{
    uint64_t due_ns = 0;
    memcpy(&due_ns, datagram + SINK_DUE_AT, sizeof due_ns);
    for (struct cmsghdr *control = CMSG_FIRSTHDR(head); control; control = CMSG_NXTHDR(head, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SO_TIMESTAMPNS) continue;
        struct timespec at;
        memcpy(&at, CMSG_DATA(control), sizeof at);
        uint64_t ns = (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
        uint64_t step = ns > due_ns ? (ns - due_ns) / STEP_NS : 0;
        delays[step < STEPS ? step : STEPS - 1]++;
    }
}

static uint64_t drain(int fd)
{
    static uint8_t buffers[BATCH][SINK_DUE_AT + sizeof(uint64_t)]; /* of the rest nobody wants to know */
    static struct iovec iov[BATCH];
    static struct mmsghdr msgs[BATCH];
    static _Alignas(struct cmsghdr) uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    uint64_t total = 0;
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            iov[i] = (struct iovec){.iov_base = buffers[i], .iov_len = sizeof buffers[i]};
            msgs[i].msg_hdr = (struct msghdr){
                .msg_iov = &iov[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
        }
        int n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) note_delay(&msgs[i].msg_hdr, buffers[i]);
        if (n <= 0) return total;
        total += (uint64_t)n;
        if (n < BATCH) return total;
    }
}

static double delay_ms(uint64_t total, double share)
{
    uint64_t below = 0;
    for (size_t i = 0; i < STEPS; i++) {
        below += delays[i];
        if (below && (double)below >= share * (double)total) return (double)(i + 1) * STEP_NS / 1e6;
    }
    return 0;
}

/* Until the other end of `stop` closes, and then until nothing is left. */
static uint64_t receive(const int *fds, size_t count, int stop)
{
    int ep = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < count; i++)
        (void)epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &(struct epoll_event){.events = EPOLLIN, .data.fd = fds[i]});
    (void)epoll_ctl(ep, EPOLL_CTL_ADD, stop, &(struct epoll_event){.events = EPOLLIN, .data.fd = stop});
    uint64_t total = 0;
    for (bool stopping = false;;) {
        struct epoll_event events[BATCH];
        int got = epoll_wait(ep, events, BATCH, stopping ? 100 : 10000);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        for (int i = 0; i < got; i++) {
            if (events[i].data.fd != stop) {
                total += drain(events[i].data.fd);
                continue;
            }
            stopping = true;
            (void)epoll_ctl(ep, EPOLL_CTL_DEL, stop, NULL);
        }
    }
    (void)close(ep);
    return total;
}

static void sockets_close(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) (void)close(fds[i]);
    free(fds);
}

static cn_err sockets_open(int **out, struct sockaddr_in *to, size_t count)
{
    int *fds = cn_calloc(count, sizeof *fds);
    if (!fds) return CN_ERR_NOMEM;
    for (size_t i = 0; i < count; i++) {
        cn_err err = open_one(&fds[i], &to[i]);
        if (!err) continue;
        sockets_close(fds, i);
        return err;
    }
    *out = fds;
    return CN_OK;
}

static _Noreturn void child(const int *fds, size_t count, int core, int stop, int counts)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)cpu_pin(core);
    uint64_t total = receive(fds, count, stop);
    sink_counts all = {.datagrams = total,
                       .p50_ms = delay_ms(total, 0.5),
                       .p95_ms = delay_ms(total, 0.95),
                       .p99_ms = delay_ms(total, 0.99)};
    ssize_t written = write(counts, &all, sizeof all);
    _exit(written == (ssize_t)sizeof all ? 0 : 1);
}

cn_err sink_start(sink *out, size_t count, int core)
{
    sink drain = {.n = count, .counts = -1, .stop = -1, .to = cn_calloc(count, sizeof *drain.to)};
    int *fds = NULL, stop[2], counts[2];
    if (!drain.to) return CN_ERR_NOMEM;
    cn_err err = sockets_open(&fds, drain.to, count);
    if (err) {
        free(drain.to);
        return err;
    }
    if (pipe2(stop, O_CLOEXEC) || pipe2(counts, O_CLOEXEC) || (drain.pid = fork()) < 0) {
        err = cn_err_from_errno(errno);
        sockets_close(fds, count);
        free(drain.to);
        return err;
    }
    if (!drain.pid) {
        (void)close(stop[1]);
        child(fds, count, core, stop[0], counts[1]);
    }
    sockets_close(fds, count);
    (void)close(stop[0]);
    (void)close(counts[1]);
    drain.stop = stop[1];
    drain.counts = counts[0];
    *out = drain;
    return CN_OK;
}

sink_counts sink_stop(sink *drain)
{
    sink_counts all = {0};
    (void)close(drain->stop);
    if (read(drain->counts, &all, sizeof all) != (ssize_t)sizeof all) all = (sink_counts){0};
    (void)close(drain->counts);
    (void)waitpid(drain->pid, NULL, 0);
    free(drain->to);
    *drain = (sink){0};
    return all;
}
