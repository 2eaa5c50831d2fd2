/* A room's part on one worker: its peers here and the tracks of the whole room (who is audible: ranker.h). Owner thread
 * only. */
#ifndef CN_MEDIA_ROOM_H
#define CN_MEDIA_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "media/forward/track.h"
#include "media/worker/msg.h"
#include "media/worker/worker.h"

struct cn_peer;

typedef struct cn_room {
    cn_worker *worker;
    uint32_t number;
    unsigned home;
    char name[CN_MEDIA_ID];
    uint64_t parts;        /* workers that hold a part, as far as known: bit each */
    struct cn_peer *peers; /* linked by next_in_room; who enters lists himself */
    cn_track *tracks;      /* in no order */
    cn_ranked_info ranked;
    struct cn_peer *unranked; /* from here on the peers still hear the former ranking; NULL: none */
    bool rank_again;          /* another ranking came before all had heard of the former */
    cn_timer *rank_timer;
} cn_room;

/** The part of somebody who lists himself in it next: opened and announced when there is none here yet. */
cn_err cn_room_enter(cn_room **out, cn_worker *worker, const char *name, uint32_t number, unsigned home);
/** A peer left the list; the part ends with its last one. */
void cn_room_exit(cn_room *room);
/** What is left of a part at the end of the program. */
void cn_room_free(cn_room *room);
/** Tells a worker that just opened the room that there are members here, too. */
void cn_room_answer(const cn_room *room, unsigned to);
/** Lists a track … */
void cn_room_add(cn_room *room, cn_track *track);
/** … or takes it out of the list. */
void cn_room_remove(cn_room *room, const cn_track *track);
/** One message without a block to every worker with a part. */
void cn_room_send(cn_room *room, cn_msg msg);
/** One message with a copy of `block` for each worker with a part. */
void cn_room_send_block(cn_room *room, cn_msg msg, const void *block, size_t len);
/** The track of a participant's source, or NULL. */
cn_track *cn_room_track(const cn_room *room, const char *participant, cn_source_kind kind);

#endif
