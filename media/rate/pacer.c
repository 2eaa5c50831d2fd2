#include "media/rate/pacer.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

typedef struct ring {
    cn_paced *at;
    size_t size, first, n;
} ring;

struct cn_pacer {
    uint32_t bps;
    double drain_bps; /* what empties the queue in time; counts while something waits */
    double bucket;    /* bits */
    double waiting;   /* bits */
    uint64_t now_ns;
    ring resend, media;
    cn_paced resends[CN_PACER_RESEND];
    cn_paced medias[CN_PACER_MEDIA];
};

cn_err cn_pacer_new(cn_pacer **out)
{
    cn_pacer *p = CN_NEW(cn_pacer);
    if (!p) return CN_ERR_NOMEM;
    p->resend = (ring){.at = p->resends, .size = CN_PACER_RESEND};
    p->media = (ring){.at = p->medias, .size = CN_PACER_MEDIA};
    *out = p;
    return CN_OK;
}

static bool pop(cn_pacer *p, ring *r, cn_paced *out)
{
    while (r->n) {
        *out = r->at[r->first];
        r->first = (r->first + 1) % r->size;
        r->n--;
        if (!out->owner) continue; /* taken before its turn */
        p->waiting -= out->bytes * 8.0;
        return true;
    }
    return false;
}

void cn_pacer_free(cn_pacer *p)
{
    cn_paced e;
    if (!p) return;
    while (cn_pacer_take(p, NULL, &e)) cn_packet_unref(e.p);
    free(p);
}

size_t cn_pacer_waiting(const cn_pacer *p)
{
    return p->resend.n + p->media.n;
}

static double rate(const cn_pacer *p)
{
    return cn_pacer_waiting(p) ? fmax(p->bps, p->drain_bps) : p->bps;
}

static void leak(cn_pacer *p, uint64_t now_ns)
{
    if (now_ns > p->now_ns) p->bucket = fmax(0, p->bucket - rate(p) * (double)(now_ns - p->now_ns) / 1e9);
    p->now_ns = now_ns;
}

static double burst(const cn_pacer *p)
{
    return rate(p) * (double)CN_PACER_BURST_NS / 1e9;
}

void cn_pacer_rate(cn_pacer *p, uint32_t bps, uint64_t now_ns)
{
    leak(p, now_ns);
    p->bps = bps;
    if (!bps) p->bucket = 0;
}

void cn_pacer_left(cn_pacer *p, size_t bytes, uint64_t now_ns)
{
    leak(p, now_ns);
    if (p->bps) p->bucket += (double)bytes * 8;
}

static bool may_leave(const cn_pacer *p)
{
    return !p->bps || p->bucket <= burst(p);
}

bool cn_pacer_hold(cn_pacer *p, const cn_paced *e, uint64_t now_ns)
{
    ring *r = e->kind == CN_PACED_RESEND ? &p->resend : &p->media;
    leak(p, now_ns);
    if (!cn_pacer_waiting(p) && may_leave(p)) return false;
    if (r->n == r->size) return false;
    if (!cn_pacer_waiting(p)) {
        p->drain_bps = 0;
        p->waiting = 0;
    }
    cn_paced *at = &r->at[(r->first + r->n++) % r->size];
    *at = *e;
    if (at->p) at->p = cn_packet_ref(at->p);
    p->waiting += e->bytes * 8.0;
    p->drain_bps = fmax(p->drain_bps, (p->waiting + p->bucket) / ((double)CN_PACER_WAIT_NS / 1e9));
    return true;
}

bool cn_pacer_next(cn_pacer *p, uint64_t now_ns, cn_paced *out)
{
    leak(p, now_ns);
    return may_leave(p) && (pop(p, &p->resend, out) || pop(p, &p->media, out));
}

static bool take(cn_pacer *p, ring *r, const void *owner, cn_paced *out)
{
    for (size_t i = 0; i < r->n; i++) {
        cn_paced *e = &r->at[(r->first + i) % r->size];
        if (!e->owner || e->owner != owner) continue;
        *out = *e;
        p->waiting -= e->bytes * 8.0;
        *e = (cn_paced){0};
        return true;
    }
    return false;
}

bool cn_pacer_take(cn_pacer *p, const void *owner, cn_paced *out)
{
    if (!owner) return pop(p, &p->resend, out) || pop(p, &p->media, out);
    return take(p, &p->resend, owner, out) || take(p, &p->media, owner, out);
}

uint64_t cn_pacer_wait_ns(cn_pacer *p, uint64_t now_ns)
{
    leak(p, now_ns);
    if (may_leave(p)) return 0;
    return (uint64_t)((p->bucket - burst(p)) / rate(p) * 1e9) + 1;
}
