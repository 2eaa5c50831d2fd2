/* How often one client may call: who floods is told, then slowed, then closed. Pure: the caller says what time it is. */
#ifndef CN_SIGNALING_LIVE_RATES_H
#define CN_SIGNALING_LIVE_RATES_H

#include <stddef.h>
#include <stdint.h>

#define CN_RATES_METHODS 32

/** A token bucket: `burst` calls at once, `per_s` a second in the long run. */
typedef struct cn_rate_limit {
    uint16_t per_s, burst;
} cn_rate_limit;

typedef struct cn_bucket {
    double tokens;
    uint64_t at_ms; /* 0: full */
} cn_bucket;

/** Of one client. All zero: nothing was called yet. */
typedef struct cn_rates {
    cn_bucket all, patience, method[CN_RATES_METHODS];
    uint64_t slow_until_ms; /* it is not read from before; 0: it is */
    uint64_t slowed_ms;     /* slowed last */
    unsigned slowed;        /* times, until it was quiet for a while */
} cn_rates;

typedef enum cn_rate_verdict {
    CN_RATE_PASS,
    CN_RATE_REFUSE, /* the call is answered "busy" */
    CN_RATE_SLOW,   /* the same, and nothing is read from the client until slow_until_ms */
    CN_RATE_CLOSE   /* it goes on although it was slowed again and again */
} cn_rate_verdict;

/** One call of the method with that index (< CN_RATES_METHODS) at `now_ms` (monotonic, above 0). */
cn_rate_verdict cn_rates_take(cn_rates *rates, size_t method, const cn_rate_limit *limit, uint64_t now_ms);

#endif
