#include "media/forward/slot_send.h"

#include <string.h>

#include "media/wire/payload_vp8.h"
#include "media/wire/payload_vp9.h"
#include "media/room/peer.h"
#include "media/room/room.h"
#include "media/forward/slot_audio.h"

#define CNAME "consilium"
#define REPORT_EVERY_NS 1000000000u
#define QUEUE_MS 200      /* behind which a TCP peer is sent nothing again */
#define HEADER_TYPICAL 28 /* RTP header and extensions: for the pacer */
#define SRTP_OVERHEAD 16  /* bytes of the authentication tag: for the bandwidth estimate */

/* The descriptor for this receiver: his frame numbers, and at a frame's start the decode targets that he is sent.
 * `dd`: CN_DD_MAX bytes that live as long as the head. */
static void head_descriptor(cn_slot *s, cn_rtp_head *h, const cn_packet *p, uint16_t frame_number, uint8_t *dd)
{
    if (!p->dd_len || !s->peer->reads_descriptors || !s->track) return;
    const cn_track_layer *l = &s->track->layer[p->layer < CN_LAYERS ? p->layer : 0];
    unsigned targets = l->layout.targets;
    uint32_t active = 0;
    if (p->frame_start && targets > 1 && s->svc.sid >= 0) active = l->layout.within[s->svc.sid][s->svc.tid] & l->active;
    size_t n = cn_depdesc_rewrite(dd, CN_DD_MAX, cn_packet_bytes(p) + p->dd_at, p->dd_len, frame_number, p->dd_bit,
                                  p->dd_active, targets, active);
    if (n) cn_rtp_head_bytes(h, CN_RTP_EXT_DEPENDENCY, dd, (uint8_t)n);
}

static void head_extensions(cn_slot *s, cn_rtp_head *h, const cn_packet *p)
{
    if (p->has_orientation) cn_rtp_head_number(h, CN_RTP_EXT_ORIENTATION, p->orientation, 1);
    if (p->has_audio_level && !s->video)
        cn_rtp_head_number(h, CN_RTP_EXT_AUDIO_LEVEL, (uint32_t)(p->voice ? 0x80 : 0) | p->audio_level, 1);
    if (s->peer->twcc_out) cn_rtp_head_number(h, CN_RTP_EXT_TWCC, 0, 2);
}

/* The transport-wide number is taken only once the packet is sure to leave. */
static void send(cn_slot *s, uint8_t *buf, size_t n, uint16_t twcc_at, cn_twcc_kind kind)
{
    cn_peer *peer = s->peer;
    cn_worker *w = peer->worker;
    if (twcc_at) cn_put16(buf + twcc_at, cn_twcc_out_next(peer->twcc_out, n + SRTP_OVERHEAD, kind, w->now_ns));
    cn_transport_rtp_send(peer->transport, buf, n);
    if (peer->pace.on && kind != CN_TWCC_PROBE) cn_pacer_left(peer->pace.pacer, n, w->now_ns);
    peer->meter.out_packets++;
    peer->meter.out_bytes += n;
    s->window_bytes += (uint32_t)n;
    s->last_packet_ns = w->now_ns;
}

static void rewrite_payload(uint8_t *payload, const cn_packet *p, uint16_t picture_id, uint8_t tl0picidx)
{
    if (p->codec == CN_CODEC_VP8)
        cn_vp8_rewrite(payload, p->picture_id_at, p->picture_id_15, picture_id, p->tl0picidx_at, tl0picidx);
    if (p->codec == CN_CODEC_VP9)
        cn_vp9_rewrite(payload, p->picture_id_at, p->picture_id_15, picture_id, p->tl0picidx_at, tl0picidx);
}

static size_t payload_write(cn_slot *s, const cn_packet *p, const cn_rewrite_out *o, uint8_t *out)
{
    if (!s->video) return cn_slot_audio_write(s, p, out);
    memcpy(out, cn_packet_payload(p), p->payload_len);
    rewrite_payload(out, p, o->picture_id, o->tl0picidx);
    return p->payload_len;
}

static void send_media(cn_slot *s, const cn_packet *p, const cn_rewrite_out *o)
{
    cn_rtp_head head = {.ts = o->ts, .ssrc = s->ssrc, .seq = o->seq, .pt = s->format->pt, .marker = o->marker};
    uint8_t dd[CN_DD_MAX];
    if (!s->video) head.pt = cn_slot_audio_pt(s, p);
    if (cn_svc_ends_picture(&s->svc, p)) head.marker = true;
    head_extensions(s, &head, p);
    head_descriptor(s, &head, p, o->frame_number, dd);
    uint16_t twcc_at = 0;
    size_t n = cn_rtp_header_size(&head, &s->peer->exts) + p->payload_len;
    uint8_t *buf = cn_transport_rtp_buffer(s->peer->transport, n);
    if (!buf) return;
    size_t at = cn_rtp_write_header(buf, n, &head, &s->peer->exts, &twcc_at);
    size_t payload = payload_write(s, p, o, buf + at);
    send(s, buf, at + payload, twcc_at, s->video ? CN_TWCC_VIDEO : CN_TWCC_AUDIO);
    s->packets++;
    s->octets += (uint32_t)payload;
    cn_count(&s->peer->worker->forwarded, 1);
}

/* A padding packet of the publisher whose number could not be closed up any more. */
static void send_padding(cn_slot *s, const cn_packet *p, const cn_rewrite_out *o)
{
    cn_rtp_head head = {.ts = o->ts, .ssrc = s->ssrc, .seq = o->seq, .pt = s->format->pt};
    head_extensions(s, &head, p);
    uint16_t twcc_at = 0;
    size_t n = cn_rtp_header_size(&head, &s->peer->exts) + 1;
    uint8_t *buf = cn_transport_rtp_buffer(s->peer->transport, n);
    if (!buf || cn_rtp_write_padding(buf, n, &head, &s->peer->exts, 1, &twcc_at) != n) return;
    send(s, buf, n, twcc_at, CN_TWCC_PROBE);
}

/* Whether the line is the limit and this one must wait for its turn. */
static bool waits(cn_slot *s, cn_paced_kind kind, cn_packet *p, const cn_rewrite_out *o)
{
    cn_paced e = {.owner = s, .p = kind == CN_PACED_RESEND ? NULL : p, .out = *o, .kind = (uint8_t)kind};
    e.bytes = (uint16_t)(HEADER_TYPICAL + (kind == CN_PACED_FILL ? 0 : p->payload_len));
    return cn_peer_pace_hold(s->peer, &e);
}

void cn_slot_forward(cn_slot *s, cn_packet *p)
{
    uint64_t now_ns = s->peer->worker->now_ns;
    uint32_t id = cn_track_layer_id(s->track, p->layer);
    cn_rewrite_out o;
    bool pass = p->payload_len && (!s->video || cn_svc_pass(&s->svc, p, &s->track->layer[p->layer].layout));
    cn_rewrite_verdict v =
        pass ? cn_rewrite_packet(s->rewrite, id, p, now_ns, &o) : cn_rewrite_drop(s->rewrite, id, p, now_ns, &o);
    if (v != CN_REWRITE_SEND && v != CN_REWRITE_FILL) return;
    if (p->frame_start && s->track->layer[p->layer].sr_known)
        cn_rewrite_capture(s->rewrite, p->ts, cn_track_capture(s->track, p->layer, p->ts));
    if (p->width && s->track->spatial < 2) {
        s->width = p->width;
        s->height = p->height;
    }
    bool whole = v == CN_REWRITE_SEND;
    if (s->video && s->peer->pace.on && waits(s, whole ? CN_PACED_MEDIA : CN_PACED_FILL, p, &o)) return;
    if (whole)
        send_media(s, p, &o);
    else
        send_padding(s, p, &o);
}

static const cn_slot_format *format_of(const cn_slot *s, const cn_packet *p)
{
    if (s->format && s->format->codec == p->codec) return s->format;
    for (size_t i = 0; i < s->format_count; i++)
        if (s->formats[i].codec == p->codec) return &s->formats[i];
    return NULL;
}

static size_t send_again(cn_slot *s, const cn_packet *p, const cn_sent *sent, uint16_t seq, cn_twcc_kind kind)
{
    const cn_slot_format *f = format_of(s, p);
    if (!f || f->rtx_pt == CN_SDP_NO_PT) return 0;
    cn_rtp_head head = {
        .ts = sent->ts, .ssrc = s->rtx_ssrc, .seq = s->rtx_seq, .pt = f->rtx_pt, .marker = sent->marker};
    uint8_t dd[CN_DD_MAX];
    if (s->video && !sent->filler && cn_svc_ends_picture(&s->svc, p)) head.marker = true;
    head_extensions(s, &head, p);
    if (!sent->filler) head_descriptor(s, &head, p, sent->frame_number, dd);
    uint16_t twcc_at = 0;
    size_t header = cn_rtp_header_size(&head, &s->peer->exts);
    size_t payload_len = sent->filler ? 0 : p->payload_len;
    size_t n = header + CN_RTX_OSN + payload_len;
    uint8_t *buf = cn_transport_rtp_buffer(s->peer->transport, n);
    if (!buf) return 0;
    if (cn_rtp_write_rtx(buf, n, &head, &s->peer->exts, seq, cn_packet_payload(p), payload_len, &twcc_at) != n)
        return 0;
    if (payload_len) rewrite_payload(buf + header + CN_RTX_OSN, p, sent->picture_id, sent->tl0picidx);
    s->rtx_seq++;
    send(s, buf, n, twcc_at, kind);
    return n;
}

/* The packet that a record stands for, as long as its track's history holds it. */
static cn_packet *packet_of(cn_slot *s, const cn_sent *sent)
{
    cn_worker *w = s->peer->worker;
    const cn_track *t = cn_idmap_get(&w->tracks, sent->source >> 2);
    unsigned layer = sent->source & 3;
    if (!t || layer >= t->info.layers || !t->layer[layer].history) return NULL;
    return cn_history_get(t->layer[layer].history, sent->in_seq, w->now_ns);
}

void cn_slot_nack(cn_slot *s, uint16_t seq, uint32_t rtt_ms)
{
    if (!s->rtx_ssrc || cn_transport_full(s->peer->transport, QUEUE_MS)) return;
    const cn_sent *sent = cn_rewrite_resend(s->rewrite, seq, rtt_ms, s->peer->worker->now_ns);
    cn_packet *p = sent ? packet_of(s, sent) : NULL;
    if (!p) return;
    if (s->peer->pace.on && waits(s, CN_PACED_RESEND, p, &(cn_rewrite_out){.seq = seq})) return;
    (void)send_again(s, p, sent, seq, CN_TWCC_RESENT);
}

void cn_slot_send_paced(cn_slot *s, const cn_paced *e)
{
    if (e->kind == CN_PACED_RESEND) {
        const cn_sent *sent = cn_rewrite_sent(s->rewrite, e->out.seq);
        const cn_packet *p = sent ? packet_of(s, sent) : NULL;
        if (p) (void)send_again(s, p, sent, e->out.seq, CN_TWCC_RESENT);
    } else if (s->format && e->kind == CN_PACED_MEDIA) {
        send_media(s, e->p, &e->out);
    } else if (s->format) {
        send_padding(s, e->p, &e->out);
    }
}

static size_t probe_padding(cn_slot *s)
{
    cn_rtp_head head = {.ssrc = s->rtx_ssrc, .seq = s->rtx_seq, .pt = s->format->rtx_pt};
    cn_rtp_head_number(&head, CN_RTP_EXT_TWCC, 0, 2);
    uint16_t twcc_at = 0;
    size_t n = cn_rtp_header_size(&head, &s->peer->exts) + UINT8_MAX;
    uint8_t *buf = cn_transport_rtp_buffer(s->peer->transport, n);
    if (!buf || cn_rtp_write_padding(buf, n, &head, &s->peer->exts, UINT8_MAX, &twcc_at) != n) return 0;
    s->rtx_seq++;
    send(s, buf, n, twcc_at, CN_TWCC_PROBE);
    return n;
}

size_t cn_slot_probe(cn_slot *s, uint32_t ext)
{
    if (!s->rtx_ssrc || !s->format || s->format->rtx_pt == CN_SDP_NO_PT || !s->peer->twcc_out) return 0;
    if (cn_transport_full(s->peer->transport, QUEUE_MS)) return 0;
    uint64_t last_ns = s->last_packet_ns; /* a probe is no sign of a picture */
    const cn_sent *sent = cn_rewrite_sent(s->rewrite, (uint16_t)ext);
    const cn_packet *p = sent ? packet_of(s, sent) : NULL;
    size_t n = p ? send_again(s, p, sent, (uint16_t)ext, CN_TWCC_PROBE) : 0;
    if (!n) n = probe_padding(s);
    s->last_packet_ns = last_ns;
    return n;
}

size_t cn_slot_report(cn_slot *s, uint8_t *out, size_t cap, uint64_t now_ns, uint64_t now_ntp)
{
    if (s->current < 0 || !s->track || !s->packets || now_ns - s->reported_ns < REPORT_EVERY_NS) return 0;
    uint32_t in_ts = 0, out_ts = 0;
    if (!cn_track_rtp(s->track, cn_track_stream(s->track, s->current), (int64_t)now_ns, &in_ts)) return 0;
    if (!cn_rewrite_ts(s->rewrite, in_ts, &out_ts)) return 0;
    cn_rtcp_sr sr = {.ssrc = s->ssrc, .ntp = now_ntp, .rtp_ts = out_ts, .packets = s->packets, .octets = s->octets};
    size_t n = cn_rtcp_write_sr(out, cap, &sr, NULL, 0);
    size_t more = n ? cn_rtcp_write_cname(out + n, cap - n, s->ssrc, CNAME) : 0;
    if (!more) return 0;
    s->reported_ns = now_ns;
    return n + more;
}
