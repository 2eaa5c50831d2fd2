#include "packet.h"

#include <string.h>

#include "client_impl.h"

void rtc_packet_name(cn_rtp_head *head, const char *mid, const char *rid, bool again)
{
    cn_rtp_head_bytes(head, CN_RTP_EXT_MID, mid, (uint8_t)strlen(mid));
    if (rid) cn_rtp_head_bytes(head, again ? CN_RTP_EXT_REPAIRED_RID : CN_RTP_EXT_RID, rid, (uint8_t)strlen(rid));
}

size_t rtc_packet_write(const rtc_client *client, uint8_t *out, size_t cap, cn_rtp_head *head, const uint8_t *payload,
                        size_t len)
{
    cn_rtp_head_number(head, CN_RTP_EXT_TWCC, client->twcc_seq, 2);
    size_t at = cn_rtp_write_header(out, cap, head, &client->exts, NULL);
    if (!at || at + len > cap) return 0;
    memcpy(out + at, payload, len);
    return at + len;
}

size_t rtc_packet_rtx(const rtc_client *client, uint8_t *out, size_t cap, cn_rtp_head *head, uint16_t osn,
                      const uint8_t *payload, size_t len)
{
    cn_rtp_head_number(head, CN_RTP_EXT_TWCC, client->twcc_seq, 2);
    return cn_rtp_write_rtx(out, cap, head, &client->exts, osn, payload, len, NULL);
}

bool rtc_packet_send(rtc_client *client, const uint8_t *packet, size_t len)
{
    client->twcc_seq++;
    return rtc_client_rtp(client, packet, len);
}

uint16_t rtc_packet_number(const rtc_client *client)
{
    return client->twcc_seq;
}
