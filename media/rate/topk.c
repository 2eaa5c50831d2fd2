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

cn_err cn_topk_new(cn_topk **out, unsigned most)
{
    if (most < 1 || most > CN_TOPK_K_MAX) return CN_ERR_INVALID;
    cn_topk *topk = CN_NEW(cn_topk);
    if (!topk) return CN_ERR_NOMEM;
    topk->k = most;
    topk->speaker = topk->candidate = CN_TOPK_NOBODY;
    *out = topk;
    return CN_OK;
}

void cn_topk_free(cn_topk *topk)
{
    free(topk);
}

/* `level`: 0 silence … 127 loudest. */
static void hear(cn_topk *topk, unsigned index, float level, bool voiced, uint64_t now_ns)
{
    voice *speaker = &topk->voices[index];
    if (!speaker->present) {
        *speaker = (voice){.present = true, .floor = FLOOR_START_MAX, .heard = -1};
        if (index >= topk->used) topk->used = index + 1;
    }
    speaker->last_ns = now_ns;
    if (level < speaker->floor) speaker->floor = level > FLOOR_MIN ? level : FLOOR_MIN;
    float above = level > speaker->floor ? level - speaker->floor : 0;
    if (!voiced) above /= 2;
    if (above > speaker->heard) speaker->heard = above;
}

cn_err cn_topk_level(cn_topk *topk, unsigned index, uint8_t level, bool voiced, uint64_t now_ns)
{
    if (index >= CN_TOPK_MAX) return CN_ERR_INVALID;
    hear(topk, index, (float)(LEVEL_MAX - (level & LEVEL_MAX)), voiced, now_ns);
    return CN_OK;
}

/* A packet's place between his own smallest and largest ones, as a level: both ends forget slowly. */
static float level_of_size(voice *speaker, float bytes)
{
    if (speaker->size_high <= 0) speaker->size_low = speaker->size_high = bytes;
    speaker->size_low = bytes < speaker->size_low ? bytes : speaker->size_low + (bytes - speaker->size_low) * 0.002f;
    speaker->size_high =
        bytes > speaker->size_high ? bytes : speaker->size_high - (speaker->size_high - bytes) * 0.002f;
    float spread = speaker->size_high - speaker->size_low;
    return spread < SIZE_SPREAD ? FLOOR_MIN : FLOOR_MIN + 50 * (bytes - speaker->size_low) / spread;
}

cn_err cn_topk_size(cn_topk *topk, unsigned index, size_t opus_bytes, uint64_t now_ns)
{
    if (index >= CN_TOPK_MAX) return CN_ERR_INVALID;
    voice *speaker = &topk->voices[index];
    if (!speaker->present) hear(topk, index, 0, true, now_ns); /* also clears the sizes of a former one */
    float level = opus_bytes <= SIZE_DTX ? 0 : level_of_size(speaker, (float)opus_bytes);
    hear(topk, index, level, true, now_ns);
    return CN_OK;
}

static void renumber(cn_topk *topk)
{
    for (size_t i = 0; i < topk->count; i++) topk->voices[topk->list[i]].rank = (uint8_t)(i + 1);
}

static void list_remove(cn_topk *topk, size_t at)
{
    topk->voices[topk->list[at]].rank = 0;
    for (size_t i = at + 1; i < topk->count; i++) topk->list[i - 1] = topk->list[i];
    topk->count--;
    renumber(topk);
}

void cn_topk_remove(cn_topk *topk, unsigned index)
{
    if (index >= CN_TOPK_MAX || !topk->voices[index].present) return;
    if (topk->voices[index].rank) {
        list_remove(topk, topk->voices[index].rank - 1u);
        topk->changed |= CN_TOPK_CHANGED_LIST;
    }
    topk->voices[index] = (voice){0};
    if (topk->candidate == (int)index) topk->candidate = CN_TOPK_NOBODY;
    if (topk->speaker == (int)index) {
        topk->speaker = CN_TOPK_NOBODY;
        topk->changed |= CN_TOPK_CHANGED_SPEAKER;
    }
}

static void advance(const cn_topk *topk, voice *speaker, uint64_t now_ns)
{
    float heard = speaker->heard;
    speaker->heard = -1;
    if (now_ns > speaker->last_ns + SILENT_NS)
        heard = heard < 0 ? 0 : heard;
    else if (speaker->floor < LEVEL_MAX)
        speaker->floor += FLOOR_RISE * (float)CN_TOPK_TICK_NS / 1e9f;
    if (heard > speaker->loud)
        speaker->loud += (heard - speaker->loud) * ATTACK;
    else if (heard >= 0)
        speaker->loud *= RELEASE;
    speaker->smooth += (speaker->loud - speaker->smooth) * SPEAKER_SMOOTH;
    if (speaker->loud >= ACTIVE) speaker->active_ns = now_ns;
    bool heard_now = speaker->rank && speaker->rank <= topk->k;
    if (speaker->loud < ACTIVE)
        speaker->waited *= WAIT_FADE;
    else if (!heard_now)
        speaker->waited += (float)CN_TOPK_TICK_NS / 1e9f;
}

static float patience(const voice *speaker)
{
    return speaker->waited > WAIT_FREE && speaker->loud >= ACTIVE ? (speaker->waited - WAIT_FREE) * WAIT_GAIN : 0;
}

static bool louder(const voice *left, float bonus, const voice *right, uint64_t now_ns)
{
    bool speaks = right->loud >= ACTIVE;
    if (speaks && now_ns < right->hold_ns) return false;
    return left->loud + bonus > right->loud + (speaks ? MARGIN_ACTIVE : MARGIN_QUIET);
}

/* Whether the one at `at` takes the next better place; who waited long counts for more until he is among the first k.
 */
static bool passes(const cn_topk *topk, size_t at, uint64_t now_ns)
{
    const voice *speaker = &topk->voices[topk->list[at]];
    return louder(speaker, at >= topk->k ? patience(speaker) : 0, &topk->voices[topk->list[at - 1]], now_ns);
}

/* Moves the one at `at` past all above it that are clearly quieter. */
static bool rise(cn_topk *topk, size_t at, uint64_t now_ns)
{
    bool moved = false;
    for (; at > 0 && passes(topk, at, now_ns); at--) {
        uint16_t lower = topk->list[at];
        topk->list[at] = topk->list[at - 1];
        topk->list[at - 1] = lower;
        moved = true;
    }
    return moved;
}

static bool admit(cn_topk *topk, uint16_t index, uint64_t now_ns)
{
    const voice *speaker = &topk->voices[index];
    if (topk->count <= topk->k) {
        if (now_ns > speaker->last_ns + GONE_NS) return false;
        topk->list[topk->count++] = index;
    } else if (louder(speaker, patience(speaker), &topk->voices[topk->list[topk->count - 1]], now_ns)) {
        topk->voices[topk->list[topk->count - 1]].rank = 0;
        topk->list[topk->count - 1] = index;
    } else {
        return false;
    }
    (void)rise(topk, topk->count - 1, now_ns);
    renumber(topk);
    return true;
}

/* Whoever waited and is heard now stays for a while. */
static void settle(cn_topk *topk, uint64_t now_ns)
{
    for (size_t i = 0; i < topk->count && i < topk->k; i++) {
        voice *speaker = &topk->voices[topk->list[i]];
        if (speaker->waited > WAIT_FREE) speaker->hold_ns = now_ns + WAIT_HOLD_NS;
        speaker->waited = 0;
    }
}

static bool rank(cn_topk *topk, uint64_t now_ns)
{
    bool changed = false;
    for (size_t i = topk->count; i-- > 0;) {
        if (now_ns <= topk->voices[topk->list[i]].last_ns + GONE_NS) continue;
        list_remove(topk, i);
        changed = true;
    }
    for (size_t i = 1; i < topk->count; i++) changed |= rise(topk, i, now_ns);
    renumber(topk);
    for (unsigned i = 0; i < topk->used; i++)
        if (topk->voices[i].present && !topk->voices[i].rank) changed |= admit(topk, (uint16_t)i, now_ns);
    settle(topk, now_ns);
    return changed;
}

/* The speaker is always one of the ranked: whoever speaks is among them. */
static bool choose_speaker(cn_topk *topk, uint64_t now_ns)
{
    int former = topk->speaker, best = CN_TOPK_NOBODY;
    for (size_t i = 0; i < topk->count; i++)
        if (best == CN_TOPK_NOBODY || topk->voices[topk->list[i]].smooth > topk->voices[best].smooth)
            best = topk->list[i];
    if (topk->speaker != CN_TOPK_NOBODY && now_ns > topk->voices[topk->speaker].active_ns + SPEAKER_KEEP_NS)
        topk->speaker = CN_TOPK_NOBODY;
    float needed = topk->speaker == CN_TOPK_NOBODY ? ACTIVE : topk->voices[topk->speaker].smooth + SPEAKER_MARGIN;
    if (needed < ACTIVE) needed = ACTIVE;
    if (best == CN_TOPK_NOBODY || best == topk->speaker || topk->voices[best].smooth < needed) {
        topk->candidate = CN_TOPK_NOBODY;
    } else if (best != topk->candidate) {
        topk->candidate = best;
        topk->candidate_ticks = 1;
    } else if (++topk->candidate_ticks >= SPEAKER_CONFIRM_TICKS || topk->speaker == CN_TOPK_NOBODY) {
        topk->speaker = best;
        topk->candidate = CN_TOPK_NOBODY;
    }
    return topk->speaker != former;
}

unsigned cn_topk_tick(cn_topk *topk, uint64_t now_ns)
{
    unsigned changed = topk->changed;
    topk->changed = 0;
    /* after a long pause only the last second matters */
    if (!topk->tick_ns || now_ns > topk->tick_ns + 50 * CN_TOPK_TICK_NS) topk->tick_ns = now_ns - CN_TOPK_TICK_NS;
    for (; topk->tick_ns + CN_TOPK_TICK_NS <= now_ns; topk->tick_ns += CN_TOPK_TICK_NS) {
        uint64_t at = topk->tick_ns + CN_TOPK_TICK_NS;
        for (unsigned i = 0; i < topk->used; i++)
            if (topk->voices[i].present) advance(topk, &topk->voices[i], at);
        if (rank(topk, at)) changed |= CN_TOPK_CHANGED_LIST;
        if (choose_speaker(topk, at)) changed |= CN_TOPK_CHANGED_SPEAKER;
    }
    return changed;
}

size_t cn_topk_list(const cn_topk *topk, uint16_t *out, size_t max)
{
    size_t n = topk->count < max ? topk->count : max;
    for (size_t i = 0; i < n; i++) out[i] = topk->list[i];
    return n;
}

int cn_topk_speaker(const cn_topk *topk)
{
    return topk->speaker;
}
