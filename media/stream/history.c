#include "media/stream/history.h"

#include <stdlib.h>

#include "base/mem.h"

#define START 64

struct cn_history {
    cn_packet **ring; /* by ext_seq & (size − 1) */
    size_t size, capacity;
    uint64_t highest, oldest; /* nothing below `oldest` is kept; 0: empty */
    /* the newest key frame */
    uint64_t key_first; /* 0: none */
    uint32_t key_ts;
    uint64_t key_arrival_ns;
    uint64_t complete_to; /* every number from key_first to here is kept */
};

cn_err cn_history_new(cn_history **out, size_t capacity)
{
    if (capacity < 2 || capacity > 65536 || capacity & (capacity - 1)) return CN_ERR_INVALID;
    cn_history *h = CN_NEW(cn_history);
    if (!h) return CN_ERR_NOMEM;
    h->capacity = capacity;
    h->size = capacity < START ? capacity : START;
    h->ring = cn_calloc(h->size, sizeof *h->ring);
    if (!h->ring) {
        cn_history_free(h);
        return CN_ERR_NOMEM;
    }
    *out = h;
    return CN_OK;
}

void cn_history_free(cn_history *h)
{
    if (!h) return;
    if (h->ring) cn_history_clear(h);
    free(h->ring);
    free(h);
}

static cn_packet **place(const cn_history *h, uint64_t seq)
{
    return &h->ring[seq & (h->size - 1)];
}

static void drop_oldest(cn_history *h)
{
    if (h->oldest == h->key_first) h->key_first = 0;
    cn_packet **at = place(h, h->oldest++);
    cn_packet_unref(*at);
    *at = NULL;
}

void cn_history_clear(cn_history *h)
{
    for (size_t i = 0; i < h->size; i++) {
        cn_packet_unref(h->ring[i]);
        h->ring[i] = NULL;
    }
    h->highest = h->oldest = h->key_first = h->complete_to = 0;
}

void cn_history_expire(cn_history *h, uint64_t now_ns)
{
    while (h->highest && h->oldest <= h->highest) {
        cn_packet *p = *place(h, h->oldest);
        if (p && p->arrival_ns + CN_HISTORY_AGE_NS >= now_ns) return;
        drop_oldest(h);
    }
}

/* Doubles the table while the bound allows, so that quiet layers stay small. */
static bool grow(cn_history *h)
{
    if (h->size >= h->capacity) return false;
    cn_packet **ring = cn_calloc(h->size * 2, sizeof *ring);
    if (!ring) return false;
    size_t mask = h->size * 2 - 1;
    for (uint64_t s = h->oldest; s <= h->highest; s++) ring[s & mask] = *place(h, s);
    free(h->ring);
    h->ring = ring;
    h->size = mask + 1;
    return true;
}

/* Room for the number `seq` above the highest. */
static void advance(cn_history *h, uint64_t seq, uint64_t now_ns)
{
    if (!h->highest) {
        h->oldest = seq;
    } else if (seq - h->highest >= h->capacity) {
        cn_history_clear(h);
        h->oldest = seq;
    } else {
        cn_history_expire(h, now_ns);
        if (h->oldest > h->highest) h->oldest = seq; /* all was too old */
        while (seq - h->oldest >= h->size && grow(h)) continue;
        while (seq - h->oldest >= h->size) drop_oldest(h);
    }
    h->highest = seq;
}

static void note_key(cn_history *h, const cn_packet *p)
{
    if (!p->key || !p->frame_start) return;
    bool same_frame = h->key_first && p->ts == h->key_ts;
    if (h->key_first && (same_frame ? p->ext_seq > h->key_first : p->ext_seq < h->key_first)) return;
    h->key_first = p->ext_seq;
    h->key_ts = p->ts;
    h->key_arrival_ns = p->arrival_ns;
    h->complete_to = p->ext_seq;
}

bool cn_history_put(cn_history *h, cn_packet *p)
{
    uint64_t seq = p->ext_seq;
    if (!h->highest || seq > h->highest) {
        advance(h, seq, p->arrival_ns);
    } else if (seq < h->oldest) {
        if (h->highest - seq >= h->size) return false;
        h->oldest = seq;
    }
    cn_packet **at = place(h, seq);
    if (*at) return false;
    *at = cn_packet_ref(p);
    note_key(h, p);
    if (h->key_first)
        while (h->complete_to < h->highest && *place(h, h->complete_to + 1)) h->complete_to++;
    return true;
}

cn_packet *cn_history_get(const cn_history *h, uint64_t ext_seq, uint64_t now_ns)
{
    if (!h->highest || ext_seq < h->oldest || ext_seq > h->highest) return NULL;
    cn_packet *p = *place(h, ext_seq);
    return p && p->arrival_ns + CN_HISTORY_AGE_NS >= now_ns ? p : NULL;
}

uint64_t cn_history_highest(const cn_history *h)
{
    return h->highest;
}

cn_err cn_history_run_get(const cn_history *h, uint64_t now_ns, cn_history_run *out)
{
    if (!h->key_first) return CN_ERR_NOTFOUND;
    if (h->key_arrival_ns + CN_HISTORY_RUN_AGE_NS < now_ns) return CN_ERR_TIMEOUT;
    if (h->complete_to != h->highest) return CN_ERR_AGAIN;
    cn_history_run run = {
        .first = h->key_first, .last = h->highest, .first_ts = h->key_ts, .first_arrival_ns = h->key_arrival_ns};
    for (uint64_t s = run.first; s <= run.last; s++) run.bytes += (*place(h, s))->payload_len;
    run.last_ts = (*place(h, run.last))->ts;
    *out = run;
    return CN_OK;
}
