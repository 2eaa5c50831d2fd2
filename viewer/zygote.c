#include "viewer/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define FDS_TAKEN 8   /* with one answer of a zygote that is not ours any more; more are closed by the kernel */
#define SAID_READS 16 /* who never stops talking is not listened to for ever */
#define SAID_LINES 20
#define KEPT \
    ((size_t)16 << 20) /* of the shared memory between two questions; what a larger answer took is given back */

/* ---- zygote ---- */

static void stop_process(cn_zygote *zygote)
{
    cn_fd_close(&zygote->sock);
    if (zygote->pid > 0) {
        kill(zygote->pid, SIGKILL);
        waitpid(zygote->pid, NULL, 0);
    }
    zygote->pid = 0;
}

static cn_err start_process(cn_zygote *zygote)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return cn_err_from_errno(errno);
    const struct timeval patience = {.tv_sec = CN_FORKED_ANSWER_MS / 1000};
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    bool unconfined = *cn_child_missing() && cn_child_permitted();
    const char *const argv[] = {zygote->program, unconfined ? CN_DECODE_UNCONFINED : NULL, NULL};
    const cn_child_limits limits = {.no_network = true, .no_rights = true}; /* each worker locks itself in further */
    cn_err err = cn_child_start(argv, pair[1], &limits, &zygote->pid);
    close(pair[1]);
    if (err != CN_OK) {
        close(pair[0]);
        return err;
    }
    zygote->sock = pair[0];
    return CN_OK;
}

/* All that came: what is not wanted has to be closed too. */
static size_t take_fds(struct msghdr *hdr, int fds[FDS_TAKEN])
{
    struct cmsghdr *c = CMSG_FIRSTHDR(hdr);
    if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) return 0;
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds, CMSG_DATA(c), n * sizeof(int));
    return n;
}

static void close_fds(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) cn_fd_close(&fds[i]);
}

static bool zygote_receive(cn_zygote *zygote, cn_zygote_answer *answer, int fds[CN_ZYGOTE_FDS])
{
    char bytes[sizeof(*answer) + 1];
    int taken[FDS_TAKEN];
    struct iovec iov = {bytes, sizeof(bytes)};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(FDS_TAKEN * sizeof(int))];
    } control;
    struct msghdr hdr = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    do got = recvmsg(zygote->sock, &hdr, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0) return false;
    size_t n = take_fds(&hdr, taken);
    bool good = cn_zygote_answer_read(bytes, (size_t)got, n, answer) && !(hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
    if (good)
        memcpy(fds, taken, n * sizeof(int));
    else
        close_fds(taken, n);
    return good;
}

static cn_err zygote_ask_locked(cn_zygote *zygote, const cn_zygote_ask *ask, cn_zygote_answer *answer,
                                int fds[CN_ZYGOTE_FDS])
{
    for (int attempt = 0; attempt < 2; attempt++) {
        if (zygote->sock < 0) CN_TRY(start_process(zygote));
        if (send(zygote->sock, ask, sizeof(*ask), MSG_NOSIGNAL) == sizeof(*ask) &&
            (!answer || zygote_receive(zygote, answer, fds)))
            return CN_OK;
        cn_warn("viewer.zygote", "%s ended: starting it again", zygote->program);
        stop_process(zygote);
    }
    return CN_ERR_CRASHED;
}

static void zygote_kill(cn_zygote *zygote, int32_t pid)
{
    cn_zygote_ask ask = {.op = CN_ZYGOTE_KILL, .pid = pid};
    pthread_mutex_lock(&zygote->lock);
    if (zygote->sock >= 0) (void)!send(zygote->sock, &ask, sizeof(ask), MSG_NOSIGNAL);
    pthread_mutex_unlock(&zygote->lock);
}

/* ---- workers ---- */

/* The memory that is read here must not become shorter under us: touching what is gone ends the server. */
static bool keeps_its_size(int memory, size_t size)
{
    struct stat st;
    int seals = fcntl(memory, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) && fstat(memory, &st) == 0 && (size_t)st.st_size == size;
}

/* Takes over what the zygote handed out, when it is what it should be. */
static cn_err take_ends(const cn_zygote *zygote, cn_forked *worker, int fds[CN_ZYGOTE_FDS])
{
    struct stat sock, said;
    if (fstat(fds[0], &sock) || !S_ISSOCK(sock.st_mode) || fstat(fds[2], &said) || !S_ISFIFO(said.st_mode) ||
        fcntl(fds[2], F_SETFL, O_NONBLOCK) || !keeps_its_size(fds[1], zygote->shared))
        return CN_ERR_CRASHED;
    void *shared = mmap(NULL, zygote->shared, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
    if (shared == MAP_FAILED) return CN_ERR_NOMEM;
    worker->shared = shared;
    worker->sock = fds[0];
    worker->said = fds[2];
    fds[0] = fds[2] = -1;
    return CN_OK;
}

cn_err cn_forked_open(cn_zygote *zygote, const char *path, cn_forked *out)
{
    cn_zygote_ask ask = {.op = CN_ZYGOTE_OPEN};
    cn_zygote_answer answer = {0};
    int fds[CN_ZYGOTE_FDS] = {-1, -1, -1};
    if (!cn_strcpy(ask.path, sizeof(ask.path), path)) return CN_ERR_TOOBIG;
    pthread_mutex_lock(&zygote->lock);
    cn_err err = zygote_ask_locked(zygote, &ask, &answer, fds);
    pthread_mutex_unlock(&zygote->lock);
    if (err == CN_OK) err = (cn_err)answer.err;
    if (err != CN_OK) return err;
    out->pid = answer.pid;
    err = take_ends(zygote, out, fds);
    close_fds(fds, CN_ZYGOTE_FDS);
    if (err != CN_OK) zygote_kill(zygote, answer.pid);
    return err;
}

void cn_forked_end(cn_zygote *zygote, cn_forked *worker)
{
    if (worker->sock >= 0) zygote_kill(zygote, worker->pid);
    cn_fd_close(&worker->sock);
    cn_fd_close(&worker->said);
    if (worker->shared) munmap(worker->shared, zygote->shared);
    *worker = CN_FORKED_NONE;
}

cn_err cn_forked_receive(const cn_forked *worker, void *bytes, size_t size, size_t *got)
{
    struct pollfd polled = {.fd = worker->sock, .events = POLLIN};
    uint64_t end = cn_mono_ms() + CN_FORKED_ANSWER_MS;
    for (;;) {
        uint64_t now = cn_mono_ms();
        int ready = poll(&polled, 1, now < end ? (int)(end - now) : 0);
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) return CN_ERR_TIMEOUT;
        ssize_t n = recv(worker->sock, bytes, size, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return CN_ERR_CRASHED;
        *got = (size_t)n;
        return CN_OK;
    }
}

/*
 * What lies in the shared memory between two questions is no picture any more, and no answer may hold any of it: bytes
 * that a worker says it wrote and did not. Random, so that no picture has it by chance; as far as an answer ever went,
 * so that a small file does not cost all of it. Beyond that are zeros.
 */
static void canaries_fill(const cn_zygote *zygote, cn_forked *worker, size_t used)
{
    if (used > KEPT && madvise(worker->shared + KEPT, zygote->shared - KEPT, MADV_REMOVE) == 0) used = KEPT;
    size_t end = (used + CN_ZYGOTE_CANARY - 1) / CN_ZYGOTE_CANARY * CN_ZYGOTE_CANARY;
    for (size_t at = 0; at < end && at < zygote->shared; at += CN_ZYGOTE_CANARY)
        memcpy(worker->shared + at, zygote->canary, CN_ZYGOTE_CANARY);
    if (end > worker->canaries) worker->canaries = end;
}

static bool canaries_in(const cn_zygote *zygote, const cn_forked *worker, const char *bytes, size_t n)
{
    for (size_t at = 0; at + CN_ZYGOTE_CANARY <= n && at < worker->canaries; at += CN_ZYGOTE_CANARY)
        if (memcmp(bytes + at, zygote->canary, CN_ZYGOTE_CANARY) == 0) return true;
    return false;
}

cn_err cn_forked_take(const cn_zygote *zygote, cn_forked *worker, size_t n, void **out)
{
    if (n > zygote->shared) return CN_ERR_CRASHED;
    char *copy = malloc(n + 1); /* of many megabytes: nothing of it is written twice */
    if (!copy) return CN_ERR_NOMEM;
    memcpy(copy, worker->shared, n);
    copy[n] = 0;
    bool whole = !canaries_in(zygote, worker, copy, n);
    canaries_fill(zygote, worker, n);
    if (!whole) {
        free(copy);
        return CN_ERR_CRASHED;
    }
    *out = copy;
    return CN_OK;
}

void cn_forked_said(cn_forked *worker, void (*line)(const void *user, const char *text), const void *user)
{
    char text[4096];
    ssize_t n;
    for (int i = 0; i < SAID_READS && worker->said >= 0; i++) {
        if ((n = read(worker->said, text, sizeof(text) - 1)) <= 0) break;
        text[n] = 0;
        for (char *from = text, *end; *from; from = end) {
            end = from + strcspn(from, "\n");
            if (*end) *end++ = 0;
            if (!*from || worker->lines > SAID_LINES) continue;
            line(user, worker->lines < SAID_LINES ? from : "more of the like");
            worker->lines++;
        }
    }
}

/* ---- the whole ---- */

cn_err cn_zygote_start(cn_zygote *zygote, const char *program, size_t shared)
{
    *zygote = (cn_zygote){.shared = shared, .sock = -1};
    pthread_mutex_init(&zygote->lock, NULL);
    bool good = cn_strcpy(zygote->program, sizeof(zygote->program), program) &&
                getrandom(zygote->canary, CN_ZYGOTE_CANARY, 0) == CN_ZYGOTE_CANARY;
    return good ? start_process(zygote) : CN_ERR_INVALID;
}

void cn_zygote_stop(cn_zygote *zygote)
{
    stop_process(zygote);
    pthread_mutex_destroy(&zygote->lock);
}
