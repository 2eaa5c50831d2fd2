#include "media/forward/slot_send.h"

#include <string.h>

#include "media/forward/pace.h"
#include "media/forward/slot_audio.h"
#include "media/wire/payload_vp8.h"
#include "media/wire/payload_vp9.h"
#include "media/wire/rtcp.h"

#define CNAME "consilium"
#define REPORT_EVERY_NS 1000000000u
#define QUEUE_MS 200      /* behind which a TCP peer is sent nothing again */
#define HEADER_TYPICAL 28 /* RTP header and extensions: for the pacer */
#define SRTP_OVERHEAD 16  /* bytes of the authentication tag: for the bandwidth estimate */

/* The descriptor for this receiver: his frame numbers, and at a frame's start the decode targets that he is sent.
 * `dd`: CN_DD_MAX bytes that live as long as the head. */
static void head_descriptor(cn_slot *slot, cn_rtp_head *head, const cn_packet *packet, uint16_t frame_number,
                            uint8_t *dd)
{
    if (!packet->dd_len || !slot->line->reads_descriptors || !slot->track) return;
    const cn_track_layer *layer = &slot->track->layer[packet->layer < CN_LAYERS ? packet->layer : 0];
    unsigned targets = layer->layout.targets;
    uint32_t active = 0;
    if (packet->frame_start && targets > 1 && slot->svc.sid >= 0)
        active = layer->layout.within[slot->svc.sid][slot->svc.tid] & layer->active;
    size_t n = cn_depdesc_rewrite(dd, CN_DD_MAX, cn_packet_bytes(packet) + packet->dd_at, packet->dd_len, frame_number,
                                  packet->dd_bit, packet->dd_active, targets, active);
    if (n) cn_rtp_head_bytes(head, CN_RTP_EXT_DEPENDENCY, dd, (uint8_t)n);
}

static void head_extensions(cn_slot *slot, cn_rtp_head *head, const cn_packet *packet)
{
    if (packet->has_orientation) cn_rtp_head_number(head, CN_RTP_EXT_ORIENTATION, packet->orientation, 1);
    if (packet->has_audio_level && !slot->video)
        cn_rtp_head_number(head, CN_RTP_EXT_AUDIO_LEVEL, (uint32_t)(packet->voice ? 0x80 : 0) | packet->audio_level, 1);
    if (slot->line->twcc_out) cn_rtp_head_number(head, CN_RTP_EXT_TWCC, 0, 2);
}

/* The transport-wide number is taken only once the packet is sure to leave. */
static void send(cn_slot *slot, uint8_t *buf, size_t len, uint16_t twcc_at, cn_twcc_kind kind)
{
    cn_line *line = slot->line;
    cn_worker *worker = line->worker;
    if (twcc_at) cn_put16(buf + twcc_at, cn_twcc_out_next(line->twcc_out, len + SRTP_OVERHEAD, kind, worker->now_ns));
    cn_transport_rtp_send(line->transport, buf, len);
    if (line->pace.on && kind != CN_TWCC_PROBE) cn_pacer_left(line->pace.pacer, len, worker->now_ns);
    line->meter.out_packets++;
    line->meter.out_bytes += len;
    slot->window_bytes += (uint32_t)len;
    slot->last_packet_ns = worker->now_ns;
}

static void rewrite_payload(uint8_t *payload, const cn_packet *packet, uint16_t picture_id, uint8_t tl0picidx)
{
    if (packet->codec == CN_CODEC_VP8)
        cn_vp8_rewrite(payload, packet->picture_id_at, packet->picture_id_15, picture_id, packet->tl0picidx_at,
                       tl0picidx);
    if (packet->codec == CN_CODEC_VP9)
        cn_vp9_rewrite(payload, packet->picture_id_at, packet->picture_id_15, picture_id, packet->tl0picidx_at,
                       tl0picidx);
}

static size_t payload_write(cn_slot *slot, const cn_packet *packet, const cn_rewrite_out *rewritten, uint8_t *out)
{
    if (!slot->video) return cn_slot_audio_write(slot, packet, out);
    memcpy(out, cn_packet_payload(packet), packet->payload_len);
    rewrite_payload(out, packet, rewritten->picture_id, rewritten->tl0picidx);
    return packet->payload_len;
}

static void send_media(cn_slot *slot, const cn_packet *packet, const cn_rewrite_out *rewritten)
{
    cn_rtp_head head = {.ts = rewritten->ts,
                        .ssrc = slot->ssrc,
                        .seq = rewritten->seq,
                        .pt = slot->format->pt,
                        .marker = rewritten->marker};
    uint8_t dd[CN_DD_MAX];
    if (!slot->video) head.pt = cn_slot_audio_pt(slot, packet);
    if (cn_svc_ends_picture(&slot->svc, packet)) head.marker = true;
    head_extensions(slot, &head, packet);
    head_descriptor(slot, &head, packet, rewritten->frame_number, dd);
    uint16_t twcc_at = 0;
    size_t n = cn_rtp_header_size(&head, &slot->line->exts) + packet->payload_len;
    uint8_t *buf = cn_transport_rtp_buffer(slot->line->transport, n);
    if (!buf) return;
    size_t at = cn_rtp_write_header(buf, n, &head, &slot->line->exts, &twcc_at);
    size_t payload = payload_write(slot, packet, rewritten, buf + at);
    send(slot, buf, at + payload, twcc_at, slot->video ? CN_TWCC_VIDEO : CN_TWCC_AUDIO);
    slot->packets++;
    slot->octets += (uint32_t)payload;
    slot->line->worker->forwarded++;
}

/* A padding packet of the publisher whose number could not be closed up any more. */
static void send_padding(cn_slot *slot, const cn_packet *packet, const cn_rewrite_out *rewritten)
{
    cn_rtp_head head = {.ts = rewritten->ts, .ssrc = slot->ssrc, .seq = rewritten->seq, .pt = slot->format->pt};
    head_extensions(slot, &head, packet);
    uint16_t twcc_at = 0;
    size_t n = cn_rtp_header_size(&head, &slot->line->exts) + 1;
    uint8_t *buf = cn_transport_rtp_buffer(slot->line->transport, n);
    if (!buf || cn_rtp_write_padding(buf, n, &head, &slot->line->exts, 1, &twcc_at) != n) return;
    send(slot, buf, n, twcc_at, CN_TWCC_PROBE);
}

/* Whether the line is the limit and this one must wait for its turn. */
static bool waits(cn_slot *slot, cn_paced_kind kind, cn_packet *packet, const cn_rewrite_out *rewritten)
{
    cn_paced paced = {
        .owner = slot, .p = kind == CN_PACED_RESEND ? NULL : packet, .out = *rewritten, .kind = (uint8_t)kind};
    paced.bytes = (uint16_t)(HEADER_TYPICAL + (kind == CN_PACED_FILL ? 0 : packet->payload_len));
    return cn_pace_hold(slot->line, &paced);
}

void cn_slot_forward(cn_slot *slot, cn_packet *packet)
{
    uint64_t now_ns = slot->line->worker->now_ns;
    uint32_t id = cn_track_layer_id(slot->track, packet->layer);
    cn_rewrite_out rewritten;
    bool pass = packet->payload_len &&
                (!slot->video || cn_svc_pass(&slot->svc, packet, &slot->track->layer[packet->layer].layout));
    cn_rewrite_verdict verdict = pass ? cn_rewrite_packet(slot->rewrite, id, packet, now_ns, &rewritten)
                                      : cn_rewrite_drop(slot->rewrite, id, packet, now_ns, &rewritten);
    if (verdict != CN_REWRITE_SEND && verdict != CN_REWRITE_FILL) return;
    if (packet->frame_start && slot->track->layer[packet->layer].sr_known)
        cn_rewrite_capture(slot->rewrite, packet->ts, cn_track_capture(slot->track, packet->layer, packet->ts));
    if (packet->width && slot->track->spatial < 2) {
        slot->width = packet->width;
        slot->height = packet->height;
    }
    bool whole = verdict == CN_REWRITE_SEND;
    if (slot->video && slot->line->pace.on && waits(slot, whole ? CN_PACED_MEDIA : CN_PACED_FILL, packet, &rewritten))
        return;
    if (whole)
        send_media(slot, packet, &rewritten);
    else
        send_padding(slot, packet, &rewritten);
}

static const cn_slot_format *format_of(const cn_slot *slot, const cn_packet *packet)
{
    if (slot->format && slot->format->codec == packet->codec) return slot->format;
    for (size_t i = 0; i < slot->format_count; i++)
        if (slot->formats[i].codec == packet->codec) return &slot->formats[i];
    return NULL;
}

static size_t send_again(cn_slot *slot, const cn_packet *packet, const cn_sent *sent, uint16_t seq, cn_twcc_kind kind)
{
    const cn_slot_format *format = format_of(slot, packet);
    if (!format || format->rtx_pt == CN_SDP_NO_PT) return 0;
    cn_rtp_head head = {
        .ts = sent->ts, .ssrc = slot->rtx_ssrc, .seq = slot->rtx_seq, .pt = format->rtx_pt, .marker = sent->marker};
    uint8_t dd[CN_DD_MAX];
    if (slot->video && !sent->filler && cn_svc_ends_picture(&slot->svc, packet)) head.marker = true;
    head_extensions(slot, &head, packet);
    if (!sent->filler) head_descriptor(slot, &head, packet, sent->frame_number, dd);
    uint16_t twcc_at = 0;
    size_t header = cn_rtp_header_size(&head, &slot->line->exts);
    size_t payload_len = sent->filler ? 0 : packet->payload_len;
    size_t n = header + CN_RTX_OSN + payload_len;
    uint8_t *buf = cn_transport_rtp_buffer(slot->line->transport, n);
    if (!buf) return 0;
    if (cn_rtp_write_rtx(buf, n, &head, &slot->line->exts, seq, cn_packet_payload(packet), payload_len, &twcc_at) != n)
        return 0;
    if (payload_len) rewrite_payload(buf + header + CN_RTX_OSN, packet, sent->picture_id, sent->tl0picidx);
    slot->rtx_seq++;
    send(slot, buf, n, twcc_at, kind);
    return n;
}

/* The packet that a record stands for, as long as its track's history holds it. */
static cn_packet *packet_of(cn_slot *slot, const cn_sent *sent)
{
    cn_worker *worker = slot->line->worker;
    const cn_track *track = cn_idmap_get(&worker->tracks, sent->source >> 2);
    unsigned layer = sent->source & 3;
    if (!track || layer >= track->info.layers || !track->layer[layer].history) return NULL;
    return cn_history_get(track->layer[layer].history, sent->in_seq, worker->now_ns);
}

void cn_slot_nack(cn_slot *slot, uint16_t seq, uint32_t rtt_ms)
{
    if (!slot->rtx_ssrc || cn_transport_full(slot->line->transport, QUEUE_MS)) return;
    const cn_sent *sent = cn_rewrite_resend(slot->rewrite, seq, rtt_ms, slot->line->worker->now_ns);
    if (!sent) cn_rewrite_asked(slot->rewrite, seq);
    cn_packet *packet = sent ? packet_of(slot, sent) : NULL;
    if (!packet) return;
    if (slot->line->pace.on && waits(slot, CN_PACED_RESEND, packet, &(cn_rewrite_out){.seq = seq})) return;
    (void)send_again(slot, packet, sent, seq, CN_TWCC_RESENT);
}

void cn_slot_send_paced(cn_slot *slot, const cn_paced *paced)
{
    if (paced->kind == CN_PACED_RESEND) {
        const cn_sent *sent = cn_rewrite_sent(slot->rewrite, paced->out.seq);
        const cn_packet *packet = sent ? packet_of(slot, sent) : NULL;
        if (packet) (void)send_again(slot, packet, sent, paced->out.seq, CN_TWCC_RESENT);
    } else if (slot->format && paced->kind == CN_PACED_MEDIA) {
        send_media(slot, paced->p, &paced->out);
    } else if (slot->format) {
        send_padding(slot, paced->p, &paced->out);
    }
}

static size_t probe_padding(cn_slot *slot)
{
    cn_rtp_head head = {.ssrc = slot->rtx_ssrc, .seq = slot->rtx_seq, .pt = slot->format->rtx_pt};
    cn_rtp_head_number(&head, CN_RTP_EXT_TWCC, 0, 2);
    uint16_t twcc_at = 0;
    size_t n = cn_rtp_header_size(&head, &slot->line->exts) + UINT8_MAX;
    uint8_t *buf = cn_transport_rtp_buffer(slot->line->transport, n);
    if (!buf || cn_rtp_write_padding(buf, n, &head, &slot->line->exts, UINT8_MAX, &twcc_at) != n) return 0;
    slot->rtx_seq++;
    send(slot, buf, n, twcc_at, CN_TWCC_PROBE);
    return n;
}

size_t cn_slot_probe(cn_slot *slot, uint32_t ext)
{
    if (!slot->rtx_ssrc || !slot->format || slot->format->rtx_pt == CN_SDP_NO_PT || !slot->line->twcc_out) return 0;
    if (cn_transport_full(slot->line->transport, QUEUE_MS)) return 0;
    uint64_t last_ns = slot->last_packet_ns; /* a probe is no sign of a picture */
    const cn_sent *sent = cn_rewrite_sent(slot->rewrite, (uint16_t)ext);
    const cn_packet *packet = sent ? packet_of(slot, sent) : NULL;
    size_t n = packet ? send_again(slot, packet, sent, (uint16_t)ext, CN_TWCC_PROBE) : 0;
    if (!n) n = probe_padding(slot);
    slot->last_packet_ns = last_ns;
    return n;
}

size_t cn_slot_report(cn_slot *slot, uint8_t *out, size_t cap, uint64_t now_ns, uint64_t now_ntp)
{
    if (slot->current < 0 || !slot->track || !slot->packets || now_ns - slot->reported_ns < REPORT_EVERY_NS) return 0;
    uint32_t in_ts = 0, out_ts = 0;
    if (!cn_track_rtp(slot->track, cn_track_stream(slot->track, slot->current), (int64_t)now_ns, &in_ts)) return 0;
    if (!cn_rewrite_ts(slot->rewrite, in_ts, &out_ts)) return 0;
    cn_rtcp_sr sr = {
        .ssrc = slot->ssrc, .ntp = now_ntp, .rtp_ts = out_ts, .packets = slot->packets, .octets = slot->octets};
    size_t n = cn_rtcp_write_sr(out, cap, &sr, NULL, 0);
    size_t more = n ? cn_rtcp_write_cname(out + n, cap - n, slot->ssrc, CNAME) : 0;
    if (!more) return 0;
    slot->reported_ns = now_ns;
    return n + more;
}
