#include "viewer/slide/decoders.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define ANSWER_MS 20000
#define WAIT_PLACE_S 5

typedef struct worker {
    char path[CN_DECODE_PATH]; /* "": free place */
    bool busy;                 /* one job has it; only that job touches sock and shared */
    bool doomed;               /* end it when the job is done */
    int sock;
    int32_t pid;
    void *shared;
    uint64_t used_ms;
} worker;

struct cn_decoders {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char program[CN_DECODE_PATH];
    int zygote; /* socket */
    pid_t zygote_pid;
    pthread_mutex_t zygote_lock; /* one question at a time */
    unsigned limit;
    worker workers[64];
};

/* ---- zygote ---- */

static void zygote_stop(cn_decoders *d)
{
    cn_fd_close(&d->zygote);
    if (d->zygote_pid > 0) {
        kill(d->zygote_pid, SIGKILL);
        waitpid(d->zygote_pid, NULL, 0);
    }
    d->zygote_pid = 0;
}

static cn_err zygote_start(cn_decoders *d)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return cn_err_from_errno(errno);
    const struct timeval patience = {.tv_sec = ANSWER_MS / 1000};
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    const char *const argv[] = {d->program, NULL};
    const cn_child_limits limits = {0};
    cn_err err = cn_child_start(argv, pair[1], &limits, &d->zygote_pid);
    close(pair[1]);
    if (err != CN_OK) {
        close(pair[0]);
        return err;
    }
    d->zygote = pair[0];
    return CN_OK;
}

static bool zygote_receive(cn_decoders *d, cn_zygote_answer *a, int fds[2])
{
    struct iovec iov = {a, sizeof(*a)};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct msghdr m = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t got;
    do got = recvmsg(d->zygote, &m, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got != sizeof(*a)) return false;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (a->err == CN_OK) {
        if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(2 * sizeof(int))) return false;
        memcpy(fds, CMSG_DATA(c), 2 * sizeof(int));
    }
    return true;
}

static cn_err zygote_ask_locked(cn_decoders *d, const cn_zygote_ask *ask, cn_zygote_answer *a, int fds[2])
{
    for (int attempt = 0; attempt < 2; attempt++) {
        if (d->zygote < 0) CN_TRY(zygote_start(d));
        if (send(d->zygote, ask, sizeof(*ask), MSG_NOSIGNAL) == sizeof(*ask) && (!a || zygote_receive(d, a, fds)))
            return CN_OK;
        cn_warn("viewer.decoders", "the zygote ended: starting it again");
        zygote_stop(d);
    }
    return CN_ERR_CRASHED;
}

static void zygote_kill(cn_decoders *d, int32_t pid)
{
    cn_zygote_ask ask = {.op = CN_ZYGOTE_KILL, .pid = pid};
    pthread_mutex_lock(&d->zygote_lock);
    if (d->zygote >= 0) (void)!send(d->zygote, &ask, sizeof(ask), MSG_NOSIGNAL);
    pthread_mutex_unlock(&d->zygote_lock);
}

/* ---- workers ---- */

/* Only for a worker that is busy in the caller's hand, or with the lock held. */
static void worker_end(cn_decoders *d, worker *w)
{
    if (w->sock >= 0) zygote_kill(d, w->pid);
    cn_fd_close(&w->sock);
    if (w->shared) munmap(w->shared, CN_DECODE_SHARED);
    w->shared = NULL;
}

static cn_err worker_answer(worker *w, cn_decode_answer *a)
{
    struct pollfd p = {.fd = w->sock, .events = POLLIN};
    uint64_t end = cn_mono_ms() + ANSWER_MS;
    for (;;) {
        uint64_t now = cn_mono_ms();
        int ready = poll(&p, 1, now < end ? (int)(end - now) : 0);
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) return CN_ERR_TIMEOUT;
        ssize_t got = recv(w->sock, a, sizeof(*a), 0);
        if (got < 0 && errno == EINTR) continue;
        return got == sizeof(*a) ? CN_OK : CN_ERR_CRASHED;
    }
}

static cn_err worker_open(cn_decoders *d, worker *w)
{
    cn_zygote_ask ask = {.op = CN_ZYGOTE_OPEN};
    cn_zygote_answer answer = {0};
    int fds[2] = {-1, -1};
    if (!cn_strcpy(ask.path, sizeof(ask.path), w->path)) return CN_ERR_TOOBIG;
    pthread_mutex_lock(&d->zygote_lock);
    cn_err err = zygote_ask_locked(d, &ask, &answer, fds);
    pthread_mutex_unlock(&d->zygote_lock);
    if (err == CN_OK) err = (cn_err)answer.err;
    if (err != CN_OK) return err;
    w->sock = fds[0];
    w->pid = answer.pid;
    w->shared = mmap(NULL, CN_DECODE_SHARED, PROT_READ, MAP_SHARED, fds[1], 0);
    close(fds[1]);
    if (w->shared == MAP_FAILED) {
        w->shared = NULL;
        return CN_ERR_NOMEM;
    }
    cn_decode_answer first = {0};
    CN_TRY(worker_answer(w, &first));
    return (cn_err)first.err;
}

static cn_err worker_ask(cn_decoders *d, worker *w, const cn_decode_ask *ask, void **bytes, size_t *n)
{
    if (w->sock < 0) CN_TRY(worker_open(d, w));
    if (send(w->sock, ask, sizeof(*ask), MSG_NOSIGNAL) != sizeof(*ask)) return CN_ERR_CRASHED;
    cn_decode_answer a = {0};
    CN_TRY(worker_answer(w, &a));
    if (a.err != CN_OK) return (cn_err)a.err;
    if (a.n > CN_DECODE_SHARED) return CN_ERR_CRASHED;
    char *copy = cn_calloc(1, (size_t)a.n + 1);
    if (!copy) return CN_ERR_NOMEM;
    memcpy(copy, w->shared, a.n);
    *bytes = copy;
    *n = a.n;
    return CN_OK;
}

/* The idle worker to give up for a new slide: a free place, else the least recently used. */
static worker *victim_locked(cn_decoders *d)
{
    worker *oldest = NULL;
    for (unsigned i = 0; i < d->limit; i++) {
        worker *w = &d->workers[i];
        if (w->busy) continue;
        if (!w->path[0]) return w;
        if (!oldest || w->used_ms < oldest->used_ms) oldest = w;
    }
    return oldest;
}

static worker *find_locked(cn_decoders *d, const char *path)
{
    for (unsigned i = 0; i < d->limit; i++)
        if (strcmp(d->workers[i].path, path) == 0) return &d->workers[i];
    return NULL;
}

static worker *take_locked(cn_decoders *d, const char *path)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += WAIT_PLACE_S;
    for (;;) {
        worker *w = find_locked(d, path);
        if (!w) {
            w = victim_locked(d);
            if (w) {
                worker_end(d, w);
                cn_strcpy(w->path, sizeof(w->path), path);
            }
        }
        if (w && !w->busy) {
            w->busy = true;
            return w;
        }
        if (pthread_cond_timedwait(&d->changed, &d->lock, &end) == ETIMEDOUT) return NULL;
    }
}

static bool fatal(cn_err err)
{
    return err != CN_OK && err != CN_ERR_NOTFOUND && err != CN_ERR_INVALID && err != CN_ERR_TOOBIG;
}

cn_err cn_decoders_ask(cn_decoders *d, const char *path, const cn_decode_ask *ask, void **bytes, size_t *n)
{
    if (strlen(path) >= CN_DECODE_PATH || path[0] != '/') return CN_ERR_INVALID;
    pthread_mutex_lock(&d->lock);
    worker *w = take_locked(d, path);
    pthread_mutex_unlock(&d->lock);
    if (!w) return CN_ERR_AGAIN;
    cn_err err = worker_ask(d, w, ask, bytes, n);
    if (err == CN_ERR_CRASHED || err == CN_ERR_TIMEOUT)
        cn_warn("viewer.decoders", "a decoder was ended: %s", cn_err_text(err));
    bool end = fatal(err);
    if (end) worker_end(d, w);
    pthread_mutex_lock(&d->lock);
    if (w->doomed && !end) worker_end(d, w);
    if (w->doomed || end) w->path[0] = 0;
    w->doomed = false;
    w->busy = false;
    w->used_ms = cn_mono_ms();
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
    return err;
}

void cn_decoders_forget(cn_decoders *d, const char *path)
{
    pthread_mutex_lock(&d->lock);
    worker *w = find_locked(d, path);
    if (w && w->busy)
        w->doomed = true;
    else if (w) {
        worker_end(d, w);
        w->path[0] = 0;
    }
    pthread_mutex_unlock(&d->lock);
}

int cn_decoders_zygote(cn_decoders *d)
{
    pthread_mutex_lock(&d->zygote_lock);
    int pid = d->zygote_pid;
    pthread_mutex_unlock(&d->zygote_lock);
    return pid;
}

cn_err cn_decoders_new(cn_decoders **out, const char *program, unsigned limit)
{
    cn_decoders *d = CN_NEW(cn_decoders);
    if (!d) return CN_ERR_NOMEM;
    pthread_mutex_init(&d->lock, NULL);
    pthread_mutex_init(&d->zygote_lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    d->zygote = -1;
    d->limit = limit < 64 ? limit : 64;
    for (size_t i = 0; i < 64; i++) d->workers[i].sock = -1;
    cn_err err = cn_strcpy(d->program, sizeof(d->program), program) && limit > 0 ? zygote_start(d) : CN_ERR_INVALID;
    if (err != CN_OK) {
        cn_decoders_free(d);
        return err;
    }
    *out = d;
    return CN_OK;
}

void cn_decoders_free(cn_decoders *d)
{
    if (!d) return;
    for (size_t i = 0; i < 64; i++) worker_end(d, &d->workers[i]);
    zygote_stop(d);
    pthread_mutex_destroy(&d->lock);
    pthread_mutex_destroy(&d->zygote_lock);
    pthread_cond_destroy(&d->changed);
    free(d);
}
