#include "signaling/live/rates.h"

#include <stdbool.h>

#define SLOW_MS 1000
#define SLOW_MOST 5         /* times in a row before it is closed */
#define FORGOTTEN_MS 60000u /* quiet for so long: it begins anew */

static const cn_rate_limit everything = {200, 400};
static const cn_rate_limit refusals = {10, 150}; /* so many are only refused, at first and after each time slowed */

static bool take(cn_bucket *bucket, const cn_rate_limit *limit, uint64_t now_ms)
{
    double tokens = limit->burst;
    if (bucket->at_ms) tokens = bucket->tokens + (double)(now_ms - bucket->at_ms) * limit->per_s / 1000;
    if (tokens > limit->burst) tokens = limit->burst;
    bool there = tokens >= 1;
    *bucket = (cn_bucket){.tokens = there ? tokens - 1 : tokens, .at_ms = now_ms};
    return there;
}

static cn_rate_verdict slow(cn_rates *rates, uint64_t now_ms)
{
    if (now_ms < rates->slow_until_ms) return CN_RATE_REFUSE; /* what had been read already */
    if (now_ms - rates->slowed_ms > FORGOTTEN_MS) rates->slowed = 0;
    rates->slowed_ms = now_ms;
    rates->slow_until_ms = now_ms + SLOW_MS;
    rates->patience = (cn_bucket){.at_ms = 0};
    return ++rates->slowed > SLOW_MOST ? CN_RATE_CLOSE : CN_RATE_SLOW;
}

cn_rate_verdict cn_rates_take(cn_rates *rates, size_t method, const cn_rate_limit *limit, uint64_t now_ms)
{
    bool all = take(&rates->all, &everything, now_ms);
    bool own = take(&rates->method[method], limit, now_ms);
    if (all && own) return CN_RATE_PASS;
    return take(&rates->patience, &refusals, now_ms) ? CN_RATE_REFUSE : slow(rates, now_ms);
}
