#include "media/room/peer_stats.h"

#include "media/room/source_impl.h"

#define STATS_EVERY_NS 2000000000u
#define SENT_WITHIN_NS 1000000000u /* a slot counts as really being sent */

/* What counts of what the slot shows, from its publisher's worker. Of a new size nothing is known before its key frame
 * is there: the former one goes on. */
static int64_t area_of(cn_slot *slot, cn_tier ceiling)
{
    if (!slot->track || slot->current < 0) return slot->counted;
    const cn_layer_info *info = &slot->track->layer[slot->current].info;
    if (!info->counted) return slot->counted;
    int64_t most = info->doubt ? cn_tier_area_max(ceiling) : INT64_MAX;
    slot->counted = info->counted < most ? info->counted : (uint32_t)most;
    return slot->counted;
}

void cn_peer_area(cn_peer *peer, uint64_t now_ns)
{
    int64_t sum = 0, max = 0;
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        cn_slot *slot = peer->line.slots[i];
        if (!slot->video || (slot->current < 0 && !slot->gave_way) || !slot->last_packet_ns ||
            now_ns - slot->last_packet_ns > SENT_WITHIN_NS)
            continue;
        int64_t area = area_of(slot, peer->tier_max);
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
        if ((uint32_t)layer->info.width * layer->info.height < (uint32_t)out.width * out.height) continue;
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
    cn_media_stats stats = {.last_sign_ms = cn_transport_last_sign_ns(peer->line.transport) / 1000000,
                            .up_bps = (uint32_t)((meter->in_bytes - meter->told_in_bytes) * 8 * 1000000000u / span),
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
