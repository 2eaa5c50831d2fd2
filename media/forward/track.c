#include "media/forward/track.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/stream/seq.h"

#define KEYFRAME_EVERY_NS 50000000u
#define LINGER_NS 1000000000u   /* as old as a run may be */
#define PATIENCE_NS 2000000000u /* a layer that was asked for and does not come */
#define FAILED_NS 10000000000u  /* is not asked for again for so long */

cn_err cn_track_new(cn_track **out, cn_worker *worker, uint32_t room, uint32_t number, unsigned owner,
                    const cn_source_info *info)
{
    if (!info->layers || info->layers > CN_LAYERS) return CN_ERR_INVALID;
    cn_track *track = CN_NEW(cn_track);
    if (!track) return CN_ERR_NOMEM;
    track->worker = worker;
    track->room = room;
    track->number = number;
    track->owner = owner;
    track->info = *info;
    *out = track;
    return CN_OK;
}

void cn_track_free(cn_track *track)
{
    if (!track) return;
    for (unsigned i = 0; i < CN_LAYERS; i++) cn_history_free(track->layer[i].history);
    free(track);
}

static cn_msg message(const cn_track *track, cn_msg_kind kind)
{
    return (cn_msg){.kind = (uint8_t)kind, .room = track->room, .source = track->number};
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

void cn_track_claim(cn_track *track, unsigned layer, int by)
{
    track->claims[layer] += (unsigned)by;
}

void cn_track_claim_flat(cn_track *track, int by)
{
    track->flat_claims += (unsigned)by;
}

/* On the publisher's worker, so that a run is there for whoever comes, on whichever worker. */
static uint32_t kept(const cn_track *track)
{
    uint32_t mask = 0;
    for (unsigned i = 0; track->owner == track->worker->index && track->spatial < 2 && i < track->info.layers; i++)
        if (track->layer[i].info.kept) mask |= 1u << i;
    return mask;
}

void cn_track_subscribe(cn_track *track)
{
    uint32_t needs = kept(track);
    unsigned needed = 0;
    bool flat = track->flat_claims != 0;
    for (unsigned i = 0; i < CN_LAYERS; i++) {
        if (!track->claims[i]) continue;
        needs |= 1u << cn_track_stream(track, (int)i);
        if (track->spatial > 1) needed = i + 1;
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

void cn_track_tell_loss(cn_track *track, cn_losses losses)
{
    uint32_t now = cn_losses_pack(losses);
    if (now == cn_losses_pack(track->losses_told)) return;
    track->losses_told = losses;
    cn_msg msg = message(track, CN_MSG_LOSS);
    msg.number = now;
    cn_worker_send(track->worker, track->owner, msg);
}

void cn_track_second(cn_track *track, uint64_t now_ns)
{
    if (track->subscribed) cn_track_subscribe(track);
    for (unsigned i = 0; i < track->info.layers; i++) {
        cn_track_layer *layer = &track->layer[i];
        if (layer->history) cn_history_expire(layer->history, now_ns);
        bool failed = !layer->info.alive && layer->subscribed_ns && now_ns - layer->subscribed_ns >= PATIENCE_NS;
        if (failed && !layer->failed_ns) layer->failed_ns = now_ns;
        if (layer->info.alive || (layer->failed_ns && now_ns - layer->failed_ns >= FAILED_NS)) layer->failed_ns = 0;
    }
}

void cn_track_keep(cn_track *track)
{
    for (unsigned i = 0; i < track->info.layers; i++)
        if (track->layer[i].history) cn_history_keep(track->layer[i].history, track->layer[i].info.kept);
    cn_track_subscribe(track);
}

bool cn_track_remember(cn_track *track, cn_packet *packet)
{
    cn_track_layer *layer = &track->layer[packet->layer];
    if (!layer->history) {
        if (cn_history_new(&layer->history, track->info.video ? CN_HISTORY_VIDEO : CN_HISTORY_AUDIO) != CN_OK)
            return false;
        cn_history_keep(layer->history, layer->info.kept);
    }
    return cn_history_put(layer->history, packet);
}

void cn_track_note_structure(cn_track *track, const cn_packet *packet)
{
    cn_track_layer *layer = &track->layer[packet->layer];
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
