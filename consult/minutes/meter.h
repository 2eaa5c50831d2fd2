/*
 * Counting minutes (REQUIREMENTS §14): a leaf without I/O. One meter per participant and join.
 * Time comes in as monotonic ms; wall ms of the start fix where months begin. Segments come out, ready for the ledger.
 *
 *   cn_meter_start(&m, mono, wall, zone);                       joined
 *   n = cn_meter_area(&m, mono, sum, largest, segs, COUNT);     what is being sent to him changed
 *   n = cn_meter_checkpoint(&m, mono, segs, COUNT);             every minute or so
 *   n = cn_meter_stop(&m, last_sign_of_life, "leave", segs, COUNT);
 * Whatever comes out is written to the ledger, in this order. Stretches follow each other without gap or overlap; one
 * of 0 ms does not come out.
 */
#ifndef CN_CONSULT_METER_H
#define CN_CONSULT_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CN_METER_TIERS 6
#define CN_METER_RULE_VERSION 1
/* Room for segments of one call: enough for a checkpoint once a month or more often. */
#define CN_METER_SEGMENTS 4

/** "voice", "sd", "hd", "super_hd", "2k", "4k"; "" for a number outside. */
const char *cn_meter_tier_name(int tier);
/** Weight of a tier: 1, 2, 4, 9, 16, 36; 0 for a number outside. */
int cn_meter_weight(int tier);
/** The largest area in pixels that still belongs to the tier; of the highest INT64_MAX. */
int64_t cn_meter_tier_area(int tier);
/** Tier of an area in pixels (rule 3, bounds inclusive): 0 voice … 5 4K. */
int cn_meter_tier(int64_t area);

/** A closed stretch in which neither tier changed. */
typedef struct cn_meter_segment {
    int64_t start_ms;           /* wall clock */
    int64_t duration_ms;        /* monotonic */
    int64_t area_sum, area_max; /* the largest in the stretch */
    int tier_aggregate, tier_max;
    const char *end_cause; /* "tier", "month", "checkpoint" or what cn_meter_stop was told */
} cn_meter_segment;

typedef struct cn_meter {
    bool running;
    uint64_t start_mono_ms, last_mono_ms; /* of the open segment; newest time seen */
    int64_t start_wall_ms;
    int64_t area_sum, area_max; /* largest of the open segment */
    int64_t now_sum, now_max;   /* what is being sent */
    int zone_minutes;
} cn_meter;

/** Starts at voice. `zone_minutes`: where months begin, east of UTC. */
void cn_meter_start(cn_meter *meter, uint64_t mono_ms, int64_t wall_ms, int zone_minutes);

/**
 * The areas changed at mono_ms: `sum` of the pixels of all video streams really being sent, `max_area` of the largest.
 * Writes the closed segments (0…n; a new one only when a tier changed or a month began) to out, at most `max`; returns
 * how many. Should there be more months than room, the last segment takes the rest: no time is ever lost. Time running
 * backwards is treated as standing still. Nothing happens when the meter does not run.
 */
size_t cn_meter_area(cn_meter *meter, uint64_t mono_ms, int64_t sum, int64_t max_area, cn_meter_segment *out,
                     size_t max);
/** Closes the open stretch and goes on with the same areas ("checkpoint"): what is in the ledger survives a crash. */
size_t cn_meter_checkpoint(cn_meter *meter, uint64_t mono_ms, cn_meter_segment *out, size_t max);
/** Ends at mono_ms (the last sign of life for a lost connection, but never before what was already closed). `cause` is
 * borrowed by the segment. */
size_t cn_meter_stop(cn_meter *meter, uint64_t mono_ms, const char *cause, cn_meter_segment *out, size_t max);

/** Wall ms of the first moment of the month after the one that holds `wall_ms`, in the zone. */
int64_t cn_month_end(int64_t wall_ms, int zone_minutes);
#define CN_MONTH_TEXT 16
/** "YYYY-MM" of the month that holds `wall_ms`, in the zone. */
void cn_month_name(int64_t wall_ms, int zone_minutes, char out[CN_MONTH_TEXT]);
/** First and last + 1 wall ms of "YYYY-MM" (1970…9999); false for another text. */
bool cn_month_bounds(const char *month, int zone_minutes, int64_t *from_ms, int64_t *to_ms);

/** Rule 5: Σ weight × ceil(ms ÷ 60,000), rounded once. */
int64_t cn_meter_weighted(const int64_t ms[CN_METER_TIERS]);
/** Shares of `total` by exact weighted ms (none negative), largest remainder first (ties: lower index); they sum to
 * `total` unless all weights are 0: then all shares are. */
void cn_meter_shares(const int64_t *weighted_ms, size_t count, int64_t total, int64_t *out);

#endif
