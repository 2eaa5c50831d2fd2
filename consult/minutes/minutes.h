/*
 * The administrator's minutes: sums over the ledger (REQUIREMENTS §14, rule 5). Blocking: job threads only. Right
 * minutes.read; every look is written to the audit log.
 */
#ifndef CN_CONSULT_MINUTES_H
#define CN_CONSULT_MINUTES_H

#include "consult/consult.h"

/**
 * `month` "2026-11"; `by` "room", "user" or "hospital"; `quota` and `rule` ("aggregate", "max_tier") from the
 * configuration. `{month, rule, quota, total, tiers: [{tier, ms, minutes, weight, weighted}], items: [{id, name,
 * weighted, ms: [6]}], days: [{day, weighted_ms, weighted}]}`: `total` is rounded once, the `weighted` of items and of days sum to it; items by
 * weight, largest first; every day of the month, stretches over midnight counted on both days.
 */
cn_err cn_minutes_month(cn_consult *consult, const cn_actor *actor, const char *month, const char *by, int64_t quota,
                        const char *rule, json_t **out, cn_problem *problem);

typedef struct cn_segment_filter {
    const char *month, *room, *user; /* room, user: NULL any */
    const char *rule;                /* whose weight: as above, NULL: "aggregate" */
    unsigned page, size;             /* from 1; 1…200 */
} cn_segment_filter;
/** `{items: [{room, title, request, participant, user, name, kind, start, ms, area_sum, area_max, tier_aggregate,
 * tier_max, weighted_ms, end_cause, doubted}], total}` in the order of time; `doubted`: up to an hour before its end a
 * picture in its room claimed a size that is not believed (`room.size` in the audit log). */
cn_err cn_minutes_segments(cn_consult *consult, const cn_actor *actor, const cn_segment_filter *filter, json_t **out,
                           cn_problem *problem);

#endif
