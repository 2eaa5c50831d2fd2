#include "media/rate/topk.h"

#include <stdlib.h>

#include "base/mem.h"

/*
 * Loudness of a participant is what his level stands above his own floor. The floor follows the quietest moments down
 * at once and creeps up otherwise, so that a fan, a ring of feedback or a test tone sinks into it within some seconds
 * while speech, which pauses between words, does not.
 */
#define LEVEL_MAX 127
#define FLOOR_RISE 8.0f       /* units (dB) per second */
#define FLOOR_MIN 50.0f       /* −77 dBov: quieter differences are nobody's words */
#define FLOOR_START_MAX 70.0f /* at −57 dBov: nobody's first packet counts as all voice or all noise */
#define ATTACK 0.5f           /* share of a packet's rise that counts at once */
#define RELEASE 0.97f         /* per tick while quieter: halves in 0.45 s */
#define MARGIN_QUIET 10.0f    /* louder than a ranked one who is silent: takes his place at once */
#define MARGIN_ACTIVE 12.0f   /* louder than one who speaks too */
#define ACTIVE 15.0f
#define SILENT_NS 100000000ull /* no packet for so long is silence (DTX) */
/* Nobody is unheard for ever: who speaks without being among the first k grows louder in the ranking, and once in keeps
 * his place for a while. */
#define WAIT_FREE 8.0f   /* seconds of speech that count for nothing */
#define WAIT_GAIN 2.0f   /* dB per further second */
#define WAIT_FADE 0.995f /* per tick of silence: halves in 2.8 s */
#define WAIT_HOLD_NS 3000000000ull
#define GONE_NS 10000000000ull /* no packet for so long: not ranked without need */

#define SPEAKER_SMOOTH 0.06f /* per tick: 0.3 s */
#define SPEAKER_MARGIN 8.0f
#define SPEAKER_CONFIRM_TICKS 10 /* 200 ms */
#define SPEAKER_KEEP_NS 3000000000ull

#define SIZE_DTX 3
#define SIZE_SPREAD 16.0f /* bytes between his smallest and largest packets below which sizes tell nothing */

typedef struct voice {
    bool present;
    uint8_t rank; /* position + 1 in the list, 0: none */
    float floor, loud, smooth;
    float heard;               /* loudest since the last tick, −1: nothing came */
    float size_low, size_high; /* of Opus packets; 0: none yet */
    uint64_t last_ns;
    uint64_t active_ns; /* when it was last ACTIVE */
    float waited;       /* seconds that it spoke unheard */
    uint64_t hold_ns;   /* until then nobody takes its place while it speaks */
} voice;

struct cn_topk {
    unsigned k;
    unsigned used; /* indices below it may be present */
    voice voices[CN_TOPK_MAX];
    uint16_t list[CN_TOPK_K_MAX + 1];
    size_t count;
    int speaker, candidate;
    unsigned candidate_ticks;
    uint64_t tick_ns; /* of the former tick, 0: none */
    unsigned changed; /* by a removal, to be told at the next tick */
};

cn_err cn_topk_new(cn_topk **out, unsigned k)
{
    if (k < 1 || k > CN_TOPK_K_MAX) return CN_ERR_INVALID;
    cn_topk *t = CN_NEW(cn_topk);
    if (!t) return CN_ERR_NOMEM;
    t->k = k;
    t->speaker = t->candidate = CN_TOPK_NOBODY;
    *out = t;
    return CN_OK;
}

void cn_topk_free(cn_topk *t)
{
    free(t);
}

/* `level`: 0 silence … 127 loudest. */
static void hear(cn_topk *t, unsigned index, float level, bool voiced, uint64_t now_ns)
{
    voice *v = &t->voices[index];
    if (!v->present) {
        *v = (voice){.present = true, .floor = FLOOR_START_MAX, .heard = -1};
        if (index >= t->used) t->used = index + 1;
    }
    v->last_ns = now_ns;
    if (level < v->floor) v->floor = level > FLOOR_MIN ? level : FLOOR_MIN;
    float above = level > v->floor ? level - v->floor : 0;
    if (!voiced) above /= 2;
    if (above > v->heard) v->heard = above;
}

cn_err cn_topk_level(cn_topk *t, unsigned index, uint8_t level, bool voiced, uint64_t now_ns)
{
    if (index >= CN_TOPK_MAX) return CN_ERR_INVALID;
    hear(t, index, (float)(LEVEL_MAX - (level & LEVEL_MAX)), voiced, now_ns);
    return CN_OK;
}

/* A packet's place between his own smallest and largest ones, as a level: both ends forget slowly. */
static float level_of_size(voice *v, float bytes)
{
    if (v->size_high <= 0) v->size_low = v->size_high = bytes;
    v->size_low = bytes < v->size_low ? bytes : v->size_low + (bytes - v->size_low) * 0.002f;
    v->size_high = bytes > v->size_high ? bytes : v->size_high - (v->size_high - bytes) * 0.002f;
    float spread = v->size_high - v->size_low;
    return spread < SIZE_SPREAD ? FLOOR_MIN : FLOOR_MIN + 50 * (bytes - v->size_low) / spread;
}

cn_err cn_topk_size(cn_topk *t, unsigned index, size_t opus_bytes, uint64_t now_ns)
{
    if (index >= CN_TOPK_MAX) return CN_ERR_INVALID;
    voice *v = &t->voices[index];
    if (!v->present) hear(t, index, 0, true, now_ns); /* also clears the sizes of a former one */
    float level = opus_bytes <= SIZE_DTX ? 0 : level_of_size(v, (float)opus_bytes);
    hear(t, index, level, true, now_ns);
    return CN_OK;
}

static void renumber(cn_topk *t)
{
    for (size_t i = 0; i < t->count; i++) t->voices[t->list[i]].rank = (uint8_t)(i + 1);
}

static void list_remove(cn_topk *t, size_t at)
{
    t->voices[t->list[at]].rank = 0;
    for (size_t i = at + 1; i < t->count; i++) t->list[i - 1] = t->list[i];
    t->count--;
    renumber(t);
}

void cn_topk_remove(cn_topk *t, unsigned index)
{
    if (index >= CN_TOPK_MAX || !t->voices[index].present) return;
    if (t->voices[index].rank) {
        list_remove(t, t->voices[index].rank - 1u);
        t->changed |= CN_TOPK_CHANGED_LIST;
    }
    t->voices[index] = (voice){0};
    if (t->candidate == (int)index) t->candidate = CN_TOPK_NOBODY;
    if (t->speaker == (int)index) {
        t->speaker = CN_TOPK_NOBODY;
        t->changed |= CN_TOPK_CHANGED_SPEAKER;
    }
}

static void advance(const cn_topk *t, voice *v, uint64_t now_ns)
{
    float heard = v->heard;
    v->heard = -1;
    if (now_ns > v->last_ns + SILENT_NS)
        heard = heard < 0 ? 0 : heard;
    else if (v->floor < LEVEL_MAX)
        v->floor += FLOOR_RISE * (float)CN_TOPK_TICK_NS / 1e9f;
    if (heard > v->loud)
        v->loud += (heard - v->loud) * ATTACK;
    else if (heard >= 0)
        v->loud *= RELEASE;
    v->smooth += (v->loud - v->smooth) * SPEAKER_SMOOTH;
    if (v->loud >= ACTIVE) v->active_ns = now_ns;
    bool heard_now = v->rank && v->rank <= t->k;
    if (v->loud < ACTIVE)
        v->waited *= WAIT_FADE;
    else if (!heard_now)
        v->waited += (float)CN_TOPK_TICK_NS / 1e9f;
}

static float patience(const voice *v)
{
    return v->waited > WAIT_FREE && v->loud >= ACTIVE ? (v->waited - WAIT_FREE) * WAIT_GAIN : 0;
}

static bool louder(const voice *a, float bonus, const voice *b, uint64_t now_ns)
{
    bool speaks = b->loud >= ACTIVE;
    if (speaks && now_ns < b->hold_ns) return false;
    return a->loud + bonus > b->loud + (speaks ? MARGIN_ACTIVE : MARGIN_QUIET);
}

/* Whether the one at `at` takes the next better place; who waited long counts for more until he is among the first k.
 */
static bool passes(const cn_topk *t, size_t at, uint64_t now_ns)
{
    const voice *v = &t->voices[t->list[at]];
    return louder(v, at >= t->k ? patience(v) : 0, &t->voices[t->list[at - 1]], now_ns);
}

/* Moves the one at `at` past all above it that are clearly quieter. */
static bool rise(cn_topk *t, size_t at, uint64_t now_ns)
{
    bool moved = false;
    for (; at > 0 && passes(t, at, now_ns); at--) {
        uint16_t lower = t->list[at];
        t->list[at] = t->list[at - 1];
        t->list[at - 1] = lower;
        moved = true;
    }
    return moved;
}

static bool admit(cn_topk *t, uint16_t index, uint64_t now_ns)
{
    const voice *v = &t->voices[index];
    if (t->count <= t->k) {
        if (now_ns > v->last_ns + GONE_NS) return false;
        t->list[t->count++] = index;
    } else if (louder(v, patience(v), &t->voices[t->list[t->count - 1]], now_ns)) {
        t->voices[t->list[t->count - 1]].rank = 0;
        t->list[t->count - 1] = index;
    } else {
        return false;
    }
    (void)rise(t, t->count - 1, now_ns);
    renumber(t);
    return true;
}

/* Whoever waited and is heard now stays for a while. */
static void settle(cn_topk *t, uint64_t now_ns)
{
    for (size_t i = 0; i < t->count && i < t->k; i++) {
        voice *v = &t->voices[t->list[i]];
        if (v->waited > WAIT_FREE) v->hold_ns = now_ns + WAIT_HOLD_NS;
        v->waited = 0;
    }
}

static bool rank(cn_topk *t, uint64_t now_ns)
{
    bool changed = false;
    for (size_t i = t->count; i-- > 0;) {
        if (now_ns <= t->voices[t->list[i]].last_ns + GONE_NS) continue;
        list_remove(t, i);
        changed = true;
    }
    for (size_t i = 1; i < t->count; i++) changed |= rise(t, i, now_ns);
    renumber(t);
    for (unsigned i = 0; i < t->used; i++)
        if (t->voices[i].present && !t->voices[i].rank) changed |= admit(t, (uint16_t)i, now_ns);
    settle(t, now_ns);
    return changed;
}

/* The speaker is always one of the ranked: whoever speaks is among them. */
static bool choose_speaker(cn_topk *t, uint64_t now_ns)
{
    int former = t->speaker, best = CN_TOPK_NOBODY;
    for (size_t i = 0; i < t->count; i++)
        if (best == CN_TOPK_NOBODY || t->voices[t->list[i]].smooth > t->voices[best].smooth) best = t->list[i];
    if (t->speaker != CN_TOPK_NOBODY && now_ns > t->voices[t->speaker].active_ns + SPEAKER_KEEP_NS)
        t->speaker = CN_TOPK_NOBODY;
    float needed = t->speaker == CN_TOPK_NOBODY ? ACTIVE : t->voices[t->speaker].smooth + SPEAKER_MARGIN;
    if (needed < ACTIVE) needed = ACTIVE;
    if (best == CN_TOPK_NOBODY || best == t->speaker || t->voices[best].smooth < needed) {
        t->candidate = CN_TOPK_NOBODY;
    } else if (best != t->candidate) {
        t->candidate = best;
        t->candidate_ticks = 1;
    } else if (++t->candidate_ticks >= SPEAKER_CONFIRM_TICKS || t->speaker == CN_TOPK_NOBODY) {
        t->speaker = best;
        t->candidate = CN_TOPK_NOBODY;
    }
    return t->speaker != former;
}

unsigned cn_topk_tick(cn_topk *t, uint64_t now_ns)
{
    unsigned changed = t->changed;
    t->changed = 0;
    /* after a long pause only the last second matters */
    if (!t->tick_ns || now_ns > t->tick_ns + 50 * CN_TOPK_TICK_NS) t->tick_ns = now_ns - CN_TOPK_TICK_NS;
    for (; t->tick_ns + CN_TOPK_TICK_NS <= now_ns; t->tick_ns += CN_TOPK_TICK_NS) {
        uint64_t at = t->tick_ns + CN_TOPK_TICK_NS;
        for (unsigned i = 0; i < t->used; i++)
            if (t->voices[i].present) advance(t, &t->voices[i], at);
        if (rank(t, at)) changed |= CN_TOPK_CHANGED_LIST;
        if (choose_speaker(t, at)) changed |= CN_TOPK_CHANGED_SPEAKER;
    }
    return changed;
}

size_t cn_topk_list(const cn_topk *t, uint16_t *out, size_t max)
{
    size_t n = t->count < max ? t->count : max;
    for (size_t i = 0; i < n; i++) out[i] = t->list[i];
    return n;
}

int cn_topk_speaker(const cn_topk *t)
{
    return t->speaker;
}
