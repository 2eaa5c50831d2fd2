#include "support_sfu.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "cn_test.h"
#include "media/wire/payload_vp8.h"
#include "media/wire/payload_vp9.h"
#include "media/wire/red.h"

#define OPUS 111
#define RED 63
#define RED_OLDER 2
#define OPUS_TICKS 960
#define VP8 96
#define VP8_RTX 97
#define VP9 98
#define VP9_RTX 99
#define SVC_KEY_AFTER 5 /* pictures */
#define MAGIC 0x51f0cafeu
#define SDP_MAX (64 * 1024)
#define MS 1000000ull
#define AUDIO_EVERY_NS (20 * MS)
#define FEEDBACK_EVERY_NS (50 * MS)
#define REPORT_EVERY_NS (300 * MS)
#define CHECK_EVERY_NS (500 * MS)
#define HELLO_EVERY_NS (20 * MS)
#define DESCRIPTOR 6
#define AUDIO_BYTES 60
#define VIDEO_BYTES 700

static const struct {
    cn_rtp_ext ext;
    unsigned id;
    bool audio, video;
} exts[] = {{CN_RTP_EXT_AUDIO_LEVEL, 1, true, false},
            {CN_RTP_EXT_TWCC, 3, true, true},
            {CN_RTP_EXT_MID, 4, true, true},
            {CN_RTP_EXT_RID, 10, false, true},
            {CN_RTP_EXT_REPAIRED_RID, 11, false, true},
            {CN_RTP_EXT_DEPENDENCY, 12, false, true}};

static const char *const rids[SFU_LAYERS] = {"l", "m", "h"};

/* ---- events ---- */

static void note(sfu *s, const sfu_event *e)
{
    pthread_mutex_lock(&s->lock);
    if (s->events_n < SFU_EVENTS) {
        s->events[s->events_n] = *e;
        s->events[s->events_n++].at_ns = cn_mono_ns();
    }
    pthread_mutex_unlock(&s->lock);
}

static void on_connected(void *ctx, const char *room, const char *participant)
{
    (void)room;
    sfu_event e = {.kind = 'c'};
    (void)cn_strcpy(e.who, sizeof e.who, participant);
    note(ctx, &e);
}

static void on_left(void *ctx, const char *room, const char *participant, cn_leave_cause cause, uint64_t sign_ms)
{
    (void)room, (void)sign_ms;
    sfu_event e = {.kind = 'l', .cause = cause};
    (void)cn_strcpy(e.who, sizeof e.who, participant);
    note(ctx, &e);
}

static void on_slot(void *ctx, const char *room, const char *participant, const cn_slot_event *slot)
{
    (void)room;
    sfu_event e = {.kind = 's', .state = slot->state, .ts = slot->rtp_timestamp};
    (void)cn_strcpy(e.who, sizeof e.who, participant);
    (void)cn_strcpy(e.mid, sizeof e.mid, slot->mid);
    (void)cn_strcpy(e.from, sizeof e.from, slot->from);
    note(ctx, &e);
}

static void on_speaker(void *ctx, const char *room, const char *participant)
{
    (void)room;
    sfu_event e = {.kind = 'p'};
    (void)cn_strcpy(e.who, sizeof e.who, participant);
    note(ctx, &e);
}

size_t sfu_event_count(sfu *s)
{
    pthread_mutex_lock(&s->lock);
    size_t n = s->events_n;
    pthread_mutex_unlock(&s->lock);
    return n;
}

size_t sfu_events(sfu *s, char kind, const char *who, size_t from, sfu_event *last)
{
    size_t found = 0;
    pthread_mutex_lock(&s->lock);
    for (size_t i = from; i < s->events_n; i++) {
        const sfu_event *e = &s->events[i];
        if (e->kind != kind || (who && strcmp(e->who, who) != 0)) continue;
        found++;
        if (last) *last = *e;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* ---- receiving ---- */

static bool drops(sfu *s, unsigned percent)
{
    s->random = s->random * 1664525u + 1013904223u;
    return (s->random >> 8) % 100 < percent;
}

static void read_video(sfu_packet *out, const cn_rtp *r)
{
    size_t skip = out->rtx ? CN_RTX_OSN : 0;
    cn_vp8 v;
    out->video = true;
    if (out->rtx) out->osn = cn_be16(r->payload);
    if (r->payload_len <= skip || cn_vp8_parse(&v, r->payload + skip, r->payload_len - skip)) {
        out->probe = true;
        return;
    }
    out->picture = v.picture_id;
    out->tl0 = v.tl0picidx;
    out->first = v.frame_start;
    out->key = v.frame_start && v.key;
}

static void read_descriptor(sfu *s, sfu_packet *out, const cn_rtp_view *v)
{
    cn_depdesc d;
    cn_dd_structure fresh;
    assert_ok(cn_depdesc_parse(&d, v->p, v->n, s->layers_known ? &s->layers : NULL, &fresh));
    if (d.has_structure) s->layers = fresh;
    s->layers_known |= d.has_structure;
    out->described = true;
    out->frame_number = d.frame_number;
    out->fdiff_count = d.fdiff_count;
    memcpy(out->fdiff, d.fdiff, sizeof out->fdiff);
    assert_int_equal(d.start, out->first);
    assert_int_equal(d.end, out->last);
    assert_int_equal(d.sid, out->sid);
    assert_int_equal(d.tid, out->tid);
}

static void read_vp9(sfu *s, sfu_packet *out, const cn_rtp *r)
{
    size_t skip = out->rtx ? CN_RTX_OSN : 0;
    cn_vp9 v;
    out->video = true;
    if (r->payload_len <= skip || cn_vp9_parse(&v, r->payload + skip, r->payload_len - skip)) {
        out->probe = true;
        return;
    }
    out->picture = v.picture_id;
    out->tl0 = v.tl0picidx;
    out->first = v.frame_start;
    out->last = v.frame_end;
    out->key = !v.inter && !v.inter_layer;
    out->sid = v.sid;
    out->tid = v.tid;
    if (cn_rtp_has(r, CN_RTP_EXT_DEPENDENCY)) read_descriptor(s, out, &r->ext[CN_RTP_EXT_DEPENDENCY]);
}

/* Each older block is what the sender's packet of that time carried. */
static void read_red(sfu_packet *out, const cn_rtp *r)
{
    cn_red red;
    assert_ok(cn_red_parse(&red, r->payload, r->payload_len));
    for (size_t i = 0; i < red.count; i++) {
        const cn_red_block *b = &red.block[i];
        sfu_stamp stamp;
        assert_int_equal(b->pt, OPUS);
        assert_int_equal(b->len, AUDIO_BYTES);
        memcpy(&stamp, r->payload + b->at + b->len - sizeof stamp, sizeof stamp);
        assert_int_equal(stamp.magic, MAGIC);
        assert_int_equal(stamp.sender, out->stamp.sender);
        assert_int_equal(stamp.frame, out->stamp.frame - b->offset / OPUS_TICKS);
    }
    out->older = (uint8_t)(red.count - 1);
}

static void on_rtp(void *arg, cn_client *client, const uint8_t *p, size_t n)
{
    (void)client;
    sfu_client *c = arg;
    cn_rtp r;
    assert_ok(cn_rtp_parse(p, n, &c->sfu->exts, &r));
    if (drops(c->sfu, c->lose_down)) return;
    uint16_t seq = 0;
    if (cn_rtp_twcc(&r, &seq)) cn_twcc_in_packet(&c->twcc, seq, cn_mono_ns());
    assert_true(c->log_n < SFU_LOG);
    sfu_packet *out = &c->log[c->log_n++];
    *out = (sfu_packet){.at_ns = cn_mono_ns(),
                        .ssrc = r.ssrc,
                        .ts = r.ts,
                        .seq = r.seq,
                        .twcc = seq,
                        .pt = r.pt,
                        .marker = r.marker,
                        .rtx = r.pt == VP8_RTX || r.pt == VP9_RTX};
    out->probe = r.payload_len < sizeof out->stamp;
    if (!out->probe) memcpy(&out->stamp, r.payload + r.payload_len - sizeof out->stamp, sizeof out->stamp);
    if (r.pt == RED) read_red(out, &r);
    bool video = r.pt != OPUS && r.pt != RED && !out->probe;
    if (video && c->shape.vp9) read_vp9(c->sfu, out, &r);
    if (video && !c->shape.vp9) read_video(out, &r);
    if (!out->probe) assert_int_equal(out->stamp.magic, MAGIC);
}

static sfu_layer *layer_of(sfu_client *c, uint32_t ssrc)
{
    for (unsigned i = 0; i < c->shape.layers; i++)
        if (c->layer[i].ssrc == ssrc) return &c->layer[i];
    return NULL;
}

static void rtx_send(sfu_client *c, sfu_layer *l, uint16_t seq);

static void take_control(sfu_client *c, const cn_rtcp *pkt)
{
    sfu_layer *l = layer_of(c, cn_rtcp_media(pkt));
    uint16_t seq;
    if (pkt->type == CN_RTCP_PLI && l) {
        l->key_wanted = true;
        l->plis++;
    }
    if (pkt->type != CN_RTCP_NACK || !l) return;
    for (cn_rtcp_nack_it it = {.pkt = pkt}; cn_rtcp_nack_next(&it, &seq);) {
        c->nacked++;
        if (!c->no_repair) rtx_send(c, l, seq);
    }
}

static void on_rtcp(void *arg, cn_client *client, const uint8_t *p, size_t n)
{
    (void)client;
    sfu_client *c = arg;
    cn_rtcp_it it;
    assert_ok(cn_rtcp_open(&it, p, n));
    for (cn_rtcp pkt; cn_rtcp_next(&it, &pkt);) {
        take_control(c, &pkt);
        size_t len = pkt.body_len + 4;
        if (c->rtcp_n == SFU_RTCP || len > sizeof c->rtcp->bytes) continue;
        sfu_control *out = &c->rtcp[c->rtcp_n++];
        *out = (sfu_control){.type = pkt.type, .at_ns = cn_mono_ns(), .n = len};
        memcpy(out->bytes, pkt.body - 4, len);
        cn_put16(out->bytes + 2, (unsigned)(len / 4 - 1));
        out->bytes[0] &= (uint8_t)~0x20; /* its padding is not kept */
    }
}

/* ---- sending ---- */

static void put_stamp(uint8_t *payload, size_t n, sfu_stamp stamp)
{
    memcpy(payload + n - sizeof stamp, &stamp, sizeof stamp);
}

static size_t packet_write(sfu_client *c, uint8_t *out, size_t cap, cn_rtp_head *head, const uint8_t *p, size_t n)
{
    cn_rtp_head_number(head, CN_RTP_EXT_TWCC, c->twcc_seq, 2);
    size_t at = cn_rtp_write_header(out, cap, head, &c->sfu->exts, NULL);
    assert_true(at > 0 && at + n <= cap);
    memcpy(out + at, p, n);
    return at + n;
}

static size_t audio_payload(const sfu_client *c, uint8_t *out)
{
    size_t older = !c->shape.red ? 0 : c->audio_packets < RED_OLDER ? c->audio_packets : RED_OLDER, n = 0;
    for (size_t i = older; i > 0; i--, n += 4) {
        out[n] = 0x80 | OPUS;
        cn_put24(out + n + 1, (uint32_t)(i * OPUS_TICKS) << 10 | AUDIO_BYTES);
    }
    if (c->shape.red) out[n++] = OPUS;
    for (size_t i = older + 1; i-- > 0; n += AUDIO_BYTES) {
        memset(out + n, 0x78, AUDIO_BYTES);
        put_stamp(out + n, AUDIO_BYTES, (sfu_stamp){MAGIC, (uint16_t)c->index, 0, 0, c->audio_packets - (uint32_t)i});
    }
    return n;
}

static void audio_send(sfu_client *c)
{
    uint8_t payload[(RED_OLDER + 1) * (AUDIO_BYTES + 4)], packet[400];
    /* words and pauses: a steady tone is no speech and sinks in the ranking */
    const unsigned word_ticks = c->dtx ? 40 : 8, cycle = c->dtx ? 100 : 12;
    bool word = c->level < 127 && c->audio_packets % cycle < word_ticks;
    if (c->dtx && !word && c->audio_packets % 20) {
        c->audio_packets++;
        return;
    }
    if (word && !c->word_ns) {
        c->word_frame = c->audio_packets;
        c->word_ns = cn_mono_ns();
    }
    size_t len = audio_payload(c, payload);
    cn_rtp_head head = {.ts = c->audio_packets * OPUS_TICKS,
                        .ssrc = c->audio_ssrc,
                        .seq = c->audio_seq++,
                        .pt = c->shape.red ? RED : OPUS};
    uint8_t level = word ? (uint8_t)(c->level + c->audio_packets % 3) : 100;
    if (c->level == 127) level = 127;
    cn_rtp_head_number(&head, CN_RTP_EXT_AUDIO_LEVEL, (word ? 0x80u : 0) | level, 1);
    cn_rtp_head_bytes(&head, CN_RTP_EXT_MID, "mic", 3);
    size_t n = packet_write(c, packet, sizeof packet, &head, payload, len);
    c->twcc_seq++;
    c->audio_packets++;
    (void)cn_client_rtp(c->c, packet, n);
}

/* RFC 7741: 15-bit picture id, TL0PICIDX, TID; in the first packet a frame tag, in a key frame's its size. */
static void video_payload(const sfu_client *c, unsigned layer, uint8_t *p, bool first, bool key)
{
    const sfu_layer *l = &c->layer[layer];
    const uint8_t descriptor[DESCRIPTOR] = {(uint8_t)(0x80 | (first ? 0x10 : 0)),
                                            0xe0,
                                            (uint8_t)(0x80 | l->picture >> 8),
                                            (uint8_t)l->picture,
                                            l->tl0,
                                            0x20};
    memcpy(p, descriptor, sizeof descriptor);
    if (!first) return;
    const unsigned width = 320u << layer, height = 180u << layer;
    const uint8_t tag[] = {(uint8_t)(key ? 0x10 : 0x11), 0, 0};
    const uint8_t start[] = {
        0x9d, 0x01, 0x2a, (uint8_t)width, (uint8_t)(width >> 8), (uint8_t)height, (uint8_t)(height >> 8)};
    memcpy(p + DESCRIPTOR, tag, sizeof tag);
    if (key) memcpy(p + DESCRIPTOR + 3, start, sizeof start);
}

static void head_names(const sfu_client *c, cn_rtp_head *h, unsigned layer, cn_rtp_ext rid)
{
    cn_rtp_head_bytes(h, CN_RTP_EXT_MID, "cam", 3);
    if (c->shape.layers > 1) cn_rtp_head_bytes(h, rid, rids[layer], 1);
}

void sfu_frame(sfu_client *c, unsigned layer, bool key, uint32_t lose)
{
    sfu_layer *l = &c->layer[layer];
    unsigned count = (c->shape.packets ? c->shape.packets : 2) << layer;
    l->picture = (uint16_t)((l->picture + 1) & 0x7fff);
    l->tl0++;
    for (unsigned i = 0; i < count; i++) {
        uint8_t payload[VIDEO_BYTES];
        memset(payload, 0x55, sizeof payload);
        video_payload(c, layer, payload, i == 0, key);
        put_stamp(payload, sizeof payload,
                  (sfu_stamp){MAGIC, (uint16_t)c->index, (uint8_t)layer, (uint8_t)i, l->frames});
        sfu_sent *sent = &l->sent[l->seq % SFU_SENT];
        sent->seq = l->seq;
        cn_rtp_head head = {.ts = c->video_ts, .ssrc = l->ssrc, .seq = l->seq++, .pt = VP8, .marker = i + 1 == count};
        head_names(c, &head, layer, CN_RTP_EXT_RID);
        sent->n = packet_write(c, sent->bytes, sizeof sent->bytes, &head, payload, sizeof payload);
        l->packets++;
        if (lose >> i & 1 || drops(c->sfu, c->lose_up)) continue;
        c->twcc_seq++;
        (void)cn_client_rtp(c->c, sent->bytes, sent->n);
    }
    l->frames++;
    l->key_wanted = false;
}

static void svc_frame_send(sfu_client *c, bool top)
{
    sfu_layer *l = &c->layer[0];
    unsigned count = 1u << c->svc.sid;
    for (unsigned i = 0; i < count; i++) {
        uint8_t payload[VIDEO_BYTES], descriptor[SVC_DESCRIPTOR_MAX];
        bool first = i == 0, last = i + 1 == count;
        memset(payload, 0x55, sizeof payload);
        (void)svc_vp9(payload, &c->svc, first, last);
        put_stamp(payload, sizeof payload, (sfu_stamp){MAGIC, (uint16_t)c->index, c->svc.sid, (uint8_t)i, l->frames});
        sfu_sent *sent = &l->sent[l->seq % SFU_SENT];
        sent->seq = l->seq;
        cn_rtp_head head = {
            .ts = c->video_ts, .ssrc = l->ssrc, .seq = l->seq++, .pt = VP9, .marker = top && i + 1 == count};
        cn_rtp_head_bytes(&head, CN_RTP_EXT_MID, "cam", 3);
        size_t n = svc_descriptor(descriptor, &c->svc, first, last);
        cn_rtp_head_bytes(&head, CN_RTP_EXT_DEPENDENCY, descriptor, (uint8_t)n);
        sent->n = packet_write(c, sent->bytes, sizeof sent->bytes, &head, payload, sizeof payload);
        l->packets++;
        c->twcc_seq++;
        (void)cn_client_rtp(c->c, sent->bytes, sent->n);
    }
    c->svc.number++;
    l->frames++;
}

/* One picture in all spatial layers. A key picture comes some pictures after it was asked for, as from an encoder. */
static void svc_picture_send(sfu_client *c)
{
    sfu_layer *l = &c->layer[0];
    c->svc_asked = l->key_wanted ? c->svc_asked + 1 : 0;
    bool key = c->svc_asked > SVC_KEY_AFTER || !l->frames;
    c->svc.picture = key ? 0 : c->svc.picture + 1;
    c->svc.id = (uint16_t)((c->svc.id + 1) & 0x7fff);
    if (!svc_tid(c->svc.picture)) c->svc.tl0++;
    for (unsigned sid = 0; sid < SVC_SPATIAL; sid++) {
        c->svc.sid = (uint8_t)sid;
        svc_frame_send(c, sid + 1 == SVC_SPATIAL);
    }
    if (key) l->key_wanted = false;
}

static void rtx_send(sfu_client *c, sfu_layer *l, uint16_t seq)
{
    const sfu_sent *sent = &l->sent[seq % SFU_SENT];
    uint8_t packet[1500];
    cn_rtp r;
    if (sent->seq != seq || !sent->n || cn_rtp_parse(sent->bytes, sent->n, &c->sfu->exts, &r)) return;
    cn_rtp_head head = {.ts = r.ts,
                        .ssrc = l->rtx_ssrc,
                        .seq = l->rtx_seq++,
                        .pt = c->shape.vp9 ? VP9_RTX : VP8_RTX,
                        .marker = r.marker};
    cn_rtp_head_copy(&head, &r, CN_RTP_EXT_BIT(CN_RTP_EXT_DEPENDENCY));
    head_names(c, &head, (unsigned)(l - c->layer), CN_RTP_EXT_REPAIRED_RID);
    cn_rtp_head_number(&head, CN_RTP_EXT_TWCC, c->twcc_seq++, 2);
    size_t n = cn_rtp_write_rtx(packet, sizeof packet, &head, &c->sfu->exts, seq, r.payload, r.payload_len, NULL);
    assert_true(n > 0);
    (void)cn_client_rtp(c->c, packet, n);
}

static void report_send(sfu_client *c, uint32_t ssrc, uint32_t ts, uint32_t packets)
{
    uint8_t packet[200];
    cn_rtcp_sr sr = {.ssrc = ssrc, .ntp = cn_ntp_from_wall_ns(cn_wall_ns()), .rtp_ts = ts, .packets = packets};
    size_t n = cn_rtcp_write_sr(packet, sizeof packet, &sr, NULL, 0);
    (void)cn_client_rtcp(c->c, packet, n);
}

static void remb_send(sfu_client *c)
{
    uint8_t packet[64];
    const uint32_t ssrc = sfu_slot_ssrc(c, "v0", NULL);
    size_t n = cn_rtcp_write_remb(packet, sizeof packet, 1, c->remb_bps, &ssrc, 1);
    (void)cn_client_rtcp(c->c, packet, n);
}

static bool due(uint64_t *at, uint64_t every, uint64_t now)
{
    if (*at > now) return false;
    *at = *at + every < now ? now + every : *at + every;
    return true;
}

static void client_turn(sfu_client *c)
{
    uint64_t now = c->sfu->now_ns;
    bool connected = cn_client_connected(c->c);
    if (c->gone) return;
    if (due(&c->tick_ns, connected ? CHECK_EVERY_NS : HELLO_EVERY_NS, now)) cn_client_tick(c->c);
    if (!connected) return;
    if (due(&c->feedback_ns, FEEDBACK_EVERY_NS, now)) cn_client_feedback(c->c, &c->twcc, now);
    if (c->mute) return;
    if (c->shape.audio && due(&c->audio_ns, AUDIO_EVERY_NS, now)) audio_send(c);
    if (c->shape.layers && due(&c->video_ns, 1000 * MS / SFU_FPS, now)) {
        c->video_ts += 90000 / SFU_FPS;
        if (c->shape.vp9) svc_picture_send(c);
        for (unsigned i = 0; i < c->shape.layers && !c->shape.vp9; i++)
            sfu_frame(c, i, c->layer[i].key_wanted || !c->layer[i].frames, 0);
    }
    if (!due(&c->report_ns, REPORT_EVERY_NS, now)) return;
    if (c->remb_bps) remb_send(c);
    if (c->shape.audio) report_send(c, c->audio_ssrc, c->audio_packets * 960, c->audio_packets);
    for (unsigned i = 0; i < c->shape.layers; i++) report_send(c, c->layer[i].ssrc, c->video_ts, c->layer[i].packets);
}

/* ---- turns ---- */

static void turn(sfu *s, bool send)
{
    struct pollfd fds[SFU_CLIENTS];
    for (size_t i = 0; i < s->n; i++) fds[i] = (struct pollfd){cn_client_fd(s->clients[i].c), POLLIN, 0};
    (void)poll(fds, s->n, 2);
    s->now_ns = cn_mono_ns();
    for (size_t i = 0; i < s->n; i++) {
        if (!s->clients[i].gone) cn_client_receive(s->clients[i].c);
        if (send) client_turn(&s->clients[i]);
    }
}

bool sfu_play_until(sfu *s, bool (*fn)(void *arg), void *arg, unsigned ms)
{
    uint64_t end = cn_mono_ms() + ms;
    while (cn_mono_ms() < end) {
        if (fn && fn(arg)) return true;
        turn(s, true);
    }
    return fn && fn(arg);
}

void sfu_play(sfu *s, unsigned ms)
{
    (void)sfu_play_until(s, NULL, NULL, ms);
}

void sfu_listen(sfu *s, unsigned ms)
{
    for (uint64_t end = cn_mono_ms() + ms; cn_mono_ms() < end;) turn(s, false);
}

/* ---- offers and answers ---- */

static void offer_section(cn_buf *b, const sfu_client *c, const char *mid, bool video, bool sends)
{
    cn_buf_fmt(b,
               "m=%s 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=mid:%s\r\na=%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\n",
               video ? "video" : "audio",
               video          ? c->shape.vp9 ? "98 99" : "96 97"
               : c->shape.red ? "63 111"
                              : "111",
               mid, sends ? "sendonly" : "recvonly");
    cn_buf_fmt(b, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:actpass\r\n",
               cn_client_ufrag(c->c), cn_client_pwd(c->c), cn_client_fingerprint(c->c));
    for (size_t i = 0; i < COUNT_OF(exts); i++)
        if ((video ? exts[i].video : exts[i].audio) &&
            (exts[i].ext != CN_RTP_EXT_DEPENDENCY || (c->shape.vp9 && !c->shape.no_descriptor)))
            cn_buf_fmt(b, "a=extmap:%u %s\r\n", exts[i].id, cn_rtp_ext_uri(exts[i].ext));
    unsigned pt = c->shape.vp9 ? VP9 : VP8;
    if (video)
        cn_buf_fmt(b,
                   "a=rtpmap:%u %s/90000\r\na=rtcp-fb:%u transport-cc\r\na=rtcp-fb:%u ccm fir\r\na=rtcp-fb:%u "
                   "nack\r\na=rtcp-fb:%u nack pli\r\na=rtpmap:%u "
                   "rtx/90000\r\na=fmtp:%u apt=%u\r\n",
                   pt, c->shape.vp9 ? "VP9" : "VP8", pt, pt, pt, pt, pt + 1, pt + 1, pt);
    else
        cn_buf_str(b, "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n");
    if (!video && c->shape.red) cn_buf_str(b, "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n");
    if (!sends || (video && c->shape.layers > 1)) return;
    uint32_t ssrc = video ? c->layer[0].ssrc : c->audio_ssrc;
    if (video) cn_buf_fmt(b, "a=ssrc-group:FID %u %u\r\n", ssrc, c->layer[0].rtx_ssrc);
    cn_buf_fmt(b, "a=ssrc:%u cname:t\r\n", ssrc);
    if (video) cn_buf_fmt(b, "a=ssrc:%u cname:t\r\n", c->layer[0].rtx_ssrc);
}

static void offer_simulcast(cn_buf *b, const sfu_client *c)
{
    for (unsigned i = 0; i < c->shape.layers; i++) cn_buf_fmt(b, "a=rid:%s send\r\n", rids[i]);
    cn_buf_str(b, "a=simulcast:send ");
    for (unsigned i = 0; i < c->shape.layers; i++) cn_buf_fmt(b, "%s%s", i ? ";" : "", rids[i]);
    cn_buf_str(b, "\r\n");
}

static size_t sections_of(const sfu_shape *shape, cn_section *out)
{
    size_t n = 0;
    if (shape->audio) out[n++] = (cn_section){"mic", CN_SOURCE_MIC};
    if (shape->layers) out[n++] = (cn_section){"cam", CN_SOURCE_CAMERA};
    for (unsigned i = 0; i < shape->audio_slots + shape->video_slots; i++) {
        bool video = i >= shape->audio_slots;
        out[n] = (cn_section){"", CN_SOURCE_NONE};
        (void)cn_fmt(out[n++].mid, CN_MEDIA_ID, "%c%u", video ? 'v' : 'a', video ? i - shape->audio_slots : i);
    }
    return n;
}

static char *offer_write(const sfu_client *c, const cn_section *sections, size_t n)
{
    cn_buf b = {.max = SDP_MAX};
    cn_buf_str(&b, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    for (size_t i = 0; i < n; i++) cn_buf_fmt(&b, " %s", sections[i].mid);
    cn_buf_str(&b, "\r\na=extmap-allow-mixed\r\n");
    for (size_t i = 0; i < n; i++) {
        bool video = sections[i].source == CN_SOURCE_CAMERA || sections[i].mid[0] == 'v';
        offer_section(&b, c, sections[i].mid, video, sections[i].source != CN_SOURCE_NONE);
        if (sections[i].source == CN_SOURCE_CAMERA && c->shape.layers > 1) offer_simulcast(&b, c);
    }
    assert_ok(b.err);
    return b.p;
}

typedef struct answering {
    pthread_mutex_t lock;
    bool done;
    char *text;
    char detail[300];
} answering;

static void on_answer(void *arg, cn_err err, const cn_problem *p, const char *text)
{
    answering *a = arg;
    pthread_mutex_lock(&a->lock);
    a->done = true;
    if (err)
        (void)cn_fmt(a->detail, sizeof a->detail, "%s", p ? p->detail : cn_err_text(err));
    else
        a->text = cn_strdup(text);
    pthread_mutex_unlock(&a->lock);
}

static bool is_answered(void *arg)
{
    answering *a = arg;
    pthread_mutex_lock(&a->lock);
    bool done = a->done;
    pthread_mutex_unlock(&a->lock);
    return done;
}

static void value(const char *sdp, const char *key, char *out, size_t size)
{
    const char *at = strstr(sdp, key);
    assert_non_null(at);
    at += strlen(key);
    (void)cn_fmt(out, size, "%.*s", (int)strcspn(at, "\r\n"), at);
}

static bool is_connected(void *arg)
{
    sfu_client *c = arg;
    return cn_client_connected(c->c) && sfu_events(c->sfu, 'c', c->name, 0, NULL) > 0;
}

static void client_connect(sfu_client *c)
{
    char ufrag[64], pwd[64], fingerprint[128], candidate[200], address[64];
    unsigned port = 0;
    value(c->answer, "a=ice-ufrag:", ufrag, sizeof ufrag);
    value(c->answer, "a=ice-pwd:", pwd, sizeof pwd);
    value(c->answer, "a=fingerprint:sha-256 ", fingerprint, sizeof fingerprint);
    value(c->answer, "a=candidate:", candidate, sizeof candidate);
    assert_int_equal(sscanf(candidate, "%*s 1 %*s %*s %63s %u typ host", address, &port), 2);
    assert_true(cn_client_target(c->c, address, (uint16_t)port, ufrag, pwd, fingerprint));
    cn_client_start(c->c);
}

static void client_init(sfu *s, sfu_client *c, const char *name, const sfu_shape *shape)
{
    static const cn_client_events client_events = {on_rtp, on_rtcp, NULL};
    *c = (sfu_client){.sfu = s, .index = (unsigned)s->n, .shape = *shape, .level = 127};
    (void)cn_strcpy(c->name, sizeof c->name, name);
    c->c = cn_client_new(shape->profiles ? shape->profiles : SFU_BOTH, false, &client_events, c);
    cn_client_tcp(c->c, shape->tcp);
    cn_client_line(c->c, shape->line_bps);
    c->log = cn_calloc(SFU_LOG, sizeof *c->log);
    c->rtcp = cn_calloc(SFU_RTCP, sizeof *c->rtcp);
    assert_true(c->c && c->log && c->rtcp);
    cn_random(&c->audio_ssrc, sizeof c->audio_ssrc);
    cn_random(&c->audio_seq, sizeof c->audio_seq);
    for (unsigned i = 0; i < shape->layers; i++) {
        sfu_layer *l = &c->layer[i];
        l->ssrc = c->audio_ssrc + 1 + 2 * i;
        l->rtx_ssrc = c->audio_ssrc + 2 + 2 * i;
        l->sent = cn_calloc(SFU_SENT, sizeof *l->sent);
        assert_non_null(l->sent);
        cn_random(&l->seq, sizeof l->seq);
        cn_random(&l->picture, sizeof l->picture);
        cn_random(&l->rtx_seq, sizeof l->rtx_seq);
    }
    s->n++;
}

sfu_client *sfu_ask(sfu *s, const char *name, const sfu_shape *shape)
{
    assert_true(s->n < SFU_CLIENTS);
    sfu_client *c = &s->clients[s->n];
    cn_section sections[2 + CN_MEDIA_SLOTS];
    answering a = {.lock = PTHREAD_MUTEX_INITIALIZER};
    client_init(s, c, name, shape);
    size_t n = sections_of(shape, sections);
    char *offer = offer_write(c, sections, n);
    cn_media_join join = {.room = SFU_ROOM,
                          .participant = c->name,
                          .kind = CN_PEER_APP,
                          .may_publish_audio = true,
                          .may_publish_video = true,
                          .offer = offer,
                          .sections = sections,
                          .section_count = n};
    cn_media_join_room(s->media, &join, on_answer, &a);
    s->n--; /* it has no socket yet */
    bool answered = sfu_play_until(s, is_answered, &a, 5000);
    s->n++;
    free(offer);
    assert_true(answered);
    assert_string_equal(a.detail, "");
    c->answer = a.text;
    return c;
}

void sfu_connect(sfu_client *c)
{
    client_connect(c);
    assert_true(sfu_play_until(c->sfu, is_connected, c, 10000));
}

sfu_client *sfu_join(sfu *s, const char *name, const sfu_shape *shape)
{
    sfu_client *c = sfu_ask(s, name, shape);
    sfu_connect(c);
    return c;
}

uint32_t sfu_slot_ssrc(const sfu_client *c, const char *mid, uint32_t *rtx)
{
    char line[CN_MEDIA_ID + 16], text[64];
    unsigned ssrc = 0, again = 0;
    (void)cn_fmt(line, sizeof line, "a=mid:%s\r\n", mid);
    const char *section = strstr(c->answer, line);
    assert_non_null(section);
    const char *end = strstr(section, "\r\nm="), *group = strstr(section, "a=ssrc-group:FID ");
    if (group && (!end || group < end)) {
        assert_int_equal(sscanf(group, "a=ssrc-group:FID %u %u", &ssrc, &again), 2);
    } else {
        value(section, "a=ssrc:", text, sizeof text);
        assert_int_equal(sscanf(text, "%u", &ssrc), 1);
    }
    if (rtx) *rtx = again;
    return ssrc;
}

void sfu_show(sfu_client *c, size_t n, const cn_slot_want *wants)
{
    cn_media_show(c->sfu->media, c->name, wants, n, CN_TIER_4K);
}

void sfu_show_one(sfu_client *c, const char *who, unsigned width)
{
    cn_slot_want want = {
        .mid = "v0", .source = CN_SOURCE_CAMERA, .width = width, .height = width * 9 / 16, .priority = 1};
    if (who) (void)cn_strcpy(want.participant, sizeof want.participant, who);
    sfu_show(c, 1, &want);
}

size_t sfu_of(const sfu_client *c, uint32_t ssrc, size_t from, size_t *out, size_t max)
{
    size_t n = 0;
    for (size_t i = from; i < c->log_n && n < max; i++)
        if (c->log[i].ssrc == ssrc) out[n++] = i;
    return n;
}

/* ---- what was received ---- */

void sfu_clean(const sfu *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const cn_client_counts *k = cn_client_counts_get(s->clients[i].c);
        assert_int_equal(k->rtp_bad, 0);
        assert_int_equal(k->rtcp_bad, 0);
    }
}

static size_t whole_list[SFU_LOG];

size_t sfu_whole(const sfu_client *c, uint32_t ssrc, size_t from)
{
    size_t n = sfu_of(c, ssrc, from, whole_list, SFU_LOG);
    for (size_t i = 1; i < n; i++) {
        const sfu_packet *a = &c->log[whole_list[i - 1]], *b = &c->log[whole_list[i]];
        assert_int_equal((uint16_t)(b->seq - a->seq), 1);
        assert_true((int32_t)(b->ts - a->ts) >= 0);
        if (!b->video || a->probe || b->probe) continue;
        assert_int_equal((uint16_t)((b->picture - a->picture) & 0x7fff), b->first ? 1 : 0);
        assert_int_equal((uint8_t)(b->tl0 - a->tl0), b->first ? 1 : 0);
        assert_true(!b->first || b->ts != a->ts);
    }
    return n;
}

size_t sfu_heard(const sfu_client *c, const sfu_client *from, bool video, size_t since)
{
    size_t n = 0;
    for (size_t i = since; i < c->log_n; i++)
        n += !c->log[i].probe && c->log[i].video == video && c->log[i].stamp.sender == from->index;
    return n;
}

typedef struct waiting {
    const sfu_client *c, *from;
    bool video;
    size_t since, count;
} waiting;

static bool has_heard(void *arg)
{
    const waiting *w = arg;
    return sfu_heard(w->c, w->from, w->video, w->since) >= w->count;
}

void sfu_hears(sfu *s, const sfu_client *c, const sfu_client *from, bool video, size_t count)
{
    waiting w = {c, from, video, c->log_n, count};
    assert_true(sfu_play_until(s, has_heard, &w, 5000));
}

size_t sfu_controls(const sfu_client *c, cn_rtcp_type type, size_t from, cn_rtcp *last)
{
    size_t n = 0;
    for (size_t i = from; i < c->rtcp_n; i++) {
        cn_rtcp_it it;
        if (c->rtcp[i].type != type) continue;
        assert_ok(cn_rtcp_open(&it, c->rtcp[i].bytes, c->rtcp[i].n));
        if (last) assert_true(cn_rtcp_next(&it, last));
        n++;
    }
    return n;
}

/* ---- the whole ---- */

void sfu_new(sfu *s, unsigned workers, unsigned timeout_s)
{
    static const cn_media_events events = {
        .connected = on_connected, .left = on_left, .slot = on_slot, .speaker = on_speaker};
    memset(s, 0, sizeof *s);
    s->random = 1;
    assert_int_equal(pthread_mutex_init(&s->lock, NULL), 0);
    s->exts.two_byte = true;
    for (size_t i = 0; i < COUNT_OF(exts); i++) assert_true(cn_rtp_exts_set(&s->exts, exts[i].ext, exts[i].id));
    cn_media_config config = {
        .listen = {"127.0.0.1"}, .addresses = 1, .workers = workers, .timeout_s = timeout_s ? timeout_s : 20};
    assert_ok(cn_media_new(&s->media, &config, &events, s));
}

void sfu_free(sfu *s)
{
    cn_media_free(s->media);
    for (size_t i = 0; i < s->n; i++) {
        sfu_client *c = &s->clients[i];
        cn_client_free(c->c);
        free(c->answer);
        free(c->log);
        free(c->rtcp);
        for (unsigned k = 0; k < SFU_LAYERS; k++) free(c->layer[k].sent);
    }
    pthread_mutex_destroy(&s->lock);
}
