/* A media worker: one thread, one loop, one UDP port, one packet pool, and everything that lives on it (see README.md).
 * Private to media/. */
#ifndef CN_MEDIA_WORKER_H
#define CN_MEDIA_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "media/worker/directory.h"
#include "media/worker/idmap.h"
#include "media/secure/identity.h"
#include "media/worker/link.h"
#include "media/media.h"
#include "media/transport/port.h"

#define CN_WORKERS_MAX 64
#define CN_WORKER_FIGURES (sizeof(cn_media_worker) / sizeof(uint64_t))

struct cn_packet_pool;
struct cn_peer;

typedef struct cn_worker {
    /* set up before any thread starts, read-only afterwards */
    struct cn_media *media;
    unsigned index, count;
    cn_link *in[CN_WORKERS_MAX], *out[CN_WORKERS_MAX]; /* in[i]: from worker i; out[i]: to worker i */
    const cn_media_events *events;
    void *events_ctx;
    cn_directory *directory;
    const cn_identity *identity;
    uint32_t timeout_ms;
    cn_loop *loop;
    cn_port *port;
    cn_delay *delay; /* the port's */
    struct cn_packet_pool *pool;
    pthread_t thread;
    bool started;

    /* owner thread */
    cn_timer *tick;
    uint64_t now_ns;           /* of this turn */
    cn_idmap peers;            /* by peer number */
    cn_idmap rooms;            /* cn_room by room number */
    cn_idmap rankers;          /* cn_ranker by room number, where this worker is home */
    cn_idmap sources;          /* cn_source by number: this worker's publishers */
    cn_idmap tracks;           /* cn_track by source number */
    struct cn_track *turn;     /* tracks with packets that are not forwarded yet */
    struct cn_peer *graveyard; /* freed at the end of the turn */
    uint64_t ticks;

    /* read by any thread */
    atomic_uint_least64_t forwarded, link_drops, bad_rtp, bad_rtcp;
    atomic_uint_least64_t port_totals[8];
    atomic_uint_least64_t figures[CN_WORKER_FIGURES]; /* cn_media_worker, every tick */
} cn_worker;

/** Opens port and pool; the thread is started by cn_worker_start. `port` 0 takes a free one. */
cn_err cn_worker_open(cn_worker *worker, struct cn_media *media, unsigned index, const cn_media_config *config);
cn_err cn_worker_start(cn_worker *worker);
/** Ends all peers with `left` (CN_LEAVE_SHUTDOWN) and joins the thread. Any other thread. */
void cn_worker_stop(cn_worker *worker);
/** After every worker was stopped. Accepts a half-open worker. */
void cn_worker_close(cn_worker *worker);

/** Owner thread: to one worker (itself included), or to all. Takes over what the message carries. */
void cn_worker_send(cn_worker *worker, unsigned to, cn_msg msg);

static inline uint64_t cn_bit(unsigned index)
{
    return UINT64_C(1) << index;
}

/** A process-wide number that was never given before. Any thread. */
uint32_t cn_source_number_next(void);

/** Adds to a counter that other threads read. */
static inline void cn_count(atomic_uint_least64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by, memory_order_relaxed);
}

#endif
