#include "signaling/live/qualitylog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_CAPACITY 16

static uint16_t u16(double v)
{
    return v <= 0 ? 0 : v >= UINT16_MAX ? UINT16_MAX : (uint16_t)(v + 0.5);
}

static uint32_t u32(double v)
{
    return v <= 0 ? 0 : v >= UINT32_MAX ? UINT32_MAX : (uint32_t)(v + 0.5);
}

/* Room for one more; at the bound the oldest goes. */
static cn_err make_room(cn_qualitylog *l)
{
    if (l->n < l->capacity) return CN_OK;
    if (l->capacity == CN_QUALITYLOG_POINTS) {
        l->first = (l->first + 1) % l->capacity;
        l->n--;
        return CN_OK;
    }
    size_t capacity = l->capacity ? l->capacity * 2 : FIRST_CAPACITY;
    if (capacity > CN_QUALITYLOG_POINTS) capacity = CN_QUALITYLOG_POINTS;
    cn_quality_point *points = cn_calloc(capacity, sizeof *points);
    if (!points) return CN_ERR_NOMEM;
    if (l->n) memcpy(points, l->points, l->n * sizeof *points); /* never wrapped before the bound */
    free(l->points);
    l->points = points;
    l->capacity = capacity;
    return CN_OK;
}

static cn_err finish(cn_qualitylog *l)
{
    cn_quality_point *p = &l->now;
    double n = l->measured;
    p->up_bps = u32(l->sum[0] / n);
    p->down_bps = u32(l->sum[1] / n);
    p->estimate_bps = u32(l->sum[2] / n);
    p->wanted_bps = u32(l->sum[3] / n);
    p->rtt_ms = u16(l->sum[4] / n);
    p->jitter_ms = u16(l->sum[5] / n);
    p->up_loss = u16(l->sum[6] / n * 10000);
    p->down_loss = u16(l->sum[7] / n * 10000);
    cn_err err = make_room(l);
    if (err == CN_OK) l->points[(l->first + l->n++) % l->capacity] = *p;
    return err;
}

static void begin(cn_qualitylog *l, int64_t at_ms)
{
    memset(l->sum, 0, sizeof l->sum);
    l->measured = 0;
    l->now = (cn_quality_point){.at_ms = at_ms, .mark = UINT8_MAX};
}

static void count(cn_qualitylog *l, const cn_media_stats *s)
{
    const uint64_t now[4] = {s->nacks_in, s->nacks_out, s->plis_in, s->plis_out};
    uint16_t *const sums[4] = {&l->now.nacks_in, &l->now.nacks_out, &l->now.plis_in, &l->now.plis_out};
    for (size_t i = 0; i < 4; i++) {
        if (l->known && now[i] >= l->before[i]) *sums[i] = u16((double)*sums[i] + (double)(now[i] - l->before[i]));
        l->before[i] = now[i];
    }
    l->known = 1;
}

static void pictures(cn_quality_point *p, const cn_media_stats *s)
{
    for (size_t i = 0; i < s->slot_count && i < CN_MEDIA_SLOTS; i++)
        if (s->slots[i].video && s->slots[i].height > p->sent_height) p->sent_height = s->slots[i].height;
    for (size_t i = 0; i < s->source_count && i < CN_MEDIA_SOURCES; i++) {
        const cn_media_source_stats *src = &s->sources[i];
        if (src->kind == CN_SOURCE_MIC) continue;
        if (src->height > p->received_height) p->received_height = src->height;
        uint8_t layers = (uint8_t)__builtin_popcount(src->alive);
        if (src->kind == CN_SOURCE_CAMERA && layers > p->layers) p->layers = layers;
    }
    if (s->paused > p->paused) p->paused = s->paused;
}

cn_err cn_qualitylog_add(cn_qualitylog *l, const cn_media_stats *s, int mark, uint32_t why, int64_t wall_ms)
{
    int64_t at_ms = wall_ms - wall_ms % CN_QUALITYLOG_STEP_MS;
    cn_err err = CN_OK;
    if (l->measured && at_ms != l->now.at_ms) err = finish(l);
    if (!l->measured || at_ms != l->now.at_ms) begin(l, at_ms);
    const double values[8] = {s->up_bps, s->down_bps,  s->estimate_bps,    s->wanted_bps,
                              s->rtt_ms, s->jitter_ms, (double)s->up_loss, (double)s->down_loss};
    for (size_t i = 0; i < 8; i++) l->sum[i] += values[i];
    l->measured++;
    l->now.why |= why;
    if (mark < l->now.mark) l->now.mark = (uint8_t)(mark < 0 ? 0 : mark);
    count(l, s);
    pictures(&l->now, s);
    return err;
}

const cn_quality_point *cn_qualitylog_at(const cn_qualitylog *l, size_t i)
{
    return i < l->n ? &l->points[(l->first + i) % l->capacity] : NULL;
}

void cn_qualitylog_fit(cn_qualitylog *l)
{
    if (l->measured) (void)finish(l);
    l->measured = 0;
    if (!l->n || l->n == l->capacity) return;
    cn_quality_point *points = cn_memdup(l->points, l->n * sizeof *points); /* never wrapped before the bound */
    if (!points) return;
    free(l->points);
    l->points = points;
    l->capacity = l->n;
}

void cn_qualitylog_end(cn_qualitylog *l)
{
    free(l->points);
    *l = (cn_qualitylog){0};
}
