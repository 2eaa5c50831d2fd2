#include "gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "footage.h"

typedef struct held {
    gather_packet packet; /* its payload follows */
    uint8_t payload[];
} held;

struct gather {
    payload_codec codec;
    gather_fn fn;
    void *arg;
    bool started;
    uint64_t next, highest;
    held *early[GATHER_WINDOW];
    /* the frame under way */
    uint8_t *bytes;
    size_t n;
    uint32_t ts;
    bool open, broken;
    bool torn; /* something is missing: nothing is a frame before the next marker or timestamp */
};

gather *gather_new(payload_codec codec, gather_fn fn, void *arg)
{
    gather *g = CN_NEW(gather);
    if (!g) return NULL;
    *g = (gather){.codec = codec, .fn = fn, .arg = arg, .bytes = cn_calloc(1, FOOTAGE_FRAME_MAX)};
    if (g->bytes) return g;
    gather_free(g);
    return NULL;
}

static void frame_end(gather *g, const gather_packet *last, bool whole)
{
    gather_frame f = {.bytes = g->bytes, .n = g->n, .ts = g->ts, .seq = last->seq, .again = last->again};
    f.whole = whole && !g->broken;
    if (g->open) g->fn(g->arg, &f);
    g->open = g->broken = false;
    g->n = 0;
}

static void consume(gather *g, const gather_packet *p)
{
    g->next = p->seq + 1;
    if (!p->n) return;
    if (g->open && p->ts != g->ts) frame_end(g, p, false); /* its end was not sent, or lost */
    if (g->torn && p->ts == g->ts) {
        g->torn = !p->marker;
        return;
    }
    if (!g->open) {
        g->open = true;
        g->broken = g->torn;
        g->torn = false;
        g->ts = p->ts;
    }
    if (!packing_take(g->bytes, FOOTAGE_FRAME_MAX, &g->n, g->codec, p->payload, p->n)) g->broken = true;
    if (p->marker) frame_end(g, p, true);
}

/* What is missing will not come any more. */
static void give_up(gather *g)
{
    if (g->open) {
        const gather_packet none = {.seq = g->next};
        frame_end(g, &none, false);
    }
    g->torn = true;
    while (!g->early[g->next % GATHER_WINDOW]) g->next++;
}

static void catch_up(gather *g)
{
    for (held *h; (h = g->early[g->next % GATHER_WINDOW]) != NULL;) {
        g->early[g->next % GATHER_WINDOW] = NULL;
        h->packet.payload = h->payload;
        consume(g, &h->packet);
        free(h);
    }
}

void gather_put(gather *g, const gather_packet *p)
{
    if (!g->started) {
        g->started = true;
        g->next = p->seq;
    }
    if (p->seq < g->next) return;
    while (p->seq - g->next >= GATHER_WINDOW) {
        bool any = false;
        for (size_t i = 0; i < GATHER_WINDOW; i++) any |= g->early[i] != NULL;
        if (!any) g->next = p->seq;
        if (!any) g->torn = true;
        if (any) give_up(g);
        catch_up(g);
    }
    if (p->seq == g->next) {
        consume(g, p);
        catch_up(g);
        return;
    }
    held *h = malloc(sizeof *h + p->n);
    if (!h) return;
    h->packet = *p;
    if (p->n) memcpy(h->payload, p->payload, p->n);
    g->early[p->seq % GATHER_WINDOW] = h;
}

void gather_free(gather *g)
{
    if (!g) return;
    for (size_t i = 0; i < GATHER_WINDOW; i++) free(g->early[i]);
    free(g->bytes);
    free(g);
}
