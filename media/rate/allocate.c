#include "media/rate/allocate.h"

#include "media/kinds.h"

#define GUESS_BPS 300000 /* of a layer of which nothing is known */

/* One slot's choice while the budget is handed out. */
typedef struct offer {
    cn_alloc_slot *slot;
    int ladder[CN_ALLOC_LAYERS]; /* usable layers up to the one that fits the display, ascending by area */
    int steps;
    int current; /* rank of slot->chosen in the ladder; −1 paused; steps: above all of it */
    int limit;   /* highest rank allowed */
    int rank;    /* −1: paused */
} offer;

static int64_t area(const cn_alloc_layer *layer)
{
    return (int64_t)layer->width * layer->height;
}

/* Order of a ladder: by area, within one size by smoothness. */
static int64_t height_on_ladder(const cn_alloc_layer *layer)
{
    return area(layer) << 3 | (layer->smoothness & 7);
}

static double cost(const cn_alloc_layer *layer)
{
    if (layer->bps) return layer->bps;
    return area(layer) ? 1.5 * (double)area(layer) : GUESS_BPS;
}

static bool large_enough(const cn_alloc_layer *layer, unsigned width, unsigned height)
{
    return width && height && layer->width >= CN_ALLOC_FIT * width && layer->height >= CN_ALLOC_FIT * height;
}

int cn_alloc_layer_fit(const cn_alloc_layer *layers, unsigned count, unsigned width, unsigned height, cn_tier tier_max)
{
    int best = CN_ALLOC_PAUSED;
    if (tier_max == CN_TIER_VOICE) return best;
    for (unsigned i = 0; i < count && i < CN_ALLOC_LAYERS; i++) {
        const cn_alloc_layer *alloc_layer = &layers[i];
        if (!alloc_layer->usable || area(alloc_layer) > cn_tier_area_max(tier_max)) continue;
        if (best == CN_ALLOC_PAUSED) {
            best = (int)i;
            continue;
        }
        const cn_alloc_layer *layer = &layers[best];
        bool enough = large_enough(alloc_layer, width, height), best_enough = large_enough(layer, width, height);
        bool smoother = area(alloc_layer) == area(layer) && alloc_layer->smoothness > layer->smoothness;
        if (enough && best_enough   ? area(alloc_layer) < area(layer)
            : enough != best_enough ? enough
                                    : area(alloc_layer) > area(layer))
            best = (int)i;
        else if (smoother)
            best = (int)i;
    }
    return best;
}

uint32_t cn_alloc_wanted_bps(const cn_alloc_slot *slots, size_t count, cn_tier tier_max)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const cn_alloc_slot *slot = &slots[i];
        int layer = slot->on ? cn_alloc_layer_fit(slot->layers, slot->layer_count, slot->width, slot->height, tier_max)
                             : CN_ALLOC_PAUSED;
        if (layer != CN_ALLOC_PAUSED) sum += cost(&slot->layers[layer]);
    }
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static double least_cost(const cn_alloc_slot *slot, cn_tier tier_max)
{
    double least = 0;
    for (unsigned i = 0; slot->on && i < slot->layer_count && i < CN_ALLOC_LAYERS; i++) {
        const cn_alloc_layer *layer = &slot->layers[i];
        if (!layer->usable || tier_max == CN_TIER_VOICE || area(layer) > cn_tier_area_max(tier_max)) continue;
        if (least <= 0 || cost(layer) < least) least = cost(layer);
    }
    return least;
}

uint32_t cn_alloc_least_bps(const cn_alloc_slot *slots, size_t count, cn_tier tier_max, uint32_t *first)
{
    double sum = 0, top = 0;
    unsigned priority = 0;
    for (size_t i = 0; i < count; i++) {
        double least = least_cost(&slots[i], tier_max);
        sum += least;
        if (least <= 0 || (top > 0 && slots[i].priority <= priority)) continue;
        top = least;
        priority = slots[i].priority;
    }
    *first = top < UINT32_MAX ? (uint32_t)top : UINT32_MAX;
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static cn_alloc_why why_none(const cn_alloc_slot *slot)
{
    if (!slot->on) return CN_ALLOC_OFF;
    for (unsigned i = 0; i < slot->layer_count && i < CN_ALLOC_LAYERS; i++)
        if (slot->layers[i].usable) return CN_ALLOC_TIER;
    return CN_ALLOC_NO_LAYER;
}

static void offer_prepare(offer *proposal, cn_alloc_slot *slot, cn_tier tier_max)
{
    *proposal = (offer){.slot = slot, .current = slot->chosen == CN_ALLOC_PAUSED ? -1 : 0, .rank = -1};
    int target = slot->on ? cn_alloc_layer_fit(slot->layers, slot->layer_count, slot->width, slot->height, tier_max)
                          : CN_ALLOC_PAUSED;
    if (target == CN_ALLOC_PAUSED) {
        slot->why = why_none(slot);
        proposal->limit = -1;
        return;
    }
    slot->why = CN_ALLOC_BUDGET;
    int64_t most = height_on_ladder(&slot->layers[target]);
    for (unsigned i = 0; i < slot->layer_count && i < CN_ALLOC_LAYERS; i++) {
        int64_t height = height_on_ladder(&slot->layers[i]);
        if (!slot->layers[i].usable || height > most || (height == most && (int)i != target)) continue;
        int at = proposal->steps++;
        for (; at > 0 && height_on_ladder(&slot->layers[proposal->ladder[at - 1]]) > height; at--)
            proposal->ladder[at] = proposal->ladder[at - 1];
        proposal->ladder[at] = (int)i;
    }
    proposal->limit = proposal->steps - 1;
    if (proposal->current < 0) return;
    proposal->current = proposal->steps;
    for (int r = 0; r < proposal->steps; r++)
        if (proposal->ladder[r] == slot->chosen) proposal->current = r;
}

/* From no picture to the smallest: the difference is the greatest to whoever waits for it, and the price the least. */
static bool first_sight(const offer *proposal, int rank)
{
    return proposal->current < 0 && rank == 0;
}

/* Takes a step to `rank` when what remains allows it. */
static bool step_to(offer *proposal, int rank, double *remaining)
{
    if (rank > proposal->limit) return false;
    double now = proposal->rank < 0 ? 0 : cost(&proposal->slot->layers[proposal->ladder[proposal->rank]]);
    double then = cost(&proposal->slot->layers[proposal->ladder[rank]]);
    bool upward = rank > proposal->current && !first_sight(proposal, rank) && !proposal->slot->fresh;
    if (then * (upward ? CN_ALLOC_HEADROOM : 1) - now > *remaining) return false;
    *remaining -= then - now;
    proposal->rank = rank;
    return true;
}

/* Equal priorities [from, to): everybody's smallest layer first, then steps in turns. */
static void share(offer *offers, const size_t *order, size_t from, size_t to, double *remaining)
{
    for (size_t i = from; i < to; i++) {
        offers[order[i]].rank = -1;
        (void)step_to(&offers[order[i]], 0, remaining);
    }
    for (bool stepped = true; stepped;) {
        stepped = false;
        for (size_t i = from; i < to; i++) {
            offer *proposal = &offers[order[i]];
            if (proposal->rank >= 0 && step_to(proposal, proposal->rank + 1, remaining)) stepped = true;
        }
    }
}

static void hand_out(offer *offers, const size_t *order, size_t count, double budget)
{
    for (size_t from = 0, to; from < count; from = to) {
        to = from + 1;
        while (to < count && offers[order[to]].slot->priority == offers[order[from]].slot->priority) to++;
        share(offers, order, from, to, &budget);
    }
}

static bool eased(const offer *proposal)
{
    const cn_alloc_slot *slot = proposal->slot;
    return slot->eased && proposal->rank >= 0 &&
           height_on_ladder(&slot->layers[proposal->ladder[proposal->rank]]) <
               height_on_ladder(&slot->layers[slot->eased - 1]);
}

/* Upward steps wait until they have fitted for the hold time. True when one is held back: everybody's limit is set for
 * another round. */
static bool hold_back(offer *offers, size_t count, uint64_t now_ns)
{
    bool held = false;
    for (size_t i = 0; i < count; i++) {
        offer *proposal = &offers[i];
        cn_alloc_slot *slot = proposal->slot;
        bool upward = proposal->rank > proposal->current && !slot->fresh && !eased(proposal);
        if (!upward)
            slot->up_since_ns = 0;
        else if (!slot->up_since_ns)
            slot->up_since_ns = now_ns ? now_ns : 1;
        uint64_t hold_ns = slot->hold_ns                           ? slot->hold_ns
                           : first_sight(proposal, proposal->rank) ? CN_ALLOC_HOLD_FIRST_NS
                                                                   : CN_ALLOC_HOLD_NS;
        bool wait = upward && now_ns < slot->up_since_ns + hold_ns;
        int limit = wait || proposal->current > proposal->rank ? proposal->current : proposal->rank;
        if (limit < proposal->limit) proposal->limit = limit;
        held |= wait;
    }
    return held;
}

/* An estimate that wobbles about a layer's rate must not make the picture wobble: who falls back soon waits longer next
 * time. */
static void learn(const offer *proposal, uint64_t now_ns)
{
    cn_alloc_slot *slot = proposal->slot;
    bool recent = slot->raised_ns && now_ns - slot->raised_ns < CN_ALLOC_RELAPSE_NS;
    if (slot->raised_ns && !recent) slot->hold_ns = slot->raised_ns = 0;
    if (proposal->rank > proposal->current && !slot->fresh) {
        slot->raised_ns = now_ns;
    } else if (proposal->rank < proposal->current && proposal->current < proposal->steps && recent) {
        uint64_t hold_ns = slot->hold_ns ? slot->hold_ns : CN_ALLOC_HOLD_NS;
        slot->hold_ns = hold_ns > CN_ALLOC_HOLD_MAX_NS / 2 ? CN_ALLOC_HOLD_MAX_NS : 2 * hold_ns;
        slot->raised_ns = 0;
    }
}

static void sort_by_priority(const offer *offers, size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && offers[order[at - 1]].slot->priority < offers[i].slot->priority; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

bool cn_allocate(cn_alloc_slot *slots, size_t count, uint32_t budget_bps, uint32_t audio_bps, cn_tier tier_max,
                 uint64_t now_ns)
{
    offer offers[CN_MEDIA_SLOTS];
    size_t order[CN_MEDIA_SLOTS] = {0};
    if (count > CN_MEDIA_SLOTS) count = CN_MEDIA_SLOTS;
    double budget = budget_bps > audio_bps ? (double)(budget_bps - audio_bps) : 0;
    for (size_t i = 0; i < count; i++) offer_prepare(&offers[i], &slots[i], tier_max);
    sort_by_priority(offers, order, count);
    hand_out(offers, order, count, budget);
    if (hold_back(offers, count, now_ns)) hand_out(offers, order, count, budget);
    bool changed = false;
    for (size_t i = 0; i < count; i++) {
        offer *proposal = &offers[i];
        cn_alloc_slot *slot = proposal->slot;
        int chosen = proposal->rank < 0 ? CN_ALLOC_PAUSED : proposal->ladder[proposal->rank];
        if (proposal->rank >= 0) slot->why = CN_ALLOC_FITS;
        learn(proposal, now_ns);
        if (proposal->rank > proposal->current) slot->up_since_ns = 0;
        changed |= chosen != slot->chosen;
        slot->chosen = chosen;
        slot->eased = 0;
        slot->fresh =
            !proposal
                 ->steps; /* nothing to choose from yet, or for now: what comes then was not held back by the line */
    }
    return changed;
}
