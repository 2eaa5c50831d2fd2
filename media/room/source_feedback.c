#include "media/room/source_feedback.h"

#include <string.h>

#include "media/room/source_layers.h"
#include "media/room/source_size.h"

#define KEYFRAME_EVERY_NS 400000000u
#define KEYFRAME_BURST 2
#define KEYFRAME_AGAIN_NS 100000000u /* besides the round trip: a frame's time and its encoding */
#define KEYFRAME_PATIENCE_NS 500000000u
#define KEYFRAME_TRIES 4             /* without an answer; from then on the time between them doubles … */
#define KEYFRAME_SLOW_NS 3000000000u /* … up to this: some encoders have key frames only when they like (OBS) */
#define FLOWS_NS 300000000u
#define MEASURE_NS 1000000000u
#define SILENT_NS 1000000000u
#define SILENT_SCREEN_NS 3000000000u /* a still screen is sent about once a second */
#define DYNACAST_AFTER_NS 5000000000u
#define DYNACAST_IDLE_NS 3000000000u
#define SPATIAL_IDLE_NS 1500000000u
#define WAKE_NS 2000000000u    /* layers that were left out come again within so long, or cannot */
#define ASLEEP_NS 10000000000u /* and are not asked for again for so long */

void cn_source_ask_missing(cn_source *source, cn_source_layer *layer, uint64_t now_ns)
{
    if (cn_nackgen_next_ns(&layer->nack, cn_rtt_least(&source->line->rtt)) > now_ns) return;
    uint16_t seqs[CN_NACKGEN_MISSING];
    uint8_t out[1200];
    size_t n = cn_nackgen_due(&layer->nack, now_ns, cn_rtt_least(&source->line->rtt), seqs, CN_NACKGEN_MISSING),
           used = 0;
    if (!n || !layer->media.ssrc) return;
    size_t bytes = cn_rtcp_write_nack(out, sizeof out, source->line->rtcp_ssrc, layer->media.ssrc, seqs, n, &used);
    if (bytes) cn_line_send_rtcp(source->line, out, bytes);
    source->line->meter.nacks_out += used;
}

/* A few key frames may come close together (people who enter one after the other), in the long run one per
 * KEYFRAME_EVERY_NS: they cost the publisher the sharpness of all other frames. */
static bool within_allowance(cn_source_layer *layer, uint64_t now_ns)
{
    uint64_t from = layer->keyframe_used_ns > now_ns ? layer->keyframe_used_ns : now_ns;
    if (from + KEYFRAME_EVERY_NS > now_ns + KEYFRAME_BURST * KEYFRAME_EVERY_NS) return false;
    layer->keyframe_used_ns = from + KEYFRAME_EVERY_NS;
    return true;
}

static uint64_t again_ns(const cn_source_layer *layer, uint32_t rtt_ms)
{
    uint64_t ns = KEYFRAME_AGAIN_NS + rtt_ms * 1000000ull;
    for (unsigned i = KEYFRAME_TRIES; i <= layer->keyframe_unanswered && ns < KEYFRAME_SLOW_NS; i++) ns *= 2;
    return ns < KEYFRAME_SLOW_NS ? ns : KEYFRAME_SLOW_NS;
}

/* Encoders leave a request unanswered that comes too soon after a key frame (Chromium: 300 ms), and a PLI may be lost.
 */
static bool asks_now(cn_source_layer *layer, uint32_t rtt_ms, uint64_t now_ns)
{
    bool pending = layer->keyframe_asked_ns && now_ns - layer->keyframe_asked_ns < KEYFRAME_PATIENCE_NS;
    if (layer->keyframe_unanswered && now_ns - layer->keyframe_last_ns < again_ns(layer, rtt_ms)) return false;
    if (pending) return !layer->info.kept;
    if (!layer->keyframe_wanted || !within_allowance(layer, now_ns)) return false;
    layer->keyframe_asked_ns = now_ns;
    return true;
}

/* Its packets come, its key frames do not. Requests that are sent while nothing comes tell nothing: they may be lost. */
static void note_ignored(const cn_source *source, cn_source_layer *layer, uint64_t now_ns)
{
    bool flows = layer->flow.last_ns && now_ns - layer->flow.last_ns < FLOWS_NS;
    if (!flows || layer->keyframe_ignored > KEYFRAME_TRIES) return;
    if (++layer->keyframe_ignored <= KEYFRAME_TRIES || source->spatial_count > 1) return;
    layer->info.kept = true;
    layer->keyframe_answered = 0;
}

void cn_source_ask(cn_source *source, unsigned layer, uint64_t now_ns)
{
    cn_source_layer *source_layer = &source->layer[layer];
    if (!source_layer->media.ssrc || !source->on || !asks_now(source_layer, source->line->rtt_ms, now_ns)) return;
    uint8_t out[16];
    size_t n = cn_rtcp_write_pli(out, sizeof out, source->line->rtcp_ssrc, source_layer->media.ssrc);
    cn_line_send_rtcp(source->line, out, n);
    source_layer->keyframe_last_ns = now_ns;
    if (source_layer->keyframe_unanswered < UINT8_MAX) source_layer->keyframe_unanswered++;
    note_ignored(source, source_layer, now_ns);
    source_layer->keyframe_wanted = false; /* who still waits when nothing comes asks again */
    source->line->meter.plis_out++;
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

static void measure_spatial(cn_source *source, uint64_t now_ns, uint64_t span, unsigned pictures)
{
    for (unsigned i = 0; source->spatial_count > 1 && i < source->spatial_count; i++) {
        cn_spatial_layer *layer = &source->spatial[i];
        uint64_t silent = source->kind == CN_SOURCE_SCREEN ? SILENT_SCREEN_NS : SILENT_NS;
        layer->info.alive = layer->info.alive && now_ns - layer->flow.last_ns < silent;
        uint64_t flowed = cn_flow_time(&layer->flow, now_ns - span, now_ns, pictures, layer->info.bitrate);
        if (flowed) note_rates(&layer->info, layer->window, false, flowed);
        layer->info.bitrate = layer->info.rate[CN_TEMPORAL - 1];
        layer->info.fps = source->layer[0].info.fps;
        memset(layer->window, 0, sizeof layer->window);
    }
}

static void measure_layer(cn_source_layer *layer, uint64_t span)
{
    note_rates(&layer->info, layer->window_tid, true, span);
    if (!layer->window_bytes) return;
    uint64_t bps = (uint64_t)layer->window_bytes * 8 * 1000000000u / span;
    layer->info.bitrate = layer->info.bitrate ? (uint32_t)((layer->info.bitrate + bps) / 2) : (uint32_t)bps;
    layer->info.fps = (uint16_t)((uint64_t)layer->window_frames * 1000000000u / span);
}

static void tell_capture(cn_source *source, unsigned layer, int64_t ns, uint32_t rtp_ts)
{
    cn_room_send(source->room, (cn_msg){.kind = CN_MSG_SENDER_REPORT,
                                        .room = source->room->number,
                                        .source = source->number,
                                        .layer = (uint8_t)layer,
                                        .value = (uint64_t)ns,
                                        .number = rtp_ts});
}

/* Some encoders send no sender reports. Viewers need theirs all the same: for lip sync, and to measure round trips. */
static void tell_arrivals(cn_source *source, uint64_t now_ns)
{
    for (unsigned i = 0; i < source->layers; i++) {
        cn_source_layer *layer = &source->layer[i];
        uint32_t ts = 0;
        int64_t ns = 0;
        if (!layer->sr_ns && cn_arrivals_capture(&layer->arrivals, now_ns, &ts, &ns)) tell_capture(source, i, ns, ts);
    }
}

static void measure(cn_source *source, uint64_t now_ns)
{
    uint64_t span = now_ns - source->measured_ns;
    if (span < MEASURE_NS) return;
    source->measured_ns = now_ns;
    tell_arrivals(source, now_ns);
    cn_source_size_second(source);
    unsigned pictures = source->layer[0].window_frames;
    uint64_t silent = source->kind == CN_SOURCE_SCREEN ? SILENT_SCREEN_NS : SILENT_NS;
    for (unsigned i = 0; i < source->layers; i++) {
        cn_source_layer *layer = &source->layer[i];
        layer->info.alive = layer->flow.last_ns && now_ns - layer->flow.last_ns < silent;
        uint64_t flowed = !source->video         ? span
                          : layer->window_frames ? cn_flow_time(&layer->flow, now_ns - span, now_ns,
                                                                layer->window_frames, layer->info.bitrate)
                                                 : 0;
        if (flowed) measure_layer(layer, flowed);
        memset(layer->window_tid, 0, sizeof layer->window_tid);
        layer->window_bytes = layer->window_frames = 0;
    }
    if (!source->video) return;
    measure_spatial(source, now_ns, span, pictures);
    cn_layers_info info = cn_source_layers(source);
    cn_room_send_block(source->room,
                       (cn_msg){.kind = CN_MSG_SOURCE_LAYERS, .room = source->room->number, .source = source->number},
                       &info, sizeof info);
}

/* The smallest layer always flows: whoever comes sees something at once. One that never came yet may still come, once
 * the publisher finds the bandwidth: whoever switches it off now never learns what it would be. */
static uint32_t watched(const cn_source *source)
{
    uint32_t mask = 0;
    unsigned least = 0;
    for (unsigned i = 0; i < source->layers; i++) {
        const cn_layer_info *info = &source->layer[i].info, *layer_info = &source->layer[least].info;
        uint32_t area = (uint32_t)info->width * info->height;
        if (info->width && (!layer_info->width || area < (uint32_t)layer_info->width * layer_info->height)) least = i;
        if (source->layer[i].subscribers || !info->width) mask |= 1u << i;
    }
    return mask | 1u << least;
}

static void tell_layers(cn_source *source)
{
    cn_worker *worker = source->line->worker;
    source->flat_told = source->flat != 0;
    uint32_t mask = source->rid_mask | (source->flat_told ? CN_LAYERS_FLAT : 0) | (uint32_t)source->unwatched << 28;
    if (worker->events->layers)
        worker->events->layers(worker->events_ctx, source->room->name, source->line->id, source->kind, mask);
}

/* What was left out and is wanted again: there, or given up for a while. */
static void wake(cn_source *source, uint64_t now_ns)
{
    if (source->asleep_ns && now_ns - source->asleep_ns > ASLEEP_NS) source->asleep_ns = 0;
    if (source->left_out == source->unwatched || now_ns - source->woken_ns < WAKE_NS) return;
    source->left_out = source->unwatched;
    unsigned flowing = source->spatial_count - source->unwatched;
    source->asleep_ns = flowing && !source->spatial[flowing - 1].info.alive ? now_ns : 0;
}

/* Spatial layers of the one stream: the lowest always flows. */
static void dynacast_spatial(cn_source *source, uint64_t now_ns)
{
    unsigned needed = 1;
    for (unsigned i = 0; i < source->line->worker->count; i++)
        if (source->spatial_needed[i] > needed) needed = source->spatial_needed[i];
    unsigned now = source->spatial_count > needed ? source->spatial_count - needed : 0;
    wake(source, now_ns);
    if (now <= source->unwatched) source->unwatched_ns = 0;
    if (now == source->unwatched) return;
    if (now < source->unwatched) {
        source->woken_ns = now_ns;
    } else {
        if (!source->unwatched_ns) source->unwatched_ns = now_ns;
        if (now_ns - source->unwatched_ns < SPATIAL_IDLE_NS || now_ns - source->since_ns < DYNACAST_AFTER_NS) return;
        source->unwatched_ns = 0;
        source->left_out = (uint8_t)now;
    }
    source->unwatched = (uint8_t)now;
    tell_layers(source);
}

static void dynacast(cn_source *source, uint64_t now_ns)
{
    dynacast_spatial(source, now_ns);
    if (source->flat_told != (source->flat != 0)) tell_layers(source);
    if (source->layers < 2) return;
    uint32_t now = watched(source), before = source->rid_mask;
    if (now & ~source->rid_mask) {
        source->rid_mask |= now;
        source->rid_idle_ns = 0;
    } else if (now == source->rid_mask) {
        source->rid_idle_ns = 0;
    } else if (!source->rid_idle_ns) {
        source->rid_idle_ns = now_ns;
    } else if (now_ns - source->rid_idle_ns > DYNACAST_IDLE_NS && now_ns - source->since_ns > DYNACAST_AFTER_NS) {
        source->rid_mask = now;
        source->rid_idle_ns = 0;
    }
    if (source->rid_mask != before) tell_layers(source);
}

void cn_source_tick(cn_source *source, uint64_t now_ns)
{
    measure(source, now_ns);
    if (!source->video) return;
    for (unsigned i = 0; i < source->layers; i++) {
        cn_source_layer *layer = &source->layer[i];
        cn_source_ask_missing(source, layer, now_ns);
        if (cn_nackgen_gave_up(&layer->nack) && layer->subscribers) layer->keyframe_wanted = true;
        cn_source_ask(source, i, now_ns);
    }
    dynacast(source, now_ns);
}

void cn_source_sender_report(cn_source *source, unsigned layer, uint64_t ntp, uint32_t rtp_ts)
{
    cn_source_layer *source_layer = &source->layer[layer];
    cn_worker *worker = source->line->worker;
    source_layer->sr_ntp = ntp;
    source_layer->sr_ns = worker->now_ns;
    cn_ntpclock_report(&source->line->clock, ntp, worker->now_ns);
    cn_ntpmap_report(&source_layer->map, ntp, rtp_ts);
    int64_t ns = 0;
    if (!cn_ntpmap_capture(&source_layer->map, &source->line->clock, rtp_ts, &ns)) return;
    tell_capture(source, layer, ns, rtp_ts);
}

void cn_source_on_loss(cn_worker *worker, cn_msg *msg)
{
    cn_source *source = cn_idmap_get(&worker->sources, msg->source);
    if (source) source->listeners_lost[msg->from] = cn_losses_unpack(msg->number);
}

static uint8_t worst_loss(const cn_source *source)
{
    cn_losses all = {0};
    for (unsigned i = 0; i < source->line->worker->count; i++) {
        const cn_losses *there = &source->listeners_lost[i];
        if (there->count) cn_losses_add(&all, there->worst);
        if (there->count > 1) cn_losses_add(&all, there->second);
    }
    return cn_losses_trimmed(&all);
}

size_t cn_source_reports(cn_source *source, cn_rtcp_block *out, size_t max, uint64_t now_ns)
{
    size_t n = 0;
    for (unsigned i = 0; i < source->layers && n < max; i++) {
        cn_source_layer *layer = &source->layer[i];
        cn_rtcp_block *block = &out[n];
        *block = (cn_rtcp_block){.ssrc = layer->media.ssrc};
        if (!layer->media.ssrc) continue;
        uint64_t expected = layer->stats.expected_prior, received = layer->stats.received_prior;
        if (!cn_recvstats_report(&layer->stats, block)) continue;
        uint8_t worst = source->video ? 0 : worst_loss(source);
        if (worst > block->fraction_lost) block->fraction_lost = worst;
        if (layer->sr_ns) {
            block->lsr = (uint32_t)(layer->sr_ntp >> 16);
            block->dlsr = (uint32_t)((now_ns - layer->sr_ns) * 65536 / 1000000000u);
        }
        expected = layer->stats.expected_prior - expected;
        received = layer->stats.received_prior - received;
        source->line->meter.in_expected += expected;
        if (expected > received) source->line->meter.in_lost += expected - received;
        n++;
    }
    return n;
}
