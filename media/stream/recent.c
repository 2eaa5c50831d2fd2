#include "media/stream/recent.h"

#define RISE 10               /* dB */
#define HEARABLE 77           /* −dBov: what is quieter is nobody's word */
#define PAUSE_NS 100000000ull /* without a packet */

void cn_recent_put(cn_recent *r, cn_packet *p, uint64_t sent)
{
    cn_packet_unref(r->ring[r->next].packet);
    r->ring[r->next].packet = cn_packet_ref(p);
    r->ring[r->next].sent = sent;
    r->next = (r->next + 1) % CN_RECENT;
}

void cn_recent_clear(cn_recent *r)
{
    for (size_t i = 0; i < CN_RECENT; i++) cn_packet_unref(r->ring[i].packet);
    *r = (cn_recent){0};
}

void cn_recent_sent(cn_recent *r, uint64_t worker)
{
    for (size_t i = 0; i < CN_RECENT; i++) r->ring[i].sent |= worker;
}

static uint8_t level_of(const cn_packet *p)
{
    return p->has_audio_level ? p->audio_level : 127;
}

size_t cn_recent_begin(cn_packet *const list[], size_t n)
{
    uint8_t quietest = 0;
    for (size_t i = 0; i < n; i++) {
        uint8_t level = level_of(list[i]);
        if (i && list[i]->arrival_ns - list[i - 1]->arrival_ns > PAUSE_NS) return i;
        if (level <= HEARABLE && level + RISE <= quietest) return i - 1;
        if (level > quietest) quietest = level;
    }
    return n;
}

size_t cn_recent_word(const cn_recent *r, uint64_t worker, uint64_t now_ns, cn_packet *out[CN_RECENT])
{
    cn_packet *list[CN_RECENT];
    size_t n = 0, count = 0;
    for (size_t i = 0; i < CN_RECENT; i++) {
        cn_packet *p = r->ring[(r->next + i) % CN_RECENT].packet;
        if (p) list[n++] = p;
    }
    size_t from = cn_recent_begin(list, n), skipped = CN_RECENT - n;
    for (size_t i = from; i < n; i++) {
        bool had = r->ring[(r->next + skipped + i) % CN_RECENT].sent & worker;
        if (!had && list[i]->arrival_ns + CN_RECENT_NS >= now_ns) out[count++] = list[i];
    }
    return count;
}
