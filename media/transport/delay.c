#include "media/transport/delay.h"

void cn_delay_next(cn_delay *delay, uint64_t arrival_ns, uint64_t packets)
{
    if (delay->waiting_n == CN_DELAY_WAITING) {
        delay->waiting[CN_DELAY_WAITING - 1].packets += packets;
        return;
    }
    delay->waiting[delay->waiting_n].arrival_ns = arrival_ns;
    delay->waiting[delay->waiting_n++].packets = packets;
}

static unsigned bucket_of(uint64_t ns)
{
    unsigned i = 0;
    while (i < CN_MEDIA_DELAYS - 1 && ns > (uint64_t)cn_media_delay_us[i] * 1000) i++;
    return i;
}

void cn_delay_sent(cn_delay *delay, uint64_t now_ns)
{
    for (unsigned i = 0; i < delay->waiting_n; i++) {
        uint64_t ns = now_ns > delay->waiting[i].arrival_ns ? now_ns - delay->waiting[i].arrival_ns : 0;
        delay->counts[bucket_of(ns)] += delay->waiting[i].packets;
        delay->sum_ns += ns * delay->waiting[i].packets;
    }
    delay->waiting_n = 0;
}
