#include "media/forward/slot.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "media/wire/prefetch.h"
#include "media/forward/slot_audio.h"
#include "media/forward/pace.h"
#include "media/forward/probe.h"
#include "media/forward/slot_impl.h"
#include "media/forward/slot_send.h"
#include "media/sdp/plan.h"

#define REWRITE_HOT 192 /* bytes of a cn_rewrite that every packet touches */
#define RECORDS_VIDEO 1024
#define RECORDS_AUDIO 64
#define KEYFRAME_AGAIN_NS 500000000u
#define WITHIN_NS 150000000u         /* for a switch between spatial layers without a key frame */
#define SWITCH_RUN_AGE_NS 300000000u /* a picture that moves is not taken back further than this */
#define QUEUE_MS 200                 /* a picture that would wait longer for a TCP peer is not begun */
#define QUEUE_DRAINED_MS 50
#define READY_AGE_NS 600000000u /* of a run that is kept for one who is about to connect */
#define REPLAY_FACTOR 1.5       /* a kept run is sent so much faster than it came … */
#define REPLAY_FIRST_S 0.25     /* … after so much of it at once: the key frame */
#define REPLAY_LEAST_BPS 500000 /* … of a rate that is not known yet */
#define RUN_SECONDS 0.5         /* of the estimate: what a key-frame run may cost at once */

static cn_err rewrite_new(cn_slot *slot)
{
    uint16_t seq = 0;
    uint32_t ts = 0;
    cn_random(&seq, sizeof seq);
    cn_random(&ts, sizeof ts);
    return cn_rewrite_new(&slot->rewrite, &(cn_rewrite_config){.clock = slot->video ? 90000 : 48000,
                                                               .records = slot->video ? RECORDS_VIDEO : RECORDS_AUDIO,
                                                               .first_seq = seq,
                                                               .first_ts = ts});
}

cn_err cn_slot_new(cn_slot **out, cn_line *line, const char *mid, bool video, unsigned index)
{
    cn_slot *slot = CN_NEW(cn_slot);
    if (!slot) return CN_ERR_NOMEM;
    slot->line = line;
    slot->video = video;
    slot->index = index;
    slot->current = slot->target = slot->interim = -1;
    slot->alloc.chosen = CN_ALLOC_PAUSED;
    (void)cn_strcpy(slot->mid, sizeof slot->mid, mid);
    slot->ssrc = cn_line_unused_ssrc(line);
    cn_random(&slot->rtx_seq, sizeof slot->rtx_seq);
    cn_err err = cn_idmap_put(&line->out_ssrc, slot->ssrc, slot);
    if (!err && video) {
        slot->rtx_ssrc = cn_line_unused_ssrc(line);
        err = cn_idmap_put(&line->out_ssrc, slot->rtx_ssrc, slot);
    }
    if (!err) err = rewrite_new(slot);
    if (err) {
        cn_slot_free(slot);
        return err;
    }
    *out = slot;
    return CN_OK;
}

void cn_slot_free(cn_slot *slot)
{
    if (!slot) return;
    cn_slot_bind(slot, NULL);
    (void)cn_idmap_take(&slot->line->out_ssrc, slot->ssrc);
    if (slot->rtx_ssrc) (void)cn_idmap_take(&slot->line->out_ssrc, slot->rtx_ssrc);
    cn_rewrite_free(slot->rewrite);
    free(slot);
}

/* AV1's spatial layers cannot be told from each other without the descriptor. */
static bool flat(const cn_slot *slot)
{
    return slot->track && slot->track->info.codec == CN_CODEC_AV1 && !slot->line->reads_descriptors;
}

static const cn_slot_format *format_for(const cn_slot *slot, const cn_track *track)
{
    const cn_source_info *info = &track->info;
    if (track->spatial > 1 && flat(slot)) return NULL;
    for (size_t i = 0; i < slot->format_count; i++) {
        const cn_slot_format *format = &slot->formats[i];
        if (format->codec != info->codec) continue;
        if (format->codec == CN_CODEC_H264 && !cn_sdp_h264_same(&format->h264, &info->h264)) continue;
        return format;
    }
    return NULL;
}

static unsigned layer_bit(int layer)
{
    return layer < 0 ? 0 : 1u << layer;
}

/* Counts at the track what the slot shows and waits for now instead of what it did before. */
static void claim(cn_slot *slot)
{
    unsigned mask = 0;
    bool is_flat = flat(slot);
    if (slot->format) mask = layer_bit(slot->current) | layer_bit(slot->target);
    if (slot->format && slot->interim >= 0) mask |= slot->track->spatial > 1 ? 1u : layer_bit(slot->interim);
    for (unsigned i = 0; mask != slot->claimed && i < CN_LAYERS; i++)
        if ((mask ^ slot->claimed) >> i & 1) cn_track_claim(slot->track, i, mask >> i & 1 ? 1 : -1);
    if (is_flat != slot->claimed_flat) cn_track_claim_flat(slot->track, is_flat ? 1 : -1);
    slot->claimed = (uint8_t)mask;
    slot->claimed_flat = is_flat;
}

static void claim_and_subscribe(cn_slot *slot)
{
    claim(slot);
    cn_track_subscribe(slot->track);
}

static void claim_nothing(cn_slot *slot)
{
    for (unsigned i = 0; i < CN_LAYERS; i++)
        if (slot->claimed >> i & 1) cn_track_claim(slot->track, i, -1);
    if (slot->claimed_flat) cn_track_claim_flat(slot->track, -1);
    slot->claimed = 0;
    slot->claimed_flat = false;
}

void cn_slot_negotiate(cn_slot *slot, const cn_sdp_section *section)
{
    cn_pace_flush(slot->line, slot);
    const cn_sdp_codec *codecs[CN_SLOT_FORMATS];
    size_t n = cn_plan_slot_codecs(section, codecs, CN_SLOT_FORMATS);
    for (size_t i = 0; i < n; i++)
        slot->formats[i] = (cn_slot_format){codecs[i]->codec, codecs[i]->pt, codecs[i]->rtx_pt, codecs[i]->h264};
    slot->format_count = n;
    slot->red_pt = CN_SDP_NO_PT;
    for (size_t i = 0; i < n; i++)
        if (codecs[i]->codec == CN_CODEC_AUDIO_RED) slot->red_pt = codecs[i]->pt;
    slot->active = section->dir & CN_SDP_RECVONLY;
    if (!slot->track) return;
    slot->format = format_for(slot, slot->track);
    claim(slot);
}

static void unlink_from_track(cn_slot *slot)
{
    cn_track *track = slot->track;
    if (!track) return;
    *slot->link_in_track = slot->next_in_track;
    if (slot->next_in_track) slot->next_in_track->link_in_track = slot->link_in_track;
    slot->next_in_track = NULL;
    claim_nothing(slot);
    slot->former = track->number;
    slot->former_ns = track->worker->now_ns;
    slot->track = NULL;
    cn_track_subscribe(track);
}

static void replay_end(cn_slot *slot)
{
    if (slot->replays) slot->line->replaying--;
    slot->replays = false;
}

void cn_slot_bind(cn_slot *slot, cn_track *track)
{
    if (slot->track == track) return;
    replay_end(slot);
    cn_probe_drop(slot->line, slot);
    cn_pace_flush(slot->line, slot);
    unlink_from_track(slot);
    slot->current = slot->target = slot->interim = -1;
    slot->gave_way = false;
    slot->lowered = 0;
    slot->held = false;
    slot->waiting_ns = slot->heard_ns = 0;
    slot->fraction_lost = 0;
    slot->width = slot->height = 0;
    slot->counted = 0;
    slot->format = NULL;
    slot->alloc = (cn_alloc_slot){.chosen = CN_ALLOC_PAUSED, .fresh = true};
    if (!track) return;
    slot->track = track;
    slot->next_in_track = track->slots;
    slot->link_in_track = &track->slots;
    if (track->slots) track->slots->link_in_track = &slot->next_in_track;
    track->slots = slot;
    slot->format = format_for(slot, track);
    claim(slot);
    if (slot->claimed_flat) cn_track_subscribe(track);
    if (!slot->video) cn_slot_target(slot, 0, CN_SVC_TOP);
}

void cn_slot_tell(cn_slot *slot, cn_slot_state state)
{
    cn_slot_event event = {.mid = slot->mid, .state = state, .from = "", .codec = ""};
    uint32_t track = 0;
    if (slot->track && state != CN_SLOT_EMPTY) {
        track = slot->track->number;
        event.from = slot->track->info.participant;
        event.source = slot->track->info.kind;
        event.codec = cn_codec_name(slot->track->info.codec);
        event.width = slot->width;
        event.height = slot->height;
    }
    if (state == slot->told && track == slot->told_track) return;
    slot->told = state;
    slot->told_track = track;
    cn_worker *worker = slot->line->worker;
    if (state == CN_SLOT_LIVE) event.rtp_timestamp = slot->start_ts;
    if (worker->events->slot) worker->events->slot(worker->events_ctx, slot->line->room_name, slot->line->id, &event);
}

static unsigned sid_of(const cn_slot *slot, int layer)
{
    return slot->track->spatial > 1 ? (unsigned)layer : CN_SVC_TOP;
}

static void note_size(cn_slot *slot, const cn_packet *first)
{
    const cn_layer_info *info = &slot->track->layer[slot->current].info;
    bool told = first && first->width && slot->track->spatial < 2;
    slot->width = told ? first->width : info->width;
    slot->height = told ? first->height : info->height;
}

/* Of spatial layers the largest that flows, for as long as the wanted one rests. */
static unsigned flowing(const cn_track *track, unsigned layer)
{
    while (track->spatial > 1 && layer && !track->layer[layer].info.alive) layer--;
    return layer;
}

/* From here on the slot shows `layer`, beginning with `first`. */
static void start(cn_slot *slot, unsigned layer, const cn_packet *first, uint32_t end_ts)
{
    cn_track *track = slot->track;
    unsigned stream = cn_track_stream(track, (int)layer);
    unsigned first_layer = flowing(track, layer);
    cn_svc_start(&slot->svc, sid_of(slot, (int)first_layer), slot->tid);
    if (first_layer != layer) cn_svc_want(&slot->svc, sid_of(slot, (int)layer), slot->tid);
    slot->start_ts =
        cn_rewrite_switch(slot->rewrite, &(cn_rewrite_from){.source = cn_track_layer_id(track, stream),
                                                            .group = track->number,
                                                            .first = first,
                                                            .run_end_ts = end_ts,
                                                            .capture_ns = cn_track_capture(track, stream, end_ts),
                                                            .now_ns = slot->line->worker->now_ns});
    slot->current = (int)first_layer;
    slot->gave_way = false;
    if (!slot->video) cn_slot_audio_start(slot, first);
    if (slot->current == slot->target) {
        slot->waiting_ns = 0;
        slot->interim = -1;
    }
    note_size(slot, first);
    cn_slot_tell(slot, CN_SLOT_LIVE);
    claim_and_subscribe(slot);
}

static bool is_kept(const cn_slot *slot, unsigned layer)
{
    return slot->track->spatial < 2 && slot->track->layer[layer].info.kept;
}

static bool run_fits(const cn_slot *slot, unsigned layer, const cn_history_run *run)
{
    uint64_t now_ns = slot->line->worker->now_ns;
    if (slot->current >= 0 && now_ns - run->first_arrival_ns > SWITCH_RUN_AGE_NS) return false;
    return run->first == run->last || is_kept(slot, layer) ||
           run->bytes * 8.0 <= RUN_SECONDS * cn_bwe_bps(&slot->line->estimate);
}

static bool run_of(const cn_slot *slot, unsigned layer, cn_history_run *run)
{
    const cn_history *history = slot->track->layer[cn_track_stream(slot->track, (int)layer)].history;
    return history && cn_history_run_get(history, slot->line->worker->now_ns, run) == CN_OK &&
           run_fits(slot, layer, run);
}

/* There is a run, and it will still do when the handshake is over. */
static bool run_ready(const cn_slot *slot, unsigned layer)
{
    cn_history_run run;
    return run_of(slot, layer, &run) &&
           (is_kept(slot, layer) || slot->line->worker->now_ns - run.first_arrival_ns < READY_AGE_NS);
}

/* A kept run is seconds long: it is sent faster than it came, not at once. A publisher who listens after all is found
 * out by asking. */
static void replay(cn_slot *slot, const cn_history_run *run)
{
    if (!slot->replays) slot->line->replaying++;
    slot->replays = true;
    slot->replay_at = run->first;
    slot->replay_ns = slot->line->worker->now_ns;
    slot->replay_owed = REPLAY_FACTOR * REPLAY_FIRST_S * slot->track->layer[slot->current].info.bitrate;
    cn_slot_replay(slot, slot->replay_ns);
    cn_track_keyframe(slot->track, cn_track_stream(slot->track, slot->target));
}

/* Starts from the key frame that the history holds, with every packet since. */
static bool start_from_history(cn_slot *slot, unsigned layer)
{
    uint64_t now_ns = slot->line->worker->now_ns;
    const cn_history *history = slot->track->layer[cn_track_stream(slot->track, (int)layer)].history;
    cn_history_run run;
    if (!run_of(slot, layer, &run)) return false;
    cn_packet *first = cn_history_get(history, run.first, now_ns);
    if (!first) return false;
    start(slot, layer, first, run.last_ts);
    if (is_kept(slot, layer) && now_ns - run.first_arrival_ns > CN_HISTORY_RUN_AGE_NS) {
        replay(slot, &run);
        return true;
    }
    for (uint64_t i = run.first; i <= run.last; i++) {
        cn_packet *packet = cn_history_get(history, i, now_ns);
        if (packet) cn_slot_forward(slot, packet);
    }
    return true;
}

/* Before the peer is connected only the asking is done, so that the key frame is here when the peer is. */
static bool start_or_ask(cn_slot *slot, unsigned layer)
{
    if (slot->line->connected ? start_from_history(slot, layer) : run_ready(slot, layer)) return true;
    cn_track_keyframe(slot->track, cn_track_stream(slot->track, (int)layer));
    return false;
}

/* A layer that flows already, for as long as the target does not; none as large as one that gave way. */
static int interim_layer(const cn_slot *slot)
{
    const cn_track *track = slot->track;
    if (track->layer[slot->target].info.alive || track->info.layers == 1 || track->spatial > 1) return -1;
    int best = -1;
    for (unsigned i = 0; i < track->info.layers; i++) {
        const cn_layer_info *info = &track->layer[i].info;
        if (!info->alive || (slot->gave_way && info->width >= slot->width)) continue;
        if (best < 0 || info->width > track->layer[best].info.width) best = (int)i;
    }
    return best;
}

/* Among the spatial layers of the stream that is shown already. */
static void go_within(cn_slot *slot, int layer)
{
    uint64_t now_ns = slot->line->worker->now_ns;
    bool upward = layer > slot->current;
    slot->target = layer;
    cn_svc_want(&slot->svc, sid_of(slot, layer), slot->tid);
    slot->waiting_ns = 0;
    claim_and_subscribe(slot);
    if (!cn_svc_waiting(&slot->svc)) return;
    /* downward some streams need no key frame: a moment for those */
    slot->waiting_ns = upward ? now_ns : now_ns - KEYFRAME_AGAIN_NS + WITHIN_NS;
    if (upward) cn_track_keyframe(slot->track, 0);
}

void cn_slot_target(cn_slot *slot, int layer, unsigned tid)
{
    cn_track *track = slot->track;
    if (!track) return;
    slot->tid = tid;
    if (slot->current >= 0 && slot->current == slot->target) cn_svc_want(&slot->svc, sid_of(slot, slot->target), tid);
    if (layer == slot->target) return;
    replay_end(slot);
    if (track->spatial > 1 && slot->current >= 0 && layer >= 0) {
        go_within(slot, layer);
        return;
    }
    slot->target = layer;
    slot->interim = -1;
    slot->waiting_ns = 0;
    if (layer < 0) {
        slot->current = -1;
        slot->gave_way = false;
    } else if (slot->current != layer) {
        if (slot->current < 0 && slot->video) slot->interim = interim_layer(slot);
        slot->waiting_ns = slot->line->worker->now_ns;
    }
    claim_and_subscribe(slot);
    cn_slot_begin(slot);
}

void cn_slot_give_way(cn_slot *slot)
{
    const cn_track *track = slot->track;
    if (!track || track->spatial > 1 || slot->target < 0 || slot->current < 0 || slot->current == slot->target) return;
    if (track->layer[slot->target].info.width >= track->layer[slot->current].info.width) return;
    replay_end(slot);
    slot->current = -1;
    slot->gave_way = true;
    slot->interim = interim_layer(slot);
    claim_and_subscribe(slot);
    cn_slot_begin(slot);
}

void cn_slot_begin(cn_slot *slot)
{
    if (!slot->video || !slot->track || !slot->format || slot->target < 0 || slot->current == slot->target ||
        slot->held)
        return;
    if (start_or_ask(slot, (unsigned)slot->target) || slot->interim < 0 || slot->current >= 0) return;
    (void)start_or_ask(slot, (unsigned)slot->interim);
}

void cn_slot_layers_changed(cn_slot *slot)
{
    slot->format = format_for(slot, slot->track);
    if (slot->video) slot->line->unbound = true;
    if (slot->video && slot->current >= 0) {
        /* what was shown has another name now: begin again with what is chosen next */
        replay_end(slot);
        slot->current = slot->target = slot->interim = -1;
        slot->gave_way = false;
        slot->lowered = 0;
        slot->alloc.chosen = CN_ALLOC_PAUSED;
        slot->alloc.fresh = true;
    }
    claim(slot);
}

/* The filter went to another spatial layer. */
static void note_layer(cn_slot *slot)
{
    if (slot->track->spatial < 2 || slot->svc.sid < 0 || slot->svc.sid == slot->current) return;
    slot->current = slot->svc.sid;
    if (slot->current == slot->target) slot->waiting_ns = 0;
    note_size(slot, NULL);
    claim_and_subscribe(slot);
}

/* A packet that has just come, unlike one of the history: how long it takes is counted. */
static void forward_now(cn_slot *slot, cn_packet *packet)
{
    uint32_t before = slot->packets;
    cn_slot_forward(slot, packet);
    cn_delay_queued(slot->line->worker->delay, packet->arrival_ns, slot->packets - before);
}

/* Frames are left out from here on, so that the next to be sent is a key frame. */
static void hold(cn_slot *slot)
{
    slot->held = true;
    replay_end(slot);
    slot->current = -1;
    claim(slot);
    slot->waiting_ns = slot->line->worker->now_ns;
    slot->line->dirty = true;
}

static void release(cn_slot *slot, uint64_t now_ns)
{
    if (cn_transport_full(slot->line->transport, QUEUE_DRAINED_MS)) return;
    slot->held = false;
    if (slot->target < 0 || start_from_history(slot, (unsigned)slot->target)) return;
    slot->waiting_ns = now_ns;
    cn_track_keyframe(slot->track, cn_track_stream(slot->track, slot->target));
}

/* A packet of a stream that is not shown yet: where a key frame's run begins, or is mended. */
static void begin(cn_slot *slot, cn_packet *packet)
{
    const cn_track *track = slot->track;
    bool target = slot->target >= 0 && packet->layer == cn_track_stream(track, slot->target);
    bool interim = slot->interim >= 0 && packet->layer == cn_track_stream(track, slot->interim);
    if ((!target && !interim) || !packet->payload_len) return;
    if (!slot->video) {
        start(slot, packet->layer, packet, packet->ts);
        forward_now(slot, packet);
        return;
    }
    /* the interim layer serves only until something is shown */
    if (!target && slot->current >= 0) return;
    if (cn_transport_full(slot->line->transport, QUEUE_MS)) return; /* asked for again when it comes through */
    if ((packet->key && packet->frame_start) || packet->repaired)
        (void)start_from_history(slot, (unsigned)(target ? slot->target : slot->interim));
}

/* Four receivers at four stages: the records that the next one will write, what the pointers of the second point to, those
 * pointers of the third, and the struct of the fourth. Each stage reads only what an earlier one has brought. */
void cn_slot_prefetch(const cn_slot *slot)
{
    cn_rewrite_prefetch(slot->rewrite);
    if (slot->line->twcc_out) cn_twcc_out_prefetch_next(slot->line->twcc_out, slot->line->worker->now_ns);
    const cn_slot *second = slot->next_in_track;
    if (!second) return;
    cn_transport_prefetch(second->line->transport);
    if (second->line->twcc_out) cn_twcc_out_prefetch(second->line->twcc_out);
    const cn_slot *third = second->next_in_track;
    if (!third) return;
    cn_prefetch(third->line, offsetof(cn_line, exts) + CN_CACHE_LINE);
    cn_prefetch(third->rewrite, REWRITE_HOT);
    const cn_slot *fourth = third->next_in_track;
    if (fourth) cn_prefetch(fourth, offsetof(cn_slot, formats));
}

void cn_slot_packet(cn_slot *slot, cn_packet *packet)
{
    if (!slot->format || !slot->active || !slot->line->connected || slot->held || slot->replays) return;
    if (slot->current < 0 || packet->layer != cn_track_stream(slot->track, slot->current)) {
        begin(slot, packet);
        return;
    }
    if (slot->video && packet->frame_start && cn_transport_full(slot->line->transport, QUEUE_MS)) {
        hold(slot);
        return;
    }
    forward_now(slot, packet);
    note_layer(slot);
}

/* The newest key frame came meanwhile, and what is older is gone. */
static void replay_anew(cn_slot *slot)
{
    replay_end(slot);
    slot->current = -1;
    slot->waiting_ns = slot->line->worker->now_ns;
    claim(slot);
    cn_slot_begin(slot);
}

void cn_slot_replay(cn_slot *slot, uint64_t now_ns)
{
    if (!slot->replays || cn_transport_full(slot->line->transport, QUEUE_MS)) return;
    const cn_track_layer *layer = &slot->track->layer[slot->current];
    double bps = layer->info.bitrate > REPLAY_LEAST_BPS ? layer->info.bitrate : REPLAY_LEAST_BPS;
    double passed_s = (double)(now_ns - slot->replay_ns) / 1e9;
    slot->replay_ns = now_ns;
    slot->replay_owed += REPLAY_FACTOR * bps * (passed_s < REPLAY_FIRST_S ? passed_s : REPLAY_FIRST_S);
    if (!slot->format || !slot->active || !layer->history) {
        replay_end(slot);
        return;
    }
    while (slot->replay_owed > 0 && slot->replay_at <= cn_history_highest(layer->history)) {
        cn_packet *packet = cn_history_get(layer->history, slot->replay_at, now_ns);
        if (!packet && cn_history_key(layer->history) > slot->replay_at) {
            replay_anew(slot);
            return;
        }
        slot->replay_at++;
        if (!packet) continue; /* asked for again, and sent on when it comes */
        slot->replay_owed -= packet->len * 8.0;
        cn_slot_forward(slot, packet);
    }
    if (slot->replay_at > cn_history_highest(layer->history)) replay_end(slot);
}

/* One for all slots of the viewer that show the same. */
static cn_allowance *allowance_of(cn_slot *slot)
{
    for (size_t i = 0; i < slot->line->slot_count; i++)
        if (slot->line->slots[i]->track == slot->track) return &slot->line->slots[i]->keyframes;
    return &slot->keyframes;
}

void cn_slot_keyframe(cn_slot *slot)
{
    if (!slot->track || slot->current < 0) return;
    if (!cn_allowance_take(allowance_of(slot), slot->line->worker->now_ns)) return;
    cn_track_keyframe(slot->track, cn_track_stream(slot->track, slot->current));
}

void cn_slot_tick(cn_slot *slot, uint64_t now_ns)
{
    if (slot->held && slot->track) release(slot, now_ns);
    if (slot->held) return;
    if (!slot->waiting_ns || !slot->video || !slot->track || now_ns - slot->waiting_ns < KEYFRAME_AGAIN_NS) return;
    slot->waiting_ns = now_ns;
    const cn_track *track = slot->track;
    if (slot->target >= 0) cn_track_keyframe(slot->track, cn_track_stream(track, slot->target));
    if (slot->current < 0 && slot->interim >= 0) cn_track_keyframe(slot->track, cn_track_stream(track, slot->interim));
}
