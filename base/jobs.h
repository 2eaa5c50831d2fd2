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
/** The same for somebody: of those who wait, whoever has the fewest running comes first, then the order of arrival. 0:
 * nobody, which is somebody as well. */
cn_err cn_jobs_add_for(cn_jobs *jobs, uint64_t owner, cn_job_fn fn, void *arg);
/** At most `max` of one owner's jobs run at once; before the first job. Others' do not wait for his then. */
void cn_jobs_share(cn_jobs *jobs, unsigned max);
/** Waits for what runs and what waits, then ends the threads. NULL allowed. */
void cn_jobs_free(cn_jobs *jobs);

#endif
