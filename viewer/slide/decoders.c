#include "viewer/slide/decoders.h"
#include "viewer/slide/iiif.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
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
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/slide/trouble.h"

#define ANSWER_MS 10000
#define WAIT_PLACE_MS 5000
#define FDS_TAKEN 8   /* with one answer of a zygote that is not ours any more; more are closed by the kernel */
#define SAID_READS 16 /* who never stops talking is not listened to for ever */
#define SAID_LINES 20 /* in the log of each worker: some files are worth a warning for every tag */
#define CANARY 16
#define STALLS_NEW_MS 500 /* a slide of which nothing was seen yet should have answered by then */
#define STALLS_MS 2000    /* and any other */
#define ALONE 4           /* times as long where nobody else wants anything … */
#define ALONE_MS 10000    /* … and did not for so long */

typedef struct worker {
    char path[CN_DECODE_PATH]; /* "": free place */
    char share[CN_DECODERS_SHARE];
    bool proven;       /* it has answered since it was opened */
    uint64_t since_ms; /* it is busy */
    bool busy;         /* one job has it; only that job touches sock and shared */
    bool doomed;       /* end it when the job is done */
    int sock;
    int32_t pid;
    uint8_t *shared;
    size_t canaries; /* bytes of it that are full of them */
    int said;        /* what its libraries print */
    unsigned lines;
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
    uint8_t canary[CANARY];
    char last_share[CN_DECODERS_SHARE];
    uint64_t mixed_ms; /* when two shares asked one after the other, 0: never */
    cn_trouble trouble;
    worker workers[64];
};

/* ---- zygote ---- */

static void zygote_stop(cn_decoders *decoders)
{
    cn_fd_close(&decoders->zygote);
    if (decoders->zygote_pid > 0) {
        kill(decoders->zygote_pid, SIGKILL);
        waitpid(decoders->zygote_pid, NULL, 0);
    }
    decoders->zygote_pid = 0;
}

static cn_err zygote_start(cn_decoders *decoders)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return cn_err_from_errno(errno);
    const struct timeval patience = {.tv_sec = ANSWER_MS / 1000};
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    bool unconfined = *cn_child_missing() && cn_child_permitted();
    const char *const argv[] = {decoders->program, unconfined ? CN_DECODE_UNCONFINED : NULL, NULL};
    const cn_child_limits limits = {.no_network = true, .no_rights = true}; /* each worker locks itself in further */
    cn_err err = cn_child_start(argv, pair[1], &limits, &decoders->zygote_pid);
    close(pair[1]);
    if (err != CN_OK) {
        close(pair[0]);
        return err;
    }
    decoders->zygote = pair[0];
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

static bool zygote_receive(cn_decoders *decoders, cn_zygote_answer *answer, int fds[CN_ZYGOTE_FDS])
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
    do got = recvmsg(decoders->zygote, &hdr, MSG_CMSG_CLOEXEC);
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

static cn_err zygote_ask_locked(cn_decoders *decoders, const cn_zygote_ask *ask, cn_zygote_answer *answer,
                                int fds[CN_ZYGOTE_FDS])
{
    for (int attempt = 0; attempt < 2; attempt++) {
        if (decoders->zygote < 0) CN_TRY(zygote_start(decoders));
        if (send(decoders->zygote, ask, sizeof(*ask), MSG_NOSIGNAL) == sizeof(*ask) &&
            (!answer || zygote_receive(decoders, answer, fds)))
            return CN_OK;
        cn_warn("viewer.decoders", "the zygote ended: starting it again");
        zygote_stop(decoders);
    }
    return CN_ERR_CRASHED;
}

static void zygote_kill(cn_decoders *decoders, int32_t pid)
{
    cn_zygote_ask ask = {.op = CN_ZYGOTE_KILL, .pid = pid};
    pthread_mutex_lock(&decoders->zygote_lock);
    if (decoders->zygote >= 0) (void)!send(decoders->zygote, &ask, sizeof(ask), MSG_NOSIGNAL);
    pthread_mutex_unlock(&decoders->zygote_lock);
}

/* ---- workers ---- */

/* A slide stands alone in a folder that bears its id. */
static void log_of_slide(const worker *process, const char *line)
{
    const char *end = strrchr(process->path, '/'), *start = end;
    while (start > process->path && start[-1] != '/') start--;
    cn_warn("viewer.decoders", "slide %.*s: %s", (int)(end - start), start, line);
}

/* What the libraries said of the slide since the last question. It is about the file's structure; none prints what
 * stands in it. */
static void log_said(worker *process)
{
    char text[4096];
    ssize_t n;
    for (int i = 0; i < SAID_READS && process->said >= 0; i++) {
        if ((n = read(process->said, text, sizeof(text) - 1)) <= 0) break;
        text[n] = 0;
        for (char *line = text, *end; *line; line = end) {
            end = line + strcspn(line, "\n");
            if (*end) *end++ = 0;
            if (!*line || process->lines > SAID_LINES) continue;
            log_of_slide(process, process->lines < SAID_LINES ? line : "more of the like");
            process->lines++;
        }
    }
}

/* Only for a worker that is busy in the caller's hand, or with the lock held. */
static void worker_end(cn_decoders *decoders, worker *process)
{
    if (process->sock >= 0) zygote_kill(decoders, process->pid);
    log_said(process);
    cn_fd_close(&process->sock);
    cn_fd_close(&process->said);
    process->lines = 0;
    if (process->shared) munmap(process->shared, CN_DECODE_SHARED);
    process->shared = NULL;
    process->canaries = 0;
    process->proven = false;
}

static cn_err worker_answer(worker *process, cn_decode_answer *answer)
{
    struct pollfd polled = {.fd = process->sock, .events = POLLIN};
    uint64_t end = cn_mono_ms() + ANSWER_MS;
    for (;;) {
        uint64_t now = cn_mono_ms();
        int ready = poll(&polled, 1, now < end ? (int)(end - now) : 0);
        if (ready < 0 && errno == EINTR) continue;
        if (ready == 0) return CN_ERR_TIMEOUT;
        char bytes[sizeof(*answer) + 1];
        ssize_t got = recv(process->sock, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR) continue;
        return got >= 0 && cn_decode_answer_read(bytes, (size_t)got, answer) ? CN_OK : CN_ERR_CRASHED;
    }
}

/* The memory that is read here must not become shorter under us: touching what is gone ends the server. */
static bool keeps_its_size(int memory)
{
    struct stat st;
    int seals = fcntl(memory, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) && fstat(memory, &st) == 0 && st.st_size == CN_DECODE_SHARED;
}

/* Takes over what the zygote handed out, when it is what it should be. */
static cn_err take_worker(worker *process, int fds[CN_ZYGOTE_FDS])
{
    struct stat sock, said;
    if (fstat(fds[0], &sock) || !S_ISSOCK(sock.st_mode) || fstat(fds[2], &said) || !S_ISFIFO(said.st_mode) ||
        fcntl(fds[2], F_SETFL, O_NONBLOCK) || !keeps_its_size(fds[1]))
        return CN_ERR_CRASHED;
    void *shared = mmap(NULL, CN_DECODE_SHARED, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
    if (shared == MAP_FAILED) return CN_ERR_NOMEM;
    process->shared = shared;
    process->sock = fds[0];
    process->said = fds[2];
    fds[0] = fds[2] = -1;
    return CN_OK;
}

/*
 * What lies in the shared memory between two questions is no picture any more, and no answer may hold any of it: bytes
 * that a decoder says it wrote and did not. Random, so that no picture has it by chance; as far as an answer ever went,
 * so that a slide does not cost 16 MiB. Beyond that are the zeros with which the memory began.
 */
static void canaries_fill(const cn_decoders *decoders, worker *process, size_t used)
{
    size_t end = (used + CANARY - 1) / CANARY * CANARY;
    for (size_t at = 0; at < end && at < CN_DECODE_SHARED; at += CANARY)
        memcpy(process->shared + at, decoders->canary, CANARY);
    if (end > process->canaries) process->canaries = end;
}

static bool canaries_in(const cn_decoders *decoders, const worker *process, const char *bytes, size_t n)
{
    for (size_t at = 0; at + CANARY <= n && at < process->canaries; at += CANARY)
        if (memcmp(bytes + at, decoders->canary, CANARY) == 0) return true;
    return false;
}

static cn_err worker_open(cn_decoders *decoders, worker *process)
{
    cn_zygote_ask ask = {.op = CN_ZYGOTE_OPEN};
    cn_zygote_answer answer = {0};
    int fds[CN_ZYGOTE_FDS] = {-1, -1, -1};
    if (!cn_strcpy(ask.path, sizeof(ask.path), process->path)) return CN_ERR_TOOBIG;
    pthread_mutex_lock(&decoders->zygote_lock);
    cn_err err = zygote_ask_locked(decoders, &ask, &answer, fds);
    pthread_mutex_unlock(&decoders->zygote_lock);
    if (err == CN_OK) err = (cn_err)answer.err;
    if (err != CN_OK) return err;
    process->pid = answer.pid;
    err = take_worker(process, fds);
    close_fds(fds, CN_ZYGOTE_FDS);
    if (err != CN_OK) zygote_kill(decoders, answer.pid);
    CN_TRY(err);
    cn_decode_answer first = {0};
    CN_TRY(worker_answer(process, &first));
    return (cn_err)first.err;
}

/* Of the copy: the worker can still write where it came from. */
static bool answers_it(const cn_decode_ask *ask, const char *bytes, size_t n)
{
    cn_decode_info info;
    if (ask->op == CN_DECODE_TABLE) return true; /* cn_tiletable_add looks at it, which knows the file */
    if (ask->op == CN_DECODE_COLOUR) return n == CN_DECODE_COLOUR_BYTES;
    if (ask->op == CN_DECODE_INFO) return cn_decode_info_read(bytes, n, &info);
    bool png = ask->op == CN_DECODE_CUT && ask->format == CN_IIIF_PNG;
    return png ? cn_decode_is_png(bytes, n) : cn_decode_is_jpeg(bytes, n);
}

/* `*opening`: it ended before the slide was open. */
static cn_err worker_ask(cn_decoders *decoders, worker *process, const cn_decode_ask *ask, void **bytes, size_t *len,
                         bool *opening)
{
    *opening = process->sock < 0;
    if (*opening) CN_TRY(worker_open(decoders, process));
    *opening = false;
    if (send(process->sock, ask, sizeof(*ask), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(*ask)) return CN_ERR_CRASHED;
    cn_decode_answer answer = {0};
    CN_TRY(worker_answer(process, &answer));
    if (answer.err != CN_OK) return (cn_err)answer.err;
    char *copy = cn_calloc(1, (size_t)answer.n + 1);
    if (!copy) return CN_ERR_NOMEM;
    memcpy(copy, process->shared, answer.n);
    bool whole = !canaries_in(decoders, process, copy, answer.n);
    canaries_fill(decoders, process, answer.n);
    if (!whole || !answers_it(ask, copy, answer.n)) {
        free(copy);
        cn_warn("viewer.decoders", "a decoder's answer makes no sense: it is ended");
        return CN_ERR_CRASHED;
    }
    *bytes = copy;
    *len = answer.n;
    return CN_OK;
}

/* ---- whose turn it is ---- */

static unsigned places_locked(const cn_decoders *decoders, const char *share)
{
    unsigned n = 0;
    for (unsigned i = 0; i < decoders->limit; i++)
        n += decoders->workers[i].path[0] && strcmp(decoders->workers[i].share, share) == 0;
    return n;
}

/* The idle worker to give up for a new slide: a free place, else one of whoever has the most, `share` itself where it
 * has as many; the least recently used of his. */
static worker *victim_locked(cn_decoders *decoders, const char *share)
{
    worker *found = NULL;
    unsigned most = 0;
    for (unsigned i = 0; i < decoders->limit; i++) {
        worker *process = &decoders->workers[i];
        if (process->busy) continue;
        if (!process->path[0]) return process;
        unsigned places = 2 * places_locked(decoders, process->share) + (strcmp(process->share, share) == 0);
        if (!found || places > most || (places == most && process->used_ms < found->used_ms)) {
            found = process;
            most = places;
        }
    }
    return found;
}

static worker *find_locked(cn_decoders *decoders, const char *path)
{
    for (unsigned i = 0; i < decoders->limit; i++)
        if (strcmp(decoders->workers[i].path, path) == 0) return &decoders->workers[i];
    return NULL;
}

static void note_share_locked(cn_decoders *decoders, const char *share)
{
    if (strcmp(decoders->last_share, share) == 0) return;
    if (decoders->last_share[0]) decoders->mixed_ms = cn_mono_ms();
    cn_strcpy(decoders->last_share, sizeof(decoders->last_share), share);
}

static uint64_t stalls_at(const cn_decoders *decoders, const worker *process)
{
    bool mixed = decoders->mixed_ms && cn_mono_ms() - decoders->mixed_ms < ALONE_MS;
    uint64_t patience_ms = process->proven ? STALLS_MS : STALLS_NEW_MS;
    return process->since_ms + (mixed ? patience_ms : ALONE * patience_ms);
}

/*
 * A quarter of the places at most are one share's slides that have shown nothing yet: those are what may be broken, and
 * each of them holds one of the threads that fetch everybody's tiles. Whoever waits for one of them waits until it
 * should have answered and is then told to come again. *until_ms: look again.
 */
static bool must_wait_locked(const cn_decoders *decoders, const char *share, const worker *mine, uint64_t *until_ms)
{
    unsigned fresh = 0;
    for (unsigned i = 0; i < decoders->limit; i++) {
        const worker *process = &decoders->workers[i];
        if (!process->busy || strcmp(process->share, share) != 0) continue;
        fresh += !process->proven;
        uint64_t stalls_ms = stalls_at(decoders, process);
        if ((process == mine || !process->proven) && stalls_ms < *until_ms) *until_ms = stalls_ms;
    }
    return mine ? mine->busy : fresh >= (decoders->limit + 3) / 4;
}

static worker *take_place_locked(cn_decoders *decoders, const char *path, const char *share)
{
    worker *process = victim_locked(decoders, share);
    if (!process) return NULL;
    worker_end(decoders, process);
    cn_strcpy(process->path, sizeof(process->path), path);
    cn_strcpy(process->share, sizeof(process->share), share);
    return process;
}

static worker *take_locked(cn_decoders *decoders, const char *path, const char *share)
{
    uint64_t end_ms = cn_mono_ms() + WAIT_PLACE_MS;
    note_share_locked(decoders, share);
    for (;;) {
        worker *process = find_locked(decoders, path);
        uint64_t until_ms = end_ms;
        if (!must_wait_locked(decoders, share, process, &until_ms)) {
            if (!process) process = take_place_locked(decoders, path, share);
            if (process) {
                process->busy = true;
                process->since_ms = cn_mono_ms();
                return process;
            }
            until_ms = end_ms;
        }
        if (cn_mono_ms() >= until_ms) return NULL;
        cn_cond_wait_until(&decoders->changed, &decoders->lock, until_ms * 1000000);
    }
}

static bool fatal(cn_err err)
{
    return err != CN_OK && err != CN_ERR_NOTFOUND && err != CN_ERR_INVALID && err != CN_ERR_TOOBIG;
}

/* `end`: it has been ended. */
static void give_back_locked(cn_decoders *decoders, worker *process, cn_err err, bool end)
{
    if (process->doomed && !end) worker_end(decoders, process);
    if (process->doomed || end) process->path[0] = 0;
    if (err == CN_OK) process->proven = process->sock >= 0;
    process->doomed = false;
    process->busy = false;
    process->used_ms = cn_mono_ms();
    pthread_cond_broadcast(&decoders->changed);
}

cn_err cn_decoders_ask(cn_decoders *decoders, const char *path, const char *share, const cn_decode_ask *ask,
                       void **bytes, size_t *len)
{
    if (strlen(path) >= CN_DECODE_PATH || path[0] != '/' || strlen(share) >= CN_DECODERS_SHARE) return CN_ERR_INVALID;
    bool opening = false;
    pthread_mutex_lock(&decoders->lock);
    cn_err err = cn_trouble_recall(&decoders->trouble, path, ask, cn_mono_ms());
    worker *process = err == CN_OK ? take_locked(decoders, path, share) : NULL;
    pthread_mutex_unlock(&decoders->lock);
    if (!process) return err == CN_OK ? CN_ERR_AGAIN : err;
    err = worker_ask(decoders, process, ask, bytes, len, &opening);
    log_said(process);
    if (err == CN_ERR_CRASHED || err == CN_ERR_TIMEOUT) log_of_slide(process, cn_err_text(err));
    bool end = opening || fatal(err);
    if (end) worker_end(decoders, process);
    pthread_mutex_lock(&decoders->lock);
    if (!process->doomed) cn_trouble_note(&decoders->trouble, path, opening, ask, err, cn_mono_ms());
    give_back_locked(decoders, process, err, end);
    pthread_mutex_unlock(&decoders->lock);
    return err;
}

void cn_decoders_forget(cn_decoders *decoders, const char *path)
{
    pthread_mutex_lock(&decoders->lock);
    worker *process = find_locked(decoders, path);
    cn_trouble_forget(&decoders->trouble, path);
    if (process && process->busy)
        process->doomed = true;
    else if (process) {
        worker_end(decoders, process);
        process->path[0] = 0;
    }
    pthread_mutex_unlock(&decoders->lock);
}

cn_err cn_decoders_new(cn_decoders **out, const char *program, unsigned limit)
{
    cn_decoders *decoders = CN_NEW(cn_decoders);
    if (!decoders) return CN_ERR_NOMEM;
    pthread_mutex_init(&decoders->lock, NULL);
    pthread_mutex_init(&decoders->zygote_lock, NULL);
    cn_cond_init(&decoders->changed);
    decoders->zygote = -1;
    decoders->limit = limit < 64 ? limit : 64;
    for (size_t i = 0; i < 64; i++) decoders->workers[i].sock = decoders->workers[i].said = -1;
    bool good = cn_strcpy(decoders->program, sizeof(decoders->program), program) && limit > 0 &&
                getrandom(decoders->canary, CANARY, 0) == CANARY;
    cn_err err = good ? zygote_start(decoders) : CN_ERR_INVALID;
    if (err != CN_OK) {
        cn_decoders_free(decoders);
        return err;
    }
    *out = decoders;
    return CN_OK;
}

void cn_decoders_free(cn_decoders *decoders)
{
    if (!decoders) return;
    for (size_t i = 0; i < 64; i++) worker_end(decoders, &decoders->workers[i]);
    zygote_stop(decoders);
    pthread_mutex_destroy(&decoders->lock);
    pthread_mutex_destroy(&decoders->zygote_lock);
    pthread_cond_destroy(&decoders->changed);
    free(decoders);
}
