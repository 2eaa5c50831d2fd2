/* Peers: layers by bandwidth, what goes back as RTCP, what is told upward. */
#include <string.h>

#include "base/clock.h"
#include "media/forward/slot_send.h"
#include "media/room/peer_impl.h"
#include "media/wire/rtcp.h"

#define ALLOCATE_EVERY_NS 200000000u
#define REPORT_EVERY_NS 1000000000u
#define STATS_EVERY_NS 2000000000u
#define SENT_WITHIN_NS 1000000000u /* a slot counts as really being sent */
#define RTCP_MAX 1200
#define ARRIVALS 256

/* Every layer with all its temporal layers and, where that is known to save something, without the last of them. */
static void fill_layers(cn_slot *slot)
{
    const cn_track *track = slot->track;
    slot->alloc.layer_count = cn_track_layers(track) * CN_TEMPORAL;
    for (unsigned i = 0; i < slot->alloc.layer_count; i++) {
        unsigned layer = i / CN_TEMPORAL, tid = i % CN_TEMPORAL;
        const cn_layer_info *info = &track->layer[layer].info;
        unsigned top = info->temporal > 1 ? info->temporal - 1u : 0;
        bool whole = tid == top, fewer = tid + 1 == top && info->rate[tid] && info->rate[tid] < info->bitrate;
        slot->alloc.layers[i] = (cn_alloc_layer){.usable = (whole || fewer) && cn_track_usable(track, layer),
                                                 .bps = whole ? info->bitrate : info->rate[tid],
                                                 .width = info->width,
                                                 .height = info->height,
                                                 .smoothness = (uint8_t)tid};
    }
}

static uint32_t audio_bps(const cn_peer *peer)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < peer->line.slot_count; i++)
        if (!peer->line.slots[i]->video) sum += peer->line.slots[i]->bps;
    return sum;
}

/* Then temporal layers that turn up later are welcome, too. */
static bool smoothest(const cn_slot *slot, int chosen)
{
    unsigned temporal = slot->track->layer[chosen / CN_TEMPORAL].info.temporal;
    return (unsigned)chosen % CN_TEMPORAL + 1 >= temporal;
}

static void take_choice(cn_slot *slot)
{
    int chosen = slot->alloc.chosen;
    if (chosen < 0)
        cn_slot_target(slot, -1, 0);
    else
        cn_slot_target(slot, chosen / CN_TEMPORAL,
                       smoothest(slot, chosen) ? CN_SVC_TOP : (unsigned)chosen % CN_TEMPORAL);
    if (!slot->alloc.on || chosen >= 0) return;
    if (slot->alloc.why == CN_ALLOC_BUDGET) cn_slot_tell(slot, CN_SLOT_PAUSED);
    if (slot->alloc.why != CN_ALLOC_TIER) return;
    cn_slot_tell(slot, CN_SLOT_LIMIT);
    slot->alloc.fresh = true; /* a smaller picture, once it comes, is shown without waiting */
}

void cn_peer_allocate(cn_peer *peer, uint64_t now_ns)
{
    peer->line.dirty = false;
    peer->allocate_ns = now_ns + ALLOCATE_EVERY_NS;
    cn_alloc_slot table[CN_MEDIA_SLOTS];
    cn_slot *slots[CN_MEDIA_SLOTS];
    size_t n = 0;
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        cn_slot *slot = peer->line.slots[i];
        if (!slot->video || !slot->track || !slot->alloc.on) continue;
        fill_layers(slot);
        slots[n] = slot;
        table[n++] = slot->alloc;
    }
    peer->line.wanted_bps = 0;
    if (!n) return;
    bool drains = cn_bwe_drains(&peer->line.estimate, now_ns);
    for (size_t i = 0; i < n; i++) table[i].eased = drains ? 0 : slots[i]->lowered;
    uint32_t audio = audio_bps(peer);
    peer->line.wanted_bps = audio + cn_alloc_wanted_bps(table, n, peer->tier_max);
    cn_allocate(table, n, cn_bwe_budget(&peer->line.estimate, now_ns), audio, peer->tier_max, now_ns);
    for (size_t i = 0; i < n; i++) {
        int before = slots[i]->alloc.chosen;
        bool lower = drains && before >= 0 && table[i].chosen != before;
        if (!drains) slots[i]->lowered = 0;
        if (lower && !slots[i]->lowered) slots[i]->lowered = 1u + (unsigned)before;
        slots[i]->alloc = table[i];
    }
    for (size_t i = 0; i < n; i++) take_choice(slots[i]);
    for (size_t i = 0; i < n && drains; i++) cn_slot_give_way(slots[i]);
}

void cn_peer_area(cn_peer *peer, uint64_t now_ns)
{
    int64_t sum = 0, max = 0;
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        const cn_slot *slot = peer->line.slots[i];
        if (!slot->video || (slot->current < 0 && !slot->gave_way) || !slot->last_packet_ns ||
            now_ns - slot->last_packet_ns > SENT_WITHIN_NS)
            continue;
        int64_t area = (int64_t)slot->width * slot->height;
        sum += area;
        if (area > max) max = area;
    }
    if (peer->area_told && sum == peer->area_sum && max == peer->area_max) return;
    peer->area_told = true;
    peer->area_sum = sum;
    peer->area_max = max;
    cn_worker *worker = peer->line.worker;
    if (worker->events->area)
        worker->events->area(worker->events_ctx, peer->room->name, peer->line.id, now_ns / 1000000, sum, max);
}

/* ---- RTCP ---- */

static void send_transport_feedback(cn_peer *peer, uint64_t now_ns)
{
    if (!cn_twcc_in_due(&peer->line.twcc_in, now_ns)) return;
    cn_twcc_arrival list[ARRIVALS];
    uint16_t base = 0;
    size_t n;
    do {
        n = cn_twcc_in_take(&peer->line.twcc_in, now_ns, list, ARRIVALS, &base);
        for (size_t at = 0, used = 0; at < n; at += used) {
            uint8_t out[RTCP_MAX];
            size_t bytes = cn_rtcp_write_twcc(out, sizeof out, peer->line.rtcp_ssrc, peer->line.video_ssrc_in,
                                              peer->line.twcc_in.number, base, list + at, n - at, &used);
            if (!bytes || !used) return;
            peer->line.twcc_in.number++;
            cn_line_send_rtcp(&peer->line, out, bytes);
            if (at + used < n) base = list[at + used].seq;
        }
    } while (n == ARRIVALS);
}

static void send_receiver_report(cn_peer *peer, uint64_t now_ns)
{
    cn_rtcp_block blocks[CN_PEER_SOURCES * CN_LAYERS];
    size_t n = 0;
    for (size_t i = 0; i < peer->source_count; i++)
        n += cn_source_reports(peer->sources[i], blocks + n, CN_PEER_SOURCES * CN_LAYERS - n, now_ns);
    if (!n) return;
    uint8_t out[RTCP_MAX];
    size_t bytes = cn_rtcp_write_rr(out, sizeof out, peer->line.rtcp_ssrc, blocks, n);
    bytes += cn_rtcp_write_cname(out + bytes, sizeof out - bytes, peer->line.rtcp_ssrc, "consilium");
    cn_line_send_rtcp(&peer->line, out, bytes);
}

static void send_sender_reports(cn_peer *peer, uint64_t now_ns)
{
    uint8_t out[RTCP_MAX];
    size_t n = 0;
    /* the wall clock as it was when this turn began */
    uint64_t ntp = cn_ntp_from_wall_ns(cn_wall_ns() - (int64_t)(cn_mono_ns() - now_ns));
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        size_t more = cn_slot_report(peer->line.slots[i], out + n, sizeof out - n, now_ns, ntp);
        n += more;
        if (n > RTCP_MAX - 100) {
            cn_line_send_rtcp(&peer->line, out, n);
            n = 0;
        }
    }
    cn_line_send_rtcp(&peer->line, out, n);
}

static void measure_slots(cn_peer *peer, uint64_t span_ns)
{
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        cn_slot *slot = peer->line.slots[i];
        slot->bps = span_ns ? (uint32_t)((uint64_t)slot->window_bytes * 8 * 1000000000u / span_ns) : 0;
        slot->window_bytes = 0;
    }
}

void cn_peer_report(cn_peer *peer, uint64_t now_ns, bool all)
{
    send_transport_feedback(peer, now_ns);
    if (!all) return;
    send_sender_reports(peer, now_ns);
    if (now_ns - peer->report_ns < REPORT_EVERY_NS) return;
    measure_slots(peer, now_ns - peer->report_ns);
    peer->report_ns = now_ns;
    send_receiver_report(peer, now_ns);
}

/* ---- upward ---- */

static uint32_t jitter_ms(const cn_peer *peer)
{
    uint64_t worst = 0;
    for (size_t i = 0; i < peer->source_count; i++) {
        const cn_recvstats *stats = &peer->sources[i]->layer[0].stats;
        uint64_t ms = stats->clock ? (stats->jitter_q4 >> 4) * 1000 / stats->clock : 0;
        if (ms > worst) worst = ms;
    }
    return (uint32_t)worst;
}

static float down_loss(cn_peer *peer, uint64_t now_ns)
{
    if (peer->line.exts.id[CN_RTP_EXT_TWCC]) return (float)cn_twcc_out_loss(peer->line.twcc_out, now_ns);
    unsigned worst = 0;
    for (size_t i = 0; i < peer->line.slot_count; i++)
        if (peer->line.slots[i]->bps && peer->line.slots[i]->fraction_lost > worst)
            worst = peer->line.slots[i]->fraction_lost;
    return (float)worst / 256.0f;
}

static cn_media_source_stats source_stats(const cn_source *source, uint64_t now_ns)
{
    cn_media_source_stats out = {
        .kind = source->kind, .on = source->on, .layers = (uint8_t)source->layers, .wanted = (uint8_t)source->rid_mask};
    uint64_t last_ns = source->since_ns;
    for (unsigned i = 0; i < source->layers; i++) {
        const cn_source_layer *layer = &source->layer[i];
        if (layer->flow.last_ns > last_ns) last_ns = layer->flow.last_ns;
        if (!layer->info.alive) continue;
        out.alive |= (uint8_t)(1u << i);
        out.bps += layer->info.bitrate;
        if (layer->info.width * layer->info.height < out.width * out.height) continue;
        out.width = layer->info.width;
        out.height = layer->info.height;
        out.fps = layer->info.fps;
    }
    out.silent_ms = (uint32_t)((now_ns - last_ns) / 1000000);
    return out;
}

static void fill_streams(const cn_peer *peer, cn_media_stats *out, uint64_t now_ns)
{
    for (size_t i = 0; i < peer->source_count && i < CN_MEDIA_SOURCES; i++)
        out->sources[out->source_count++] = source_stats(peer->sources[i], now_ns);
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        const cn_slot *slot = peer->line.slots[i];
        if (!slot->track) continue;
        if (slot->told == CN_SLOT_PAUSED) out->paused++;
        out->slots[out->slot_count++] = (cn_media_slot_stats){.video = slot->video,
                                                              .index = (uint8_t)slot->index,
                                                              .layer = (int8_t)slot->current,
                                                              .state = slot->told,
                                                              .width = slot->current < 0 ? 0 : slot->width,
                                                              .height = slot->current < 0 ? 0 : slot->height,
                                                              .bps = slot->bps};
    }
}

void cn_peer_stats(cn_peer *peer, uint64_t now_ns)
{
    cn_line_meter *meter = &peer->line.meter;
    uint64_t span = now_ns - meter->told_ns;
    if (span < STATS_EVERY_NS) return;
    cn_media_stats stats = {.up_bps = (uint32_t)((meter->in_bytes - meter->told_in_bytes) * 8 * 1000000000u / span),
                            .down_bps = (uint32_t)((meter->out_bytes - meter->told_out_bytes) * 8 * 1000000000u / span),
                            .up_loss = meter->in_expected ? (float)meter->in_lost / (float)meter->in_expected : 0,
                            .down_loss = down_loss(peer, now_ns),
                            .rtt_ms = peer->line.rtt_ms,
                            .jitter_ms = jitter_ms(peer),
                            .estimate_bps = cn_bwe_bps(&peer->line.estimate),
                            .wanted_bps = peer->line.wanted_bps,
                            .path = cn_transport_tcp(peer->line.transport) ? CN_PATH_TCP : CN_PATH_UDP,
                            .nacks_in = meter->nacks_in,
                            .nacks_out = meter->nacks_out,
                            .plis_in = meter->plis_in,
                            .plis_out = meter->plis_out,
                            .packets_in = meter->in_packets,
                            .packets_out = meter->out_packets,
                            .bad_packets = meter->bad,
                            .bytes_in = meter->in_bytes,
                            .bytes_out = meter->out_bytes};
    fill_streams(peer, &stats, now_ns);
    meter->told_ns = now_ns;
    meter->told_in_bytes = meter->in_bytes;
    meter->told_out_bytes = meter->out_bytes;
    meter->in_expected = meter->in_lost = 0;
    cn_worker *worker = peer->line.worker;
    if (worker->events->stats) worker->events->stats(worker->events_ctx, peer->room->name, peer->line.id, &stats);
}
