/* What of a publisher's audio a slot's receiver gets: redundancy (RFC 2198) to those who take it, else its newest block
 * alone. Private to slot*.c. */
#ifndef CN_MEDIA_SLOT_AUDIO_H
#define CN_MEDIA_SLOT_AUDIO_H

#include "media/forward/slot_impl.h"
#include "media/stream/packet.h"

/** The slot shows another source from `first` on: older blocks of its packets are that source's words from before the
 * change and would be played in the place of the former one's. */
void cn_slot_audio_start(cn_slot *slot, const cn_packet *first);

/** Payload type under which a packet leaves. */
uint8_t cn_slot_audio_pt(const cn_slot *slot, const cn_packet *packet);

/** Writes its payload, at most packet->payload_len bytes; returns how many. */
size_t cn_slot_audio_write(cn_slot *slot, const cn_packet *packet, uint8_t *out);

#endif
