/* How a slot's packets are written: headers with the receiver's numbers, retransmissions. Private to slot.c,
 * peer_probe.c and peer_pace.c. */
#ifndef CN_MEDIA_SLOT_SEND_H
#define CN_MEDIA_SLOT_SEND_H

#include "media/rate/pacer.h"
#include "media/stream/packet.h"
#include "media/forward/slot.h"

/** Rewrites and sends a packet of the slot's current layer. */
void cn_slot_forward(cn_slot *slot, cn_packet *packet);

/** Sends what has waited. */
void cn_slot_send_paced(cn_slot *slot, const cn_paced *paced);

/** Sends the packet with this outgoing number (extended) again, as a probe; without retransmission, or when it is
 * forgotten, padding on the retransmission's SSRC. Bytes sent, 0: neither is possible. */
size_t cn_slot_probe(cn_slot *slot, uint32_t ext);

#endif
