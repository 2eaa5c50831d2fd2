#include "viewer/slide/decoders.h"
#include "viewer/slide/iiif.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/slide/trouble.h"
#include "viewer/zygote.h"

#define WAIT_PLACE_MS 5000
#define STALLS_NEW_MS 500 /* a slide of which nothing was seen yet should have answered by then */
#define STALLS_MS 2000    /* and any other */
#define ALONE 4           /* times as long where nobody else wants anything … */
#define ALONE_MS 10000    /* … and did not for so long */
#define SPARE_MS 1000     /* a place that nobody wanted for so long is lent to a slide that many look at */
#define HELPER_MS 5000    /* and so long a slide's further worker stays when there is nothing for it to do */

typedef struct worker {
    char path[CN_DECODE_PATH]; /* "": free place */
    char share[CN_DECODERS_SHARE];
    bool proven;       /* it has answered since it was opened */
    uint64_t since_ms; /* it is busy */
    bool busy;         /* one job has it; only that job touches `end` */
    bool doomed;       /* end it when the job is done */
    cn_forked end;
    uint64_t used_ms;
} worker;

struct cn_decoders {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    cn_zygote zygote;
    unsigned limit;
    unsigned per_slide; /* workers of one slide at most: more than cores do nothing faster */
    char last_share[CN_DECODERS_SHARE];
    uint64_t mixed_ms; /* when two shares asked one after the other, 0: never */
    cn_trouble trouble;
    worker workers[64];
};

/* ---- workers ---- */

/* A slide stands alone in a folder that bears its id. */
static void log_of_slide(const void *user, const char *line)
{
    const worker *process = user;
    const char *end = strrchr(process->path, '/'), *start = end;
    while (start > process->path && start[-1] != '/') start--;
    cn_warn("viewer.decoders", "slide %.*s: %s", (int)(end - start), start, line);
}

/* What the libraries said of the slide since the last question. It is about the file's structure; none prints what
 * stands in it. */
static void log_said(worker *process)
{
    cn_forked_said(&process->end, log_of_slide, process);
}

/* Only for a worker that is busy in the caller's hand, or with the lock held. */
static void worker_end(cn_decoders *decoders, worker *process)
{
    log_said(process);
    cn_forked_end(&decoders->zygote, &process->end);
    process->proven = false;
}

static cn_err worker_answer(worker *process, cn_decode_answer *answer)
{
    char bytes[sizeof(*answer) + 1];
    size_t got = 0;
    CN_TRY(cn_forked_receive(&process->end, bytes, sizeof(bytes), &got));
    return cn_decode_answer_read(bytes, got, answer) ? CN_OK : CN_ERR_CRASHED;
}

static cn_err worker_open(cn_decoders *decoders, worker *process)
{
    cn_decode_answer first = {0};
    CN_TRY(cn_forked_open(&decoders->zygote, process->path, &process->end));
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
    *opening = process->end.sock < 0;
    if (*opening) CN_TRY(worker_open(decoders, process));
    *opening = false;
    if (send(process->end.sock, ask, sizeof(*ask), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(*ask)) return CN_ERR_CRASHED;
    cn_decode_answer answer = {0};
    CN_TRY(worker_answer(process, &answer));
    if (answer.err != CN_OK) return (cn_err)answer.err;
    void *copy = NULL;
    cn_err err = cn_forked_take(&decoders->zygote, &process->end, answer.n, &copy);
    if (err == CN_OK && !answers_it(ask, copy, answer.n)) {
        free(copy);
        err = CN_ERR_CRASHED;
    }
    if (err == CN_ERR_CRASHED) cn_warn("viewer.decoders", "a decoder's answer makes no sense: it is ended");
    CN_TRY(err);
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

/* One that is idle, if there is any; else one that is busy. */
static worker *find_locked(cn_decoders *decoders, const char *path)
{
    worker *found = NULL;
    for (unsigned i = 0; i < decoders->limit; i++) {
        worker *process = &decoders->workers[i];
        if (strcmp(process->path, path) != 0) continue;
        if (!process->busy) return process;
        found = process;
    }
    return found;
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

/* May this slide have one more? Not before it has shown something, not while one of its workers hangs or is to be ended,
 * and one share's slides leave a quarter of the places to the others. */
static bool may_help_locked(const cn_decoders *decoders, const char *path, const char *share)
{
    unsigned same = 0, busy = 0;
    uint64_t now_ms = cn_mono_ms();
    for (unsigned i = 0; i < decoders->limit; i++) {
        const worker *process = &decoders->workers[i];
        busy += process->busy && strcmp(process->share, share) == 0;
        if (strcmp(process->path, path) != 0) continue;
        if (!process->proven || process->doomed || now_ms - process->since_ms > STALLS_NEW_MS) return false;
        same++;
    }
    return same < decoders->per_slide && busy < decoders->limit - (decoders->limit + 3) / 4;
}

/* A further worker for a slide whose workers are all busy, in a place that is free or was not wanted for a while. */
static worker *take_helper_locked(cn_decoders *decoders, const char *path, const char *share)
{
    if (!may_help_locked(decoders, path, share)) return NULL;
    const worker *victim = victim_locked(decoders, share);
    if (!victim || (victim->path[0] && cn_mono_ms() - victim->used_ms < SPARE_MS)) return NULL;
    worker *process = take_place_locked(decoders, path, share);
    if (process) process->proven = true; /* the slide is */
    return process;
}

/* Of several workers of one slide those that had nothing to do for a while are ended, all but one. */
static void end_helpers_locked(cn_decoders *decoders)
{
    uint64_t now_ms = cn_mono_ms();
    for (unsigned i = 0; i < decoders->limit; i++) {
        worker *process = &decoders->workers[i];
        if (!process->path[0] || process->busy || now_ms - process->used_ms < HELPER_MS) continue;
        bool alone = true;
        for (unsigned j = 0; j < decoders->limit && alone; j++)
            alone = j == i || strcmp(decoders->workers[j].path, process->path) != 0;
        if (alone) continue;
        worker_end(decoders, process);
        process->path[0] = 0;
    }
}

static worker *take_locked(cn_decoders *decoders, const char *path, const char *share)
{
    uint64_t end_ms = cn_mono_ms() + WAIT_PLACE_MS;
    note_share_locked(decoders, share);
    end_helpers_locked(decoders);
    for (;;) {
        worker *process = find_locked(decoders, path);
        uint64_t until_ms = end_ms;
        bool wait = must_wait_locked(decoders, share, process, &until_ms);
        if (!wait && !process) process = take_place_locked(decoders, path, share);
        if (wait && process) {
            process = take_helper_locked(decoders, path, share);
            wait = !process;
        }
        if (!wait && process) {
            process->busy = true;
            process->since_ms = cn_mono_ms();
            return process;
        }
        if (!wait) until_ms = end_ms;
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
    if (err == CN_OK) process->proven = process->end.sock >= 0;
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
    cn_trouble_forget(&decoders->trouble, path);
    for (unsigned i = 0; i < decoders->limit; i++) {
        worker *process = &decoders->workers[i];
        if (strcmp(process->path, path) != 0) continue;
        process->doomed = process->busy;
        if (process->busy) continue;
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
    cn_cond_init(&decoders->changed);
    decoders->limit = limit < 64 ? limit : 64;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    decoders->per_slide = cores > 1 ? (unsigned)cores : 1;
    for (size_t i = 0; i < 64; i++) decoders->workers[i].end = CN_FORKED_NONE;
    cn_err err = cn_zygote_start(&decoders->zygote, program, CN_DECODE_SHARED);
    if (limit == 0) err = CN_ERR_INVALID;
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
    cn_zygote_stop(&decoders->zygote);
    pthread_mutex_destroy(&decoders->lock);
    pthread_cond_destroy(&decoders->changed);
    free(decoders);
}
