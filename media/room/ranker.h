/* Who is audible in a room, and who speaks: on the room's home worker, from the levels of all its microphones. Owner
 * thread only. */
#ifndef CN_MEDIA_RANKER_H
#define CN_MEDIA_RANKER_H

#include <stdbool.h>
#include <stdint.h>

#include "media/worker/msg.h"
#include "media/worker/worker.h"

#define CN_RANKER_K 5 /* audible at once; one more is ranked, so that everybody can skip himself */

typedef struct cn_ranker cn_ranker;

/** A worker has a part of the room now; the first makes the ranker, and each is told the present list. */
void cn_ranker_open(cn_worker *worker, uint32_t room, const char *name, unsigned part);
/** A part ended; the ranker goes with the last. */
void cn_ranker_close(cn_worker *worker, uint32_t room, unsigned part);

/* The rest does nothing where this worker is not the room's home. */

/** A source was announced: remembered if it is a microphone. */
void cn_ranker_add(cn_worker *worker, uint32_t room, uint32_t source, const cn_source_info *info);
void cn_ranker_remove(cn_worker *worker, uint32_t room, uint32_t source);
/** A muted microphone leaves the ranking at once. */
void cn_ranker_switch(cn_worker *worker, uint32_t room, uint32_t source, bool on);

/** Advances the ranking and tells all parts what changed. Every 20 ms. */
void cn_ranker_tick(cn_worker *worker, cn_ranker *ranker, uint64_t now_ns);
/** NULL allowed. */
void cn_ranker_free(cn_ranker *ranker);

/* message handler */
void cn_ranker_on_level(cn_worker *worker, cn_msg *msg);

#endif
