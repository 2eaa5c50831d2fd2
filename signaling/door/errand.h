/*
 * From the door to a job thread and back: whoever has something to ask that blocks (the database, files) and works on
 * with the answer on the door's thread. Lies in memory of the caller's, who frees it in `back`.
 */
#ifndef CN_SIGNALING_ERRAND_H
#define CN_SIGNALING_ERRAND_H

#include "signaling/door/calls.h"

typedef struct cn_errand cn_errand;
typedef void (*cn_errand_fn)(cn_errand *errand);

struct cn_errand {
    cn_door_call call;
    cn_door *door;
    cn_errand_fn work, back;
};

/** Calls work(errand) on a job thread, then back(errand) on the door's. CN_ERR_FULL: neither is called. */
cn_err cn_errand_go(cn_errand *errand, cn_door *door, cn_jobs *jobs, cn_errand_fn work, cn_errand_fn back);
/** Only the way back, from any thread: back(errand) on the door's. Cannot fail. */
void cn_errand_return(cn_errand *errand, cn_door *door, cn_errand_fn back);
/** A handler goes on on the door's thread, where somebody calls cn_http_finish. Returns what the handler returns. */
cn_err cn_errand_defer(cn_errand *errand, cn_http *http, cn_errand_fn back);

#endif
