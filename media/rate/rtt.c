#include "media/rate/rtt.h"

#define WINDOW_NS 10000000000ull

void cn_rtt_sample(cn_rtt *rtt, uint32_t ms, uint64_t now_ns)
{
    if (!ms) return;
    uint64_t window = now_ns / WINDOW_NS;
    if (window != rtt->window) {
        rtt->former_ms = window == rtt->window + 1 ? rtt->now_ms : 0;
        rtt->now_ms = 0;
        rtt->window = window;
    }
    if (!rtt->now_ms || ms < rtt->now_ms) rtt->now_ms = ms;
}

uint32_t cn_rtt_least(const cn_rtt *rtt)
{
    if (!rtt->now_ms || (rtt->former_ms && rtt->former_ms < rtt->now_ms)) return rtt->former_ms;
    return rtt->now_ms;
}
