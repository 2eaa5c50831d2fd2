#include "signaling/live/qualitylog.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_CAPACITY 16

static uint16_t u16(double value)
{
    return value <= 0 ? 0 : value >= UINT16_MAX ? UINT16_MAX : (uint16_t)(value + 0.5);
}

static uint32_t u32(double value)
{
    return value <= 0 ? 0 : value >= UINT32_MAX ? UINT32_MAX : (uint32_t)(value + 0.5);
}

/* Room for one more; at the bound the oldest goes. */
static cn_err make_room(cn_qualitylog *log)
{
    if (log->n < log->capacity) return CN_OK;
    if (log->capacity == CN_QUALITYLOG_POINTS) {
        log->first = (log->first + 1) % log->capacity;
        log->n--;
        return CN_OK;
    }
    size_t capacity = log->capacity ? log->capacity * 2 : FIRST_CAPACITY;
    if (capacity > CN_QUALITYLOG_POINTS) capacity = CN_QUALITYLOG_POINTS;
    cn_quality_point *points = cn_calloc(capacity, sizeof *points);
    if (!points) return CN_ERR_NOMEM;
    if (log->n) memcpy(points, log->points, log->n * sizeof *points); /* never wrapped before the bound */
    free(log->points);
    log->points = points;
    log->capacity = capacity;
    return CN_OK;
}

static cn_err finish(cn_qualitylog *log)
{
    cn_quality_point *point = &log->now;
    double n = log->measured;
    point->up_bps = u32(log->sum[0] / n);
    point->down_bps = u32(log->sum[1] / n);
    point->estimate_bps = u32(log->sum[2] / n);
    point->wanted_bps = u32(log->sum[3] / n);
    point->rtt_ms = u16(log->sum[4] / n);
    point->jitter_ms = u16(log->sum[5] / n);
    point->up_loss = u16(log->sum[6] / n * 10000);
    point->down_loss = u16(log->sum[7] / n * 10000);
    cn_err err = make_room(log);
    if (err == CN_OK) log->points[(log->first + log->n++) % log->capacity] = *point;
    return err;
}

static void begin(cn_qualitylog *log, int64_t at_ms)
{
    memset(log->sum, 0, sizeof log->sum);
    log->measured = 0;
    log->now = (cn_quality_point){.at_ms = at_ms, .mark = UINT8_MAX};
}

static void count(cn_qualitylog *log, const cn_media_stats *stats)
{
    const uint64_t now[4] = {stats->nacks_in, stats->nacks_out, stats->plis_in, stats->plis_out};
    uint16_t *const sums[4] = {&log->now.nacks_in, &log->now.nacks_out, &log->now.plis_in, &log->now.plis_out};
    for (size_t i = 0; i < 4; i++) {
        if (log->known && now[i] >= log->before[i])
            *sums[i] = u16((double)*sums[i] + (double)(now[i] - log->before[i]));
        log->before[i] = now[i];
    }
    log->known = 1;
}

static void pictures(cn_quality_point *point, const cn_media_stats *stats)
{
    for (size_t i = 0; i < stats->slot_count && i < CN_MEDIA_SLOTS; i++)
        if (stats->slots[i].video && stats->slots[i].height > point->sent_height)
            point->sent_height = stats->slots[i].height;
    for (size_t i = 0; i < stats->source_count && i < CN_MEDIA_SOURCES; i++) {
        const cn_media_source_stats *src = &stats->sources[i];
        if (src->kind == CN_SOURCE_MIC) continue;
        if (src->height > point->received_height) point->received_height = src->height;
        uint8_t layers = (uint8_t)__builtin_popcount(src->alive);
        if (src->kind == CN_SOURCE_CAMERA && layers > point->layers) point->layers = layers;
    }
    if (stats->paused > point->paused) point->paused = stats->paused;
}

cn_err cn_qualitylog_add(cn_qualitylog *log, const cn_media_stats *stats, int mark, uint32_t why, int64_t wall_ms)
{
    int64_t at_ms = wall_ms - wall_ms % CN_QUALITYLOG_STEP_MS;
    cn_err err = CN_OK;
    if (log->measured && at_ms != log->now.at_ms) err = finish(log);
    if (!log->measured || at_ms != log->now.at_ms) begin(log, at_ms);
    const double values[8] = {stats->up_bps, stats->down_bps,  stats->estimate_bps,    stats->wanted_bps,
                              stats->rtt_ms, stats->jitter_ms, (double)stats->up_loss, (double)stats->down_loss};
    for (size_t i = 0; i < 8; i++) log->sum[i] += values[i];
    log->measured++;
    log->now.why |= why;
    if (mark < log->now.mark) log->now.mark = (uint8_t)(mark < 0 ? 0 : mark);
    count(log, stats);
    pictures(&log->now, stats);
    return err;
}

const cn_quality_point *cn_qualitylog_at(const cn_qualitylog *log, size_t index)
{
    return index < log->n ? &log->points[(log->first + index) % log->capacity] : NULL;
}

void cn_qualitylog_fit(cn_qualitylog *log)
{
    if (log->measured) (void)finish(log);
    log->measured = 0;
    if (!log->n || log->n == log->capacity) return;
    cn_quality_point *points = cn_memdup(log->points, log->n * sizeof *points); /* never wrapped before the bound */
    if (!points) return;
    free(log->points);
    log->points = points;
    log->capacity = log->n;
}

void cn_qualitylog_end(cn_qualitylog *log)
{
    free(log->points);
    *log = (cn_qualitylog){0};
}
