/*
 * The last packets of a microphone, kept while nobody hears it: whoever begins to speak is ranked and bound some 20 to
 * 60 ms after his first word began, and that word is sent from its beginning. Leaf; owner thread only.
 */
#ifndef CN_MEDIA_RECENT_H
#define CN_MEDIA_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/stream/packet.h"

#define CN_RECENT 8
#define CN_RECENT_NS 160000000ull /* no older packet is sent */

/** Zeroed is empty. */
typedef struct cn_recent {
    struct {
        cn_packet *packet;
        uint64_t sent; /* workers that had it: bit each */
    } ring[CN_RECENT];
    unsigned next;
} cn_recent;

/** Keeps a reference; `sent`: who had it at once. */
void cn_recent_put(cn_recent *recent, cn_packet *packet, uint64_t sent);
void cn_recent_clear(cn_recent *recent);

/**
 * Index in a list of packets, oldest first, of the one before the word that is being spoken began; `count`: none begins
 * in it. A word begins where the level (RFC 6464) rises by 10 dB above −77 dBov, or with the first packet after a pause
 * without any.
 */
size_t cn_recent_begin(cn_packet *const list[], size_t count);

/** Everything that is kept went to `worker` (a bit) now. */
void cn_recent_sent(cn_recent *recent, uint64_t worker);

/** Of the packets from there to now those that `worker` (a bit) never had; borrowed until the next put. Returns how
 * many; none when the word began before all that is kept, or nobody speaks. */
size_t cn_recent_word(const cn_recent *recent, uint64_t worker, uint64_t now_ns, cn_packet *out[CN_RECENT]);

#endif
