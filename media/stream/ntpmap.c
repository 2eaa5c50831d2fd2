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

int64_t cn_ntp_diff_ns(uint64_t a, uint64_t b)
{
    int64_t d = (int64_t)(a - b);
    return (d >> 32) * 1000000000 + (int64_t)(((uint64_t)d & 0xffffffff) * 1000000000 >> 32);
}

void cn_ntpclock_report(cn_ntpclock *c, uint64_t ntp, uint64_t arrival_ns)
{
    int64_t offset = (int64_t)arrival_ns - ns_of_ntp(ntp);
    uint64_t slice = arrival_ns / SLICE_NS;
    bool stepped = c->known && (offset - c->offset_ns > STEP_NS || c->offset_ns - offset > STEP_NS);
    if (!c->known || stepped || slice >= c->slice + SLICES) {
        for (int i = 0; i < SLICES; i++) c->window[i] = INT64_MAX;
        c->slice = slice;
    }
    while (c->slice < slice) c->window[++c->slice % SLICES] = INT64_MAX;
    int64_t *now = &c->window[c->slice % SLICES];
    if (offset < *now) *now = offset;
    /* the least delayed report is the nearest to the truth */
    c->offset_ns = INT64_MAX;
    for (int i = 0; i < SLICES; i++)
        if (c->window[i] < c->offset_ns) c->offset_ns = c->window[i];
    c->known = true;
}

void cn_ntpmap_init(cn_ntpmap *m, uint32_t clock)
{
    *m = (cn_ntpmap){.clock = clock};
}

void cn_ntpmap_report(cn_ntpmap *m, uint64_t ntp, uint32_t rtp)
{
    m->ntp = ntp;
    m->rtp = rtp;
    m->known = true;
}

bool cn_ntpmap_capture(const cn_ntpmap *m, const cn_ntpclock *c, uint32_t rtp, int64_t *server_ns)
{
    if (!m->known || !c->known || !m->clock) return false;
    *server_ns = ns_of_ntp(m->ntp) + cn_ns_from_ticks(cn_ts_diff(rtp, m->rtp), m->clock) + c->offset_ns;
    return true;
}

bool cn_ntpmap_rtp(const cn_ntpmap *m, const cn_ntpclock *c, int64_t server_ns, uint32_t *rtp)
{
    if (!m->known || !c->known || !m->clock) return false;
    int64_t since = server_ns - c->offset_ns - ns_of_ntp(m->ntp);
    *rtp = m->rtp + (uint32_t)cn_ticks_from_ns(since, m->clock);
    return true;
}
