/* A bounded pool of threads for whatever blocks: SQL, files, decoding, PDF. */
#ifndef CN_BASE_JOBS_H
#define CN_BASE_JOBS_H

#include "base/err.h"

typedef struct cn_jobs cn_jobs;
typedef void (*cn_job_fn)(void *arg);

/** `threads` workers and at most `waiting` jobs in line; `name` is for thread names and logs. */
cn_err cn_jobs_new(cn_jobs **out, const char *name, unsigned threads, unsigned waiting);
/** Any thread. CN_ERR_FULL at the bound: the caller answers 503 with Retry-After. */
cn_err cn_jobs_add(cn_jobs *jobs, cn_job_fn fn, void *arg);
/** Waits for what runs and what waits, then ends the threads. NULL allowed. */
void cn_jobs_free(cn_jobs *jobs);

#endif
