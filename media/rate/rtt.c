#include "media/rate/rtt.h"

#define WINDOW_NS 10000000000ull

void cn_rtt_sample(cn_rtt *r, uint32_t ms, uint64_t now_ns)
{
    if (!ms) return;
    uint64_t window = now_ns / WINDOW_NS;
    if (window != r->window) {
        r->former_ms = window == r->window + 1 ? r->now_ms : 0;
        r->now_ms = 0;
        r->window = window;
    }
    if (!r->now_ms || ms < r->now_ms) r->now_ms = ms;
}

uint32_t cn_rtt_least(const cn_rtt *r)
{
    if (!r->now_ms || (r->former_ms && r->former_ms < r->now_ms)) return r->former_ms;
    return r->now_ms;
}
