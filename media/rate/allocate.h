/*
 * Which layer each video slot of one receiver gets. Pure arithmetic over the caller's array; injected clock.
 *
 * Priorities are strict: a higher one gets all that fits its display before the next gets anything; slots of equal
 * priority first get their smallest layer each, in order, then step up in turns. Audio's bitrate is taken off the
 * budget before.
 */
#ifndef CN_MEDIA_ALLOCATE_H
#define CN_MEDIA_ALLOCATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/kinds.h"

#define CN_ALLOC_LAYERS 9
#define CN_ALLOC_PAUSED (-1)
#define CN_ALLOC_HOLD_NS 2000000000ull      /* an upward step must fit for so long */
#define CN_ALLOC_HOLD_FIRST_NS 500000000ull /* from no picture at all to the smallest one, without the factor below */
#define CN_ALLOC_HOLD_MAX_NS 16000000000ull /* doubled up to this, each time that … */
#define CN_ALLOC_RELAPSE_NS 15000000000ull  /* a step had to be taken back within so long */
#define CN_ALLOC_HEADROOM 1.15              /* and with this factor on its bitrate */
#define CN_ALLOC_FIT 0.8                    /* a layer of 80 % of the wanted sides is large enough */

typedef struct cn_alloc_layer {
    bool usable;            /* flows, or would if asked for */
    uint32_t bps;           /* measured, or when it last flowed; 0: not known, guessed from the area */
    uint16_t width, height; /* 0: not known */
    uint8_t smoothness;     /* among those of one size: with more temporal layers higher, preferred, given up first */
} cn_alloc_layer;

typedef enum cn_alloc_why {
    CN_ALLOC_FITS,
    CN_ALLOC_OFF,
    CN_ALLOC_BUDGET,
    CN_ALLOC_TIER,
    CN_ALLOC_NO_LAYER
} cn_alloc_why;

/** One slot. The caller zeroes it, sets `chosen` to CN_ALLOC_PAUSED and `fresh`, fills the wants before each call and
 * keeps the rest. */
typedef struct cn_alloc_slot {
    /* in */
    bool on;           /* something is asked for and its source is on */
    bool fresh;        /* a new want: no holding back; cleared by the call that has layers to choose from,
                        * set by one that has none */
    unsigned eased;    /* 1 + the layer that was left while a queue was drained, which is over now: smaller ones are
                        * held back by nothing but the factor; 0: none. Cleared by the call */
    unsigned priority; /* higher first */
    unsigned width, height; /* on screen; 0: the largest */
    cn_alloc_layer layers[CN_ALLOC_LAYERS];
    unsigned layer_count;
    /* in and out */
    int chosen;           /* index in layers, or CN_ALLOC_PAUSED */
    uint64_t hold_ns;     /* 0: CN_ALLOC_HOLD_NS */
    uint64_t raised_ns;   /* when it last went up by itself; 0: long ago */
    uint64_t up_since_ns; /* since when an upward step fits, 0: does not */
    /* out */
    cn_alloc_why why; /* why paused */
} cn_alloc_slot;

/** Chooses for all slots (at most CN_MEDIA_SLOTS; more are left alone). `budget_bps`: the estimate; `audio_bps`:
 * measured sum of audio. Returns true when a `chosen` changed. */
bool cn_allocate(cn_alloc_slot *slots, size_t count, uint32_t budget_bps, uint32_t audio_bps, cn_tier tier_max,
                 uint64_t now_ns);

/** What all slots would cost if everything fitted. */
uint32_t cn_alloc_wanted_bps(const cn_alloc_slot *slots, size_t count, cn_tier tier_max);

/** What the smallest layers of all slots cost; `first` gets that of the most important one. */
uint32_t cn_alloc_least_bps(const cn_alloc_slot *slots, size_t count, cn_tier tier_max, uint32_t *first);

/** The layer that fits a display alone, without any budget: the smallest (by area) whose sides are both ≥ 0.8 × the
 * wanted, else the largest; only usable ones within the tier's area. CN_ALLOC_PAUSED when there is none. Layers need
 * not be sorted. */
int cn_alloc_layer_fit(const cn_alloc_layer *layers, unsigned count, unsigned width, unsigned height, cn_tier tier_max);

#endif
