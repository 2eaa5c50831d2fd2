#include "media/forward/slot.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "media/room/peer.h"
#include "media/wire/prefetch.h"
#include "media/forward/slot_audio.h"
#include "media/forward/slot_send.h"

#define REWRITE_HOT 192 /* bytes of a cn_rewrite that every packet touches */
#define RECORDS_VIDEO 1024
#define RECORDS_AUDIO 64
#define KEYFRAME_AGAIN_NS 500000000u
#define WITHIN_NS 150000000u         /* for a switch between spatial layers without a key frame */
#define SWITCH_RUN_AGE_NS 300000000u /* a picture that moves is not taken back further than this */
#define QUEUE_MS 200                 /* a picture that would wait longer for a TCP peer is not begun */
#define QUEUE_DRAINED_MS 50
#define READY_AGE_NS 600000000u /* of a run that is kept for one who is about to connect */
#define RUN_SECONDS 0.5         /* of the estimate: what a key-frame run may cost at once */

static uint32_t unused_ssrc(const cn_peer *peer)
{
    for (;;) {
        uint32_t ssrc = 0;
        cn_random(&ssrc, sizeof ssrc);
        if (ssrc && ssrc != peer->rtcp_ssrc && !cn_idmap_get(&peer->out_ssrc, ssrc) &&
            !cn_idmap_get(&peer->in_ssrc, ssrc))
            return ssrc;
    }
}

static cn_err rewrite_new(cn_slot *s)
{
    uint16_t seq = 0;
    uint32_t ts = 0;
    cn_random(&seq, sizeof seq);
    cn_random(&ts, sizeof ts);
    return cn_rewrite_new(&s->rewrite, &(cn_rewrite_config){.clock = s->video ? 90000 : 48000,
                                                            .records = s->video ? RECORDS_VIDEO : RECORDS_AUDIO,
                                                            .first_seq = seq,
                                                            .first_ts = ts});
}

cn_err cn_slot_new(cn_slot **out, struct cn_peer *peer, const char *mid, bool video, unsigned index)
{
    cn_slot *s = CN_NEW(cn_slot);
    if (!s) return CN_ERR_NOMEM;
    s->peer = peer;
    s->video = video;
    s->index = index;
    s->current = s->target = s->interim = -1;
    s->alloc.chosen = CN_ALLOC_PAUSED;
    (void)cn_strcpy(s->mid, sizeof s->mid, mid);
    s->ssrc = unused_ssrc(peer);
    cn_random(&s->rtx_seq, sizeof s->rtx_seq);
    cn_err err = cn_idmap_put(&peer->out_ssrc, s->ssrc, s);
    if (!err && video) {
        s->rtx_ssrc = unused_ssrc(peer);
        err = cn_idmap_put(&peer->out_ssrc, s->rtx_ssrc, s);
    }
    if (!err) err = rewrite_new(s);
    if (err) {
        cn_slot_free(s);
        return err;
    }
    *out = s;
    return CN_OK;
}

void cn_slot_free(cn_slot *s)
{
    if (!s) return;
    cn_slot_bind(s, NULL);
    (void)cn_idmap_take(&s->peer->out_ssrc, s->ssrc);
    if (s->rtx_ssrc) (void)cn_idmap_take(&s->peer->out_ssrc, s->rtx_ssrc);
    cn_rewrite_free(s->rewrite);
    free(s);
}

/* AV1's spatial layers cannot be told from each other without the descriptor. */
bool cn_slot_flat(const cn_slot *s)
{
    return s->track && s->track->info.codec == CN_CODEC_AV1 && !s->peer->reads_descriptors;
}

static const cn_slot_format *format_for(const cn_slot *s, const cn_track *t)
{
    const cn_source_info *info = &t->info;
    if (t->spatial > 1 && cn_slot_flat(s)) return NULL;
    for (size_t i = 0; i < s->format_count; i++) {
        const cn_slot_format *f = &s->formats[i];
        if (f->codec != info->codec) continue;
        if (f->codec == CN_CODEC_H264 && !cn_sdp_h264_same(&f->h264, &info->h264)) continue;
        return f;
    }
    return NULL;
}

void cn_slot_negotiate(cn_slot *s, const cn_sdp_section *section)
{
    cn_peer_pace_flush(s->peer, s);
    const cn_sdp_codec *codecs[CN_SLOT_FORMATS];
    size_t n = cn_plan_slot_codecs(section, codecs, CN_SLOT_FORMATS);
    for (size_t i = 0; i < n; i++)
        s->formats[i] = (cn_slot_format){codecs[i]->codec, codecs[i]->pt, codecs[i]->rtx_pt, codecs[i]->h264};
    s->format_count = n;
    s->red_pt = CN_SDP_NO_PT;
    for (size_t i = 0; i < n; i++)
        if (codecs[i]->codec == CN_CODEC_AUDIO_RED) s->red_pt = codecs[i]->pt;
    s->active = section->dir & CN_SDP_RECVONLY;
    if (s->track) s->format = format_for(s, s->track);
}

static void unlink_from_track(cn_slot *s)
{
    cn_track *t = s->track;
    if (!t) return;
    *s->link_in_track = s->next_in_track;
    if (s->next_in_track) s->next_in_track->link_in_track = s->link_in_track;
    s->next_in_track = NULL;
    s->former = t->number;
    s->former_ns = t->worker->now_ns;
    s->track = NULL;
    cn_track_subscribe(t);
}

void cn_slot_bind(cn_slot *s, cn_track *t)
{
    if (s->track == t) return;
    cn_peer_probe_drop(s->peer, s);
    cn_peer_pace_flush(s->peer, s);
    unlink_from_track(s);
    s->current = s->target = s->interim = -1;
    s->gave_way = false;
    s->lowered = 0;
    s->held = false;
    s->waiting_ns = s->heard_ns = 0;
    s->fraction_lost = 0;
    s->width = s->height = 0;
    s->format = NULL;
    s->alloc = (cn_alloc_slot){.chosen = CN_ALLOC_PAUSED, .fresh = true};
    if (!t) return;
    s->track = t;
    s->next_in_track = t->slots;
    s->link_in_track = &t->slots;
    if (t->slots) t->slots->link_in_track = &s->next_in_track;
    t->slots = s;
    s->format = format_for(s, t);
    if (cn_slot_flat(s)) cn_track_subscribe(t);
    if (!s->video) cn_slot_target(s, 0, CN_SVC_TOP);
}

uint32_t cn_slot_needs(const cn_slot *s)
{
    uint32_t mask = 0;
    const cn_track *t = s->track;
    if (s->current >= 0) mask |= 1u << cn_track_stream(t, s->current);
    if (s->target >= 0) mask |= 1u << cn_track_stream(t, s->target);
    if (s->interim >= 0) mask |= 1u << cn_track_stream(t, s->interim);
    return s->format ? mask : 0;
}

unsigned cn_slot_spatial(const cn_slot *s)
{
    int layer = s->current > s->target ? s->current : s->target;
    return s->track && s->track->spatial > 1 && s->format ? (unsigned)(layer + 1) : 0;
}

void cn_slot_tell(cn_slot *s, cn_slot_state state)
{
    cn_slot_event e = {.mid = s->mid, .state = state, .from = "", .codec = ""};
    uint32_t track = 0;
    if (s->track && state != CN_SLOT_EMPTY) {
        track = s->track->number;
        e.from = s->track->info.participant;
        e.source = s->track->info.kind;
        e.codec = cn_codec_name(s->track->info.codec);
        e.width = s->width;
        e.height = s->height;
    }
    if (state == s->told && track == s->told_track) return;
    s->told = state;
    s->told_track = track;
    cn_worker *w = s->peer->worker;
    if (state == CN_SLOT_LIVE) e.rtp_timestamp = s->start_ts;
    if (w->events->slot) w->events->slot(w->events_ctx, s->peer->room->name, s->peer->id, &e);
}

static unsigned sid_of(const cn_slot *s, int layer)
{
    return s->track->spatial > 1 ? (unsigned)layer : CN_SVC_TOP;
}

static void note_size(cn_slot *s, const cn_packet *first)
{
    const cn_layer_info *info = &s->track->layer[s->current].info;
    bool told = first && first->width && s->track->spatial < 2;
    s->width = told ? first->width : info->width;
    s->height = told ? first->height : info->height;
}

/* Of spatial layers the largest that flows, for as long as the wanted one rests. */
static unsigned flowing(const cn_track *t, unsigned layer)
{
    while (t->spatial > 1 && layer && !t->layer[layer].info.alive) layer--;
    return layer;
}

/* From here on the slot shows `layer`, beginning with `first`. */
static void start(cn_slot *s, unsigned layer, const cn_packet *first, uint32_t end_ts)
{
    cn_track *t = s->track;
    unsigned stream = cn_track_stream(t, (int)layer);
    unsigned first_layer = flowing(t, layer);
    cn_svc_start(&s->svc, sid_of(s, (int)first_layer), s->tid);
    if (first_layer != layer) cn_svc_want(&s->svc, sid_of(s, (int)layer), s->tid);
    s->start_ts = cn_rewrite_switch(s->rewrite, &(cn_rewrite_from){.source = cn_track_layer_id(t, stream),
                                                                   .group = t->number,
                                                                   .first = first,
                                                                   .run_end_ts = end_ts,
                                                                   .capture_ns = cn_track_capture(t, stream, end_ts),
                                                                   .now_ns = s->peer->worker->now_ns});
    s->current = (int)first_layer;
    s->gave_way = false;
    if (!s->video) cn_slot_audio_start(s, first);
    if (s->current == s->target) {
        s->waiting_ns = 0;
        s->interim = -1;
    }
    note_size(s, first);
    cn_slot_tell(s, CN_SLOT_LIVE);
    cn_track_subscribe(t);
}

static bool run_fits(const cn_slot *s, const cn_history_run *run)
{
    uint64_t now_ns = s->peer->worker->now_ns;
    if (s->current >= 0 && now_ns - run->first_arrival_ns > SWITCH_RUN_AGE_NS) return false;
    return run->first == run->last || run->bytes * 8.0 <= RUN_SECONDS * cn_bwe_bps(&s->peer->estimate);
}

static bool run_of(const cn_slot *s, unsigned layer, cn_history_run *run)
{
    const cn_history *h = s->track->layer[cn_track_stream(s->track, (int)layer)].history;
    return h && cn_history_run_get(h, s->peer->worker->now_ns, run) == CN_OK && run_fits(s, run);
}

/* There is a run, and it will still do when the handshake is over. */
static bool run_ready(const cn_slot *s, unsigned layer)
{
    cn_history_run run;
    return run_of(s, layer, &run) && s->peer->worker->now_ns - run.first_arrival_ns < READY_AGE_NS;
}

/* Starts from the key frame that the history holds, with every packet since. */
static bool start_from_history(cn_slot *s, unsigned layer)
{
    uint64_t now_ns = s->peer->worker->now_ns;
    const cn_history *h = s->track->layer[cn_track_stream(s->track, (int)layer)].history;
    cn_history_run run;
    if (!run_of(s, layer, &run)) return false;
    cn_packet *first = cn_history_get(h, run.first, now_ns);
    if (!first) return false;
    start(s, layer, first, run.last_ts);
    for (uint64_t i = run.first; i <= run.last; i++) {
        cn_packet *p = cn_history_get(h, i, now_ns);
        if (p) cn_slot_forward(s, p);
    }
    return true;
}

/* Before the peer is connected only the asking is done, so that the key frame is here when the peer is. */
static bool start_or_ask(cn_slot *s, unsigned layer)
{
    if (s->peer->connected ? start_from_history(s, layer) : run_ready(s, layer)) return true;
    cn_track_keyframe(s->track, cn_track_stream(s->track, (int)layer));
    return false;
}

/* A layer that flows already, for as long as the target does not; none as large as one that gave way. */
static int interim_layer(const cn_slot *s)
{
    const cn_track *t = s->track;
    if (t->layer[s->target].info.alive || t->info.layers == 1 || t->spatial > 1) return -1;
    int best = -1;
    for (unsigned i = 0; i < t->info.layers; i++) {
        const cn_layer_info *l = &t->layer[i].info;
        if (!l->alive || (s->gave_way && l->width >= s->width)) continue;
        if (best < 0 || l->width > t->layer[best].info.width) best = (int)i;
    }
    return best;
}

/* Among the spatial layers of the stream that is shown already. */
static void go_within(cn_slot *s, int layer)
{
    uint64_t now_ns = s->peer->worker->now_ns;
    bool upward = layer > s->current;
    s->target = layer;
    cn_svc_want(&s->svc, sid_of(s, layer), s->tid);
    s->waiting_ns = 0;
    cn_track_subscribe(s->track);
    if (!cn_svc_waiting(&s->svc)) return;
    /* downward some streams need no key frame: a moment for those */
    s->waiting_ns = upward ? now_ns : now_ns - KEYFRAME_AGAIN_NS + WITHIN_NS;
    if (upward) cn_track_keyframe(s->track, 0);
}

void cn_slot_target(cn_slot *s, int layer, unsigned tid)
{
    cn_track *t = s->track;
    if (!t) return;
    s->tid = tid;
    if (s->current >= 0 && s->current == s->target) cn_svc_want(&s->svc, sid_of(s, s->target), tid);
    if (layer == s->target) return;
    if (t->spatial > 1 && s->current >= 0 && layer >= 0) {
        go_within(s, layer);
        return;
    }
    s->target = layer;
    s->interim = -1;
    s->waiting_ns = 0;
    if (layer < 0) {
        s->current = -1;
        s->gave_way = false;
    } else if (s->current != layer) {
        if (s->current < 0 && s->video) s->interim = interim_layer(s);
        s->waiting_ns = s->peer->worker->now_ns;
    }
    cn_track_subscribe(t);
    cn_slot_begin(s);
}

void cn_slot_give_way(cn_slot *s)
{
    const cn_track *t = s->track;
    if (!t || t->spatial > 1 || s->target < 0 || s->current < 0 || s->current == s->target) return;
    if (t->layer[s->target].info.width >= t->layer[s->current].info.width) return;
    s->current = -1;
    s->gave_way = true;
    s->interim = interim_layer(s);
    cn_track_subscribe(s->track);
    cn_slot_begin(s);
}

void cn_slot_begin(cn_slot *s)
{
    if (!s->video || !s->track || !s->format || s->target < 0 || s->current == s->target || s->held) return;
    if (start_or_ask(s, (unsigned)s->target) || s->interim < 0 || s->current >= 0) return;
    (void)start_or_ask(s, (unsigned)s->interim);
}

void cn_slot_layers_changed(cn_slot *s)
{
    s->format = format_for(s, s->track);
    if (s->video) s->peer->unbound = true;
    if (!s->video || s->current < 0) return;
    /* what was shown has another name now: begin again with what is chosen next */
    s->current = s->target = s->interim = -1;
    s->gave_way = false;
    s->lowered = 0;
    s->alloc.chosen = CN_ALLOC_PAUSED;
    s->alloc.fresh = true;
}

/* The filter went to another spatial layer. */
static void note_layer(cn_slot *s)
{
    if (s->track->spatial < 2 || s->svc.sid < 0 || s->svc.sid == s->current) return;
    s->current = s->svc.sid;
    if (s->current == s->target) s->waiting_ns = 0;
    note_size(s, NULL);
    cn_track_subscribe(s->track);
}

/* A packet that has just come, unlike one of the history: how long it takes is counted. */
static void forward_now(cn_slot *s, cn_packet *p)
{
    uint32_t before = s->packets;
    cn_slot_forward(s, p);
    cn_delay_queued(s->peer->worker->delay, p->arrival_ns, s->packets - before);
}

/* Frames are left out from here on, so that the next to be sent is a key frame. */
static void hold(cn_slot *s)
{
    s->held = true;
    s->current = -1;
    s->waiting_ns = s->peer->worker->now_ns;
    s->peer->dirty = true;
}

static void release(cn_slot *s, uint64_t now_ns)
{
    if (cn_transport_full(s->peer->transport, QUEUE_DRAINED_MS)) return;
    s->held = false;
    if (s->target < 0 || start_from_history(s, (unsigned)s->target)) return;
    s->waiting_ns = now_ns;
    cn_track_keyframe(s->track, cn_track_stream(s->track, s->target));
}

/* A packet of a stream that is not shown yet: where a key frame's run begins, or is mended. */
static void begin(cn_slot *s, cn_packet *p)
{
    const cn_track *t = s->track;
    bool target = s->target >= 0 && p->layer == cn_track_stream(t, s->target);
    bool interim = s->interim >= 0 && p->layer == cn_track_stream(t, s->interim);
    if ((!target && !interim) || !p->payload_len) return;
    if (!s->video) {
        start(s, p->layer, p, p->ts);
        forward_now(s, p);
        return;
    }
    /* the interim layer serves only until something is shown */
    if (!target && s->current >= 0) return;
    if (cn_transport_full(s->peer->transport, QUEUE_MS)) return; /* asked for again when it comes through */
    if ((p->key && p->frame_start) || p->repaired)
        (void)start_from_history(s, (unsigned)(target ? s->target : s->interim));
}

/* Three receivers at three stages: what the next one's pointers point to, the pointers of the one after, and the struct
 * of the third. Each stage reads only what an earlier one has brought. */
void cn_slot_prefetch(const cn_slot *s)
{
    cn_transport_prefetch(s->peer->transport);
    cn_rewrite_prefetch(s->rewrite);
    if (s->peer->twcc_out) cn_twcc_out_prefetch(s->peer->twcc_out);
    const cn_slot *second = s->next_in_track;
    if (!second) return;
    cn_prefetch(second->peer, offsetof(cn_peer, exts) + CN_CACHE_LINE);
    cn_prefetch(second->rewrite, REWRITE_HOT);
    const cn_slot *third = second->next_in_track;
    if (third) cn_prefetch(third, offsetof(cn_slot, formats));
}

void cn_slot_packet(cn_slot *s, cn_packet *p)
{
    if (!s->format || !s->active || !s->peer->connected || s->held) return;
    if (s->current < 0 || p->layer != cn_track_stream(s->track, s->current)) {
        begin(s, p);
        return;
    }
    if (s->video && p->frame_start && cn_transport_full(s->peer->transport, QUEUE_MS)) {
        hold(s);
        return;
    }
    forward_now(s, p);
    note_layer(s);
}

void cn_slot_keyframe(cn_slot *s)
{
    if (s->track && s->current >= 0) cn_track_keyframe(s->track, cn_track_stream(s->track, s->current));
}

void cn_slot_tick(cn_slot *s, uint64_t now_ns)
{
    if (s->held && s->track) release(s, now_ns);
    if (s->held) return;
    if (!s->waiting_ns || !s->video || !s->track || now_ns - s->waiting_ns < KEYFRAME_AGAIN_NS) return;
    s->waiting_ns = now_ns;
    const cn_track *t = s->track;
    if (s->target >= 0) cn_track_keyframe(s->track, cn_track_stream(t, s->target));
    if (s->current < 0 && s->interim >= 0) cn_track_keyframe(s->track, cn_track_stream(t, s->interim));
}
