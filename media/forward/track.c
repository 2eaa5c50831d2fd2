#include "media/forward/track.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/room/ranker.h"
#include "media/room/room.h"
#include "media/stream/seq.h"
#include "media/forward/slot_impl.h"

#define KEYFRAME_EVERY_NS 50000000u
#define LINGER_NS 1000000000u        /* as old as a run may be */
#define PATIENCE_NS 2000000000u      /* a layer that was asked for and does not come */
#define REPORT_HOLDS_NS 12000000000u /* browsers report on audio every 5 s at least */
#define FAILED_NS 10000000000u       /* is not asked for again for so long */

cn_err cn_track_new(cn_track **out, struct cn_room *room, uint32_t number, unsigned owner, const cn_source_info *info)
{
    if (!info->layers || info->layers > CN_LAYERS) return CN_ERR_INVALID;
    cn_track *track = CN_NEW(cn_track);
    if (!track) return CN_ERR_NOMEM;
    track->worker = room->worker;
    track->room = room;
    track->number = number;
    track->owner = owner;
    track->info = *info;
    *out = track;
    return CN_OK;
}

static void turn_leave(cn_track *track)
{
    for (unsigned i = 0; i < track->turn_n; i++) cn_packet_unref(track->turn[i]);
    track->turn_n = 0;
    cn_track **at = &track->worker->turn;
    while (*at && *at != track) at = &(*at)->next_in_turn;
    if (*at) *at = track->next_in_turn;
}

void cn_track_free(cn_track *track)
{
    if (!track) return;
    turn_leave(track);
    while (track->slots) cn_slot_bind(track->slots, NULL);
    for (unsigned i = 0; i < CN_LAYERS; i++) cn_history_free(track->layer[i].history);
    free(track);
}

static cn_msg message(const cn_track *track, cn_msg_kind kind)
{
    return (cn_msg){.kind = (uint8_t)kind, .room = track->room->number, .source = track->number};
}

/* Mask of the layers that nobody needs since a moment: whoever comes or comes back starts from their key-frame run. */
static uint32_t lingering(cn_track *track, uint32_t needs)
{
    uint32_t mask = 0;
    if (!track->info.video) return 0;
    for (unsigned i = 0; i < track->info.layers; i++) {
        cn_track_layer *layer = &track->layer[i];
        bool idle = track->subscribed >> i & 1 && !(needs >> i & 1);
        if (!idle)
            layer->idle_ns = 0;
        else if (!layer->idle_ns)
            layer->idle_ns = track->worker->now_ns;
        if (idle && track->worker->now_ns - layer->idle_ns < LINGER_NS) mask |= 1u << i;
    }
    return mask;
}

void cn_track_subscribe(cn_track *track)
{
    uint32_t needs = 0, all = (1u << track->info.layers) - 1;
    unsigned needed = 0;
    bool flat = false, look_at_all = track->info.codec == CN_CODEC_AV1 || track->spatial > 1;
    for (cn_slot *slot = track->slots; slot && (needs != all || look_at_all); slot = slot->next_in_track) {
        needs |= cn_slot_needs(slot);
        flat = flat || cn_slot_flat(slot);
        unsigned spatial = cn_slot_spatial(slot);
        if (spatial > needed) needed = spatial;
    }
    needs |= lingering(track, needs);
    if (needs == track->subscribed && flat == track->flat && needed == track->needed) return;
    for (unsigned i = 0; i < track->info.layers; i++) {
        uint32_t bit = 1u << i;
        if (!((needs ^ track->subscribed) & bit)) continue;
        bool now = (needs & bit) != 0;
        track->layer[i].subscribed_ns = now ? track->worker->now_ns : 0;
        track->layer[i].ended = false;
        if (!now && track->layer[i].history) cn_history_clear(track->layer[i].history); /* it would get a hole */
    }
    track->subscribed = needs;
    track->flat = flat;
    track->needed = needed;
    cn_msg msg = message(track, CN_MSG_SUBSCRIBE);
    msg.number = needs;
    msg.flag = flat;
    msg.layer = (uint8_t)needed;
    cn_worker_send(track->worker, track->owner, msg);
}

void cn_track_keyframe(cn_track *track, unsigned layer)
{
    uint64_t now_ns = track->worker->now_ns;
    cn_track_layer *track_layer = &track->layer[layer];
    if (track_layer->keyframe_asked_ns && now_ns - track_layer->keyframe_asked_ns < KEYFRAME_EVERY_NS) return;
    track_layer->keyframe_asked_ns = now_ns;
    cn_msg msg = message(track, CN_MSG_KEYFRAME);
    msg.layer = (uint8_t)layer;
    cn_worker_send(track->worker, track->owner, msg);
}

int64_t cn_track_capture(const cn_track *track, unsigned layer, uint32_t rtp)
{
    const cn_track_layer *track_layer = &track->layer[layer];
    if (!track_layer->sr_known) return 0;
    return track_layer->sr_ns + cn_ns_from_ticks(cn_ts_diff(rtp, track_layer->sr_rtp), track->info.clock_rate);
}

bool cn_track_rtp(const cn_track *track, unsigned layer, int64_t ns, uint32_t *rtp)
{
    const cn_track_layer *track_layer = &track->layer[layer];
    if (!track_layer->sr_known) return false;
    *rtp = track_layer->sr_rtp + (uint32_t)cn_ticks_from_ns(ns - track_layer->sr_ns, track->info.clock_rate);
    return true;
}

bool cn_track_usable(const cn_track *track, unsigned layer)
{
    const cn_track_layer *track_layer = &track->layer[layer];
    uint64_t now_ns = track->worker->now_ns;
    if (track_layer->info.alive || cn_track_layers(track) == 1) return true;
    if (track_layer->ended) return false;
    if (track->spatial > 1) return track_layer->info.rests;
    if (!track_layer->info.width) return false; /* never came: the publisher cannot or will not */
    if (track_layer->failed_ns && now_ns - track_layer->failed_ns < FAILED_NS) return false;
    return !track_layer->subscribed_ns || now_ns - track_layer->subscribed_ns < PATIENCE_NS;
}

/* The worst of the listeners' own reports, told when it changed. */
static void tell_loss(cn_track *track, uint64_t now_ns)
{
    uint8_t worst = 0;
    for (const cn_slot *slot = track->slots; slot; slot = slot->next_in_track) {
        bool recent = slot->heard_ns && now_ns - slot->heard_ns < REPORT_HOLDS_NS;
        if (recent && slot->fraction_lost > worst) worst = slot->fraction_lost;
    }
    if (worst == track->loss_told) return;
    track->loss_told = worst;
    cn_msg msg = message(track, CN_MSG_LOSS);
    msg.number = worst;
    cn_worker_send(track->worker, track->owner, msg);
}

void cn_track_second(cn_track *track, uint64_t now_ns)
{
    if (!track->info.video) tell_loss(track, now_ns);
    if (track->subscribed) cn_track_subscribe(track);
    for (unsigned i = 0; i < track->info.layers; i++) {
        cn_track_layer *layer = &track->layer[i];
        if (layer->history) cn_history_expire(layer->history, now_ns);
        bool failed = !layer->info.alive && layer->subscribed_ns && now_ns - layer->subscribed_ns >= PATIENCE_NS;
        if (failed && !layer->failed_ns) layer->failed_ns = now_ns;
        if (layer->info.alive || (layer->failed_ns && now_ns - layer->failed_ns >= FAILED_NS)) layer->failed_ns = 0;
    }
}

static bool remember(cn_track *track, cn_packet *packet)
{
    cn_track_layer *layer = &track->layer[packet->layer];
    if (!layer->history &&
        cn_history_new(&layer->history, track->info.video ? CN_HISTORY_VIDEO : CN_HISTORY_AUDIO) != CN_OK)
        return false;
    return cn_history_put(layer->history, packet);
}

static void note_structure(cn_track_layer *layer, const cn_packet *packet)
{
    if (!packet->dd_len || !(packet->dd_structure || packet->dd_active) || packet->ext_seq < layer->layout_since)
        return;
    cn_dd_structure fresh;
    cn_depdesc depdesc;
    layer->layout_since = packet->ext_seq;
    layer->active = packet->dd_mask;
    if (packet->dd_structure &&
        cn_depdesc_parse(&depdesc, cn_packet_bytes(packet) + packet->dd_at, packet->dd_len, NULL, &fresh) == CN_OK)
        cn_dd_layout_of(&fresh, &layer->layout);
}

static void forward(cn_track *track)
{
    cn_packet *turn[CN_TRACK_TURN];
    unsigned n = track->turn_n;
    memcpy(turn, track->turn, n * sizeof *turn);
    track->turn_n = 0;
    for (cn_slot *slot = track->slots, *next; slot; slot = next) {
        next = slot->next_in_track;
        if (next) cn_slot_prefetch(next);
        for (unsigned i = 0; i < n; i++) cn_slot_packet(slot, turn[i]);
    }
    for (unsigned i = 0; i < n; i++) cn_packet_unref(turn[i]);
}

void cn_track_packet(cn_track *track, cn_packet *packet)
{
    if (packet->layer >= track->info.layers || !track->info.on) return;
    if (!remember(track, packet)) return;
    if (packet->dd_structure && track->turn_n)
        forward(track); /* older packets are understood by the former structure */
    note_structure(&track->layer[packet->layer], packet);
    if (!track->turn_listed) {
        track->turn_listed = true;
        track->next_in_turn = track->worker->turn;
        track->worker->turn = track;
    }
    track->turn[track->turn_n++] = cn_packet_ref(packet);
    if (track->turn_n == CN_TRACK_TURN) forward(track);
}

void cn_track_forward(cn_worker *worker)
{
    cn_track *first = NULL; /* the list begins with whatever came last */
    for (cn_track *track; (track = worker->turn);) {
        worker->turn = track->next_in_turn;
        track->next_in_turn = first;
        first = track;
    }
    for (cn_track *track; (track = first);) {
        first = track->next_in_turn;
        track->turn_listed = false;
        if (track->turn_n) forward(track);
    }
}

void cn_track_on_packet(cn_worker *worker, cn_msg *msg)
{
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    if (track) cn_track_packet(track, msg->p);
    cn_packet_unref(msg->p);
}

void cn_track_on_switch(cn_worker *worker, cn_msg *msg)
{
    cn_ranker_switch(worker, msg->room, msg->source, msg->flag);
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    if (!track || track->info.on == msg->flag) return;
    track->info.on = msg->flag;
    for (unsigned i = 0; i < CN_LAYERS; i++)
        if (track->layer[i].history) cn_history_clear(track->layer[i].history);
    cn_room_rebind(track->room);
}

/* Whoever watches a layer that stops takes another at once; it is asked for again by whoever still wants it then. */
static void note_end(cn_track *track, cn_track_layer *layer, bool alive)
{
    layer->ended = !alive && layer->subscribed_ns;
    if (layer->ended) layer->subscribed_ns = track->worker->now_ns;
}

void cn_track_on_layers(cn_worker *worker, cn_msg *msg)
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

void cn_track_on_sender_report(cn_worker *worker, cn_msg *msg)
{
    cn_track *track = cn_idmap_get(&worker->tracks, msg->source);
    if (!track || msg->layer >= track->info.layers) return;
    cn_track_layer *layer = &track->layer[msg->layer];
    layer->sr_known = true;
    layer->sr_ns = (int64_t)msg->value;
    layer->sr_rtp = msg->number;
}
