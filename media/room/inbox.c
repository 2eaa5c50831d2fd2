#include "media/room/inbox.h"

#include <stdlib.h>
#include <string.h>

#include "media/forward/fanout.h"
#include "media/forward/slot.h"
#include "media/forward/slot_impl.h"
#include "media/room/peer_bind.h"
#include "media/room/peer_impl.h"
#include "media/room/ranker.h"
#include "media/room/room.h"
#include "media/room/source.h"
#include "media/room/source_feedback.h"

static cn_room *room_of(cn_worker *worker, const cn_msg *msg)
{
    return cn_idmap_get(&worker->rooms, msg->room);
}

/* ---- rooms and their tracks ---- */

/* Another worker has members now (or this one: nothing to tell itself). */
static void greet(cn_worker *worker, cn_room *room, const cn_msg *msg)
{
    room->parts |= cn_bit(msg->from);
    if (msg->from == worker->index || msg->flag) return;
    cn_room_answer(room, msg->from);
    for (cn_peer *peer = room->peers; peer; peer = peer->next_in_room)
        for (size_t i = 0; i < peer->source_count; i++) cn_source_introduce(peer->sources[i], msg->from);
}

static void on_open(cn_worker *worker, cn_msg *msg)
{
    cn_room *room = room_of(worker, msg);
    if (msg->value == worker->index && !msg->flag && msg->p) cn_ranker_open(worker, msg->room, msg->p, msg->from);
    if (room) greet(worker, room, msg);
    free(msg->p);
}

static void on_close(cn_worker *worker, cn_msg *msg)
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
    cn_room_add(room, track);
    cn_peer_bind_room(room);
}

static void on_source_add(cn_worker *worker, cn_msg *msg)
{
    const cn_source_info *info = msg->p;
    cn_ranker_add(worker, msg->room, msg->source, info);
    cn_room *room = room_of(worker, msg);
    if (room) track_add(worker, room, msg, info);
    free(msg->p);
}

static void on_source_remove(cn_worker *worker, cn_msg *msg)
{
    cn_ranker_remove(worker, msg->room, msg->source);
    cn_track *track = cn_idmap_take(&worker->tracks, msg->source);
    if (!track) return;
    cn_room *room = cn_idmap_get(&worker->rooms, track->room);
    if (!room) return;
    cn_room_remove(room, track);
    cn_fanout_end(track);
    cn_peer_bind_room(room);
}

static void on_ranked(cn_worker *worker, cn_msg *msg)
{
    cn_room *room = room_of(worker, msg);
    if (room) {
        memcpy(&room->ranked, msg->p, sizeof room->ranked);
        cn_peer_bind_ranked(room);
    }
    free(msg->p);
}

/* ---- tracks ---- */

static void on_packet(cn_worker *worker, cn_msg *msg)
{
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    cn_packet *packet = msg->p;
    if (track && msg->flag && packet->layer < track->info.layers && track->info.on)
        (void)cn_track_remember(track, packet); /* nobody is sent it before all of its run is there */
    else if (track && !msg->flag)
        cn_fanout_packet(track, packet);
    cn_packet_unref(packet);
}

static void on_run(cn_worker *worker, cn_msg *msg)
{
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    for (cn_slot *slot = track ? track->slots : NULL; slot; slot = slot->next_in_track) cn_slot_begin(slot);
}

static void on_source_on(cn_worker *worker, cn_msg *msg)
{
    cn_ranker_switch(worker, msg->room, msg->source, msg->flag);
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    if (!track || track->info.on == msg->flag) return;
    track->info.on = msg->flag;
    for (unsigned i = 0; i < CN_LAYERS; i++)
        if (track->layer[i].history) cn_history_clear(track->layer[i].history);
    cn_room *room = cn_idmap_get(&worker->rooms, track->room);
    if (room) cn_peer_bind_room(room);
}

/* Whoever watches a layer that stops takes another at once; it is asked for again by whoever still wants it then. */
static void note_end(cn_track *track, cn_track_layer *layer, bool alive)
{
    layer->ended = !alive && layer->subscribed_ns;
    if (layer->ended) layer->subscribed_ns = track->worker->now_ns;
}

static void on_source_layers(cn_worker *worker, cn_msg *msg)
{
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    const cn_layers_info *info = msg->p;
    if (track) {
        bool kept = false;
        bool news = track->spatial != info->spatial;
        track->spatial = info->spatial;
        for (cn_slot *slot = track->slots; news && slot; slot = slot->next_in_track) cn_slot_layers_changed(slot);
        for (unsigned i = 0; i < cn_track_layers(track); i++) {
            const cn_layer_info *before = &track->layer[i].info, *now = &info->layer[i];
            news = news || before->alive != now->alive || before->width != now->width ||
                   before->height != now->height || before->rests != now->rests;
            kept = kept || before->kept != now->kept;
            if (before->alive != now->alive) note_end(track, &track->layer[i], now->alive);
            track->layer[i].info = *now;
        }
        for (cn_slot *slot = track->slots; news && slot; slot = slot->next_in_track) slot->line->dirty = true;
        if (kept) cn_track_keep(track);
    }
    free(msg->p);
}

static void on_sender_report(cn_worker *worker, cn_msg *msg)
{
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    if (!track || msg->layer >= track->info.layers) return;
    cn_track_layer *layer = &track->layer[msg->layer];
    layer->sr_known = true;
    layer->sr_ns = (int64_t)msg->value;
    layer->sr_rtp = msg->number;
}

/* ---- the table ---- */

typedef void (*message_fn)(cn_worker *worker, cn_msg *msg);

/* Handlers own what the message carries. */
static const message_fn handlers[CN_MSG_COUNT] = {
    [CN_MSG_PACKET] = on_packet,
    [CN_MSG_RUN] = on_run,
    [CN_MSG_ROOM_OPEN] = on_open,
    [CN_MSG_ROOM_CLOSE] = on_close,
    [CN_MSG_SOURCE_ADD] = on_source_add,
    [CN_MSG_SOURCE_REMOVE] = on_source_remove,
    [CN_MSG_SOURCE_ON] = on_source_on,
    [CN_MSG_SOURCE_LAYERS] = on_source_layers,
    [CN_MSG_SENDER_REPORT] = on_sender_report,
    [CN_MSG_SUBSCRIBE] = cn_source_on_subscribe,
    [CN_MSG_LOSS] = cn_source_on_loss,
    [CN_MSG_KEYFRAME] = cn_source_on_keyframe,
    [CN_MSG_LEVEL] = cn_ranker_on_level,
    [CN_MSG_RANKED] = on_ranked,
};

void cn_inbox_read(cn_worker *worker, cn_link *link)
{
    cn_link_drain_wake(link);
    for (cn_msg msg; cn_link_pop(link, &msg);) {
        if (msg.kind != CN_MSG_PACKET) cn_fanout_forward(worker);
        handlers[msg.kind](worker, &msg);
    }
    cn_fanout_forward(worker);
}
