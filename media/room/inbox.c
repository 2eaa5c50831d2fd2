#include "media/room/inbox.h"

#include <stdlib.h>

#include "media/forward/fanout.h"
#include "media/forward/slot.h"
#include "media/forward/slot_impl.h"
#include "media/room/ranker.h"
#include "media/room/room.h"

void cn_inbox_on_packet(cn_worker *worker, cn_msg *msg)
{
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    if (track) cn_fanout_packet(track, msg->p);
    cn_packet_unref(msg->p);
}

void cn_inbox_on_switch(cn_worker *worker, cn_msg *msg)
{
    cn_ranker_switch(worker, msg->room, msg->source, msg->flag);
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    if (!track || track->info.on == msg->flag) return;
    track->info.on = msg->flag;
    for (unsigned i = 0; i < CN_LAYERS; i++)
        if (track->layer[i].history) cn_history_clear(track->layer[i].history);
    cn_room *room = cn_idmap_get(&worker->rooms, track->room);
    if (room) cn_room_rebind(room);
}

/* Whoever watches a layer that stops takes another at once; it is asked for again by whoever still wants it then. */
static void note_end(cn_track *track, cn_track_layer *layer, bool alive)
{
    layer->ended = !alive && layer->subscribed_ns;
    if (layer->ended) layer->subscribed_ns = track->worker->now_ns;
}

void cn_inbox_on_layers(cn_worker *worker, cn_msg *msg)
{
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    const cn_layers_info *info = msg->p;
    if (track) {
        bool news = track->spatial != info->spatial;
        track->spatial = info->spatial;
        for (cn_slot *slot = track->slots; news && slot; slot = slot->next_in_track) cn_slot_layers_changed(slot);
        for (unsigned i = 0; i < cn_track_layers(track); i++) {
            const cn_layer_info *before = &track->layer[i].info, *now = &info->layer[i];
            news = news || before->alive != now->alive || before->width != now->width ||
                   before->height != now->height || before->rests != now->rests;
            if (before->alive != now->alive) note_end(track, &track->layer[i], now->alive);
            track->layer[i].info = *now;
        }
        for (cn_slot *slot = track->slots; news && slot; slot = slot->next_in_track) slot->line->dirty = true;
    }
    free(msg->p);
}

void cn_inbox_on_sender_report(cn_worker *worker, cn_msg *msg)
{
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    if (!track || msg->layer >= track->info.layers) return;
    cn_track_layer *layer = &track->layer[msg->layer];
    layer->sr_known = true;
    layer->sr_ns = (int64_t)msg->value;
    layer->sr_rtp = msg->number;
}
