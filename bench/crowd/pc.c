#include "pc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "client/names.h"
#include "client/packet.h"
#include "client/report.h"
#include "media/wire/rtcp.h"
#include "poll.h"
#include "state.h"
#include "watch.h"

#define REPORT_NS 1000000000ull
#define CHECK_NS 4000000000ull
#define NACK_NS 20000000ull
#define NAMES_NS 500000000ull
#define HELLO_NS 30000000ull
#define BLOCKS 31
#define PACKET 1500

/* ---- packets ---- */

static size_t packet_write(crowd_pc *pc, outlet *feed, const outlet_packet *pkt, bool again, uint64_t sent_ns,
                           uint8_t out[PACKET])
{
    uint8_t payload[PACKET];
    payload_piece piece = pkt->piece;
    cn_rtp_head head = {.ts = pkt->ts, .ssrc = feed->ssrc, .seq = pkt->seq, .marker = feed->video && piece.last};
    head.pt = rtc_pt(piece.codec);
    if (again) {
        head.ssrc = feed->ssrc + 1;
        head.seq = feed->rtx_seq++;
        head.pt++;
    }
    if (!feed->acknowledged || again)
        rtc_packet_name(&head, feed->video ? "cam" : "mic", feed->video && pc->layers > 1 ? rtc_rid(feed->layer) : NULL,
                        again);
    if (!feed->video) cn_rtp_head_number(&head, CN_RTP_EXT_AUDIO_LEVEL, pkt->level, 1);
    piece.sent_ns = again ? piece.sent_ns : sent_ns;
    if (pkt->frame)
        packing_write(payload, pkt->frame->bytes, pkt->cut, piece.picture, piece.tl0);
    else
        payload_write(payload, &piece);
    return again ? rtc_packet_rtx(pc->client, out, PACKET, &head, pkt->seq, payload, piece.bytes)
                 : rtc_packet_write(pc->client, out, PACKET, &head, payload, piece.bytes);
}

static void packet_send(crowd_pc *pc, outlet *feed, const outlet_packet *pkt, bool again)
{
    uint8_t packet[PACKET];
    crowd *throng = pc->crowd;
    uint64_t now = (uint64_t)cn_wall_ns();
    size_t len = packet_write(pc, feed, pkt, again, now, packet);
    if (!len) abort();
    throng->totals.resent += again;
    if (pkt->frame && pkt->piece.last && !again) {
        film_sent(throng->film, feed->layer, (unsigned)(pkt->frame - feed->footage->frame), now);
        throng->totals.frames_sent++;
    }
    (void)rtc_packet_send(pc->client, packet, len);
}

/* ---- receiving ---- */

static inlet *inlet_of(crowd_pc *pc, uint32_t ssrc, bool *rtx)
{
    uint8_t at = pc->by_ssrc[ssrc * 2654435761u >> 24];
    for (size_t tries = 0; tries <= pc->inlet_n; tries++, at++) {
        if (tries == 0 && (!at || at > pc->inlet_n)) at = 1;
        if (at > pc->inlet_n) at = 1;
        if (!pc->inlet_n) return NULL;
        inlet *in = &pc->inlets[at - 1];
        if (in->ssrc != ssrc && in->rtx != ssrc) continue;
        *rtx = in->ssrc != ssrc;
        pc->by_ssrc[ssrc * 2654435761u >> 24] = at;
        return in;
    }
    return NULL;
}

static void jitter_count(inlet *in, uint32_t ts, uint64_t now_ns)
{
    int64_t transit = (int64_t)(now_ns / 1000 * (in->video ? 90 : 48) / 1000) - (int64_t)ts;
    int64_t d = (int32_t)(uint32_t)(transit - in->transit);
    if (in->packets > 1) in->jitter += ((double)(d < 0 ? -d : d) - in->jitter) / 16;
    in->transit = transit;
}

static void content_check(crowd_pc *pc, inlet *in, const cn_rtp *rtp, uint16_t seq, bool again, cn_codec codec,
                          const uint8_t *bytes, size_t len)
{
    crowd *throng = pc->crowd;
    payload_piece piece;
    if (!payload_check(bytes, len, codec, &piece) || piece.sender == pc->sender) {
        throng->totals.corrupt++;
        return;
    }
    *(in->video ? &throng->totals.video_in : &throng->totals.audio_in) += 1;
    throng->totals.bytes_in += rtp->len;
    if (again) return;
    bool kept = inlet_switching(in, &piece, pc->arrived_ns);
    crowd_delay_count(kept ? throng->totals.kept : throng->totals.delays, pc->arrived_ns - (int64_t)piece.sent_ns);
    inlet_content(in, &throng->totals, seq, rtp->ts, &piece, throng->now_ns);
}

static void on_rtp(void *arg, rtc_client *client, const uint8_t *bytes, size_t len)
{
    crowd_pc *pc = arg;
    crowd *throng = pc->crowd;
    cn_rtp rtp;
    bool again = false;
    if (cn_rtp_parse(bytes, len, &pc->exts, &rtp)) {
        throng->totals.corrupt++;
        return;
    }
    (void)rtc_report_came(client, &rtp, throng->now_ns);
    inlet *in = inlet_of(pc, rtp.ssrc, &again);
    cn_codec kind = rtp.pt < sizeof pc->codec ? (cn_codec)pc->codec[rtp.pt] : CN_CODEC_OTHER;
    if (!in || kind == CN_CODEC_OTHER || (kind == CN_CODEC_RTX) != again) {
        if (rtp.payload_len) throng->totals.corrupt++;
        return;
    }
    size_t skip = again ? CN_RTX_OSN : 0;
    if (rtp.payload_len <= skip) {
        if (!again && inlet_arrived(in, &throng->totals, rtp.seq, false) && in->watch)
            film_watch_packet(in, &rtp, rtp.seq, false, NULL, 0);
        return; /* padding alone */
    }
    const uint16_t seq = again ? cn_be16(rtp.payload) : rtp.seq;
    if (!inlet_arrived(in, &throng->totals, seq, again)) return;
    if (!again) jitter_count(in, rtp.ts, throng->now_ns);
    if (in->watch) {
        throng->totals.video_in++;
        throng->totals.bytes_in += rtp.len;
        film_watch_packet(in, &rtp, seq, again, rtp.payload + skip, rtp.payload_len - skip);
        return;
    }
    cn_codec codec = in->video ? throng->shape.codec : CN_CODEC_OPUS;
    content_check(pc, in, &rtp, seq, again, codec, rtp.payload + skip, rtp.payload_len - skip);
}

static outlet *outlet_of(crowd_pc *pc, uint32_t ssrc)
{
    for (size_t i = 0; i < pc->outlet_n; i++)
        if (pc->outlets[i].ssrc == ssrc) return &pc->outlets[i];
    return NULL;
}

static void resend(crowd_pc *pc, const cn_rtcp *packet)
{
    outlet *feed = outlet_of(pc, cn_rtcp_media(packet));
    cn_rtcp_nack_it it = {.pkt = packet};
    for (uint16_t seq; feed && cn_rtcp_nack_next(&it, &seq);) {
        const outlet_packet *pkt = outlet_past(feed, seq);
        pc->crowd->totals.nacks_in++;
        if (pkt) packet_send(pc, feed, pkt, true);
    }
}

static void key_wanted(crowd_pc *pc, const cn_rtcp *packet)
{
    uint32_t ssrc = cn_rtcp_media(packet);
    uint8_t number;
    for (size_t i = 0; packet->type == CN_RTCP_PLI || cn_rtcp_fir_read(packet, i, &ssrc, &number); i++) {
        outlet *feed = outlet_of(pc, ssrc);
        pc->crowd->totals.plis++;
        if (feed) feed->key_wanted = true;
        if (packet->type == CN_RTCP_PLI) return;
    }
}

static void report_take(crowd_pc *pc, const cn_rtcp *packet)
{
    cn_rtcp_sr sr;
    cn_rtcp_block block;
    bool rtx;
    if (cn_rtcp_sr_read(packet, &sr)) {
        inlet *in = inlet_of(pc, sr.ssrc, &rtx);
        if (in && !rtx) {
            in->sr_middle = (uint32_t)(sr.ntp >> 16);
            in->sr_ns = pc->crowd->now_ns;
        }
    }
    for (size_t i = 0; cn_rtcp_block_read(packet, i, &block); i++) {
        outlet *feed = outlet_of(pc, block.ssrc);
        if (feed) feed->acknowledged = true;
    }
}

static void on_rtcp(void *arg, rtc_client *client, const uint8_t *bytes, size_t len)
{
    (void)client;
    crowd_pc *pc = arg;
    cn_rtcp_it it;
    if (cn_rtcp_open(&it, bytes, len)) return;
    for (cn_rtcp packet; cn_rtcp_next(&it, &packet);) {
        if (packet.type == CN_RTCP_PLI || packet.type == CN_RTCP_FIR) key_wanted(pc, &packet);
        if (packet.type == CN_RTCP_NACK) resend(pc, &packet);
        report_take(pc, &packet);
    }
}

static void on_arrived(void *arg, rtc_client *client, size_t len, int64_t wall_ns)
{
    (void)client;
    crowd_pc *pc = arg;
    crowd *throng = pc->crowd;
    pc->arrived_ns = wall_ns;
    if (throng->departures_n < throng->departures_max)
        throng->departures[throng->departures_n++] = (crowd_departure){wall_ns, pc->sender, (uint32_t)len};
}

/* ---- reports ---- */

static size_t blocks_fill(crowd_pc *pc, cn_rtcp_block *blocks)
{
    size_t n = 0;
    for (size_t i = 0; i < pc->inlet_n && n < BLOCKS; i++) {
        inlet *in = &pc->inlets[i];
        if (!in->started) continue;
        uint64_t since = in->sr_ns ? (pc->crowd->now_ns - in->sr_ns) * 65536 / 1000000000 : 0;
        blocks[n++] = (cn_rtcp_block){.ssrc = in->ssrc,
                                      .lost = (int32_t)in->lost,
                                      .highest_seq = (uint32_t)in->highest,
                                      .jitter = (uint32_t)in->jitter,
                                      .lsr = in->sr_middle,
                                      .dlsr = (uint32_t)since};
    }
    return n;
}

static void reports_send(crowd_pc *pc)
{
    cn_rtcp_block blocks[BLOCKS];
    cn_rtcp_sr streams[1 + RTC_LAYERS];
    size_t n = blocks_fill(pc, blocks), count = 0;
    for (size_t i = 0; i < pc->outlet_n && count < 1 + RTC_LAYERS; i++) {
        const outlet *feed = &pc->outlets[i];
        if (!feed->packets) continue;
        streams[count++] =
            (cn_rtcp_sr){.ssrc = feed->ssrc, .rtp_ts = feed->ts, .packets = feed->packets, .octets = feed->octets};
    }
    rtc_report_streams(pc->client, streams, count, blocks, n, "crowd");
}

static void nacks_send(crowd_pc *pc)
{
    for (size_t i = 0; i < pc->inlet_n; i++) {
        inlet *in = &pc->inlets[i];
        uint16_t missing[64];
        uint8_t packet[400];
        size_t n = in->video ? inlet_missing(in, pc->crowd->now_ns, missing, 64) : 0, used = 0;
        if (!n) continue;
        size_t len = cn_rtcp_write_nack(packet, sizeof packet, 1, in->ssrc, missing, n, &used);
        pc->crowd->totals.nacks_out += used;
        if (len) (void)rtc_client_rtcp(pc->client, packet, len);
    }
}

static bool due(uint64_t *at, uint64_t every, uint64_t now)
{
    if (*at > now) return false;
    *at = now + every;
    return true;
}

void crowd_pc_turn(crowd_pc *pc)
{
    crowd *throng = pc->crowd;
    uint64_t now = throng->now_ns;
    if (!rtc_client_connected(pc->client)) {
        if (pc->started && due(&pc->check_ns, HELLO_NS, now)) rtc_client_tick(pc->client);
        return;
    }
    for (size_t i = 0; i < pc->outlet_n && !throng->held; i++) {
        outlet *feed = &pc->outlets[i];
        for (const outlet_packet *packet; (packet = outlet_next(feed, &throng->shape, now));) {
            packet_send(pc, feed, packet, false);
            *(feed->video ? &throng->totals.video_sent : &throng->totals.audio_sent) += 1;
        }
    }
    if (rtc_report_due(pc->client, now)) rtc_report_feedback(pc->client, now);
    if (due(&pc->report_ns, REPORT_NS, now)) reports_send(pc);
    if (due(&pc->nack_ns, NACK_NS, now)) nacks_send(pc);
    if (due(&pc->check_ns, CHECK_NS, now)) (void)rtc_client_check(pc->client, true, false);
    if (due(&pc->names_ns, NAMES_NS, now))
        for (size_t i = 0; i < pc->inlet_n; i++) inlet_names_judge(&pc->inlets[i], &throng->totals, now);
}

/* ---- life ---- */

crowd_pc *crowd_pc_new(crowd *throng, uint16_t sender)
{
    crowd_pc *pc = CN_NEW(crowd_pc);
    if (!pc) return NULL;
    rtc_client_events events = {on_rtp, on_rtcp, on_arrived};
    pc->crowd = throng;
    pc->sender = sender;
    cn_random(&pc->ssrc, sizeof pc->ssrc);
    pc->ssrc = (pc->ssrc & ~15u) | 1u << 30;
    pc->client = rtc_client_new(throng->shape.profile, false, &events, pc);
    if (!pc->client) abort();
    pc->next = throng->pcs;
    throng->pcs = pc;
    return pc;
}

void crowd_pc_own(const crowd_pc *pc, rtc_offer *offer)
{
    rtc_offer_own(offer, pc->client);
    offer->mic_ssrc = pc->ssrc;
    offer->camera_ssrc = pc->ssrc + 2;
    offer->codec = pc->crowd->shape.codec;
}

static outlet *outlet_add(crowd_pc *pc, bool video, unsigned layer, uint64_t period)
{
    outlet *more = reallocarray(pc->outlets, pc->outlet_n + 1, sizeof *more);
    if (!more) abort();
    pc->outlets = more;
    outlet *feed = &more[pc->outlet_n++];
    memset(feed, 0, sizeof *feed);
    *feed = (outlet){.sender = pc->sender, .layer = (uint8_t)layer, .video = video};
    feed->ssrc = pc->ssrc + (video ? 2 + 2 * layer : 0);
    feed->footage = video ? pc->crowd->shape.footage[layer] : NULL;
    feed->random = pc->sender * 2654435761u + layer * 40503u + 88172645u;
    feed->speech.random = pc->sender * 747796405u + 2891336453u;
    cn_random(&feed->seq, sizeof feed->seq);
    cn_random(&feed->rtx_seq, sizeof feed->rtx_seq);
    cn_random(&feed->ts, sizeof feed->ts);
    cn_random(&feed->picture, sizeof feed->picture);
    feed->picture &= 0x7fff;
    /* everybody begins somewhere else between two packets, or in the frame */
    feed->next_ns = cn_mono_ns() + period * (pc->sender * 7919u % 1000) / 1000 + period * layer / 7;
    return feed;
}

void crowd_pc_mic(crowd_pc *pc, crowd_voice voice)
{
    outlet_add(pc, false, 0, voice == CROWD_SILENT ? OUTLET_SILENT_NS : OUTLET_VOICE_NS)->voice = voice;
}

void crowd_pc_camera(crowd_pc *pc, unsigned layers)
{
    uint64_t period = 1000000000ull / pc->crowd->shape.fps;
    pc->layers = layers;
    if (pc->crowd->film) pc->crowd->film->sender = pc->sender;
    for (unsigned i = 0; i < layers; i++) {
        outlet *feed = outlet_add(pc, true, layers == 1 ? RTC_LAYERS - 1 : i, period);
        if (layers == 1) feed->ssrc = pc->ssrc + 2;
    }
}

static void pc_readable(void *arg)
{
    rtc_client_receive(((crowd_pc *)arg)->client);
}

bool crowd_pc_remote(crowd_pc *pc, const rtc_sdp *sdp)
{
    for (size_t i = 0; i < sdp->sections; i++) {
        const rtc_section *section = &sdp->section[i];
        if (!section->sends || !section->ssrc) continue;
        size_t k = 0;
        while (k < pc->inlet_n && strcmp(pc->inlets[k].mid, section->mid) != 0) k++;
        if (k == RTC_SECTIONS) return false;
        if (k == pc->inlet_n) pc->inlet_n++;
        if (pc->inlets[k].ssrc == section->ssrc) continue;
        film_watch_close(&pc->inlets[k]);
        pc->inlets[k] = (inlet){.ssrc = section->ssrc, .rtx = section->rtx, .video = section->video, .fixed = -1};
        (void)cn_strcpy(pc->inlets[k].mid, RTC_MID, section->mid);
        if (section->video && pc->crowd->film && !film_watch_open(pc, &pc->inlets[k])) return false;
    }
    memcpy(pc->codec, sdp->codec, sizeof pc->codec);
    pc->exts = sdp->exts;
    if (pc->started) return true;
    if (!rtc_sdp_target(sdp, pc->client) || !crowd_watch(pc->crowd, rtc_client_fd(pc->client), pc_readable, pc))
        return false;
    uint64_t now = cn_mono_ns();
    pc->report_ns = now + pc->sender * 7907u % 1000 * 1000000ull;
    pc->check_ns = now + HELLO_NS;
    pc->started = true;
    rtc_client_start(pc->client);
    return true;
}

bool crowd_pc_candidate(const crowd_pc *pc, char *out, size_t size)
{
    struct sockaddr_in own;
    socklen_t n = sizeof own;
    char address[INET_ADDRSTRLEN];
    return getsockname(rtc_client_fd(pc->client), (struct sockaddr *)&own, &n) == 0 && own.sin_family == AF_INET &&
           inet_ntop(AF_INET, &own.sin_addr, address, sizeof address) &&
           cn_fmt(out, size, "candidate:1 1 udp 2130706431 %s %u typ host", address, ntohs(own.sin_port));
}

bool crowd_pc_connected(const crowd_pc *pc)
{
    return rtc_client_connected(pc->client);
}

const char *crowd_pc_profile(const crowd_pc *pc)
{
    return rtc_client_profile(pc->client);
}

static inlet *inlet_by_mid(crowd_pc *pc, const char *mid)
{
    for (size_t i = 0; i < pc->inlet_n; i++)
        if (strcmp(pc->inlets[i].mid, mid) == 0) return &pc->inlets[i];
    return NULL;
}

void crowd_pc_announce(crowd_pc *pc, const char *mid, uint16_t sender, uint32_t rtp_timestamp)
{
    inlet *in = inlet_by_mid(pc, mid);
    if (in) inlet_said(in, &pc->crowd->totals, sender, rtp_timestamp, cn_mono_ns());
}

void crowd_pc_paused(crowd_pc *pc, const char *mid)
{
    inlet *in = inlet_by_mid(pc, mid);
    if (in && in->watch) in->watch->view.paused = true;
}

void crowd_pc_fixed(crowd_pc *pc, const char *mid, uint16_t sender)
{
    inlet *in = inlet_by_mid(pc, mid);
    if (in) in->fixed = sender;
}

void crowd_pc_free(crowd_pc *pc)
{
    if (!pc) return;
    crowd *throng = pc->crowd;
    for (crowd_pc **at = &throng->pcs; *at; at = &(*at)->next) {
        if (*at != pc) continue;
        *at = pc->next;
        break;
    }
    if (pc->started) crowd_unwatch(throng, rtc_client_fd(pc->client));
    const rtc_client_counts *counts = rtc_client_counts_get(pc->client);
    throng->gone_bad += counts->rtp_bad + counts->rtcp_bad;
    rtc_client_free(pc->client);
    for (size_t i = 0; i < pc->inlet_n; i++) film_watch_close(&pc->inlets[i]);
    free(pc->outlets);
    free(pc);
}
