#include "support_sfu.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "client/offer.h"
#include "client/packet.h"
#include "client/report.h"
#include "cn_test.h"
#include "media/wire/payload_vp8.h"
#include "media/wire/payload_vp9.h"
#include "media/wire/red.h"
#include "support_rtcp.h"

#define RED_OLDER 2
#define OPUS_TICKS 960
#define SVC_KEY_AFTER 5 /* pictures */
#define MAGIC 0x51f0cafeu
#define MS 1000000ull
#define AUDIO_EVERY_NS (20 * MS)
#define FEEDBACK_EVERY_NS (50 * MS)
#define REPORT_EVERY_NS (300 * MS)
#define CHECK_EVERY_NS (500 * MS)
#define HELLO_EVERY_NS (20 * MS)
#define DESCRIPTOR 6
#define AUDIO_BYTES 60
#define VIDEO_BYTES 700

/* ---- events ---- */

static void note(sfu *server, const sfu_event *event)
{
    pthread_mutex_lock(&server->lock);
    if (server->events_n < SFU_EVENTS) {
        server->events[server->events_n] = *event;
        server->events[server->events_n++].at_ns = cn_mono_ns();
    }
    pthread_mutex_unlock(&server->lock);
}

static void on_connected(void *ctx, const char *room, const char *participant)
{
    (void)room;
    sfu_event event = {.kind = 'c'};
    (void)cn_strcpy(event.who, sizeof event.who, participant);
    note(ctx, &event);
}

static void on_left(void *ctx, const char *room, const char *participant, cn_leave_cause cause, uint64_t sign_ms)
{
    (void)room, (void)sign_ms;
    sfu_event event = {.kind = 'l', .cause = cause};
    (void)cn_strcpy(event.who, sizeof event.who, participant);
    note(ctx, &event);
}

static void on_slot(void *ctx, const char *room, const char *participant, const cn_slot_event *slot)
{
    (void)room;
    sfu_event event = {.kind = 's', .state = slot->state, .ts = slot->rtp_timestamp};
    (void)cn_strcpy(event.who, sizeof event.who, participant);
    (void)cn_strcpy(event.mid, sizeof event.mid, slot->mid);
    (void)cn_strcpy(event.from, sizeof event.from, slot->from);
    note(ctx, &event);
}

static void on_speaker(void *ctx, const char *room, const char *participant)
{
    (void)room;
    sfu_event event = {.kind = 'p'};
    (void)cn_strcpy(event.who, sizeof event.who, participant);
    note(ctx, &event);
}

static void on_lost(void *ctx, const char *room, const char *participant, bool lost)
{
    (void)room;
    sfu_event event = {.kind = lost ? 'q' : 'h'};
    (void)cn_strcpy(event.who, sizeof event.who, participant);
    note(ctx, &event);
}

static void on_area(void *ctx, const char *room, const char *participant, uint64_t mono_ms, int64_t sum, int64_t max)
{
    (void)room, (void)mono_ms, (void)max;
    sfu_event event = {.kind = 'a', .area = sum};
    (void)cn_strcpy(event.who, sizeof event.who, participant);
    note(ctx, &event);
}

static void on_size(void *ctx, const char *room, const char *participant, const cn_size_event *size)
{
    (void)room;
    sfu_event event = {.kind = 'd', .area = size->counted, .doubt = size->doubt};
    (void)cn_strcpy(event.who, sizeof event.who, participant);
    note(ctx, &event);
}

size_t sfu_event_count(sfu *server)
{
    pthread_mutex_lock(&server->lock);
    size_t n = server->events_n;
    pthread_mutex_unlock(&server->lock);
    return n;
}

size_t sfu_events(sfu *server, char kind, const char *who, size_t from, sfu_event *last)
{
    size_t found = 0;
    pthread_mutex_lock(&server->lock);
    for (size_t i = from; i < server->events_n; i++) {
        const sfu_event *event = &server->events[i];
        if (event->kind != kind || (who && strcmp(event->who, who) != 0)) continue;
        found++;
        if (last) *last = *event;
    }
    pthread_mutex_unlock(&server->lock);
    return found;
}

/* ---- receiving ---- */

static bool drops(sfu *server, unsigned percent)
{
    server->random = server->random * 1664525u + 1013904223u;
    return (server->random >> 8) % 100 < percent;
}

static void read_video(sfu_packet *out, const cn_rtp *rtp)
{
    size_t skip = out->rtx ? CN_RTX_OSN : 0;
    cn_vp8 vp8;
    out->video = true;
    if (out->rtx) out->osn = cn_be16(rtp->payload);
    if (rtp->payload_len <= skip || cn_vp8_parse(&vp8, rtp->payload + skip, rtp->payload_len - skip)) {
        out->probe = true;
        return;
    }
    out->picture = vp8.picture_id;
    out->tl0 = vp8.tl0picidx;
    out->first = vp8.frame_start;
    out->key = vp8.frame_start && vp8.key;
}

static void read_descriptor(sfu *server, sfu_packet *out, const cn_rtp_view *view)
{
    cn_depdesc depdesc;
    cn_dd_structure fresh;
    assert_ok(cn_depdesc_parse(&depdesc, view->p, view->n, server->layers_known ? &server->layers : NULL, &fresh));
    if (depdesc.has_structure) server->layers = fresh;
    server->layers_known |= depdesc.has_structure;
    out->described = true;
    out->frame_number = depdesc.frame_number;
    out->fdiff_count = depdesc.fdiff_count;
    memcpy(out->fdiff, depdesc.fdiff, sizeof out->fdiff);
    assert_int_equal(depdesc.start, out->first);
    assert_int_equal(depdesc.end, out->last);
    assert_int_equal(depdesc.sid, out->sid);
    assert_int_equal(depdesc.tid, out->tid);
}

static void read_vp9(sfu *server, sfu_packet *out, const cn_rtp *rtp)
{
    size_t skip = out->rtx ? CN_RTX_OSN : 0;
    cn_vp9 vp9;
    out->video = true;
    if (rtp->payload_len <= skip || cn_vp9_parse(&vp9, rtp->payload + skip, rtp->payload_len - skip)) {
        out->probe = true;
        return;
    }
    out->picture = vp9.picture_id;
    out->tl0 = vp9.tl0picidx;
    out->first = vp9.frame_start;
    out->last = vp9.frame_end;
    out->key = !vp9.inter && !vp9.inter_layer;
    out->sid = vp9.sid;
    out->tid = vp9.tid;
    if (cn_rtp_has(rtp, CN_RTP_EXT_DEPENDENCY)) read_descriptor(server, out, &rtp->ext[CN_RTP_EXT_DEPENDENCY]);
}

/* Each older block is what the sender's packet of that time carried. */
static void read_red(sfu_packet *out, const cn_rtp *rtp)
{
    cn_red red;
    assert_ok(cn_red_parse(&red, rtp->payload, rtp->payload_len));
    for (size_t i = 0; i < red.count; i++) {
        const cn_red_block *block = &red.block[i];
        sfu_stamp stamp;
        assert_int_equal(block->pt, RTC_PT_OPUS);
        assert_int_equal(block->len, AUDIO_BYTES);
        memcpy(&stamp, rtp->payload + block->at + block->len - sizeof stamp, sizeof stamp);
        assert_int_equal(stamp.magic, MAGIC);
        assert_int_equal(stamp.sender, out->stamp.sender);
        assert_int_equal(stamp.frame, out->stamp.frame - block->offset / OPUS_TICKS);
    }
    out->older = (uint8_t)(red.count - 1);
}

static void on_rtp(void *arg, rtc_client *client, const uint8_t *bytes, size_t len)
{
    sfu_client *user = arg;
    cn_rtp rtp;
    assert_ok(cn_rtp_parse(bytes, len, &user->sfu->exts, &rtp));
    if (drops(user->sfu, user->lose_down)) return;
    uint16_t seq = rtc_report_came(client, &rtp, cn_mono_ns());
    assert_true(user->log_n < SFU_LOG);
    sfu_packet *out = &user->log[user->log_n++];
    *out = (sfu_packet){.at_ns = cn_mono_ns(),
                        .ssrc = rtp.ssrc,
                        .ts = rtp.ts,
                        .seq = rtp.seq,
                        .twcc = seq,
                        .pt = rtp.pt,
                        .marker = rtp.marker,
                        .rtx = rtp.pt == RTC_PT_VP8 + 1 || rtp.pt == RTC_PT_VP9 + 1};
    if (user->reports && rtp.ssrc == sfu_slot_ssrc(user, "v0", NULL)) {
        if (!user->heard.clock) cn_recvstats_init(&user->heard, 90000);
        cn_recvstats_packet(&user->heard, rtp.seq, rtp.ts, rtp.len, cn_mono_ns());
    }
    out->probe = rtp.payload_len < sizeof out->stamp;
    if (!out->probe) memcpy(&out->stamp, rtp.payload + rtp.payload_len - sizeof out->stamp, sizeof out->stamp);
    if (rtp.pt == RTC_PT_RED) read_red(out, &rtp);
    bool video = rtp.pt != RTC_PT_OPUS && rtp.pt != RTC_PT_RED && !out->probe;
    if (video && user->shape.vp9) read_vp9(user->sfu, out, &rtp);
    if (video && !user->shape.vp9) read_video(out, &rtp);
    if (!out->probe) assert_int_equal(out->stamp.magic, MAGIC);
}

static sfu_layer *layer_of(sfu_client *client, uint32_t ssrc)
{
    for (unsigned i = 0; i < client->shape.layers; i++)
        if (client->layer[i].ssrc == ssrc) return &client->layer[i];
    return NULL;
}

static void rtx_send(sfu_client *client, sfu_layer *sent_layer, uint16_t seq);

static void take_control(sfu_client *client, const cn_rtcp *pkt)
{
    sfu_layer *sent_layer = layer_of(client, cn_rtcp_media(pkt));
    uint16_t seq;
    if (pkt->type == CN_RTCP_PLI && sent_layer) {
        sent_layer->key_wanted = true;
        sent_layer->plis++;
    }
    if (pkt->type != CN_RTCP_NACK || !sent_layer) return;
    for (cn_rtcp_nack_it it = {.pkt = pkt}; cn_rtcp_nack_next(&it, &seq);) {
        client->nacked++;
        if (!client->no_repair) rtx_send(client, sent_layer, seq);
    }
}

static void on_rtcp(void *arg, rtc_client *client, const uint8_t *bytes, size_t length)
{
    (void)client;
    sfu_client *user = arg;
    cn_rtcp_it it;
    assert_ok(cn_rtcp_open(&it, bytes, length));
    for (cn_rtcp pkt; cn_rtcp_next(&it, &pkt);) {
        take_control(user, &pkt);
        size_t len = pkt.body_len + 4;
        if (user->rtcp_n == SFU_RTCP || len > sizeof user->rtcp->bytes) continue;
        sfu_control *out = &user->rtcp[user->rtcp_n++];
        *out = (sfu_control){.type = pkt.type, .at_ns = cn_mono_ns(), .n = len};
        memcpy(out->bytes, pkt.body - 4, len);
        cn_put16(out->bytes + 2, (unsigned)(len / 4 - 1));
        out->bytes[0] &= (uint8_t)~0x20; /* its padding is not kept */
    }
}

/* ---- sending ---- */

static void put_stamp(uint8_t *payload, size_t len, sfu_stamp stamp)
{
    memcpy(payload + len - sizeof stamp, &stamp, sizeof stamp);
}

static size_t packet_write(const sfu_client *client, uint8_t *out, size_t cap, cn_rtp_head *head, const uint8_t *bytes,
                           size_t len)
{
    size_t n = rtc_packet_write(client->c, out, cap, head, bytes, len);
    assert_true(n > 0);
    return n;
}

static size_t audio_payload(const sfu_client *client, uint8_t *out)
{
    size_t older = !client->shape.red                  ? 0
                   : client->audio_packets < RED_OLDER ? client->audio_packets
                                                       : RED_OLDER,
           n = 0;
    for (size_t i = older; i > 0; i--, n += 4) {
        out[n] = 0x80 | RTC_PT_OPUS;
        cn_put24(out + n + 1, (uint32_t)(i * OPUS_TICKS) << 10 | AUDIO_BYTES);
    }
    if (client->shape.red) out[n++] = RTC_PT_OPUS;
    for (size_t i = older + 1; i-- > 0; n += AUDIO_BYTES) {
        memset(out + n, 0x78, AUDIO_BYTES);
        put_stamp(out + n, AUDIO_BYTES,
                  (sfu_stamp){MAGIC, (uint16_t)client->index, 0, 0, client->audio_packets - (uint32_t)i});
    }
    return n;
}

static void audio_send(sfu_client *client)
{
    uint8_t payload[(RED_OLDER + 1) * (AUDIO_BYTES + 4)], packet[400];
    /* words and pauses: a steady tone is no speech and sinks in the ranking */
    const unsigned word_ticks = client->dtx ? 40 : 8, cycle = client->dtx ? 100 : 12;
    bool word = client->level < 127 && client->audio_packets % cycle < word_ticks;
    if (client->dtx && !word && client->audio_packets % 20) {
        client->audio_packets++;
        return;
    }
    if (word && !client->word_ns) {
        client->word_frame = client->audio_packets;
        client->word_ns = cn_mono_ns();
    }
    size_t len = audio_payload(client, payload);
    cn_rtp_head head = {.ts = client->audio_packets * OPUS_TICKS,
                        .ssrc = client->audio_ssrc,
                        .seq = client->audio_seq++,
                        .pt = client->shape.red ? RTC_PT_RED : RTC_PT_OPUS};
    uint8_t level = word ? (uint8_t)(client->level + client->audio_packets % 3) : 100;
    if (client->level == 127) level = 127;
    cn_rtp_head_number(&head, CN_RTP_EXT_AUDIO_LEVEL, (word ? 0x80u : 0) | level, 1);
    rtc_packet_name(&head, "mic", NULL, false);
    size_t n = packet_write(client, packet, sizeof packet, &head, payload, len);
    client->audio_packets++;
    (void)rtc_packet_send(client->c, packet, n);
}

/* RFC 7741: 15-bit picture id, TL0PICIDX, TID; in the first packet a frame tag, in a key frame's its size. */
static void video_payload(const sfu_client *client, unsigned layer, uint8_t *bytes, bool first, bool key)
{
    const sfu_layer *sent_layer = &client->layer[layer];
    const uint8_t descriptor[DESCRIPTOR] = {(uint8_t)(0x80 | (first ? 0x10 : 0)),
                                            0xe0,
                                            (uint8_t)(0x80 | sent_layer->picture >> 8),
                                            (uint8_t)sent_layer->picture,
                                            sent_layer->tl0,
                                            0x20};
    memcpy(bytes, descriptor, sizeof descriptor);
    if (!first) return;
    const unsigned width = client->claims ? client->claims : 320u << layer;
    const unsigned height = client->claims ? client->claims : 180u << layer;
    const uint8_t tag[] = {(uint8_t)(key ? 0x10 : 0x11), 0, 0};
    const uint8_t start[] = {
        0x9d, 0x01, 0x2a, (uint8_t)width, (uint8_t)(width >> 8), (uint8_t)height, (uint8_t)(height >> 8)};
    memcpy(bytes + DESCRIPTOR, tag, sizeof tag);
    if (key) memcpy(bytes + DESCRIPTOR + 3, start, sizeof start);
}

static void name(const sfu_client *client, cn_rtp_head *head, unsigned layer, bool again)
{
    rtc_packet_name(head, "cam", client->shape.layers > 1 && !client->shape.ssrc_groups ? rtc_rid(layer) : NULL, again);
}

void sfu_frame(sfu_client *client, unsigned layer, bool key, uint32_t lose)
{
    sfu_layer *sent_layer = &client->layer[layer];
    unsigned count = (client->shape.packets ? client->shape.packets : 2) << layer;
    sent_layer->picture = (uint16_t)((sent_layer->picture + 1) & 0x7fff);
    sent_layer->tl0++;
    for (unsigned i = 0; i < count; i++) {
        uint8_t payload[VIDEO_BYTES];
        memset(payload, 0x55, sizeof payload);
        video_payload(client, layer, payload, i == 0, key);
        put_stamp(payload, sizeof payload,
                  (sfu_stamp){MAGIC, (uint16_t)client->index, (uint8_t)layer, (uint8_t)i, sent_layer->frames});
        sfu_sent *sent = &sent_layer->sent[sent_layer->seq % SFU_SENT];
        sent->seq = sent_layer->seq;
        cn_rtp_head head = {.ts = client->video_ts,
                            .ssrc = sent_layer->ssrc,
                            .seq = sent_layer->seq++,
                            .pt = RTC_PT_VP8,
                            .marker = i + 1 == count};
        name(client, &head, layer, false);
        sent->n = packet_write(client, sent->bytes, sizeof sent->bytes, &head, payload, sizeof payload);
        sent_layer->packets++;
        if (lose >> i & 1 || drops(client->sfu, client->lose_up)) continue;
        (void)rtc_packet_send(client->c, sent->bytes, sent->n);
    }
    sent_layer->frames++;
    sent_layer->key_wanted = false;
}

static void svc_frame_send(sfu_client *client, bool top)
{
    sfu_layer *sent_layer = &client->layer[0];
    unsigned count = 1u << client->svc.sid;
    for (unsigned i = 0; i < count; i++) {
        uint8_t payload[VIDEO_BYTES], descriptor[SVC_DESCRIPTOR_MAX];
        bool first = i == 0, last = i + 1 == count;
        memset(payload, 0x55, sizeof payload);
        (void)svc_vp9(payload, &client->svc, first, last);
        put_stamp(payload, sizeof payload,
                  (sfu_stamp){MAGIC, (uint16_t)client->index, client->svc.sid, (uint8_t)i, sent_layer->frames});
        sfu_sent *sent = &sent_layer->sent[sent_layer->seq % SFU_SENT];
        sent->seq = sent_layer->seq;
        cn_rtp_head head = {.ts = client->video_ts,
                            .ssrc = sent_layer->ssrc,
                            .seq = sent_layer->seq++,
                            .pt = RTC_PT_VP9,
                            .marker = top && i + 1 == count};
        rtc_packet_name(&head, "cam", NULL, false);
        size_t n = svc_descriptor(descriptor, &client->svc, first, last);
        cn_rtp_head_bytes(&head, CN_RTP_EXT_DEPENDENCY, descriptor, (uint8_t)n);
        sent->n = packet_write(client, sent->bytes, sizeof sent->bytes, &head, payload, sizeof payload);
        sent_layer->packets++;
        (void)rtc_packet_send(client->c, sent->bytes, sent->n);
    }
    client->svc.number++;
    sent_layer->frames++;
}

/* One picture in all spatial layers. A key picture comes some pictures after it was asked for, as from an encoder. */
static void svc_picture_send(sfu_client *client)
{
    sfu_layer *sent_layer = &client->layer[0];
    client->svc_asked = sent_layer->key_wanted ? client->svc_asked + 1 : 0;
    bool key = client->svc_asked > SVC_KEY_AFTER || !sent_layer->frames;
    client->svc.picture = key ? 0 : client->svc.picture + 1;
    client->svc.id = (uint16_t)((client->svc.id + 1) & 0x7fff);
    if (!svc_tid(client->svc.picture)) client->svc.tl0++;
    for (unsigned sid = 0; sid < SVC_SPATIAL; sid++) {
        client->svc.sid = (uint8_t)sid;
        svc_frame_send(client, sid + 1 == SVC_SPATIAL);
    }
    if (key) sent_layer->key_wanted = false;
}

static void rtx_send(sfu_client *client, sfu_layer *sent_layer, uint16_t seq)
{
    const sfu_sent *sent = &sent_layer->sent[seq % SFU_SENT];
    uint8_t packet[1500];
    cn_rtp rtp;
    if (sent->seq != seq || !sent->n || cn_rtp_parse(sent->bytes, sent->n, &client->sfu->exts, &rtp)) return;
    cn_rtp_head head = {.ts = rtp.ts,
                        .ssrc = sent_layer->rtx_ssrc,
                        .seq = sent_layer->rtx_seq++,
                        .pt = client->shape.vp9 ? RTC_PT_VP9 + 1 : RTC_PT_VP8 + 1,
                        .marker = rtp.marker};
    const cn_rtp_view *dd = &rtp.ext[CN_RTP_EXT_DEPENDENCY];
    if (cn_rtp_has(&rtp, CN_RTP_EXT_DEPENDENCY)) cn_rtp_head_bytes(&head, CN_RTP_EXT_DEPENDENCY, dd->p, dd->n);
    name(client, &head, (unsigned)(sent_layer - client->layer), true);
    size_t n = rtc_packet_rtx(client->c, packet, sizeof packet, &head, seq, rtp.payload, rtp.payload_len);
    assert_true(n > 0);
    (void)rtc_packet_send(client->c, packet, n);
}

static void heard_send(sfu_client *client)
{
    cn_rtcp_block block = {.ssrc = sfu_slot_ssrc(client, "v0", NULL)};
    bool any = client->heard.clock && cn_recvstats_report(&client->heard, &block);
    rtc_report_streams(client->c, NULL, 0, &block, any ? 1 : 0, NULL);
}

static void reports_send(sfu_client *client)
{
    cn_rtcp_sr streams[1 + RTC_LAYERS];
    size_t n = 0;
    if (client->reports) heard_send(client);
    if (client->shape.no_clock) return;
    if (client->shape.audio)
        streams[n++] = (cn_rtcp_sr){
            .ssrc = client->audio_ssrc, .rtp_ts = client->audio_packets * OPUS_TICKS, .packets = client->audio_packets};
    for (unsigned i = 0; i < client->shape.layers; i++)
        streams[n++] = (cn_rtcp_sr){
            .ssrc = client->layer[i].ssrc, .rtp_ts = client->video_ts, .packets = client->layer[i].packets};
    if (n) rtc_report_streams(client->c, streams, n, NULL, 0, NULL);
}

static void remb_send(sfu_client *client)
{
    uint8_t packet[64];
    const uint32_t ssrc = sfu_slot_ssrc(client, "v0", NULL);
    size_t n = rtcp_remb(packet, sizeof packet, 1, client->remb_bps, &ssrc, 1);
    (void)rtc_client_rtcp(client->c, packet, n);
}

static bool due(uint64_t *at, uint64_t every, uint64_t now)
{
    if (*at > now) return false;
    *at = *at + every < now ? now + every : *at + every;
    return true;
}

static bool key_due(const sfu_client *client, const sfu_layer *layer)
{
    if (client->key_every && layer->frames % client->key_every == 0) return true;
    return !layer->frames || (layer->key_wanted && !client->deaf);
}

static void client_turn(sfu_client *client)
{
    uint64_t now = client->sfu->now_ns;
    bool connected = rtc_client_connected(client->c);
    if (client->gone) return;
    if (due(&client->tick_ns, connected ? CHECK_EVERY_NS : HELLO_EVERY_NS, now)) rtc_client_tick(client->c);
    if (!connected) return;
    if (due(&client->feedback_ns, FEEDBACK_EVERY_NS, now)) rtc_report_feedback(client->c, now);
    if (client->mute) return;
    if (client->shape.audio && due(&client->audio_ns, AUDIO_EVERY_NS, now)) audio_send(client);
    if (client->shape.layers && due(&client->video_ns, 1000 * MS / SFU_FPS, now)) {
        client->video_ts += 90000 / SFU_FPS;
        if (client->shape.vp9) svc_picture_send(client);
        for (unsigned i = 0; i < client->shape.layers && !client->shape.vp9; i++)
            sfu_frame(client, i, key_due(client, &client->layer[i]), 0);
    }
    if (!due(&client->report_ns, REPORT_EVERY_NS, now)) return;
    if (client->remb_bps) remb_send(client);
    reports_send(client);
}

/* ---- turns ---- */

static void turn(sfu *server, bool send)
{
    struct pollfd fds[SFU_CLIENTS];
    for (size_t i = 0; i < server->n; i++) fds[i] = (struct pollfd){rtc_client_fd(server->clients[i].c), POLLIN, 0};
    (void)poll(fds, server->n, 2);
    uint64_t before = server->now_ns;
    server->now_ns = cn_mono_ns();
    if (before && server->now_ns - before > server->stood_ms * MS)
        server->stood_ms = (unsigned)((server->now_ns - before) / MS);
    for (size_t i = 0; i < server->n; i++) {
        if (!server->clients[i].gone) rtc_client_receive(server->clients[i].c);
        if (send) client_turn(&server->clients[i]);
    }
}

bool sfu_play_until(sfu *server, bool (*fn)(void *arg), void *arg, unsigned ms)
{
    uint64_t end = cn_mono_ms() + ms;
    while (cn_mono_ms() < end) {
        if (fn && fn(arg)) return true;
        turn(server, true);
    }
    return fn && fn(arg);
}

void sfu_play(sfu *server, unsigned ms)
{
    (void)sfu_play_until(server, NULL, NULL, ms);
}

void sfu_listen(sfu *server, unsigned ms)
{
    for (uint64_t end = cn_mono_ms() + ms; cn_mono_ms() < end;) turn(server, false);
}

/* ---- offers and answers ---- */

static size_t sections_of(const sfu_shape *shape, cn_section *out)
{
    size_t n = 0;
    if (shape->audio) out[n++] = (cn_section){"mic", CN_SOURCE_MIC};
    if (shape->layers) out[n++] = (cn_section){"cam", CN_SOURCE_CAMERA};
    for (unsigned i = 0; i < shape->audio_slots + shape->video_slots; i++) {
        char mid[RTC_MID];
        (void)rtc_slot_mid(mid, i, shape->audio_slots);
        out[n] = (cn_section){"", CN_SOURCE_NONE};
        (void)cn_strcpy(out[n++].mid, CN_MEDIA_ID, mid);
    }
    return n;
}

static char *offer_write(const sfu_client *client)
{
    const sfu_shape *shape = &client->shape;
    rtc_offer offer = {.setup = shape->passive ? "passive" : "actpass",
                       .mic = shape->audio,
                       .red = shape->red,
                       .mic_ssrc = client->audio_ssrc,
                       .codec = shape->vp9 ? CN_CODEC_VP9 : CN_CODEC_VP8,
                       .dependency = shape->vp9 && !shape->no_descriptor,
                       .plain = shape->plain,
                       .layers = shape->layers,
                       .ssrc_groups = shape->ssrc_groups,
                       .camera_ssrc = client->layer[0].ssrc,
                       .audio_slots = shape->audio_slots,
                       .video_slots = shape->video_slots};
    char *text = cn_calloc(1, RTC_SDP_MAX);
    assert_non_null(text);
    rtc_offer_own(&offer, client->c);
    assert_true(rtc_offer_write(text, RTC_SDP_MAX, &offer));
    return text;
}

typedef struct answering {
    pthread_mutex_t lock;
    bool done;
    char *text;
    char detail[300];
} answering;

static void on_answer(void *arg, cn_err err, const cn_problem *problem, const char *text)
{
    answering *waiter = arg;
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    if (err)
        (void)cn_fmt(waiter->detail, sizeof waiter->detail, "%s", problem ? problem->detail : cn_err_text(err));
    else
        waiter->text = cn_strdup(text);
    pthread_mutex_unlock(&waiter->lock);
}

static bool is_answered(void *arg)
{
    answering *waiter = arg;
    pthread_mutex_lock(&waiter->lock);
    bool done = waiter->done;
    pthread_mutex_unlock(&waiter->lock);
    return done;
}

static bool is_connected(void *arg)
{
    sfu_client *client = arg;
    return rtc_client_connected(client->c) && sfu_events(client->sfu, 'c', client->name, 0, NULL) > 0;
}

static void client_init(sfu *server, sfu_client *client, const char *name, const sfu_shape *shape)
{
    static const rtc_client_events client_events = {on_rtp, on_rtcp, NULL};
    *client = (sfu_client){.sfu = server, .index = (unsigned)server->n, .shape = *shape, .level = 127};
    (void)cn_strcpy(client->name, sizeof client->name, name);
    client->c = rtc_client_new(shape->profiles ? shape->profiles : SFU_BOTH, false, &client_events, client);
    rtc_client_tcp(client->c, shape->tcp);
    rtc_client_line(client->c, shape->line_bps);
    rtc_client_passive(client->c, shape->passive);
    client->log = cn_calloc(SFU_LOG, sizeof *client->log);
    client->rtcp = cn_calloc(SFU_RTCP, sizeof *client->rtcp);
    assert_true(client->c && client->log && client->rtcp);
    cn_random(&client->audio_ssrc, sizeof client->audio_ssrc);
    cn_random(&client->audio_seq, sizeof client->audio_seq);
    for (unsigned i = 0; i < shape->layers; i++) {
        sfu_layer *sent_layer = &client->layer[i];
        sent_layer->ssrc = client->audio_ssrc + 1 + 2 * i;
        sent_layer->rtx_ssrc = client->audio_ssrc + 2 + 2 * i;
        sent_layer->sent = cn_calloc(SFU_SENT, sizeof *sent_layer->sent);
        assert_non_null(sent_layer->sent);
        cn_random(&sent_layer->seq, sizeof sent_layer->seq);
        cn_random(&sent_layer->picture, sizeof sent_layer->picture);
        cn_random(&sent_layer->rtx_seq, sizeof sent_layer->rtx_seq);
    }
    server->n++;
}

/* A section that was stopped stays in later offers, with port 0 (RFC 9429 §5.2.2). */
static char *with_stopped(char *offer, cn_section *section)
{
    static const char more[] = "m=video 0 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\na=mid:old\r\n"
                               "a=rtpmap:96 VP8/90000\r\n";
    size_t size = strlen(offer) + sizeof more;
    char *text = cn_calloc(1, size);
    assert_non_null(text);
    assert_true(cn_fmt(text, size, "%s%s", offer, more));
    free(offer);
    *section = (cn_section){.mid = "old", .source = CN_SOURCE_CAMERA};
    return text;
}

sfu_client *sfu_ask(sfu *server, const char *name, const sfu_shape *shape)
{
    assert_true(server->n < SFU_CLIENTS);
    sfu_client *client = &server->clients[server->n];
    cn_section sections[3 + CN_MEDIA_SLOTS];
    answering waiter = {.lock = PTHREAD_MUTEX_INITIALIZER};
    client_init(server, client, name, shape);
    size_t n = sections_of(shape, sections);
    char *offer = offer_write(client);
    if (shape->stopped) offer = with_stopped(offer, &sections[n++]);
    cn_media_join join = {.room = SFU_ROOM,
                          .participant = client->name,
                          .kind = CN_PEER_APP,
                          .may_publish_audio = true,
                          .may_publish_video = true,
                          .offer = offer,
                          .sections = sections,
                          .section_count = n};
    cn_media_join_room(server->media, &join, on_answer, &waiter);
    server->n--; /* it has no socket yet */
    bool answered = sfu_play_until(server, is_answered, &waiter, 5000);
    server->n++;
    free(offer);
    assert_true(answered);
    assert_string_equal(waiter.detail, "");
    client->answer = waiter.text;
    assert_true(rtc_sdp_read(&client->sdp, client->answer));
    return client;
}

void sfu_connect(sfu_client *client)
{
    assert_true(rtc_sdp_target(&client->sdp, client->c));
    rtc_client_start(client->c);
    assert_true(sfu_play_until(client->sfu, is_connected, client, 10000));
}

sfu_client *sfu_join(sfu *server, const char *name, const sfu_shape *shape)
{
    sfu_client *client = sfu_ask(server, name, shape);
    sfu_connect(client);
    return client;
}

uint32_t sfu_slot_ssrc(const sfu_client *client, const char *mid, uint32_t *rtx)
{
    const rtc_section *section = rtc_sdp_section(&client->sdp, mid);
    assert_non_null(section);
    assert_true(section->ssrc > 0);
    if (rtx) *rtx = section->rtx;
    return section->ssrc;
}

void sfu_show(sfu_client *client, size_t count, const cn_slot_want *wants)
{
    cn_media_show(client->sfu->media, client->name, wants, count, CN_TIER_4K);
}

void sfu_show_one(sfu_client *client, const char *who, unsigned width)
{
    cn_slot_want want = {
        .mid = "v0", .source = CN_SOURCE_CAMERA, .width = width, .height = width * 9 / 16, .priority = 1};
    if (who) (void)cn_strcpy(want.participant, sizeof want.participant, who);
    sfu_show(client, 1, &want);
}

size_t sfu_of(const sfu_client *client, uint32_t ssrc, size_t from, size_t *out, size_t max)
{
    size_t n = 0;
    for (size_t i = from; i < client->log_n && n < max; i++)
        if (client->log[i].ssrc == ssrc) out[n++] = i;
    return n;
}

/* ---- what was received ---- */

void sfu_clean(const sfu *server)
{
    for (size_t i = 0; i < server->n; i++) {
        const rtc_client_counts *counts = rtc_client_counts_get(server->clients[i].c);
        assert_int_equal(counts->rtp_bad, 0);
        assert_int_equal(counts->rtcp_bad, 0);
    }
}

static size_t whole_list[SFU_LOG];

size_t sfu_whole(const sfu_client *client, uint32_t ssrc, size_t from)
{
    size_t n = sfu_of(client, ssrc, from, whole_list, SFU_LOG);
    for (size_t i = 1; i < n; i++) {
        const sfu_packet *packet = &client->log[whole_list[i - 1]], *pkt = &client->log[whole_list[i]];
        assert_int_equal((uint16_t)(pkt->seq - packet->seq), 1);
        assert_true((int32_t)(pkt->ts - packet->ts) >= 0);
        if (!pkt->video || packet->probe || pkt->probe) continue;
        assert_int_equal((uint16_t)((pkt->picture - packet->picture) & 0x7fff), pkt->first ? 1 : 0);
        assert_int_equal((uint8_t)(pkt->tl0 - packet->tl0), pkt->first ? 1 : 0);
        assert_true(!pkt->first || pkt->ts != packet->ts);
    }
    return n;
}

size_t sfu_heard(const sfu_client *client, const sfu_client *from, bool video, size_t since)
{
    size_t n = 0;
    for (size_t i = since; i < client->log_n; i++)
        n += !client->log[i].probe && client->log[i].video == video && client->log[i].stamp.sender == from->index;
    return n;
}

typedef struct hearing {
    const sfu_client *c, *from;
    bool video;
    size_t since, count;
} hearing;

static bool has_heard(void *arg)
{
    const hearing *waiter = arg;
    return sfu_heard(waiter->c, waiter->from, waiter->video, waiter->since) >= waiter->count;
}

void sfu_hears(sfu *server, const sfu_client *client, const sfu_client *from, bool video, size_t count)
{
    hearing waiter = {client, from, video, client->log_n, count};
    assert_true(sfu_play_until(server, has_heard, &waiter, 5000));
}

size_t sfu_controls(const sfu_client *client, cn_rtcp_type type, size_t from, cn_rtcp *last)
{
    size_t n = 0;
    for (size_t i = from; i < client->rtcp_n; i++) {
        cn_rtcp_it it;
        if (client->rtcp[i].type != type) continue;
        assert_ok(cn_rtcp_open(&it, client->rtcp[i].bytes, client->rtcp[i].n));
        if (last) assert_true(cn_rtcp_next(&it, last));
        n++;
    }
    return n;
}

/* ---- the whole ---- */

void sfu_new(sfu *server, unsigned workers, unsigned timeout_s)
{
    static const cn_media_events events = {.connected = on_connected,
                                           .left = on_left,
                                           .slot = on_slot,
                                           .speaker = on_speaker,
                                           .lost = on_lost,
                                           .area = on_area,
                                           .size = on_size};
    memset(server, 0, sizeof *server);
    server->random = 1;
    assert_int_equal(pthread_mutex_init(&server->lock, NULL), 0);
    rtc_exts_get(&server->exts);
    cn_media_config config = {
        .listen = {"127.0.0.1"}, .addresses = 1, .workers = workers, .timeout_s = timeout_s ? timeout_s : 20};
    assert_ok(cn_media_new(&server->media, &config, &events, server));
}

void sfu_free(sfu *server)
{
    cn_media_free(server->media);
    for (size_t i = 0; i < server->n; i++) {
        sfu_client *client = &server->clients[i];
        rtc_client_free(client->c);
        free(client->answer);
        free(client->log);
        free(client->rtcp);
        for (unsigned k = 0; k < RTC_LAYERS; k++) free(client->layer[k].sent);
    }
    pthread_mutex_destroy(&server->lock);
}
