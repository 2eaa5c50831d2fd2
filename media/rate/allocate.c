#include "media/rate/allocate.h"

#include "media/tier.h"

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

static int64_t area(const cn_alloc_layer *l)
{
    return (int64_t)l->width * l->height;
}

/* Order of a ladder: by area, within one size by smoothness. */
static int64_t height_on_ladder(const cn_alloc_layer *l)
{
    return area(l) << 3 | (l->smoothness & 7);
}

static double cost(const cn_alloc_layer *l)
{
    if (l->bps) return l->bps;
    return area(l) ? 1.5 * (double)area(l) : GUESS_BPS;
}

static bool large_enough(const cn_alloc_layer *l, unsigned width, unsigned height)
{
    return width && height && l->width >= CN_ALLOC_FIT * width && l->height >= CN_ALLOC_FIT * height;
}

int cn_alloc_layer_fit(const cn_alloc_layer *layers, unsigned count, unsigned width, unsigned height, cn_tier tier_max)
{
    int best = CN_ALLOC_PAUSED;
    if (tier_max == CN_TIER_VOICE) return best;
    for (unsigned i = 0; i < count && i < CN_ALLOC_LAYERS; i++) {
        const cn_alloc_layer *l = &layers[i];
        if (!l->usable || area(l) > cn_tier_area_max(tier_max)) continue;
        if (best == CN_ALLOC_PAUSED) {
            best = (int)i;
            continue;
        }
        const cn_alloc_layer *b = &layers[best];
        bool enough = large_enough(l, width, height), best_enough = large_enough(b, width, height);
        bool smoother = area(l) == area(b) && l->smoothness > b->smoothness;
        if (enough && best_enough ? area(l) < area(b) : enough != best_enough ? enough : area(l) > area(b))
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
        const cn_alloc_slot *s = &slots[i];
        int layer =
            s->on ? cn_alloc_layer_fit(s->layers, s->layer_count, s->width, s->height, tier_max) : CN_ALLOC_PAUSED;
        if (layer != CN_ALLOC_PAUSED) sum += cost(&s->layers[layer]);
    }
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

static cn_alloc_why why_none(const cn_alloc_slot *s)
{
    if (!s->on) return CN_ALLOC_OFF;
    for (unsigned i = 0; i < s->layer_count && i < CN_ALLOC_LAYERS; i++)
        if (s->layers[i].usable) return CN_ALLOC_TIER;
    return CN_ALLOC_NO_LAYER;
}

static void offer_prepare(offer *o, cn_alloc_slot *s, cn_tier tier_max)
{
    *o = (offer){.slot = s, .current = s->chosen == CN_ALLOC_PAUSED ? -1 : 0, .rank = -1};
    int target = s->on ? cn_alloc_layer_fit(s->layers, s->layer_count, s->width, s->height, tier_max) : CN_ALLOC_PAUSED;
    if (target == CN_ALLOC_PAUSED) {
        s->why = why_none(s);
        o->limit = -1;
        return;
    }
    s->why = CN_ALLOC_BUDGET;
    int64_t most = height_on_ladder(&s->layers[target]);
    for (unsigned i = 0; i < s->layer_count && i < CN_ALLOC_LAYERS; i++) {
        int64_t height = height_on_ladder(&s->layers[i]);
        if (!s->layers[i].usable || height > most || (height == most && (int)i != target)) continue;
        int at = o->steps++;
        for (; at > 0 && height_on_ladder(&s->layers[o->ladder[at - 1]]) > height; at--)
            o->ladder[at] = o->ladder[at - 1];
        o->ladder[at] = (int)i;
    }
    o->limit = o->steps - 1;
    if (o->current < 0) return;
    o->current = o->steps;
    for (int r = 0; r < o->steps; r++)
        if (o->ladder[r] == s->chosen) o->current = r;
}

/* From no picture to the smallest: the difference is the greatest to whoever waits for it, and the price the least. */
static bool first_sight(const offer *o, int rank)
{
    return o->current < 0 && rank == 0;
}

/* Takes a step to `rank` when what remains allows it. */
static bool step_to(offer *o, int rank, double *remaining)
{
    if (rank > o->limit) return false;
    double now = o->rank < 0 ? 0 : cost(&o->slot->layers[o->ladder[o->rank]]);
    double then = cost(&o->slot->layers[o->ladder[rank]]);
    bool upward = rank > o->current && !first_sight(o, rank) && !o->slot->fresh;
    if (then * (upward ? CN_ALLOC_HEADROOM : 1) - now > *remaining) return false;
    *remaining -= then - now;
    o->rank = rank;
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
            offer *o = &offers[order[i]];
            if (o->rank >= 0 && step_to(o, o->rank + 1, remaining)) stepped = true;
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

static bool eased(const offer *o)
{
    const cn_alloc_slot *s = o->slot;
    return s->eased && o->rank >= 0 &&
           height_on_ladder(&s->layers[o->ladder[o->rank]]) < height_on_ladder(&s->layers[s->eased - 1]);
}

/* Upward steps wait until they have fitted for the hold time. True when one is held back: everybody's limit is set for
 * another round. */
static bool hold_back(offer *offers, size_t count, uint64_t now_ns)
{
    bool held = false;
    for (size_t i = 0; i < count; i++) {
        offer *o = &offers[i];
        cn_alloc_slot *s = o->slot;
        bool upward = o->rank > o->current && !s->fresh && !eased(o);
        if (!upward)
            s->up_since_ns = 0;
        else if (!s->up_since_ns)
            s->up_since_ns = now_ns ? now_ns : 1;
        uint64_t hold_ns = s->hold_ns                ? s->hold_ns
                           : first_sight(o, o->rank) ? CN_ALLOC_HOLD_FIRST_NS
                                                     : CN_ALLOC_HOLD_NS;
        bool wait = upward && now_ns < s->up_since_ns + hold_ns;
        int limit = wait || o->current > o->rank ? o->current : o->rank;
        if (limit < o->limit) o->limit = limit;
        held |= wait;
    }
    return held;
}

/* An estimate that wobbles about a layer's rate must not make the picture wobble: who falls back soon waits longer next
 * time. */
static void learn(const offer *o, uint64_t now_ns)
{
    cn_alloc_slot *s = o->slot;
    bool recent = s->raised_ns && now_ns - s->raised_ns < CN_ALLOC_RELAPSE_NS;
    if (s->raised_ns && !recent) s->hold_ns = s->raised_ns = 0;
    if (o->rank > o->current && !s->fresh) {
        s->raised_ns = now_ns;
    } else if (o->rank < o->current && o->current < o->steps && recent) {
        uint64_t hold_ns = s->hold_ns ? s->hold_ns : CN_ALLOC_HOLD_NS;
        s->hold_ns = hold_ns > CN_ALLOC_HOLD_MAX_NS / 2 ? CN_ALLOC_HOLD_MAX_NS : 2 * hold_ns;
        s->raised_ns = 0;
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
        offer *o = &offers[i];
        cn_alloc_slot *s = o->slot;
        int chosen = o->rank < 0 ? CN_ALLOC_PAUSED : o->ladder[o->rank];
        if (o->rank >= 0) s->why = CN_ALLOC_FITS;
        learn(o, now_ns);
        if (o->rank > o->current) s->up_since_ns = 0;
        changed |= chosen != s->chosen;
        s->chosen = chosen;
        s->eased = 0;
        s->fresh =
            !o->steps; /* nothing to choose from yet, or for now: what comes then was not held back by the line */
    }
    return changed;
}
