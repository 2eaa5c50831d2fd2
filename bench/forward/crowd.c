#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "crowd/sdp.h"
#include "media/wire/rtcp.h"
#include "media/wire/rtp.h"
#include "media/rate/twcc.h"
#include "support_client.h"

#define NS_PER_S 1000000000ull
#define AUDIO_EVERY_NS 20000000ull
#define SILENT_EVERY_NS 400000000ull
#define AUDIO_BYTES 80 /* 32 kbit/s Opus */
#define VIDEO_BYTES 1100
#define FEEDBACK_EVERY_NS 100000000ull
#define REPORT_EVERY_NS 1000000000ull
#define CHECK_EVERY_NS 5000000000ull
#define KEY_EVERY_FRAMES 3000
#define DELAY_STEP_NS 10000 /* one bucket */
#define DELAY_BUCKETS 20000
#define STREAMS 64
#define CONNECT_MS 20000
#define DEPARTURES_MAX 4000000
#define MAGIC 0xc0515e1u

/* What stands at the end of every payload. */
typedef struct stamp {
    uint32_t magic, sender;
    uint64_t sent_ns;
} stamp;

typedef struct heard {
    uint32_t ssrc;
    uint16_t next;
    bool rtx;
} heard;

typedef struct member {
    crowd *crowd;
    cn_client *client;
    unsigned index;
    char name[BENCH_NAME];
    bool video, speaks, key_wanted;
    uint32_t audio_ssrc, video_ssrc;
    uint16_t audio_seq, video_seq, picture, twcc_seq;
    uint32_t audio_ts, video_ts, audio_packets, video_packets;
    uint64_t audio_ns, video_ns, feedback_ns, report_ns, check_ns;
    unsigned frame, left_in_frame, in_frame;
    cn_twcc_in twcc;
    heard streams[STREAMS];
} member;

/* One datagram of the server's; on loopback it arrives when it leaves. */
typedef struct departure {
    int64_t wall_ns;
    uint32_t destination, size;
} departure;

struct crowd {
    departure *departures;
    size_t departures_n;
    bool recording;
    crowd_shape shape;
    bench_server *server;
    cn_rtp_exts exts;
    member *members;
    size_t n;
    int epoll;
    uint64_t now_ns;
    crowd_counts counts;
    uint64_t bad_before;
    uint32_t delays[DELAY_BUCKETS];
};

/* ---- receiving ---- */

static void count_delay(crowd *c, uint64_t sent_ns)
{
    uint64_t now = cn_mono_ns();
    uint64_t i = now > sent_ns ? (now - sent_ns) / DELAY_STEP_NS : 0;
    c->delays[i < DELAY_BUCKETS ? i : DELAY_BUCKETS - 1]++;
}

static void count_gap(member *m, const cn_rtp *r)
{
    heard *h = m->streams;
    while (h < m->streams + STREAMS - 1 && h->ssrc && h->ssrc != r->ssrc) h++;
    int16_t ahead = (int16_t)(uint16_t)(r->seq - h->next);
    if (h->ssrc == r->ssrc && ahead > 0) m->crowd->counts.missing += (uint64_t)ahead;
    if (h->ssrc == r->ssrc && ahead < 0 && m->crowd->counts.missing) m->crowd->counts.missing--; /* late, not lost */
    if (h->ssrc != r->ssrc || ahead >= 0) h->next = (uint16_t)(r->seq + 1);
    h->ssrc = r->ssrc;
}

static void on_rtp(void *arg, cn_client *client, const uint8_t *p, size_t n)
{
    (void)client;
    member *m = arg;
    crowd *c = m->crowd;
    cn_rtp r;
    uint16_t seq;
    if (cn_rtp_parse(p, n, &c->exts, &r)) {
        c->counts.foreign++;
        return;
    }
    if (cn_rtp_twcc(&r, &seq)) cn_twcc_in_packet(&m->twcc, seq, c->now_ns);
    stamp s = {0};
    if (r.payload_len >= sizeof s) memcpy(&s, r.payload + r.payload_len - sizeof s, sizeof s);
    bool probe = r.payload_len == 0;
    if (!probe && (s.magic != MAGIC || s.sender >= c->n || s.sender == m->index)) c->counts.foreign++;
    if (probe || s.magic != MAGIC) return;
    count_gap(m, &r);
    count_delay(c, s.sent_ns);
    c->counts.bytes_in += n;
    if (r.pt == CROWD_PT_OPUS) {
        c->counts.audio_in++;
    } else {
        c->counts.video_in++;
    }
}

static void on_rtcp(void *arg, cn_client *client, const uint8_t *p, size_t n)
{
    (void)client;
    member *m = arg;
    cn_rtcp_it it;
    if (cn_rtcp_open(&it, p, n)) return;
    for (cn_rtcp packet; cn_rtcp_next(&it, &packet);) {
        if (packet.type != CN_RTCP_PLI && packet.type != CN_RTCP_FIR) continue;
        m->key_wanted = true;
        m->crowd->counts.plis++;
    }
}

static void on_arrived(void *arg, cn_client *client, size_t n, int64_t wall_ns)
{
    (void)client;
    member *m = arg;
    crowd *c = m->crowd;
    if (!c->recording || c->departures_n == DEPARTURES_MAX) return;
    c->departures[c->departures_n++] = (departure){wall_ns, m->index, (uint32_t)n};
}

/* ---- sending ---- */

static void rtp_send(member *m, cn_rtp_head *head, const char *mid, uint8_t *payload, size_t n)
{
    crowd *c = m->crowd;
    uint8_t packet[1500];
    uint16_t twcc_at = 0;
    stamp s = {.magic = MAGIC, .sender = m->index, .sent_ns = cn_mono_ns()};
    memcpy(payload + n - sizeof s, &s, sizeof s);
    cn_rtp_head_bytes(head, CN_RTP_EXT_MID, mid, (uint8_t)strlen(mid));
    cn_rtp_head_number(head, CN_RTP_EXT_TWCC, m->twcc_seq++, 2);
    size_t at = cn_rtp_write_header(packet, sizeof packet, head, &c->exts, &twcc_at);
    if (!at || at + n > sizeof packet) abort();
    memcpy(packet + at, payload, n);
    (void)cn_client_rtp(m->client, packet, at + n);
}

static void audio_send(member *m)
{
    uint8_t payload[AUDIO_BYTES];
    memset(payload, 0x78, sizeof payload);
    cn_rtp_head head = {.ts = m->audio_ts, .ssrc = m->audio_ssrc, .seq = m->audio_seq++, .pt = CROWD_PT_OPUS};
    cn_rtp_head_number(&head, CN_RTP_EXT_AUDIO_LEVEL, m->speaks ? 0x80u | (20 + m->audio_seq % 7) : 127, 1);
    rtp_send(m, &head, "mic", payload, m->speaks ? sizeof payload : 24);
    uint64_t every = m->speaks ? AUDIO_EVERY_NS : SILENT_EVERY_NS;
    m->audio_ts += (uint32_t)(every / 1000 * 48 / 1000);
    m->audio_ns += every;
    m->audio_packets++;
    m->crowd->counts.sent_audio++;
}

/** RFC 7741: descriptor with a 15-bit picture id; at the frame's start a frame tag, in key frames start code and size.
 */
static void video_payload(const member *m, uint8_t *p, bool first, bool key)
{
    const uint8_t descriptor[] = {(uint8_t)(0x80 | (first ? 0x10 : 0)), 0x80, (uint8_t)(0x80 | m->picture >> 8),
                                  (uint8_t)m->picture};
    memcpy(p, descriptor, sizeof descriptor);
    if (!first) return;
    const uint8_t tag[] = {(uint8_t)(key ? 0x10 : 0x11), 0, 0}, start[] = {0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01};
    memcpy(p + 4, tag, sizeof tag);
    if (key) memcpy(p + 7, start, sizeof start);
}

static void video_packet(member *m)
{
    crowd *c = m->crowd;
    const crowd_shape *shape = &c->shape;
    uint64_t frame_ns = NS_PER_S / shape->fps;
    static _Thread_local bool key;
    bool first = !m->left_in_frame;
    if (first) {
        key = m->key_wanted || m->frame % KEY_EVERY_FRAMES == 0;
        m->key_wanted = false;
        size_t bytes = (size_t)shape->kbps * 125 / shape->fps * (key ? 4 : 1);
        m->in_frame = m->left_in_frame = (unsigned)((bytes + VIDEO_BYTES - 1) / VIDEO_BYTES);
        m->frame++;
        m->picture = (uint16_t)((m->picture + 1) & 0x7fff);
    }
    uint8_t payload[VIDEO_BYTES];
    memset(payload, 0x55, sizeof payload);
    video_payload(m, payload, first, key && first);
    m->left_in_frame--;
    cn_rtp_head head = {.ts = m->video_ts,
                        .ssrc = m->video_ssrc,
                        .seq = m->video_seq++,
                        .pt = CROWD_PT_VP8,
                        .marker = !m->left_in_frame};
    rtp_send(m, &head, "cam", payload, sizeof payload - (m->left_in_frame ? 0 : 200));
    m->video_packets++;
    c->counts.sent_video++;
    if (!m->left_in_frame) m->video_ts += 90000 / shape->fps;
    if (shape->spread) {
        m->video_ns += frame_ns / m->in_frame;
    } else if (!m->left_in_frame) {
        m->video_ns += frame_ns;
    }
}

static void reports_send(member *m)
{
    uint8_t packet[200];
    cn_rtcp_sr sr = {.ssrc = m->audio_ssrc,
                     .ntp = cn_ntp_from_wall_ns(cn_wall_ns()),
                     .rtp_ts = m->audio_ts,
                     .packets = m->audio_packets};
    size_t n = cn_rtcp_write_sr(packet, sizeof packet, &sr, NULL, 0);
    if (n) (void)cn_client_rtcp(m->client, packet, n);
    if (!m->video) return;
    sr.ssrc = m->video_ssrc;
    sr.rtp_ts = m->video_ts;
    sr.packets = m->video_packets;
    n = cn_rtcp_write_sr(packet, sizeof packet, &sr, NULL, 0);
    if (n) (void)cn_client_rtcp(m->client, packet, n);
}

static bool due(uint64_t *at, uint64_t every, uint64_t now)
{
    if (*at > now) return false;
    *at = now + every;
    return true;
}

static void member_turn(member *m, uint64_t now)
{
    while (m->audio_ns <= now) audio_send(m);
    while (m->video && m->video_ns <= now) video_packet(m);
    if (due(&m->feedback_ns, FEEDBACK_EVERY_NS, now)) cn_client_feedback(m->client, &m->twcc, now);
    if (due(&m->report_ns, REPORT_EVERY_NS, now)) reports_send(m);
    if (due(&m->check_ns, CHECK_EVERY_NS, now)) (void)cn_client_check(m->client, true, false);
}

/* ---- the crowd ---- */

static void receive(crowd *c, int wait_ms)
{
    struct epoll_event events[64];
    int n;
    do {
        n = epoll_wait(c->epoll, events, 64, wait_ms);
        c->now_ns = cn_mono_ns();
        for (int i = 0; i < n; i++) cn_client_receive(((member *)events[i].data.ptr)->client);
        wait_ms = 0;
    } while (n == 64);
}

void crowd_play(crowd *c, unsigned ms)
{
    uint64_t start = cn_mono_ns();
    for (size_t i = 0; i < c->n; i++) { /* everybody begins somewhere else in the 20 ms, or in the frame */
        member *m = &c->members[i];
        if (m->audio_ns + NS_PER_S < start)
            m->audio_ns = start + (i * 7919 % 1000) * (m->speaks ? AUDIO_EVERY_NS : SILENT_EVERY_NS) / 1000;
        if (m->video_ns + NS_PER_S < start) m->video_ns = start + (i * 6007 % 1000) * (NS_PER_S / c->shape.fps) / 1000;
        if (!m->feedback_ns) m->feedback_ns = start + (i * 104729 % 1000) * FEEDBACK_EVERY_NS / 1000;
        if (!m->report_ns) m->report_ns = start + (i * 7907 % 1000) * REPORT_EVERY_NS / 1000;
        if (!m->check_ns) m->check_ns = start + (i * 7901 % 1000) * CHECK_EVERY_NS / 1000;
    }
    for (;;) {
        c->now_ns = cn_mono_ns();
        if (c->now_ns - start >= (uint64_t)ms * 1000000) break;
        for (size_t i = 0; i < c->n; i++) member_turn(&c->members[i], c->now_ns);
        receive(c, 1);
    }
    for (unsigned i = 0; i < 50; i++) receive(c, 1); /* what is still on its way */
}

static bool member_join(crowd *c, size_t i)
{
    member *m = &c->members[i];
    *m = (member){.crowd = c, .index = (unsigned)i, .video = i < c->shape.video, .speaks = i < c->shape.speakers};
    (void)cn_fmt(m->name, sizeof m->name, "p%zu", i);
    cn_random(&m->audio_ssrc, sizeof m->audio_ssrc);
    m->video_ssrc = m->audio_ssrc + 1;
    cn_client_events events = {on_rtp, on_rtcp, c->shape.record ? on_arrived : NULL};
    m->client = cn_client_new("SRTP_AEAD_AES_128_GCM", false, &events, m);
    char *offer = cn_calloc(1, BENCH_OFFER), *answer = cn_calloc(1, BENCH_OFFER);
    if (!m->client || !offer || !answer) abort();
    bench_join join = {.video = m->video, .audio_slots = 5, .video_slots = c->shape.slots};
    (void)cn_strcpy(join.name, sizeof join.name, m->name);
    crowd_offer of = {.ufrag = cn_client_ufrag(m->client),
                      .pwd = cn_client_pwd(m->client),
                      .fingerprint = cn_client_fingerprint(m->client),
                      .setup = "actpass",
                      .mic = true,
                      .mic_ssrc = m->audio_ssrc,
                      .codec = PAYLOAD_VP8,
                      .layers = m->video,
                      .camera_ssrc = m->video_ssrc,
                      .audio_slots = 5,
                      .video_slots = c->shape.slots};
    crowd_sdp *sdp = CN_NEW(crowd_sdp);
    if (!sdp) abort();
    bool ok =
        crowd_offer_write(offer, BENCH_OFFER, &of) && bench_server_join(c->server, &join, offer, answer, BENCH_OFFER);
    if (!ok) fprintf(stderr, "forward: %s cannot join: %s\n", m->name, answer);
    ok = ok && crowd_sdp_read(sdp, answer) &&
         cn_client_target(m->client, sdp->address, sdp->port, sdp->ufrag, sdp->pwd, sdp->fingerprint);
    free(sdp);
    free(offer);
    free(answer);
    if (!ok) return false;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = m};
    cn_client_start(m->client);
    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, cn_client_fd(m->client), &e) == 0;
}

static bool everybody_connected(crowd *c)
{
    uint64_t until = cn_mono_ms() + CONNECT_MS;
    size_t connected = 0;
    while (connected < c->n && cn_mono_ms() < until) {
        receive(c, 20);
        connected = 0;
        for (size_t i = 0; i < c->n; i++) {
            connected += cn_client_connected(c->members[i].client);
            if (!cn_client_connected(c->members[i].client)) cn_client_tick(c->members[i].client);
        }
    }
    if (connected < c->n) fprintf(stderr, "forward: only %zu of %zu connected\n", connected, c->n);
    return connected == c->n;
}

/** Each watches the next cameras after its own place, so that all cameras are watched alike. */
static bool slots_fill(crowd *c)
{
    for (size_t i = 0; i < c->n; i++) {
        bench_show show = {0};
        (void)cn_strcpy(show.name, sizeof show.name, c->members[i].name);
        size_t k = 0;
        for (size_t at = 1; k < c->shape.slots && k < BENCH_SLOTS && at <= c->shape.video; at++) {
            size_t shown = (i + at) % c->shape.video;
            if (shown != i) (void)cn_strcpy(show.shown[k++], BENCH_NAME, c->members[shown].name);
        }
        if (!bench_server_show(c->server, &show)) return false;
    }
    return true;
}

crowd *crowd_new(bench_server *server, const crowd_shape *shape)
{
    crowd *c = CN_NEW(crowd);
    if (!c) return NULL;
    c->shape = *shape;
    c->server = server;
    c->n = shape->video + shape->voice;
    c->members = cn_calloc(c->n, sizeof *c->members);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool ok = c->members && c->epoll >= 0 && crowd_offer_exts(&c->exts);
    if (shape->record) ok = (c->departures = cn_calloc(DEPARTURES_MAX, sizeof *c->departures)) && ok;
    for (size_t i = 0; i < c->n && ok; i++) {
        ok = member_join(c, i);
        receive(c, 0);
    }
    ok = ok && everybody_connected(c) && slots_fill(c);
    if (!ok) {
        crowd_free(c);
        return NULL;
    }
    return c;
}

static uint64_t bad_total(const crowd *c)
{
    uint64_t bad = 0;
    for (size_t i = 0; i < c->n; i++) {
        const cn_client_counts *k = cn_client_counts_get(c->members[i].client);
        bad += k->rtp_bad + k->rtcp_bad;
    }
    return bad;
}

void crowd_reset(crowd *c)
{
    c->recording = c->shape.record;
    c->departures_n = 0;
    c->counts = (crowd_counts){0};
    c->bad_before = bad_total(c);
    memset(c->delays, 0, sizeof c->delays);
}

static double delay_at(const crowd *c, double share)
{
    uint64_t all = 0, seen = 0;
    for (size_t i = 0; i < DELAY_BUCKETS; i++) all += c->delays[i];
    size_t i = 0;
    for (; i < DELAY_BUCKETS && all; i++) {
        seen += c->delays[i];
        if ((double)seen >= share * (double)all) break;
    }
    return (double)i * DELAY_STEP_NS / 1e6;
}

void crowd_counts_get(crowd *c, crowd_counts *out)
{
    c->counts.bad = bad_total(c) - c->bad_before;
    c->counts.delay_p50_ms = delay_at(c, 0.5);
    c->counts.delay_p99_ms = delay_at(c, 0.99);
    c->counts.delay_max_ms = delay_at(c, 1.0);
    *out = c->counts;
}

static int departure_compare(const void *left, const void *right)
{
    const departure *a = left, *b = right;
    return a->wall_ns < b->wall_ns ? -1 : a->wall_ns > b->wall_ns;
}

bool crowd_schedule_write(crowd *c, const char *path)
{
    qsort(c->departures, c->departures_n, sizeof *c->departures, departure_compare);
    FILE *f = fopen(path, "w");
    for (size_t i = 0; f && i < c->departures_n; i++) {
        const departure *d = &c->departures[i];
        fprintf(f, "%lld %u %u\n", (long long)(d->wall_ns - c->departures[0].wall_ns) / 1000, d->destination, d->size);
    }
    bool ok = f && !ferror(f) && c->departures_n;
    if (f && fclose(f)) ok = false;
    if (!ok) fprintf(stderr, "forward: no schedule in %s\n", path);
    return ok;
}

void crowd_free(crowd *c)
{
    if (!c) return;
    for (size_t i = 0; c->members && i < c->n; i++) cn_client_free(c->members[i].client);
    free(c->members);
    free(c->departures);
    if (c->epoll >= 0) close(c->epoll);
    free(c);
}
