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
#include "crowd_private.h"
#include "media/wire/rtcp.h"

#define REPORT_NS 1000000000ull
#define CHECK_NS 4000000000ull
#define NACK_NS 20000000ull
#define NAMES_NS 500000000ull
#define HELLO_NS 30000000ull
#define BLOCKS 31

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

void crowd_delay_count(uint32_t buckets[CROWD_DELAY_BUCKETS], int64_t ns)
{
    int64_t i = ns / CROWD_DELAY_STEP_NS;
    buckets[i < 0 ? 0 : i < CROWD_DELAY_BUCKETS ? i : CROWD_DELAY_BUCKETS - 1]++;
}

static void jitter_count(inlet *in, uint32_t ts, uint64_t now_ns)
{
    int64_t transit = (int64_t)(now_ns / 1000 * (in->video ? 90 : 48) / 1000) - (int64_t)ts;
    int64_t d = (int32_t)(uint32_t)(transit - in->transit);
    if (in->packets > 1) in->jitter += ((double)(d < 0 ? -d : d) - in->jitter) / 16;
    in->transit = transit;
}

static void content_check(crowd_pc *pc, inlet *in, const cn_rtp *rtp, uint16_t seq, bool again, payload_codec codec,
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
    (void)client;
    crowd_pc *pc = arg;
    crowd *throng = pc->crowd;
    cn_rtp rtp;
    uint16_t number;
    bool again = false;
    if (cn_rtp_parse(bytes, len, &pc->exts_in, &rtp)) {
        throng->totals.corrupt++;
        return;
    }
    if (cn_rtp_twcc(&rtp, &number)) cn_twcc_in_packet(&pc->twcc, number, throng->now_ns);
    inlet *in = inlet_of(pc, rtp.ssrc, &again);
    uint8_t kind = rtp.pt < 128 ? pc->kind[rtp.pt] : CROWD_NOTHING;
    if (!in || kind == CROWD_NOTHING || (kind == CROWD_RTX) != again) {
        if (rtp.payload_len) throng->totals.corrupt++;
        return;
    }
    size_t skip = again ? CN_RTX_OSN : 0;
    if (rtp.payload_len <= skip) {
        if (!again && inlet_arrived(in, &throng->totals, rtp.seq, false) && in->watch)
            watch_packet(in, &rtp, rtp.seq, false, NULL, 0);
        return; /* padding alone */
    }
    uint16_t seq = again ? (uint16_t)(rtp.payload[0] << 8 | rtp.payload[1]) : rtp.seq;
    if (!inlet_arrived(in, &throng->totals, seq, again)) return;
    if (!again) jitter_count(in, rtp.ts, throng->now_ns);
    if (in->watch) {
        throng->totals.video_in++;
        throng->totals.bytes_in += rtp.len;
        watch_packet(in, &rtp, seq, again, rtp.payload + skip, rtp.payload_len - skip);
        return;
    }
    payload_codec codec = in->video ? throng->shape.codec : PAYLOAD_OPUS;
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
        if (pkt) crowd_pc_send(pc, feed, pkt, true);
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

/* ---- sending ---- */

void crowd_pc_send(crowd_pc *pc, outlet *feed, const outlet_packet *pkt, bool again)
{
    uint8_t packet[1500];
    bool vp8 = pkt->piece.codec == PAYLOAD_VP8;
    cn_rtp_head head = {.ts = pkt->ts, .ssrc = feed->ssrc, .seq = pkt->seq, .marker = feed->video && pkt->piece.last};
    head.pt = (uint8_t)(!feed->video ? CROWD_PT_OPUS : vp8 ? CROWD_PT_VP8 : CROWD_PT_H264);
    const char *rid = crowd_rid(feed->layer), *mid = feed->video ? "cam" : "mic";
    if (again) {
        head.ssrc = feed->ssrc + 1;
        head.seq = feed->rtx_seq++;
        head.pt++;
    }
    if (!feed->acknowledged || again) {
        cn_rtp_head_bytes(&head, CN_RTP_EXT_MID, mid, 3);
        if (feed->video && pc->layers > 1)
            cn_rtp_head_bytes(&head, again ? CN_RTP_EXT_REPAIRED_RID : CN_RTP_EXT_RID, rid, 1);
    }
    if (!feed->video) cn_rtp_head_number(&head, CN_RTP_EXT_AUDIO_LEVEL, pkt->level, 1);
    cn_rtp_head_number(&head, CN_RTP_EXT_TWCC, pc->twcc_seq++, 2);
    size_t at = cn_rtp_write_header(packet, sizeof packet, &head, &pc->exts_out, NULL);
    if (!at || at + 2 + pkt->piece.bytes > sizeof packet) abort();
    if (again) {
        packet[at++] = (uint8_t)(pkt->seq >> 8);
        packet[at++] = (uint8_t)pkt->seq;
        pc->crowd->totals.resent++;
    }
    payload_piece piece = pkt->piece;
    if (!again) piece.sent_ns = (uint64_t)cn_wall_ns();
    if (pkt->frame)
        packing_write(packet + at, pkt->frame->bytes, pkt->cut, piece.picture, piece.tl0);
    else
        payload_write(packet + at, &piece);
    if (pkt->frame && piece.last && !again) {
        film_sent(pc->crowd->film, feed->layer, (unsigned)(pkt->frame - feed->footage->frame), piece.sent_ns);
        pc->crowd->totals.frames_sent++;
    }
    (void)rtc_client_rtp(pc->client, packet, at + piece.bytes);
}

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
    uint8_t packet[1400];
    cn_rtcp_block blocks[BLOCKS];
    size_t n = blocks_fill(pc, blocks), at = 0;
    uint64_t ntp = cn_ntp_from_wall_ns(cn_wall_ns());
    for (size_t i = 0; i < pc->outlet_n; i++) {
        const outlet *feed = &pc->outlets[i];
        if (!feed->packets) continue;
        cn_rtcp_sr sr = {
            .ssrc = feed->ssrc, .ntp = ntp, .rtp_ts = feed->ts, .packets = feed->packets, .octets = feed->octets};
        at += cn_rtcp_write_sr(packet + at, sizeof packet - at, &sr, blocks, at ? 0 : n);
    }
    if (!pc->outlet_n) at = cn_rtcp_write_rr(packet, sizeof packet, 1, blocks, n);
    if (at && pc->outlet_n) at += cn_rtcp_write_cname(packet + at, sizeof packet - at, pc->outlets[0].ssrc, "crowd");
    if (at) (void)rtc_client_rtcp(pc->client, packet, at);
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
            crowd_pc_send(pc, feed, packet, false);
            *(feed->video ? &throng->totals.video_sent : &throng->totals.audio_sent) += 1;
        }
    }
    if (cn_twcc_in_due(&pc->twcc, now)) rtc_client_feedback(pc->client, &pc->twcc, now);
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
    if (!pc->client || !crowd_offer_exts(&pc->exts_out)) abort();
    pc->next = throng->pcs;
    throng->pcs = pc;
    return pc;
}

void crowd_pc_own(const crowd_pc *pc, crowd_offer *offer)
{
    offer->ufrag = rtc_client_ufrag(pc->client);
    offer->pwd = rtc_client_pwd(pc->client);
    offer->fingerprint = rtc_client_fingerprint(pc->client);
    offer->mic_ssrc = pc->ssrc;
    offer->camera_ssrc = pc->ssrc + 2;
    offer->codec = pc->crowd->shape.codec;
}

static void outlet_add(crowd_pc *pc, bool video, unsigned layer)
{
    uint64_t now = cn_mono_ns(), period = video ? 1000000000ull / pc->crowd->shape.fps : 20000000ull;
    outlet *more = reallocarray(pc->outlets, pc->outlet_n + 1, sizeof *more);
    if (!more) abort();
    pc->outlets = more;
    outlet *feed = &more[pc->outlet_n++];
    memset(feed, 0, sizeof *feed);
    *feed = (outlet){.sender = pc->sender, .layer = (uint8_t)layer, .video = video};
    feed->ssrc = pc->ssrc + (video ? 2 + 2 * layer : 0);
    feed->footage = video ? pc->crowd->shape.footage[layer] : NULL;
    feed->random = pc->sender * 2654435761u + layer * 40503u + 88172645u;
    feed->voice.random = pc->sender * 747796405u + 2891336453u;
    cn_random(&feed->seq, sizeof feed->seq);
    cn_random(&feed->rtx_seq, sizeof feed->rtx_seq);
    cn_random(&feed->ts, sizeof feed->ts);
    cn_random(&feed->picture, sizeof feed->picture);
    feed->picture &= 0x7fff;
    /* everybody begins somewhere else in the 20 ms, or in the frame */
    feed->next_ns = now + period * (pc->sender * 7919u % 1000) / 1000 + period * layer / 7;
}

void crowd_pc_mic(crowd_pc *pc)
{
    outlet_add(pc, false, 0);
}

void crowd_pc_camera(crowd_pc *pc, unsigned layers)
{
    pc->layers = layers;
    if (pc->crowd->film) pc->crowd->film->sender = pc->sender;
    for (unsigned i = 0; i < layers; i++) outlet_add(pc, true, layers == 1 ? CROWD_LAYERS - 1 : i);
    if (layers == 1) pc->outlets[pc->outlet_n - 1].ssrc = pc->ssrc + 2;
}

static void pc_readable(void *arg)
{
    rtc_client_receive(((crowd_pc *)arg)->client);
}

bool crowd_pc_remote(crowd_pc *pc, const crowd_sdp *sdp)
{
    for (size_t i = 0; i < sdp->sections; i++) {
        const crowd_section *section = &sdp->section[i];
        if (!section->sends || !section->ssrc) continue;
        size_t k = 0;
        while (k < pc->inlet_n && strcmp(pc->inlets[k].mid, section->mid) != 0) k++;
        if (k == CROWD_SECTIONS) return false;
        if (k == pc->inlet_n) pc->inlet_n++;
        if (pc->inlets[k].ssrc == section->ssrc) continue;
        watch_close(&pc->inlets[k]);
        pc->inlets[k] = (inlet){.ssrc = section->ssrc, .rtx = section->rtx, .video = section->video, .fixed = -1};
        (void)cn_strcpy(pc->inlets[k].mid, CROWD_MID, section->mid);
        if (section->video && pc->crowd->film && !watch_open(pc, &pc->inlets[k])) return false;
    }
    memcpy(pc->kind, sdp->kind, sizeof pc->kind);
    pc->exts_in = sdp->exts;
    if (pc->started) return true;
    if (!rtc_client_target(pc->client, sdp->address, sdp->port, sdp->ufrag, sdp->pwd, sdp->fingerprint) ||
        !crowd_watch(pc->crowd, rtc_client_fd(pc->client), pc_readable, pc))
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
    for (size_t i = 0; i < pc->inlet_n; i++) watch_close(&pc->inlets[i]);
    free(pc->outlets);
    free(pc);
}
