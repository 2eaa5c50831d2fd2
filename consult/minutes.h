/* The administrator's minutes: sums over the ledger. Blocking: job threads only. Right minutes.read. */
#ifndef CN_CONSULT_MINUTES_H
#define CN_CONSULT_MINUTES_H

#include "consult/consult.h"

/** `month` "2026-11"; `by` "room", "user" or "hospital"; `quota` and `rule` ("aggregate", "max_tier") from the
 * configuration. Shape: docs/protocol.md. */
cn_err cn_minutes_month(cn_consult *c, const cn_actor *a, const char *month, const char *by, int64_t quota,
                        const char *rule, json_t **out, cn_problem *p);

typedef struct cn_segment_filter {
    const char *month, *room, *user; /* room, user: NULL any */
    unsigned page, size;
} cn_segment_filter;
/** `{items: [{room, request, participant, user, name, kind, start, ms, area_sum, area_max, tier_aggregate, tier_max,
 * weighted_ms, end_cause}], total}` */
cn_err cn_minutes_segments(cn_consult *c, const cn_actor *a, const cn_segment_filter *f, json_t **out, cn_problem *p);

#endif
