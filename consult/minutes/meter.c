#include "consult/minutes/meter.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define MINUTE_MS 60000
#define DAY_MS ((int64_t)86400000)

static const struct {
    const char *name; /* as in docs/protocol.md */
    int64_t area;     /* largest that still belongs to the tier */
    int weight;
} tiers[CN_METER_TIERS] = {{"voice", 0, 1},          {"sd", 307200, 2},   {"hd", 921600, 4},
                           {"super_hd", 2073600, 9}, {"2k", 3686400, 16}, {"4k", INT64_MAX, 36}};

const char *cn_meter_tier_name(int tier)
{
    return tier >= 0 && tier < CN_METER_TIERS ? tiers[tier].name : "";
}

int cn_meter_weight(int tier)
{
    return tier >= 0 && tier < CN_METER_TIERS ? tiers[tier].weight : 0;
}

int64_t cn_meter_tier_area(int tier)
{
    return tier >= 0 && tier < CN_METER_TIERS ? tiers[tier].area : 0;
}

int cn_meter_tier(int64_t area)
{
    int tier = 0;
    while (area > tiers[tier].area) tier++;
    return tier;
}

/* ---- months: the proleptic Gregorian calendar, days since 1970-01-01 ---- */

/* The first day of a month; `month` from 0, may be 12 (January of the next year). Years begin in March here, so that
 * the day that comes and goes is the last one. */
static int64_t days_before(int64_t year, int64_t month)
{
    int64_t m = month % 12, y = year + month / 12 - (m < 2);
    int64_t from_march = (m + 10) % 12;
    return y * 365 + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 - 719468;
}

static int64_t month_start(int64_t year, int64_t month, int zone_minutes)
{
    return days_before(year, month) * DAY_MS - (int64_t)zone_minutes * MINUTE_MS;
}

/* The month, from 0, that holds `wall_ms`. */
static void month_of(int64_t wall_ms, int zone_minutes, int64_t *year, int64_t *month)
{
    int64_t day = (wall_ms + (int64_t)zone_minutes * MINUTE_MS) / DAY_MS;
    *year = 1970 + day / 366, *month = 0; /* never late, at most a few years early */
    while (days_before(*year + 1, 0) <= day) ++*year;
    while (days_before(*year, *month + 1) <= day) ++*month;
}

int64_t cn_month_end(int64_t wall_ms, int zone_minutes)
{
    int64_t year, month;
    month_of(wall_ms, zone_minutes, &year, &month);
    return month_start(year, month + 1, zone_minutes);
}

void cn_month_name(int64_t wall_ms, int zone_minutes, char out[CN_MONTH_TEXT])
{
    int64_t year, month;
    month_of(wall_ms, zone_minutes, &year, &month);
    cn_fmt(out, CN_MONTH_TEXT, "%04" PRId64 "-%02" PRId64, year, month + 1);
}

bool cn_month_bounds(const char *month, int zone_minutes, int64_t *from_ms, int64_t *to_ms)
{
    char year[5] = {0};
    int64_t y = 0, m = 0;
    if (strlen(month) != 7 || month[4] != '-' || month[0] == '+' || month[5] == '+') return false;
    memcpy(year, month, 4);
    if (!cn_parse_i64(year, 1970, 9999, &y) || !cn_parse_i64(month + 5, 1, 12, &m)) return false;
    *from_ms = month_start(y, m - 1, zone_minutes);
    *to_ms = month_start(y, m, zone_minutes);
    return true;
}

/* ---- the meter ---- */

void cn_meter_start(cn_meter *meter, uint64_t mono_ms, int64_t wall_ms, int zone_minutes)
{
    *meter = (cn_meter){.running = true,
                        .start_mono_ms = mono_ms,
                        .last_mono_ms = mono_ms,
                        .start_wall_ms = wall_ms,
                        .zone_minutes = zone_minutes};
}

static void advance(cn_meter *meter, uint64_t mono_ms)
{
    if (mono_ms > meter->last_mono_ms) meter->last_mono_ms = mono_ms;
}

/* The open stretch's first `ms`; the rest stays open, with what is being sent now. */
static cn_meter_segment cut(cn_meter *meter, int64_t ms, const char *cause)
{
    cn_meter_segment segment = {.start_ms = meter->start_wall_ms,
                                .duration_ms = ms,
                                .area_sum = meter->area_sum,
                                .area_max = meter->area_max,
                                .tier_aggregate = cn_meter_tier(meter->area_sum),
                                .tier_max = cn_meter_tier(meter->area_max),
                                .end_cause = cause};
    meter->start_mono_ms += (uint64_t)ms;
    meter->start_wall_ms += ms;
    meter->area_sum = meter->now_sum;
    meter->area_max = meter->now_max;
    return segment;
}

static size_t cut_months(cn_meter *meter, cn_meter_segment *out, size_t max)
{
    size_t n = 0;
    while (n + 1 < max) {
        int64_t left = cn_month_end(meter->start_wall_ms, meter->zone_minutes) - meter->start_wall_ms;
        if ((int64_t)(meter->last_mono_ms - meter->start_mono_ms) < left) break;
        out[n++] = cut(meter, left, "month");
    }
    return n;
}

static size_t cut_all(cn_meter *meter, const char *cause, cn_meter_segment *out, size_t max)
{
    size_t n = cut_months(meter, out, max);
    int64_t open = (int64_t)(meter->last_mono_ms - meter->start_mono_ms);
    if (open > 0 && n < max) out[n++] = cut(meter, open, cause);
    return n;
}

size_t cn_meter_area(cn_meter *meter, uint64_t mono_ms, int64_t sum, int64_t max_area, cn_meter_segment *out,
                     size_t max)
{
    if (!meter->running) return 0;
    advance(meter, mono_ms);
    bool same =
        cn_meter_tier(sum) == cn_meter_tier(meter->now_sum) && cn_meter_tier(max_area) == cn_meter_tier(meter->now_max);
    size_t n = same ? cut_months(meter, out, max) : cut_all(meter, "tier", out, max);
    meter->now_sum = sum;
    meter->now_max = max_area;
    if (!same || sum > meter->area_sum) meter->area_sum = sum;
    if (!same || max_area > meter->area_max) meter->area_max = max_area;
    return n;
}

size_t cn_meter_checkpoint(cn_meter *meter, uint64_t mono_ms, cn_meter_segment *out, size_t max)
{
    if (!meter->running) return 0;
    advance(meter, mono_ms);
    return cut_all(meter, "checkpoint", out, max);
}

size_t cn_meter_stop(cn_meter *meter, uint64_t mono_ms, const char *cause, cn_meter_segment *out, size_t max)
{
    if (!meter->running) return 0;
    /* a lost connection ended before the last change that was seen, but not before what is in the ledger */
    meter->last_mono_ms = mono_ms > meter->start_mono_ms ? mono_ms : meter->start_mono_ms;
    meter->running = false;
    return cut_all(meter, cause, out, max);
}

/* ---- sums ---- */

int64_t cn_meter_weighted(const int64_t ms[CN_METER_TIERS])
{
    int64_t sum = 0;
    for (int i = 0; i < CN_METER_TIERS; i++) sum += tiers[i].weight * ((ms[i] + MINUTE_MS - 1) / MINUTE_MS);
    return sum;
}

__extension__ typedef unsigned __int128 wide;

typedef struct division {
    const int64_t *weights;
    size_t n;
    int64_t total;
    uint64_t sum;
} division;

static uint64_t remainder_of(const division *split, size_t index)
{
    return (uint64_t)((wide)(uint64_t)split->total * (uint64_t)split->weights[index] % split->sum);
}

static size_t above(const division *split, uint64_t bound)
{
    size_t n = 0;
    for (size_t i = 0; i < split->n; i++) n += remainder_of(split, i) > bound;
    return n;
}

/* The smallest bound that at most `left` remainders exceed: those get one more each, then the equal ones in order. */
static uint64_t bound_for(const division *split, size_t left)
{
    uint64_t low = 0, high = split->sum;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (above(split, middle) <= left)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void cn_meter_shares(const int64_t *weighted_ms, size_t count, int64_t total, int64_t *out)
{
    division split = {.weights = weighted_ms, .n = count, .total = total};
    for (size_t i = 0; i < count; i++) split.sum += (uint64_t)weighted_ms[i];
    memset(out, 0, count * sizeof(*out));
    if (split.sum == 0 || total <= 0) return;
    int64_t left = total;
    for (size_t i = 0; i < count; i++) {
        out[i] = (int64_t)((wide)(uint64_t)total * (uint64_t)weighted_ms[i] / split.sum);
        left -= out[i];
    }
    uint64_t bound = bound_for(&split, (size_t)left);
    size_t equal = (size_t)left - above(&split, bound);
    for (size_t i = 0; i < count && left > 0; i++) {
        uint64_t r = remainder_of(&split, i);
        if (r < bound || (r == bound && equal == 0)) continue;
        if (r == bound) equal--;
        out[i]++;
        left--;
    }
}
