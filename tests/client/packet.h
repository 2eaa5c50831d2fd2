/* What a client sends of a stream: its packets, with the header extensions of our offers, and RTX (RFC 4588). */
#ifndef CN_CLIENT_PACKET_H
#define CN_CLIENT_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "media/wire/rtp.h"

/** Writes header and payload with the client's next transport-wide number, which rtc_packet_send counts up. Returns the
 * length; 0 when it does not fit. */
size_t rtc_packet_write(const rtc_client *client, uint8_t *out, size_t cap, cn_rtp_head *head, const uint8_t *payload,
                        size_t len);
/** The same around a payload that was sent as number `osn`; `head` is the RTX stream's. */
size_t rtc_packet_rtx(const rtc_client *client, uint8_t *out, size_t cap, cn_rtp_head *head, uint16_t osn,
                      const uint8_t *payload, size_t len);
/** Names the stream: section, and layer when it is one of several (`rid` NULL: it is not). `again`: it is RTX. The texts
 * are borrowed. */
void rtc_packet_name(cn_rtp_head *head, const char *mid, const char *rid, bool again);
bool rtc_packet_send(rtc_client *client, const uint8_t *packet, size_t len);
/** The number that the next packet gets. */
uint16_t rtc_packet_number(const rtc_client *client);

#endif
