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
    cn_codec codec;
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

gather *gather_new(cn_codec codec, gather_fn fn, void *arg)
{
    gather *gathered = CN_NEW(gather);
    if (!gathered) return NULL;
    *gathered = (gather){.codec = codec, .fn = fn, .arg = arg, .bytes = cn_calloc(1, FOOTAGE_FRAME_MAX)};
    if (gathered->bytes) return gathered;
    gather_free(gathered);
    return NULL;
}

static void frame_end(gather *gathered, const gather_packet *last, bool whole)
{
    gather_frame frame = {
        .bytes = gathered->bytes, .n = gathered->n, .ts = gathered->ts, .seq = last->seq, .again = last->again};
    frame.whole = whole && !gathered->broken;
    if (gathered->open) gathered->fn(gathered->arg, &frame);
    gathered->open = gathered->broken = false;
    gathered->n = 0;
}

static void consume(gather *gathered, const gather_packet *packet)
{
    gathered->next = packet->seq + 1;
    if (!packet->n) return;
    if (gathered->open && packet->ts != gathered->ts)
        frame_end(gathered, packet, false); /* its end was not sent, or lost */
    if (gathered->torn && packet->ts == gathered->ts) {
        gathered->torn = !packet->marker;
        return;
    }
    if (!gathered->open) {
        gathered->open = true;
        gathered->broken = gathered->torn;
        gathered->torn = false;
        gathered->ts = packet->ts;
    }
    if (!packing_take(gathered->bytes, FOOTAGE_FRAME_MAX, &gathered->n, gathered->codec, packet->payload, packet->n))
        gathered->broken = true;
    if (packet->marker) frame_end(gathered, packet, true);
}

/* What is missing will not come any more. */
static void give_up(gather *gathered)
{
    if (gathered->open) {
        const gather_packet none = {.seq = gathered->next};
        frame_end(gathered, &none, false);
    }
    gathered->torn = true;
    while (!gathered->early[gathered->next % GATHER_WINDOW]) gathered->next++;
}

static void catch_up(gather *gathered)
{
    for (held *holding; (holding = gathered->early[gathered->next % GATHER_WINDOW]) != NULL;) {
        gathered->early[gathered->next % GATHER_WINDOW] = NULL;
        holding->packet.payload = holding->payload;
        consume(gathered, &holding->packet);
        free(holding);
    }
}

void gather_put(gather *gathered, const gather_packet *packet)
{
    if (!gathered->started) {
        gathered->started = true;
        gathered->next = packet->seq;
    }
    if (packet->seq < gathered->next) return;
    while (packet->seq - gathered->next >= GATHER_WINDOW) {
        bool any = false;
        for (size_t i = 0; i < GATHER_WINDOW; i++) any |= gathered->early[i] != NULL;
        if (!any) gathered->next = packet->seq;
        if (!any) gathered->torn = true;
        if (any) give_up(gathered);
        catch_up(gathered);
    }
    if (packet->seq == gathered->next) {
        consume(gathered, packet);
        catch_up(gathered);
        return;
    }
    held *holding = malloc(sizeof *holding + packet->n);
    if (!holding) return;
    holding->packet = *packet;
    if (packet->n) memcpy(holding->payload, packet->payload, packet->n);
    gathered->early[packet->seq % GATHER_WINDOW] = holding;
}

void gather_free(gather *gathered)
{
    if (!gathered) return;
    for (size_t i = 0; i < GATHER_WINDOW; i++) free(gathered->early[i]);
    free(gathered->bytes);
    free(gathered);
}
