#include "consult/minutes/tally.h"

#include <string.h>

void cn_tally_start(cn_tally *tally, uint64_t mono_ms, int64_t wall_ms, int zone_minutes)
{
    tally->waiting = 0;
    tally->sign_mono_ms = mono_ms;
    cn_meter_start(&tally->meter, mono_ms, wall_ms, zone_minutes);
}

/* Feeds the meter the first `count` of what waits. */
static size_t feed(cn_tally *tally, size_t count, cn_meter_segment *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const cn_tally_change *change = &tally->change[i];
        n += cn_meter_area(&tally->meter, change->mono_ms, change->sum, change->max, out + n, max - n);
    }
    tally->waiting -= count;
    memmove(tally->change, tally->change + count, tally->waiting * sizeof *tally->change);
    return n;
}

static size_t feed_until(cn_tally *tally, uint64_t mono_ms, cn_meter_segment *out, size_t max)
{
    size_t count = 0;
    while (count < tally->waiting && tally->change[count].mono_ms <= mono_ms) count++;
    return feed(tally, count, out, max);
}

size_t cn_tally_area(cn_tally *tally, uint64_t mono_ms, int64_t sum, int64_t max_area, cn_meter_segment *out,
                     size_t max)
{
    if (!tally->meter.running) return 0;
    size_t n = tally->waiting == CN_TALLY_CHANGES ? feed(tally, 1, out, max) : 0;
    uint64_t newest = tally->waiting ? tally->change[tally->waiting - 1].mono_ms : 0;
    tally->change[tally->waiting++] =
        (cn_tally_change){.mono_ms = mono_ms > newest ? mono_ms : newest, .sum = sum, .max = max_area};
    return n + feed_until(tally, tally->sign_mono_ms, out + n, max - n);
}

size_t cn_tally_sign(cn_tally *tally, uint64_t mono_ms, cn_meter_segment *out, size_t max)
{
    if (!tally->meter.running || mono_ms <= tally->sign_mono_ms) return 0;
    tally->sign_mono_ms = mono_ms;
    return feed_until(tally, mono_ms, out, max);
}

size_t cn_tally_checkpoint(cn_tally *tally, uint64_t mono_ms, cn_meter_segment *out, size_t max)
{
    if (!tally->meter.running) return 0;
    uint64_t sure = mono_ms > CN_TALLY_SURE_MS ? mono_ms - CN_TALLY_SURE_MS : 0;
    uint64_t until = tally->sign_mono_ms > sure ? tally->sign_mono_ms : sure;
    size_t n = feed_until(tally, until, out, max);
    return n + cn_meter_checkpoint(&tally->meter, until, out + n, max - n);
}

size_t cn_tally_stop(cn_tally *tally, uint64_t mono_ms, const char *cause, cn_meter_segment *out, size_t max)
{
    if (!tally->meter.running) return 0;
    size_t n = feed_until(tally, mono_ms, out, max);
    tally->waiting = 0;
    return n + cn_meter_stop(&tally->meter, mono_ms, cause, out + n, max - n);
}
