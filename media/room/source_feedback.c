/* Sources: what goes back to the publisher (NACK, PLI, reports) and what is measured. */
#include <string.h>

#include "base/clock.h"
#include "media/room/peer.h"
#include "media/room/room.h"
#include "media/room/source.h"

#define KEYFRAME_EVERY_NS 400000000u
#define KEYFRAME_BURST 2
#define KEYFRAME_AGAIN_NS 100000000u /* besides the round trip: a frame's time and its encoding */
#define KEYFRAME_PATIENCE_NS 500000000u
#define MEASURE_NS 1000000000u
#define SILENT_NS 1000000000u
#define SILENT_SCREEN_NS 3000000000u /* a still screen is sent about once a second */
#define DYNACAST_AFTER_NS 5000000000u
#define DYNACAST_IDLE_NS 3000000000u
#define SPATIAL_IDLE_NS 1500000000u
#define WAKE_NS 2000000000u    /* layers that were left out come again within so long, or cannot */
#define ASLEEP_NS 10000000000u /* and are not asked for again for so long */

void cn_source_ask_missing(cn_source *s, cn_source_layer *l, uint64_t now_ns)
{
    if (cn_nackgen_next_ns(&l->nack, cn_rtt_least(&s->peer->rtt)) > now_ns) return;
    uint16_t seqs[CN_NACKGEN_MISSING];
    uint8_t out[1200];
    size_t n = cn_nackgen_due(&l->nack, now_ns, cn_rtt_least(&s->peer->rtt), seqs, CN_NACKGEN_MISSING), used = 0;
    if (!n || !l->media.ssrc) return;
    size_t bytes = cn_rtcp_write_nack(out, sizeof out, s->peer->rtcp_ssrc, l->media.ssrc, seqs, n, &used);
    if (bytes) cn_peer_send_rtcp(s->peer, out, bytes);
    s->peer->meter.nacks_out += used;
}

/* A few key frames may come close together (people who enter one after the other), in the long run one per
 * KEYFRAME_EVERY_NS: they cost the publisher the sharpness of all other frames. */
static bool within_allowance(cn_source_layer *l, uint64_t now_ns)
{
    uint64_t from = l->keyframe_used_ns > now_ns ? l->keyframe_used_ns : now_ns;
    if (from + KEYFRAME_EVERY_NS > now_ns + KEYFRAME_BURST * KEYFRAME_EVERY_NS) return false;
    l->keyframe_used_ns = from + KEYFRAME_EVERY_NS;
    return true;
}

/* Encoders leave a request unanswered that comes too soon after a key frame (Chromium: 300 ms), and a PLI may be lost.
 */
static bool asks_now(cn_source_layer *l, uint32_t rtt_ms, uint64_t now_ns)
{
    bool pending = l->keyframe_asked_ns && now_ns - l->keyframe_asked_ns < KEYFRAME_PATIENCE_NS;
    if (pending) return now_ns - l->keyframe_last_ns >= KEYFRAME_AGAIN_NS + rtt_ms * 1000000ull;
    if (!l->keyframe_wanted || !within_allowance(l, now_ns)) return false;
    l->keyframe_asked_ns = now_ns;
    return true;
}

void cn_source_ask(cn_source *s, unsigned layer, uint64_t now_ns)
{
    cn_source_layer *l = &s->layer[layer];
    if (!l->media.ssrc || !s->on || !asks_now(l, s->peer->rtt_ms, now_ns)) return;
    uint8_t out[16];
    size_t n = cn_rtcp_write_pli(out, sizeof out, s->peer->rtcp_ssrc, l->media.ssrc);
    cn_peer_send_rtcp(s->peer, out, n);
    l->keyframe_last_ns = now_ns;
    l->keyframe_wanted = false; /* who still waits when nothing comes asks again */
    l->plis++;
    s->peer->meter.plis_out++;
}

/* Rates by temporal layers; `sum`: the windows hold each layer's own bytes. */
static void note_rates(cn_layer_info *info, const uint32_t *window, bool sum, uint64_t span)
{
    uint64_t bytes = 0;
    for (unsigned t = 0; t < CN_TEMPORAL; t++) {
        bytes = sum ? bytes + window[t] : window[t];
        if (!bytes) continue;
        uint64_t bps = bytes * 8 * 1000000000u / span;
        info->rate[t] = info->rate[t] ? (uint32_t)((info->rate[t] + bps) / 2) : (uint32_t)bps;
    }
}

static void measure_spatial(cn_source *s, uint64_t now_ns, uint64_t span, unsigned pictures)
{
    for (unsigned i = 0; s->spatial_count > 1 && i < s->spatial_count; i++) {
        cn_spatial_layer *x = &s->spatial[i];
        uint64_t silent = s->kind == CN_SOURCE_SCREEN ? SILENT_SCREEN_NS : SILENT_NS;
        x->info.alive = x->info.alive && now_ns - x->flow.last_ns < silent;
        uint64_t flowed = cn_flow_time(&x->flow, now_ns - span, now_ns, pictures, x->info.bitrate);
        if (flowed) note_rates(&x->info, x->window, false, flowed);
        x->info.bitrate = x->info.rate[CN_TEMPORAL - 1];
        x->info.fps = s->layer[0].info.fps;
        memset(x->window, 0, sizeof x->window);
    }
}

static void measure_layer(cn_source_layer *l, uint64_t span)
{
    note_rates(&l->info, l->window_tid, true, span);
    if (!l->window_bytes) return;
    uint64_t bps = (uint64_t)l->window_bytes * 8 * 1000000000u / span;
    l->info.bitrate = l->info.bitrate ? (uint32_t)((l->info.bitrate + bps) / 2) : (uint32_t)bps;
    l->info.fps = (uint16_t)((uint64_t)l->window_frames * 1000000000u / span);
}

static void measure(cn_source *s, uint64_t now_ns)
{
    uint64_t span = now_ns - s->measured_ns;
    if (span < MEASURE_NS) return;
    s->measured_ns = now_ns;
    unsigned pictures = s->layer[0].window_frames;
    uint64_t silent = s->kind == CN_SOURCE_SCREEN ? SILENT_SCREEN_NS : SILENT_NS;
    for (unsigned i = 0; i < s->layers; i++) {
        cn_source_layer *l = &s->layer[i];
        l->info.alive = l->flow.last_ns && now_ns - l->flow.last_ns < silent;
        uint64_t flowed = !s->video ? span
                          : l->window_frames
                              ? cn_flow_time(&l->flow, now_ns - span, now_ns, l->window_frames, l->info.bitrate)
                              : 0;
        if (flowed) measure_layer(l, flowed);
        memset(l->window_tid, 0, sizeof l->window_tid);
        l->window_bytes = l->window_frames = 0;
    }
    if (!s->video) return;
    measure_spatial(s, now_ns, span, pictures);
    cn_layers_info info = cn_source_layers(s);
    cn_room_send_block(s->peer->room,
                       (cn_msg){.kind = CN_MSG_SOURCE_LAYERS, .room = s->peer->room->number, .source = s->number},
                       &info, sizeof info);
}

/* The smallest layer always flows: whoever comes sees something at once. One that never came yet may still come, once
 * the publisher finds the bandwidth: whoever switches it off now never learns what it would be. */
static uint32_t watched(const cn_source *s)
{
    uint32_t mask = 0;
    unsigned least = 0;
    for (unsigned i = 0; i < s->layers; i++) {
        const cn_layer_info *a = &s->layer[i].info, *b = &s->layer[least].info;
        if (a->width && (!b->width || a->width * a->height < b->width * b->height)) least = i;
        if (s->layer[i].subscribers || !a->width) mask |= 1u << i;
    }
    return mask | 1u << least;
}

static void tell_layers(cn_source *s)
{
    cn_worker *w = s->peer->worker;
    s->flat_told = s->flat != 0;
    uint32_t mask = s->rid_mask | (s->flat_told ? CN_LAYERS_FLAT : 0) | (uint32_t)s->unwatched << 28;
    if (w->events->layers) w->events->layers(w->events_ctx, s->peer->room->name, s->peer->id, s->kind, mask);
}

/* What was left out and is wanted again: there, or given up for a while. */
static void wake(cn_source *s, uint64_t now_ns)
{
    if (s->asleep_ns && now_ns - s->asleep_ns > ASLEEP_NS) s->asleep_ns = 0;
    if (s->left_out == s->unwatched || now_ns - s->woken_ns < WAKE_NS) return;
    s->left_out = s->unwatched;
    unsigned flowing = s->spatial_count - s->unwatched;
    s->asleep_ns = flowing && !s->spatial[flowing - 1].info.alive ? now_ns : 0;
}

/* Spatial layers of the one stream: the lowest always flows. */
static void dynacast_spatial(cn_source *s, uint64_t now_ns)
{
    unsigned needed = 1;
    for (unsigned i = 0; i < s->peer->worker->count; i++)
        if (s->spatial_needed[i] > needed) needed = s->spatial_needed[i];
    unsigned now = s->spatial_count > needed ? s->spatial_count - needed : 0;
    wake(s, now_ns);
    if (now <= s->unwatched) s->unwatched_ns = 0;
    if (now == s->unwatched) return;
    if (now < s->unwatched) {
        s->woken_ns = now_ns;
    } else {
        if (!s->unwatched_ns) s->unwatched_ns = now_ns;
        if (now_ns - s->unwatched_ns < SPATIAL_IDLE_NS || now_ns - s->since_ns < DYNACAST_AFTER_NS) return;
        s->unwatched_ns = 0;
        s->left_out = (uint8_t)now;
    }
    s->unwatched = (uint8_t)now;
    tell_layers(s);
}

static void dynacast(cn_source *s, uint64_t now_ns)
{
    dynacast_spatial(s, now_ns);
    if (s->flat_told != (s->flat != 0)) tell_layers(s);
    if (s->layers < 2) return;
    uint32_t now = watched(s), before = s->rid_mask;
    if (now & ~s->rid_mask) {
        s->rid_mask |= now;
        s->rid_idle_ns = 0;
    } else if (now == s->rid_mask) {
        s->rid_idle_ns = 0;
    } else if (!s->rid_idle_ns) {
        s->rid_idle_ns = now_ns;
    } else if (now_ns - s->rid_idle_ns > DYNACAST_IDLE_NS && now_ns - s->since_ns > DYNACAST_AFTER_NS) {
        s->rid_mask = now;
        s->rid_idle_ns = 0;
    }
    if (s->rid_mask != before) tell_layers(s);
}

void cn_source_tick(cn_source *s, uint64_t now_ns)
{
    measure(s, now_ns);
    if (!s->video) return;
    for (unsigned i = 0; i < s->layers; i++) {
        cn_source_layer *l = &s->layer[i];
        cn_source_ask_missing(s, l, now_ns);
        if (cn_nackgen_gave_up(&l->nack) && l->subscribers) l->keyframe_wanted = true;
        cn_source_ask(s, i, now_ns);
    }
    dynacast(s, now_ns);
}

void cn_source_sender_report(cn_source *s, unsigned layer, uint64_t ntp, uint32_t rtp_ts)
{
    cn_source_layer *l = &s->layer[layer];
    cn_worker *w = s->peer->worker;
    l->sr_ntp = ntp;
    l->sr_ns = w->now_ns;
    cn_ntpclock_report(&s->peer->clock, ntp, w->now_ns);
    cn_ntpmap_report(&l->map, ntp, rtp_ts);
    int64_t ns = 0;
    if (!cn_ntpmap_capture(&l->map, &s->peer->clock, rtp_ts, &ns)) return;
    cn_room_send(s->peer->room, (cn_msg){.kind = CN_MSG_SENDER_REPORT,
                                         .room = s->peer->room->number,
                                         .source = s->number,
                                         .layer = (uint8_t)layer,
                                         .value = (uint64_t)ns,
                                         .number = rtp_ts});
}

void cn_source_on_loss(cn_worker *w, cn_msg *m)
{
    cn_source *s = cn_idmap_get(&w->sources, m->source);
    if (s) s->listeners_lost[m->from] = (uint8_t)m->number;
}

static uint8_t worst_loss(const cn_source *s)
{
    uint8_t worst = 0;
    for (unsigned i = 0; i < s->peer->worker->count; i++)
        if (s->listeners_lost[i] > worst) worst = s->listeners_lost[i];
    return worst;
}

size_t cn_source_reports(cn_source *s, cn_rtcp_block *out, size_t max, uint64_t now_ns)
{
    size_t n = 0;
    for (unsigned i = 0; i < s->layers && n < max; i++) {
        cn_source_layer *l = &s->layer[i];
        cn_rtcp_block *b = &out[n];
        *b = (cn_rtcp_block){.ssrc = l->media.ssrc};
        if (!l->media.ssrc) continue;
        uint64_t expected = l->stats.expected_prior, received = l->stats.received_prior;
        if (!cn_recvstats_report(&l->stats, b)) continue;
        uint8_t worst = s->video ? 0 : worst_loss(s);
        if (worst > b->fraction_lost) b->fraction_lost = worst;
        if (l->sr_ns) {
            b->lsr = (uint32_t)(l->sr_ntp >> 16);
            b->dlsr = (uint32_t)((now_ns - l->sr_ns) * 65536 / 1000000000u);
        }
        expected = l->stats.expected_prior - expected;
        received = l->stats.received_prior - received;
        s->peer->meter.in_expected += expected;
        if (expected > received) s->peer->meter.in_lost += expected - received;
        n++;
    }
    return n;
}
