#include "report.h"

#include "base/clock.h"
#include "client_impl.h"

uint16_t rtc_report_came(rtc_client *client, const cn_rtp *rtp, uint64_t now_ns)
{
    uint16_t seq = 0;
    if (cn_rtp_twcc(rtp, &seq)) cn_twcc_in_packet(&client->came, seq, now_ns);
    return seq;
}

bool rtc_report_due(const rtc_client *client, uint64_t now_ns)
{
    return cn_twcc_in_due(&client->came, now_ns);
}

void rtc_report_feedback(rtc_client *client, uint64_t now_ns)
{
    cn_twcc_arrival arrivals[512];
    uint16_t base = 0;
    size_t n = cn_twcc_in_take(&client->came, now_ns, arrivals, 512, &base), at = 0;
    while (at < n) {
        uint8_t packet[1200];
        size_t used = 0;
        size_t len =
            cn_rtcp_write_twcc(packet, sizeof packet, 1, 1, client->came.number, base, arrivals + at, n - at, &used);
        if (!len || !used) return;
        client->came.number++;
        at += used;
        if (at < n) base = arrivals[at].seq;
        (void)rtc_client_rtcp(client, packet, len);
    }
}

void rtc_report_streams(rtc_client *client, const cn_rtcp_sr *streams, size_t count, const cn_rtcp_block *blocks,
                        size_t block_count, const char *cname)
{
    uint8_t packet[1400];
    size_t at = 0;
    uint64_t ntp = cn_ntp_from_wall_ns(cn_wall_ns());
    for (size_t i = 0; i < count; i++) {
        cn_rtcp_sr sr = streams[i];
        sr.ntp = ntp;
        at += cn_rtcp_write_sr(packet + at, sizeof packet - at, &sr, blocks, at ? 0 : block_count);
    }
    if (!count) at = cn_rtcp_write_rr(packet, sizeof packet, 1, blocks, block_count);
    if (at && count && cname) at += cn_rtcp_write_cname(packet + at, sizeof packet - at, streams[0].ssrc, cname);
    if (at) (void)rtc_client_rtcp(client, packet, at);
}
