/* A media worker's context: its loop, port, pool, links and clock, and where things that live on it are found by number.
 * What its thread does turn by turn stands in room/turn.c. Owner thread only, unless said otherwise. */
#ifndef CN_MEDIA_WORKER_H
#define CN_MEDIA_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "media/kinds.h"
#include "media/secure/identity.h"
#include "media/transport/port.h"
#include "media/worker/directory.h"
#include "media/worker/idmap.h"
#include "media/worker/link.h"

#define CN_WORKERS_MAX 64
#define CN_WORKER_FIGURES (sizeof(cn_media_worker) / sizeof(uint64_t))

struct cn_packet_pool;
struct cn_peer;
struct cn_track;

typedef struct cn_worker {
    /* set up before any thread starts, read-only afterwards */
    unsigned index, count;
    uint32_t blind_bps;                                /* as configured */
    cn_link *in[CN_WORKERS_MAX], *out[CN_WORKERS_MAX]; /* in[i]: from worker i; out[i]: to worker i */
    const cn_media_events *events;
    void *events_ctx;
    cn_directory *directory;
    const cn_identity *identity;
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
    uint64_t forwarded, link_drops, bad_rtp, bad_rtcp; /* since the start */

    atomic_uint_least64_t figures[CN_WORKER_FIGURES]; /* cn_media_worker, read by any thread */
} cn_worker;

/** Reads the clock: this turn's time from now on. */
uint64_t cn_worker_now(cn_worker *worker);

/** To one worker (itself included). Takes over what the message carries. */
void cn_worker_send(cn_worker *worker, unsigned to, cn_msg msg);

/** Shows other threads these figures. */
void cn_worker_publish(cn_worker *worker, const cn_media_worker *figures);
/** What was published last. Any thread. */
void cn_worker_figures(const cn_worker *worker, cn_media_worker *out);

/** A process-wide number that was never given before. Any thread. */
uint32_t cn_source_number_next(void);

static inline uint64_t cn_bit(unsigned index)
{
    return UINT64_C(1) << index;
}

#endif
