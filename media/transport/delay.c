#include "media/transport/delay.h"

const uint32_t cn_media_delay_us[CN_MEDIA_DELAYS - 1] = {50,   100,   200,   500,   1000,  2000,
                                                         5000, 10000, 20000, 50000, 100000};

void cn_delay_next(cn_delay *d, uint64_t arrival_ns, uint64_t packets)
{
    if (d->waiting_n == CN_DELAY_WAITING) {
        d->waiting[CN_DELAY_WAITING - 1].packets += packets;
        return;
    }
    d->waiting[d->waiting_n].arrival_ns = arrival_ns;
    d->waiting[d->waiting_n++].packets = packets;
}

static unsigned bucket_of(uint64_t ns)
{
    unsigned i = 0;
    while (i < CN_MEDIA_DELAYS - 1 && ns > (uint64_t)cn_media_delay_us[i] * 1000) i++;
    return i;
}

void cn_delay_sent(cn_delay *d, uint64_t now_ns)
{
    for (unsigned i = 0; i < d->waiting_n; i++) {
        uint64_t ns = now_ns > d->waiting[i].arrival_ns ? now_ns - d->waiting[i].arrival_ns : 0;
        d->counts[bucket_of(ns)] += d->waiting[i].packets;
        d->sum_ns += ns * d->waiting[i].packets;
    }
    d->waiting_n = 0;
}
