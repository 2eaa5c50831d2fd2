#include "media/stream/ntpmap.h"

#include "media/stream/seq.h"

#define SLICE_NS 5000000000ull
#define SLICES 8
#define STEP_NS 2000000000ll

/* 32.32 seconds since 1900 → ns; fits into 63 bits. */
static int64_t ns_of_ntp(uint64_t ntp)
{
    return (int64_t)((ntp >> 32) * 1000000000 + ((ntp & 0xffffffff) * 1000000000 >> 32));
}

void cn_ntpclock_report(cn_ntpclock *clock, uint64_t ntp, uint64_t arrival_ns)
{
    int64_t offset = (int64_t)arrival_ns - ns_of_ntp(ntp);
    uint64_t slice = arrival_ns / SLICE_NS;
    bool stepped = clock->known && (offset - clock->offset_ns > STEP_NS || clock->offset_ns - offset > STEP_NS);
    if (!clock->known || stepped || slice >= clock->slice + SLICES) {
        for (int i = 0; i < SLICES; i++) clock->window[i] = INT64_MAX;
        clock->slice = slice;
    }
    while (clock->slice < slice) clock->window[++clock->slice % SLICES] = INT64_MAX;
    int64_t *now = &clock->window[clock->slice % SLICES];
    if (offset < *now) *now = offset;
    /* the least delayed report is the nearest to the truth */
    clock->offset_ns = INT64_MAX;
    for (int i = 0; i < SLICES; i++)
        if (clock->window[i] < clock->offset_ns) clock->offset_ns = clock->window[i];
    clock->known = true;
}

void cn_ntpmap_init(cn_ntpmap *map, uint32_t clock)
{
    *map = (cn_ntpmap){.clock = clock};
}

void cn_ntpmap_report(cn_ntpmap *map, uint64_t ntp, uint32_t rtp)
{
    map->ntp = ntp;
    map->rtp = rtp;
    map->known = true;
}

bool cn_ntpmap_capture(const cn_ntpmap *map, const cn_ntpclock *clock, uint32_t rtp, int64_t *server_ns)
{
    if (!map->known || !clock->known || !map->clock) return false;
    *server_ns = ns_of_ntp(map->ntp) + cn_ns_from_ticks(cn_ts_diff(rtp, map->rtp), map->clock) + clock->offset_ns;
    return true;
}
