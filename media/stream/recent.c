#include "media/stream/recent.h"

#define RISE 10               /* dB */
#define HEARABLE 77           /* −dBov: what is quieter is nobody's word */
#define PAUSE_NS 100000000ull /* without a packet */

void cn_recent_put(cn_recent *recent, cn_packet *packet, uint64_t sent)
{
    cn_packet_unref(recent->ring[recent->next].packet);
    recent->ring[recent->next].packet = cn_packet_ref(packet);
    recent->ring[recent->next].sent = sent;
    recent->next = (recent->next + 1) % CN_RECENT;
}

void cn_recent_clear(cn_recent *recent)
{
    for (size_t i = 0; i < CN_RECENT; i++) cn_packet_unref(recent->ring[i].packet);
    *recent = (cn_recent){0};
}

void cn_recent_sent(cn_recent *recent, uint64_t worker)
{
    for (size_t i = 0; i < CN_RECENT; i++) recent->ring[i].sent |= worker;
}

static uint8_t level_of(const cn_packet *packet)
{
    return packet->has_audio_level ? packet->audio_level : 127;
}

size_t cn_recent_begin(cn_packet *const list[], size_t count)
{
    uint8_t quietest = 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t level = level_of(list[i]);
        if (i && list[i]->arrival_ns - list[i - 1]->arrival_ns > PAUSE_NS) return i;
        if (level <= HEARABLE && level + RISE <= quietest) return i - 1;
        if (level > quietest) quietest = level;
    }
    return count;
}

size_t cn_recent_word(const cn_recent *recent, uint64_t worker, uint64_t now_ns, cn_packet *out[CN_RECENT])
{
    cn_packet *list[CN_RECENT];
    size_t n = 0, count = 0;
    for (size_t i = 0; i < CN_RECENT; i++) {
        cn_packet *packet = recent->ring[(recent->next + i) % CN_RECENT].packet;
        if (packet) list[n++] = packet;
    }
    size_t from = cn_recent_begin(list, n), skipped = CN_RECENT - n;
    for (size_t i = from; i < n; i++) {
        bool had = recent->ring[(recent->next + skipped + i) % CN_RECENT].sent & worker;
        if (!had && list[i]->arrival_ns + CN_RECENT_NS >= now_ns) out[count++] = list[i];
    }
    return count;
}
