/* How a slot's packets are written: headers with the receiver's numbers, retransmissions, sender reports. Owner thread
 * only. */
#ifndef CN_MEDIA_SLOT_SEND_H
#define CN_MEDIA_SLOT_SEND_H

#include "media/forward/slot_impl.h"
#include "media/rate/pacer.h"
#include "media/stream/packet.h"

/** Rewrites and sends a packet of the slot's current layer. */
void cn_slot_forward(cn_slot *slot, cn_packet *packet);

/** Sends what has waited. */
void cn_slot_send_paced(cn_slot *slot, const cn_paced *paced);

/** Sends the packet with this outgoing number (extended) again, as a probe; without retransmission, or when it is
 * forgotten, padding on the retransmission's SSRC. Bytes sent, 0: neither is possible. */
size_t cn_slot_probe(cn_slot *slot, uint32_t ext);

/** The receiver asks again for a packet. */
void cn_slot_nack(cn_slot *slot, uint16_t seq, uint32_t rtt_ms);
/** Sender report and CNAME; returns bytes written, 0 when there is nothing to say. */
size_t cn_slot_report(cn_slot *slot, uint8_t *out, size_t cap, uint64_t now_ns, uint64_t now_ntp);

#endif
