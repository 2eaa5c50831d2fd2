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
    cn_pacer *pacer = CN_NEW(cn_pacer);
    if (!pacer) return CN_ERR_NOMEM;
    pacer->resend = (ring){.at = pacer->resends, .size = CN_PACER_RESEND};
    pacer->media = (ring){.at = pacer->medias, .size = CN_PACER_MEDIA};
    *out = pacer;
    return CN_OK;
}

static bool pop(cn_pacer *pacer, ring *circle, cn_paced *out)
{
    while (circle->n) {
        *out = circle->at[circle->first];
        circle->first = (circle->first + 1) % circle->size;
        circle->n--;
        if (!out->owner) continue; /* taken before its turn */
        pacer->waiting -= out->bytes * 8.0;
        return true;
    }
    return false;
}

void cn_pacer_free(cn_pacer *pacer)
{
    cn_paced paced;
    if (!pacer) return;
    while (cn_pacer_take(pacer, NULL, &paced)) cn_packet_unref(paced.p);
    free(pacer);
}

size_t cn_pacer_waiting(const cn_pacer *pacer)
{
    return pacer->resend.n + pacer->media.n;
}

static double rate(const cn_pacer *pacer)
{
    return cn_pacer_waiting(pacer) ? fmax(pacer->bps, pacer->drain_bps) : pacer->bps;
}

static void leak(cn_pacer *pacer, uint64_t now_ns)
{
    if (now_ns > pacer->now_ns)
        pacer->bucket = fmax(0, pacer->bucket - rate(pacer) * (double)(now_ns - pacer->now_ns) / 1e9);
    pacer->now_ns = now_ns;
}

static double burst(const cn_pacer *pacer)
{
    return rate(pacer) * (double)CN_PACER_BURST_NS / 1e9;
}

void cn_pacer_rate(cn_pacer *pacer, uint32_t bps, uint64_t now_ns)
{
    leak(pacer, now_ns);
    pacer->bps = bps;
    if (!bps) pacer->bucket = 0;
}

void cn_pacer_left(cn_pacer *pacer, size_t bytes, uint64_t now_ns)
{
    leak(pacer, now_ns);
    if (pacer->bps) pacer->bucket += (double)bytes * 8;
}

static bool may_leave(const cn_pacer *pacer)
{
    return !pacer->bps || pacer->bucket <= burst(pacer);
}

bool cn_pacer_hold(cn_pacer *pacer, const cn_paced *paced, uint64_t now_ns)
{
    ring *circle = paced->kind == CN_PACED_RESEND ? &pacer->resend : &pacer->media;
    leak(pacer, now_ns);
    if (!cn_pacer_waiting(pacer) && may_leave(pacer)) return false;
    if (circle->n == circle->size) return false;
    if (!cn_pacer_waiting(pacer)) {
        pacer->drain_bps = 0;
        pacer->waiting = 0;
    }
    cn_paced *at = &circle->at[(circle->first + circle->n++) % circle->size];
    *at = *paced;
    if (at->p) at->p = cn_packet_ref(at->p);
    pacer->waiting += paced->bytes * 8.0;
    pacer->drain_bps = fmax(pacer->drain_bps, (pacer->waiting + pacer->bucket) / ((double)CN_PACER_WAIT_NS / 1e9));
    return true;
}

bool cn_pacer_next(cn_pacer *pacer, uint64_t now_ns, cn_paced *out)
{
    leak(pacer, now_ns);
    return may_leave(pacer) && (pop(pacer, &pacer->resend, out) || pop(pacer, &pacer->media, out));
}

static bool take(cn_pacer *pacer, ring *circle, const void *owner, cn_paced *out)
{
    for (size_t i = 0; i < circle->n; i++) {
        cn_paced *paced = &circle->at[(circle->first + i) % circle->size];
        if (!paced->owner || paced->owner != owner) continue;
        *out = *paced;
        pacer->waiting -= paced->bytes * 8.0;
        *paced = (cn_paced){0};
        return true;
    }
    return false;
}

bool cn_pacer_take(cn_pacer *pacer, const void *owner, cn_paced *out)
{
    if (!owner) return pop(pacer, &pacer->resend, out) || pop(pacer, &pacer->media, out);
    return take(pacer, &pacer->resend, owner, out) || take(pacer, &pacer->media, owner, out);
}

uint64_t cn_pacer_wait_ns(cn_pacer *pacer, uint64_t now_ns)
{
    leak(pacer, now_ns);
    if (may_leave(pacer)) return 0;
    return (uint64_t)((pacer->bucket - burst(pacer)) / rate(pacer) * 1e9) + 1;
}
