#include "media/room/peer_report.h"

#include <string.h>

#include "base/clock.h"
#include "media/forward/slot_send.h"
#include "media/room/source_feedback.h"
#include "media/wire/rtcp.h"

#define REPORT_EVERY_NS 1000000000u
#define RTCP_MAX 1200
#define ARRIVALS 256

static void send_transport_feedback(cn_peer *peer, uint64_t now_ns)
{
    if (!cn_twcc_in_due(&peer->line.twcc_in, now_ns)) return;
    cn_twcc_arrival list[ARRIVALS];
    uint16_t base = 0;
    size_t n;
    do {
        n = cn_twcc_in_take(&peer->line.twcc_in, now_ns, list, ARRIVALS, &base);
        for (size_t at = 0, used = 0; at < n; at += used) {
            uint8_t out[RTCP_MAX];
            size_t bytes = cn_rtcp_write_twcc(out, sizeof out, peer->line.rtcp_ssrc, peer->line.video_ssrc_in,
                                              peer->line.twcc_in.number, base, list + at, n - at, &used);
            if (!bytes || !used) return;
            peer->line.twcc_in.number++;
            cn_line_send_rtcp(&peer->line, out, bytes);
            if (at + used < n) base = list[at + used].seq;
        }
    } while (n == ARRIVALS);
}

static void send_receiver_report(cn_peer *peer, uint64_t now_ns)
{
    cn_rtcp_block blocks[CN_PEER_SOURCES * CN_LAYERS];
    size_t n = 0;
    for (size_t i = 0; i < peer->source_count; i++)
        n += cn_source_reports(peer->sources[i], blocks + n, CN_PEER_SOURCES * CN_LAYERS - n, now_ns);
    if (!n) return;
    uint8_t out[RTCP_MAX];
    size_t bytes = cn_rtcp_write_rr(out, sizeof out, peer->line.rtcp_ssrc, blocks, n);
    bytes += cn_rtcp_write_cname(out + bytes, sizeof out - bytes, peer->line.rtcp_ssrc, "consilium");
    cn_line_send_rtcp(&peer->line, out, bytes);
}

static void send_sender_reports(cn_peer *peer, uint64_t now_ns)
{
    uint8_t out[RTCP_MAX];
    size_t n = 0;
    /* the wall clock as it was when this turn began */
    uint64_t ntp = cn_ntp_from_wall_ns(cn_wall_ns() - (int64_t)(cn_mono_ns() - now_ns));
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        size_t more = cn_slot_report(peer->line.slots[i], out + n, sizeof out - n, now_ns, ntp);
        n += more;
        if (n > RTCP_MAX - 100) {
            cn_line_send_rtcp(&peer->line, out, n);
            n = 0;
        }
    }
    cn_line_send_rtcp(&peer->line, out, n);
}

static void measure_slots(cn_peer *peer, uint64_t span_ns)
{
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        cn_slot *slot = peer->line.slots[i];
        slot->bps = span_ns ? (uint32_t)((uint64_t)slot->window_bytes * 8 * 1000000000u / span_ns) : 0;
        slot->window_bytes = 0;
    }
}

void cn_peer_report(cn_peer *peer, uint64_t now_ns, bool all)
{
    send_transport_feedback(peer, now_ns);
    if (!all) return;
    send_sender_reports(peer, now_ns);
    if (now_ns - peer->report_ns < REPORT_EVERY_NS) return;
    measure_slots(peer, now_ns - peer->report_ns);
    peer->report_ns = now_ns;
    send_receiver_report(peer, now_ns);
}
