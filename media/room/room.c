#include "media/room/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/forward/fanout.h"

static cn_msg open_message(const cn_room *room, bool answer)
{
    return (cn_msg){.kind = CN_MSG_ROOM_OPEN,
                    .room = room->number,
                    .value = room->home,
                    .flag = answer,
                    .p = cn_strdup(room->name)};
}

void cn_room_free(cn_room *room)
{
    cn_timer_free(room->rank_timer);
    free(room);
}

cn_err cn_room_enter(cn_room **out, cn_worker *worker, const char *name, uint32_t number, unsigned home)
{
    cn_room *room = cn_idmap_get(&worker->rooms, number);
    if (!room) {
        room = CN_NEW(cn_room);
        if (!room) return CN_ERR_NOMEM;
        room->worker = worker;
        room->number = number;
        room->home = home;
        room->parts = cn_bit(worker->index);
        (void)cn_strcpy(room->name, sizeof room->name, name);
        if (cn_idmap_put(&worker->rooms, number, room) != CN_OK) {
            free(room);
            return CN_ERR_NOMEM;
        }
        for (unsigned to = 0; to < worker->count; to++) cn_worker_send(worker, to, open_message(room, false));
    }
    *out = room;
    return CN_OK;
}

static void room_end(cn_room *room)
{
    cn_worker *worker = room->worker;
    (void)cn_idmap_take(&worker->rooms, room->number);
    for (unsigned to = 0; to < worker->count; to++)
        cn_worker_send(worker, to, (cn_msg){.kind = CN_MSG_ROOM_CLOSE, .room = room->number});
    for (cn_track *track = room->tracks, *next; track; track = next) {
        next = track->next;
        (void)cn_idmap_take(&worker->tracks, track->number);
        cn_fanout_end(track);
    }
    cn_room_free(room);
}

void cn_room_exit(cn_room *room)
{
    if (!room->peers) room_end(room);
}

void cn_room_answer(const cn_room *room, unsigned to)
{
    cn_worker_send(room->worker, to, open_message(room, true));
}

void cn_room_add(cn_room *room, cn_track *track)
{
    track->next = room->tracks;
    room->tracks = track;
}

void cn_room_remove(cn_room *room, const cn_track *track)
{
    cn_track **at = &room->tracks;
    while (*at && *at != track) at = &(*at)->next;
    if (*at) *at = track->next;
}

void cn_room_send(cn_room *room, cn_msg msg)
{
    for (uint64_t left = room->parts; left; left &= left - 1)
        cn_worker_send(room->worker, (unsigned)__builtin_ctzll(left), msg);
}

void cn_room_send_block(cn_room *room, cn_msg msg, const void *block, size_t len)
{
    for (uint64_t left = room->parts; left; left &= left - 1) {
        msg.p = cn_memdup(block, len);
        if (msg.p) cn_worker_send(room->worker, (unsigned)__builtin_ctzll(left), msg);
    }
}

cn_track *cn_room_track(const cn_room *room, const char *participant, cn_source_kind kind)
{
    for (cn_track *track = room->tracks; track; track = track->next)
        if (track->info.kind == kind && strcmp(track->info.participant, participant) == 0) return track;
    return NULL;
}
