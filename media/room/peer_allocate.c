#include "media/room/peer_allocate.h"

#include "media/forward/slot.h"
#include "media/rate/allocate.h"

#define ALLOCATE_EVERY_NS 200000000u

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

/* Who gives no transport-wide feedback can only tell of what he is sent. */
static void try_least(cn_peer *peer, const cn_alloc_slot *table, size_t count, uint32_t audio, uint64_t now_ns)
{
    cn_bwe_least least = {.ceiling_bps = peer->line.worker->blind_bps};
    if (peer->line.exts.id[CN_RTP_EXT_TWCC]) return;
    least.all_bps = audio + cn_alloc_least_bps(table, count, peer->tier_max, &least.first_bps);
    least.first_bps += audio;
    (void)cn_bwe_try_least(&peer->line.estimate, &least, now_ns);
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
    try_least(peer, table, n, audio, now_ns);
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
