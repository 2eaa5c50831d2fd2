#include "base/jobs.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

typedef struct job {
    cn_job_fn fn;
    void *arg;
} job;

struct cn_jobs {
    char name[16];
    pthread_mutex_t lock;
    pthread_cond_t more;
    job *line; /* a ring */
    size_t capacity, first, count;
    bool closing;
    pthread_t *threads;
    unsigned threads_n;
};

static void *work(void *arg)
{
    cn_jobs *j = arg;
    pthread_mutex_lock(&j->lock);
    for (;;) {
        while (!j->count && !j->closing) pthread_cond_wait(&j->more, &j->lock);
        if (!j->count) break;
        job next = j->line[j->first];
        j->first = (j->first + 1) % j->capacity;
        j->count--;
        pthread_mutex_unlock(&j->lock);
        next.fn(next.arg);
        pthread_mutex_lock(&j->lock);
    }
    pthread_mutex_unlock(&j->lock);
    return NULL;
}

/* Workers take no signals: those belong to the main thread. */
static cn_err start_threads(cn_jobs *j, unsigned threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (j->threads_n < threads && pthread_create(&j->threads[j->threads_n], NULL, work, j) == 0) {
        pthread_setname_np(j->threads[j->threads_n], j->name);
        j->threads_n++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return j->threads_n == threads ? CN_OK : CN_ERR_FULL;
}

cn_err cn_jobs_new(cn_jobs **out, const char *name, unsigned threads, unsigned waiting)
{
    if (!threads || !waiting) return CN_ERR_INVALID;
    cn_jobs *j = CN_NEW(cn_jobs);
    if (!j) return CN_ERR_NOMEM;
    cn_strcpy(j->name, sizeof j->name, name);
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->more, NULL);
    j->capacity = waiting;
    j->line = cn_calloc(waiting, sizeof *j->line);
    j->threads = cn_calloc(threads, sizeof *j->threads);
    cn_err err = j->line && j->threads ? start_threads(j, threads) : CN_ERR_NOMEM;
    if (err) {
        cn_error("base.jobs", "%s: cannot start %u threads", j->name, threads);
        cn_jobs_free(j);
        return err;
    }
    *out = j;
    return CN_OK;
}

cn_err cn_jobs_add(cn_jobs *j, cn_job_fn fn, void *arg)
{
    cn_err err = CN_OK;
    pthread_mutex_lock(&j->lock);
    if (j->closing) {
        err = CN_ERR_CLOSED;
    } else if (j->count == j->capacity) {
        err = CN_ERR_FULL;
    } else {
        j->line[(j->first + j->count++) % j->capacity] = (job){fn, arg};
        pthread_cond_signal(&j->more);
    }
    pthread_mutex_unlock(&j->lock);
    return err;
}

void cn_jobs_free(cn_jobs *j)
{
    if (!j) return;
    pthread_mutex_lock(&j->lock);
    j->closing = true;
    pthread_cond_broadcast(&j->more);
    pthread_mutex_unlock(&j->lock);
    for (unsigned i = 0; i < j->threads_n; i++) pthread_join(j->threads[i], NULL);
    pthread_cond_destroy(&j->more);
    pthread_mutex_destroy(&j->lock);
    free(j->threads);
    free(j->line);
    free(j);
}
