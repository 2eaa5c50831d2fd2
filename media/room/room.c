#include "media/room/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/forward/fanout.h"
#include "media/room/peer_impl.h"
#include "media/room/ranker.h"
#include "media/room/source.h"

static cn_room *room_of(cn_worker *worker, const cn_msg *msg)
{
    return cn_idmap_get(&worker->rooms, msg->room);
}

static cn_msg open_message(const cn_room *room, bool answer)
{
    return (cn_msg){.kind = CN_MSG_ROOM_OPEN,
                    .room = room->number,
                    .value = room->home,
                    .flag = answer,
                    .p = cn_strdup(room->name)};
}

cn_err cn_room_enter(cn_room **out, cn_worker *worker, const char *name, uint32_t number, unsigned home,
                     struct cn_peer *peer)
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
    peer->next_in_room = room->peers;
    room->peers = peer;
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
    free(room);
}

void cn_room_exit(cn_room *room, struct cn_peer *peer)
{
    cn_peer **at = &room->peers;
    while (*at && *at != peer) at = &(*at)->next_in_room;
    if (*at) *at = peer->next_in_room;
    if (!room->peers) room_end(room);
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

void cn_room_rebind(cn_room *room)
{
    for (cn_peer *peer = room->peers; peer; peer = peer->next_in_room) cn_peer_bind(peer);
}

/* Another worker has members now (or this one: nothing to tell itself). */
static void greet(cn_worker *worker, cn_room *room, const cn_msg *msg)
{
    room->parts |= cn_bit(msg->from);
    if (msg->from == worker->index || msg->flag) return;
    cn_worker_send(worker, msg->from, open_message(room, true));
    for (cn_peer *peer = room->peers; peer; peer = peer->next_in_room)
        for (size_t i = 0; i < peer->source_count; i++) cn_source_introduce(peer->sources[i], msg->from);
}

void cn_room_on_open(cn_worker *worker, cn_msg *msg)
{
    cn_room *room = room_of(worker, msg);
    if (msg->value == worker->index && !msg->flag && msg->p) cn_ranker_open(worker, msg->room, msg->p, msg->from);
    if (room) greet(worker, room, msg);
    free(msg->p);
}

void cn_room_on_close(cn_worker *worker, cn_msg *msg)
{
    cn_ranker_close(worker, msg->room, msg->from);
    cn_room *room = room_of(worker, msg);
    if (!room || msg->from == worker->index) return;
    room->parts &= ~cn_bit(msg->from);
    for (cn_peer *peer = room->peers; peer; peer = peer->next_in_room)
        for (size_t i = 0; i < peer->source_count; i++) cn_source_unsubscribe_all(peer->sources[i], msg->from);
}

static void track_add(cn_worker *worker, cn_room *room, const cn_msg *msg, const cn_source_info *info)
{
    if (cn_idmap_get(&worker->tracks, msg->source)) return; /* introduced twice: we opened while it was announced */
    cn_track *track = NULL;
    if (cn_track_new(&track, worker, room->number, msg->source, msg->from, info) != CN_OK) return;
    if (cn_idmap_put(&worker->tracks, msg->source, track) != CN_OK) {
        cn_fanout_end(track);
        return;
    }
    track->next = room->tracks;
    room->tracks = track;
    cn_room_rebind(room);
}

void cn_room_on_source_add(cn_worker *worker, cn_msg *msg)
{
    const cn_source_info *info = msg->p;
    cn_ranker_add(worker, msg->room, msg->source, info);
    cn_room *room = room_of(worker, msg);
    if (room) track_add(worker, room, msg, info);
    free(msg->p);
}

void cn_room_on_source_remove(cn_worker *worker, cn_msg *msg)
{
    cn_ranker_remove(worker, msg->room, msg->source);
    cn_track *track = cn_idmap_take(&worker->tracks, msg->source);
    if (!track) return;
    cn_room *room = cn_idmap_get(&worker->rooms, track->room);
    if (!room) return;
    cn_track **at = &room->tracks;
    while (*at && *at != track) at = &(*at)->next;
    if (*at) *at = track->next;
    cn_fanout_end(track);
    cn_room_rebind(room);
}

void cn_room_on_ranked(cn_worker *worker, cn_msg *msg)
{
    cn_room *room = room_of(worker, msg);
    if (room) {
        memcpy(&room->ranked, msg->p, sizeof room->ranked);
        for (cn_peer *peer = room->peers; peer; peer = peer->next_in_room) cn_peer_bind_ranked(peer);
    }
    free(msg->p);
}
