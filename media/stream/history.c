#include "media/stream/history.h"

#include <stdlib.h>

#include "base/mem.h"

#define START 64

struct cn_history {
    cn_packet **ring;             /* by ext_seq & (size − 1) */
    size_t size, capacity, usual; /* capacity while nothing is kept */
    uint64_t highest, oldest;     /* nothing below `oldest` is kept; 0: empty */
    /* the newest key frame */
    uint64_t key_first; /* 0: none */
    uint32_t key_ts;
    uint64_t key_arrival_ns;
    uint64_t complete_to; /* every number from key_first to here is there */
    bool keep;
    size_t run_bytes; /* since the newest key frame, as far as they came */
};

cn_err cn_history_new(cn_history **out, size_t capacity)
{
    if (capacity < 2 || capacity > 65536 || capacity & (capacity - 1)) return CN_ERR_INVALID;
    cn_history *history = CN_NEW(cn_history);
    if (!history) return CN_ERR_NOMEM;
    history->capacity = history->usual = capacity;
    history->size = capacity < START ? capacity : START;
    history->ring = cn_calloc(history->size, sizeof *history->ring);
    if (!history->ring) {
        cn_history_free(history);
        return CN_ERR_NOMEM;
    }
    *out = history;
    return CN_OK;
}

void cn_history_free(cn_history *history)
{
    if (!history) return;
    if (history->ring) cn_history_clear(history);
    free(history->ring);
    free(history);
}

static cn_packet **place(const cn_history *history, uint64_t seq)
{
    return &history->ring[seq & (history->size - 1)];
}

static void drop_oldest(cn_history *history)
{
    if (history->oldest == history->key_first) history->key_first = 0;
    cn_packet **at = place(history, history->oldest++);
    cn_packet_unref(*at);
    *at = NULL;
}

void cn_history_clear(cn_history *history)
{
    for (size_t i = 0; i < history->size; i++) {
        cn_packet_unref(history->ring[i]);
        history->ring[i] = NULL;
    }
    history->highest = history->oldest = history->key_first = history->complete_to = 0;
}

/* Of the run that is kept. */
static bool is_kept(const cn_history *history, uint64_t seq, uint64_t now_ns)
{
    return history->keep && history->key_first && seq >= history->key_first &&
           history->key_arrival_ns + CN_HISTORY_KEPT_NS >= now_ns;
}

static bool is_young(const cn_history *history, const cn_packet *packet, uint64_t now_ns)
{
    return packet->arrival_ns + CN_HISTORY_AGE_NS >= now_ns || is_kept(history, packet->ext_seq, now_ns);
}

void cn_history_keep(cn_history *history, bool keep)
{
    history->keep = keep;
    /* a ring that has grown stays as it is: it shrinks with the track */
    history->capacity = keep && history->usual < CN_HISTORY_KEPT ? CN_HISTORY_KEPT : history->usual;
    if (history->capacity < history->size) history->capacity = history->size;
}

uint64_t cn_history_key(const cn_history *history)
{
    return history->key_first;
}

void cn_history_expire(cn_history *history, uint64_t now_ns)
{
    while (history->highest && history->oldest <= history->highest) {
        cn_packet *packet = *place(history, history->oldest);
        if (packet ? is_young(history, packet, now_ns) : is_kept(history, history->oldest, now_ns)) return;
        drop_oldest(history);
    }
}

/* Doubles the table while the bound allows, so that quiet layers stay small. */
static bool grow(cn_history *history)
{
    if (history->size >= history->capacity) return false;
    cn_packet **ring = cn_calloc(history->size * 2, sizeof *ring);
    if (!ring) return false;
    size_t mask = history->size * 2 - 1;
    for (uint64_t s = history->oldest; s <= history->highest; s++) ring[s & mask] = *place(history, s);
    free(history->ring);
    history->ring = ring;
    history->size = mask + 1;
    return true;
}

/* Room for the number `seq` above the highest. */
static void advance(cn_history *history, uint64_t seq, uint64_t now_ns)
{
    if (!history->highest) {
        history->oldest = seq;
    } else if (seq - history->highest >= history->capacity) {
        cn_history_clear(history);
        history->oldest = seq;
    } else {
        cn_history_expire(history, now_ns);
        if (history->oldest > history->highest) history->oldest = seq; /* all was too old */
        while (seq - history->oldest >= history->size && grow(history)) continue;
        while (seq - history->oldest >= history->size) drop_oldest(history);
    }
    history->highest = seq;
}

static void note_key(cn_history *history, const cn_packet *packet)
{
    if (!packet->key || !packet->frame_start) return;
    bool same_frame = history->key_first && packet->ts == history->key_ts;
    if (history->key_first &&
        (same_frame ? packet->ext_seq > history->key_first : packet->ext_seq < history->key_first))
        return;
    history->key_first = packet->ext_seq;
    history->key_ts = packet->ts;
    history->key_arrival_ns = packet->arrival_ns;
    history->complete_to = packet->ext_seq;
    if (!same_frame) history->run_bytes = 0;
}

bool cn_history_put(cn_history *history, cn_packet *packet)
{
    uint64_t seq = packet->ext_seq;
    if (!history->highest || seq > history->highest) {
        advance(history, seq, packet->arrival_ns);
    } else if (seq < history->oldest) {
        if (history->highest - seq >= history->size) return false;
        history->oldest = seq;
    }
    cn_packet **at = place(history, seq);
    if (*at) return false;
    *at = cn_packet_ref(packet);
    note_key(history, packet);
    if (history->key_first && seq >= history->key_first) history->run_bytes += packet->payload_len;
    if (history->keep && history->run_bytes > CN_HISTORY_KEPT_BYTES) history->key_first = 0;
    if (history->key_first)
        while (history->complete_to < history->highest && *place(history, history->complete_to + 1))
            history->complete_to++;
    return true;
}

cn_packet *cn_history_get(const cn_history *history, uint64_t ext_seq, uint64_t now_ns)
{
    if (!history->highest || ext_seq < history->oldest || ext_seq > history->highest) return NULL;
    cn_packet *packet = *place(history, ext_seq);
    return packet && is_young(history, packet, now_ns) ? packet : NULL;
}

uint64_t cn_history_highest(const cn_history *history)
{
    return history->highest;
}

cn_err cn_history_run_get(const cn_history *history, uint64_t now_ns, cn_history_run *out)
{
    if (!history->key_first) return CN_ERR_NOTFOUND;
    if (history->key_arrival_ns + CN_HISTORY_RUN_AGE_NS < now_ns && !is_kept(history, history->key_first, now_ns))
        return CN_ERR_TIMEOUT;
    if (history->complete_to != history->highest) return CN_ERR_AGAIN;
    cn_history_run run = {.first = history->key_first,
                          .last = history->highest,
                          .first_ts = history->key_ts,
                          .first_arrival_ns = history->key_arrival_ns};
    for (uint64_t s = run.first; s <= run.last; s++) run.bytes += (*place(history, s))->payload_len;
    run.last_ts = (*place(history, run.last))->ts;
    *out = run;
    return CN_OK;
}
