#include "media/lossrate.h"

#include <stdbool.h>

#define LOSS_LOW 0.02
#define LOSS_HIGH 0.10
#define GROWTH 0.08
#define MARGIN_BPS 200000.0
#define DECREASE_NS 300000000ull

void cn_lossrate_init(cn_lossrate *r)
{
    *r = (cn_lossrate){.bps = CN_LOSSRATE_START, .min = CN_LOSSRATE_MIN, .max = CN_LOSSRATE_MAX};
}

static void clamp(cn_lossrate *r)
{
    if (r->bps > r->max) r->bps = r->max;
    if (r->bps < r->min) r->bps = r->min;
}

static void increase(cn_lossrate *r, uint64_t passed_ns, uint32_t sent_bps)
{
    double seconds = passed_ns < 1000000000 ? (double)passed_ns / 1e9 : 1;
    double wanted = r->bps * (1 + GROWTH * seconds), proved = 1.5 * sent_bps + MARGIN_BPS;
    if (wanted > proved) wanted = proved;
    if (wanted > r->bps) r->bps = wanted;
}

uint32_t cn_lossrate_update(cn_lossrate *r, double loss, uint32_t sent_bps, uint32_t rtt_ms, uint64_t now_ns)
{
    uint64_t passed = r->last_ns && now_ns > r->last_ns ? now_ns - r->last_ns : 0;
    r->last_ns = now_ns;
    if (loss < LOSS_LOW) {
        increase(r, passed, sent_bps);
    } else if (loss > LOSS_HIGH) {
        bool again = r->decreased_ns && now_ns < r->decreased_ns + DECREASE_NS + rtt_ms * 1000000ull;
        if (!again) {
            r->bps *= 1 - 0.5 * (loss < 1 ? loss : 1);
            r->decreased_ns = now_ns;
        }
    }
    clamp(r);
    return cn_lossrate_bps(r);
}

uint32_t cn_lossrate_bps(const cn_lossrate *r)
{
    return (uint32_t)r->bps;
}

void cn_lossrate_cap(cn_lossrate *r, uint32_t bps)
{
    r->max = bps && bps < CN_LOSSRATE_MAX ? bps : CN_LOSSRATE_MAX;
    if (r->max < r->min) r->max = r->min;
    clamp(r);
}
