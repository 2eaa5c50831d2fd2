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
    cn_jobs *jobs = arg;
    pthread_mutex_lock(&jobs->lock);
    for (;;) {
        while (!jobs->count && !jobs->closing) pthread_cond_wait(&jobs->more, &jobs->lock);
        if (!jobs->count) break;
        job next = jobs->line[jobs->first];
        jobs->first = (jobs->first + 1) % jobs->capacity;
        jobs->count--;
        pthread_mutex_unlock(&jobs->lock);
        next.fn(next.arg);
        pthread_mutex_lock(&jobs->lock);
    }
    pthread_mutex_unlock(&jobs->lock);
    return NULL;
}

/* Workers take no signals: those belong to the main thread. */
static cn_err start_threads(cn_jobs *jobs, unsigned threads)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (jobs->threads_n < threads && pthread_create(&jobs->threads[jobs->threads_n], NULL, work, jobs) == 0) {
        pthread_setname_np(jobs->threads[jobs->threads_n], jobs->name);
        jobs->threads_n++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return jobs->threads_n == threads ? CN_OK : CN_ERR_FULL;
}

cn_err cn_jobs_new(cn_jobs **out, const char *name, unsigned threads, unsigned waiting)
{
    if (!threads || !waiting) return CN_ERR_INVALID;
    cn_jobs *jobs = CN_NEW(cn_jobs);
    if (!jobs) return CN_ERR_NOMEM;
    cn_strcpy(jobs->name, sizeof jobs->name, name);
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->more, NULL);
    jobs->capacity = waiting;
    jobs->line = cn_calloc(waiting, sizeof *jobs->line);
    jobs->threads = cn_calloc(threads, sizeof *jobs->threads);
    cn_err err = jobs->line && jobs->threads ? start_threads(jobs, threads) : CN_ERR_NOMEM;
    if (err) {
        cn_error("base.jobs", "%s: cannot start %u threads", jobs->name, threads);
        cn_jobs_free(jobs);
        return err;
    }
    *out = jobs;
    return CN_OK;
}

cn_err cn_jobs_add(cn_jobs *jobs, cn_job_fn fn, void *arg)
{
    cn_err err = CN_OK;
    pthread_mutex_lock(&jobs->lock);
    if (jobs->closing) {
        err = CN_ERR_CLOSED;
    } else if (jobs->count == jobs->capacity) {
        err = CN_ERR_FULL;
    } else {
        jobs->line[(jobs->first + jobs->count++) % jobs->capacity] = (job){fn, arg};
        pthread_cond_signal(&jobs->more);
    }
    pthread_mutex_unlock(&jobs->lock);
    return err;
}

void cn_jobs_free(cn_jobs *jobs)
{
    if (!jobs) return;
    pthread_mutex_lock(&jobs->lock);
    jobs->closing = true;
    pthread_cond_broadcast(&jobs->more);
    pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < jobs->threads_n; i++) pthread_join(jobs->threads[i], NULL);
    pthread_cond_destroy(&jobs->more);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs->threads);
    free(jobs->line);
    free(jobs);
}
