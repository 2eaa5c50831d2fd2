/* A room's part on one worker: its peers here and the tracks of the whole room (who is audible: ranker.h). Owner thread
 * only. */
#ifndef CN_MEDIA_ROOM_H
#define CN_MEDIA_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "media/worker/msg.h"
#include "media/forward/track.h"
#include "media/worker/worker.h"

struct cn_peer;

typedef struct cn_room {
    cn_worker *worker;
    uint32_t number;
    unsigned home;
    char name[CN_MEDIA_ID];
    uint64_t parts;        /* workers that hold a part, as far as known: bit each */
    struct cn_peer *peers; /* linked by next_in_room */
    cn_track *tracks;      /* in no order */
    cn_ranked_info ranked;
} cn_room;

/** The part, opened and announced when it is the first member here. */
cn_err cn_room_enter(cn_room **out, cn_worker *worker, const char *name, uint32_t number, unsigned home,
                     struct cn_peer *peer);
/** Takes a peer out; the part ends with its last one. */
void cn_room_exit(cn_room *room, struct cn_peer *peer);
/** One message without a block to every worker with a part. */
void cn_room_send(cn_room *room, cn_msg msg);
/** One message with a copy of `block` for each worker with a part. */
void cn_room_send_block(cn_room *room, cn_msg msg, const void *block, size_t len);
/** The track of a participant's source, or NULL. */
cn_track *cn_room_track(const cn_room *room, const char *participant, cn_source_kind kind);
/** Slots of all peers here are bound anew: something was added, removed, switched. */
void cn_room_rebind(cn_room *room);

/* message handlers */
void cn_room_on_open(cn_worker *worker, cn_msg *msg);
void cn_room_on_close(cn_worker *worker, cn_msg *msg);
void cn_room_on_source_add(cn_worker *worker, cn_msg *msg);
void cn_room_on_source_remove(cn_worker *worker, cn_msg *msg);
void cn_room_on_ranked(cn_worker *worker, cn_msg *msg);

#endif
