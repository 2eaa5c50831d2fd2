#include "base/jobs.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

typedef struct job {
    cn_job_fn fn;
    void *arg;
    uint64_t owner;
} job;

struct cn_jobs {
    char name[16];
    pthread_mutex_t lock;
    pthread_cond_t more;
    job *line; /* in the order of arrival */
    size_t capacity, count;
    bool closing;
    pthread_t *threads;
    job *running; /* one place a thread, fn NULL: it waits */
    unsigned threads_n, places, share;
};

static unsigned running_of(const cn_jobs *jobs, uint64_t owner)
{
    unsigned n = 0;
    for (unsigned i = 0; i < jobs->places; i++) n += jobs->running[i].fn && jobs->running[i].owner == owner;
    return n;
}

/* Place of the next job in the line; false: none, or only such as have their share already. */
static bool next_locked(const cn_jobs *jobs, size_t *place)
{
    unsigned least = jobs->share;
    for (size_t i = 0; i < jobs->count && least > 0; i++) {
        unsigned n = running_of(jobs, jobs->line[i].owner);
        if (n >= least) continue;
        least = n;
        *place = i;
    }
    return least < jobs->share;
}

static job *free_place_locked(cn_jobs *jobs)
{
    job *at = jobs->running;
    while (at->fn) at++; /* one a thread: there is one */
    return at;
}

static void *work(void *arg)
{
    cn_jobs *jobs = arg;
    pthread_mutex_lock(&jobs->lock);
    for (;;) {
        size_t place = 0;
        bool found;
        while (!(found = next_locked(jobs, &place)) && !(jobs->closing && !jobs->count))
            pthread_cond_wait(&jobs->more, &jobs->lock);
        if (!found) break;
        job *mine = free_place_locked(jobs);
        *mine = jobs->line[place];
        jobs->count--;
        memmove(jobs->line + place, jobs->line + place + 1, (jobs->count - place) * sizeof *jobs->line);
        pthread_mutex_unlock(&jobs->lock);
        mine->fn(mine->arg);
        pthread_mutex_lock(&jobs->lock);
        mine->fn = NULL;
        if (jobs->count || jobs->closing) pthread_cond_broadcast(&jobs->more); /* its owner's next may begin now */
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
    jobs->running = cn_calloc(threads, sizeof *jobs->running);
    jobs->share = jobs->places = threads;
    cn_err err = jobs->line && jobs->threads && jobs->running ? start_threads(jobs, threads) : CN_ERR_NOMEM;
    if (err) {
        cn_error("base.jobs", "%s: cannot start %u threads", jobs->name, threads);
        cn_jobs_free(jobs);
        return err;
    }
    *out = jobs;
    return CN_OK;
}

void cn_jobs_share(cn_jobs *jobs, unsigned max)
{
    pthread_mutex_lock(&jobs->lock);
    if (max) jobs->share = max;
    pthread_mutex_unlock(&jobs->lock);
}

cn_err cn_jobs_add(cn_jobs *jobs, cn_job_fn fn, void *arg)
{
    return cn_jobs_add_for(jobs, 0, fn, arg);
}

cn_err cn_jobs_add_for(cn_jobs *jobs, uint64_t owner, cn_job_fn fn, void *arg)
{
    cn_err err = CN_OK;
    pthread_mutex_lock(&jobs->lock);
    if (jobs->closing) {
        err = CN_ERR_CLOSED;
    } else if (jobs->count == jobs->capacity) {
        err = CN_ERR_FULL;
    } else {
        jobs->line[jobs->count++] = (job){fn, arg, owner};
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
    free(jobs->running);
    free(jobs->line);
    free(jobs);
}
