/* How a slot's packets are written: headers with the receiver's numbers, retransmissions. Private to slot.c and
 * peer_rtcp.c. */
#ifndef CN_MEDIA_SLOT_SEND_H
#define CN_MEDIA_SLOT_SEND_H

#include "media/packet.h"
#include "media/slot.h"

/** Rewrites and sends a packet of the slot's current layer. */
void cn_slot_forward(cn_slot *s, cn_packet *p);

#endif
