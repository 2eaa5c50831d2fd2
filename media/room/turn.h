/*
 * The turn of a worker's loop, on top of everything that lives on the worker: what datagrams and links brought is
 * received, forwarded, and sent before the loop waits again; every 20 ms sources, peers, tracks and rankers are ticked.
 */
#ifndef CN_MEDIA_TURN_H
#define CN_MEDIA_TURN_H

#include "media/kinds.h"
#include "media/worker/worker.h"

/** Opens loop, port and pool of a worker whose directory, identity and events are set; the thread is started by
 * cn_worker_start. `config->port` 0 takes a free one. */
cn_err cn_worker_open(cn_worker *worker, unsigned index, const cn_media_config *config);
/** Links must be there. */
cn_err cn_worker_start(cn_worker *worker);
/** Ends all peers with `left` (CN_LEAVE_SHUTDOWN) and joins the thread. Any other thread. */
void cn_worker_stop(cn_worker *worker);
/** After every worker was stopped. Accepts a half-open worker. The pool goes last, by its owner: other workers' links and
 * rings may hold its packets. */
void cn_worker_close(cn_worker *worker);

#endif
