#include "media/room/peer_rtp.h"

#include <string.h>

#include "base/clock.h"
#include "media/forward/slot.h"
#include "media/forward/slot_send.h"
#include "media/room/source.h"
#include "media/room/source_feedback.h"
#include "media/wire/rtcp.h"

static cn_stream *learn(cn_peer *peer, const cn_rtp *rtp)
{
    for (size_t i = 0; i < peer->source_count; i++) {
        cn_source *source = peer->sources[i];
        if (cn_rtp_has(rtp, CN_RTP_EXT_MID) && !cn_rtp_ext_is(rtp, CN_RTP_EXT_MID, source->mid)) continue;
        cn_stream *stream = cn_source_learn(source, rtp);
        if (stream) return stream;
    }
    return NULL;
}

void cn_peer_rtp(void *arg, uint8_t *packet, size_t len, uint64_t now_ns)
{
    cn_peer *peer = arg;
    if (peer->line.ended) return;
    peer->line.worker->now_ns = now_ns;
    peer->line.meter.in_packets++;
    peer->line.meter.in_bytes += len;
    cn_rtp rtp;
    if (cn_rtp_parse(packet, len, &peer->line.exts, &rtp) != CN_OK) {
        peer->line.meter.bad++;
        peer->line.worker->bad_rtp++;
        return;
    }
    uint16_t seq = 0;
    if (cn_rtp_twcc(&rtp, &seq)) cn_twcc_in_packet(&peer->line.twcc_in, seq, now_ns);
    cn_stream *stream = cn_idmap_get(&peer->line.in_ssrc, rtp.ssrc);
    if (!stream) stream = learn(peer, &rtp);
    if (stream) cn_source_packet(stream, packet, &rtp, now_ns);
}

static void on_sr(cn_peer *peer, const cn_rtcp *pkt)
{
    cn_rtcp_sr sr;
    if (!cn_rtcp_sr_read(pkt, &sr)) return;
    const cn_stream *stream = cn_idmap_get(&peer->line.in_ssrc, sr.ssrc);
    if (stream && !stream->rtx) cn_source_sender_report(stream->source, stream->layer, sr.ntp, sr.rtp_ts);
}

static uint64_t ntp_now(void)
{
    return cn_ntp_from_wall_ns(cn_wall_ns());
}

/* Without transport-wide feedback the receiver reports are all there is. */
static void sum_up(cn_line *line, cn_slot *slot, const cn_rtcp_block *block)
{
    uint32_t sent = 0;
    if (line->exts.id[CN_RTP_EXT_TWCC] || !cn_rewrite_highest(slot->rewrite, &sent)) return;
    uint32_t now_ms = (uint32_t)(line->worker->now_ns / 1000000);
    const cn_sent *next = cn_rewrite_sent(slot->rewrite, (uint16_t)(block->highest_seq + 1));
    cn_reported_add(&line->reported, &slot->reported,
                    &(cn_reported_block){.sent = sent,
                                         .first = sent - slot->packets,
                                         .highest = block->highest_seq,
                                         .fraction = block->fraction_lost,
                                         .age_ms = next ? now_ms - next->sent_ms : 0});
}

static void on_block(cn_peer *peer, const cn_rtcp_block *block)
{
    cn_slot *slot = cn_idmap_get(&peer->line.out_ssrc, block->ssrc);
    if (!slot || block->ssrc != slot->ssrc) return;
    slot->fraction_lost = block->fraction_lost;
    slot->heard_ns = peer->line.worker->now_ns;
    slot->jitter = block->jitter;
    sum_up(&peer->line, slot, block);
    if (!block->lsr) return;
    uint32_t rtt = (uint32_t)(ntp_now() >> 16) - block->lsr - block->dlsr;
    if (rtt >= 10u << 16) return;
    peer->line.rtt_ms = (uint32_t)((uint64_t)rtt * 1000 >> 16);
    cn_rtt_sample(&peer->line.rtt, peer->line.rtt_ms, peer->line.worker->now_ns);
}

static void estimate_by_reports(cn_line *line)
{
    uint64_t now_ns = line->worker->now_ns;
    cn_bwe_heard heard = {.wanted_bps = line->wanted_bps};
    if (line->exts.id[CN_RTP_EXT_TWCC] || !line->slot_count ||
        !cn_reported_take(&line->reported, line->meter.out_bytes, cn_rtt_least(&line->rtt), now_ns, &heard))
        return;
    uint32_t before = cn_bwe_bps(&line->estimate);
    if (cn_bwe_report(&line->estimate, &heard, now_ns) < 0.95 * before) line->dirty = true; /* at the next tick */
}

static void on_report(cn_peer *peer, const cn_rtcp *pkt)
{
    on_sr(peer, pkt);
    cn_rtcp_block block;
    for (size_t i = 0; cn_rtcp_block_read(pkt, i, &block); i++) on_block(peer, &block);
    estimate_by_reports(&peer->line);
}

static void on_nack(cn_peer *peer, const cn_rtcp *pkt)
{
    cn_slot *slot = cn_idmap_get(&peer->line.out_ssrc, cn_rtcp_media(pkt));
    if (!slot) return;
    cn_rtcp_nack_it it = {.pkt = pkt};
    for (uint16_t seq; cn_rtcp_nack_next(&it, &seq);) {
        peer->line.meter.nacks_in++;
        cn_slot_nack(slot, seq,
                     cn_rtt_least(&peer->line.rtt) * 3 / 4); /* who asks again measures, too, and not the same */
    }
}

static void on_pli(cn_peer *peer, const cn_rtcp *pkt)
{
    cn_slot *slot = cn_idmap_get(&peer->line.out_ssrc, cn_rtcp_media(pkt));
    peer->line.meter.plis_in++;
    if (slot) cn_slot_keyframe(slot);
}

static void on_fir(cn_peer *peer, const cn_rtcp *pkt)
{
    uint32_t ssrc = 0;
    uint8_t number = 0;
    for (size_t i = 0; cn_rtcp_fir_read(pkt, i, &ssrc, &number); i++) {
        cn_slot *slot = cn_idmap_get(&peer->line.out_ssrc, ssrc);
        peer->line.meter.plis_in++;
        if (slot) cn_slot_keyframe(slot);
    }
}

static void on_twcc(cn_peer *peer, const cn_rtcp *pkt)
{
    cn_twcc_list list;
    cn_twcc_summary sum;
    uint64_t now_ns = peer->line.worker->now_ns;
    if (cn_twcc_list_read(&list, pkt) != CN_OK ||
        cn_twcc_out_feedback(peer->line.twcc_out, &list, now_ns, &sum) != CN_OK)
        return;
    peer->feedback_ns = now_ns;
    if (sum.rtt_ms) peer->line.rtt_ms = peer->line.rtt_ms ? (peer->line.rtt_ms * 7 + sum.rtt_ms) / 8 : sum.rtt_ms;
    cn_rtt_sample(&peer->line.rtt, sum.rtt_ms, now_ns);
    uint32_t before = cn_bwe_budget(&peer->line.estimate, now_ns);
    bool drains = cn_bwe_drains(&peer->line.estimate, now_ns);
    cn_bwe_feedback(&peer->line.estimate, sum.results, sum.result_count, peer->line.rtt_ms, now_ns);
    bool drained = drains && !cn_bwe_drains(&peer->line.estimate, now_ns);
    if (drained || cn_bwe_budget(&peer->line.estimate, now_ns) < 0.95 * before)
        peer->line.dirty = true; /* at the next tick */
}

static void on_remb(cn_peer *peer, const cn_rtcp *pkt)
{
    uint64_t bps = 0;
    size_t ssrcs = 0;
    if (cn_rtcp_remb_read(pkt, &bps, &ssrcs))
        cn_bwe_cap(&peer->line.estimate, bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps);
}

typedef void (*rtcp_fn)(cn_peer *peer, const cn_rtcp *pkt);

static const rtcp_fn rtcp_handlers[CN_RTCP_REMB + 1] = {
    [CN_RTCP_SR] = on_report, [CN_RTCP_RR] = on_report, [CN_RTCP_NACK] = on_nack, [CN_RTCP_TWCC] = on_twcc,
    [CN_RTCP_PLI] = on_pli,   [CN_RTCP_FIR] = on_fir,   [CN_RTCP_REMB] = on_remb,
};

void cn_peer_rtcp(void *arg, uint8_t *packet, size_t len, uint64_t now_ns)
{
    cn_peer *peer = arg;
    if (peer->line.ended) return;
    peer->line.worker->now_ns = now_ns;
    cn_rtcp_it it;
    if (cn_rtcp_open(&it, packet, len) != CN_OK) {
        peer->line.meter.bad++;
        peer->line.worker->bad_rtcp++;
        return;
    }
    for (cn_rtcp pkt; cn_rtcp_next(&it, &pkt);)
        if (rtcp_handlers[pkt.type]) rtcp_handlers[pkt.type](peer, &pkt);
}
