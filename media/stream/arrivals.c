#include "media/stream/arrivals.h"

#include "media/stream/seq.h"

#define BEGIN_S 1000000u /* so that packets before the first one have a time, too */

void cn_arrivals_init(cn_arrivals *arrivals, uint32_t rate)
{
    *arrivals = (cn_arrivals){.rate = rate, .ticks = (uint64_t)BEGIN_S * rate};
}

/* 32.32 seconds, as in a sender report. */
static uint64_t ntp_of(const cn_arrivals *arrivals, uint64_t ticks)
{
    return (ticks / arrivals->rate) << 32 | ((ticks % arrivals->rate) << 32) / arrivals->rate;
}

void cn_arrivals_packet(cn_arrivals *arrivals, uint32_t ts, uint64_t now_ns)
{
    if (!arrivals->since_ns) {
        arrivals->since_ns = now_ns;
        arrivals->ts = ts;
    }
    int32_t ahead = cn_ts_diff(ts, arrivals->ts);
    uint64_t ticks = arrivals->ticks + (uint64_t)(int64_t)ahead;
    if (ahead > 0) {
        arrivals->ticks = ticks;
        arrivals->ts = ts;
    }
    cn_ntpclock_report(&arrivals->clock, ntp_of(arrivals, ticks), now_ns);
}

bool cn_arrivals_capture(const cn_arrivals *arrivals, uint64_t now_ns, uint32_t *ts, int64_t *server_ns)
{
    if (!arrivals->since_ns || now_ns - arrivals->since_ns < CN_ARRIVALS_NS) return false;
    cn_ntpmap map;
    cn_ntpmap_init(&map, arrivals->rate);
    cn_ntpmap_report(&map, ntp_of(arrivals, arrivals->ticks), arrivals->ts);
    *ts = arrivals->ts;
    return cn_ntpmap_capture(&map, &arrivals->clock, arrivals->ts, server_ns);
}
