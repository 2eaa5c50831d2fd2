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
#include "client/client.h"

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
    rtc_client *client;
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

static void count_delay(crowd *throng, uint64_t sent_ns)
{
    uint64_t now = cn_mono_ns();
    uint64_t i = now > sent_ns ? (now - sent_ns) / DELAY_STEP_NS : 0;
    throng->delays[i < DELAY_BUCKETS ? i : DELAY_BUCKETS - 1]++;
}

static void count_gap(member *who, const cn_rtp *rtp)
{
    heard *hearing = who->streams;
    while (hearing < who->streams + STREAMS - 1 && hearing->ssrc && hearing->ssrc != rtp->ssrc) hearing++;
    int16_t ahead = (int16_t)(uint16_t)(rtp->seq - hearing->next);
    if (hearing->ssrc == rtp->ssrc && ahead > 0) who->crowd->counts.missing += (uint64_t)ahead;
    if (hearing->ssrc == rtp->ssrc && ahead < 0 && who->crowd->counts.missing)
        who->crowd->counts.missing--; /* late, not lost */
    if (hearing->ssrc != rtp->ssrc || ahead >= 0) hearing->next = (uint16_t)(rtp->seq + 1);
    hearing->ssrc = rtp->ssrc;
}

static void on_rtp(void *arg, rtc_client *client, const uint8_t *bytes, size_t len)
{
    (void)client;
    member *who = arg;
    crowd *throng = who->crowd;
    cn_rtp rtp;
    uint16_t seq;
    if (cn_rtp_parse(bytes, len, &throng->exts, &rtp)) {
        throng->counts.foreign++;
        return;
    }
    if (cn_rtp_twcc(&rtp, &seq)) cn_twcc_in_packet(&who->twcc, seq, throng->now_ns);
    stamp stamped = {0};
    if (rtp.payload_len >= sizeof stamped)
        memcpy(&stamped, rtp.payload + rtp.payload_len - sizeof stamped, sizeof stamped);
    bool probe = rtp.payload_len == 0;
    if (!probe && (stamped.magic != MAGIC || stamped.sender >= throng->n || stamped.sender == who->index))
        throng->counts.foreign++;
    if (probe || stamped.magic != MAGIC) return;
    count_gap(who, &rtp);
    count_delay(throng, stamped.sent_ns);
    throng->counts.bytes_in += len;
    if (rtp.pt == CROWD_PT_OPUS) {
        throng->counts.audio_in++;
    } else {
        throng->counts.video_in++;
    }
}

static void on_rtcp(void *arg, rtc_client *client, const uint8_t *bytes, size_t len)
{
    (void)client;
    member *who = arg;
    cn_rtcp_it it;
    if (cn_rtcp_open(&it, bytes, len)) return;
    for (cn_rtcp packet; cn_rtcp_next(&it, &packet);) {
        if (packet.type != CN_RTCP_PLI && packet.type != CN_RTCP_FIR) continue;
        who->key_wanted = true;
        who->crowd->counts.plis++;
    }
}

static void on_arrived(void *arg, rtc_client *client, size_t len, int64_t wall_ns)
{
    (void)client;
    member *who = arg;
    crowd *throng = who->crowd;
    if (!throng->recording || throng->departures_n == DEPARTURES_MAX) return;
    throng->departures[throng->departures_n++] = (departure){wall_ns, who->index, (uint32_t)len};
}

/* ---- sending ---- */

static void rtp_send(member *who, cn_rtp_head *head, const char *mid, uint8_t *payload, size_t len)
{
    crowd *throng = who->crowd;
    uint8_t packet[1500];
    uint16_t twcc_at = 0;
    stamp stamped = {.magic = MAGIC, .sender = who->index, .sent_ns = cn_mono_ns()};
    memcpy(payload + len - sizeof stamped, &stamped, sizeof stamped);
    cn_rtp_head_bytes(head, CN_RTP_EXT_MID, mid, (uint8_t)strlen(mid));
    cn_rtp_head_number(head, CN_RTP_EXT_TWCC, who->twcc_seq++, 2);
    size_t at = cn_rtp_write_header(packet, sizeof packet, head, &throng->exts, &twcc_at);
    if (!at || at + len > sizeof packet) abort();
    memcpy(packet + at, payload, len);
    (void)rtc_client_rtp(who->client, packet, at + len);
}

static void audio_send(member *who)
{
    uint8_t payload[AUDIO_BYTES];
    memset(payload, 0x78, sizeof payload);
    cn_rtp_head head = {.ts = who->audio_ts, .ssrc = who->audio_ssrc, .seq = who->audio_seq++, .pt = CROWD_PT_OPUS};
    cn_rtp_head_number(&head, CN_RTP_EXT_AUDIO_LEVEL, who->speaks ? 0x80u | (20 + who->audio_seq % 7) : 127, 1);
    rtp_send(who, &head, "mic", payload, who->speaks ? sizeof payload : 24);
    uint64_t every = who->speaks ? AUDIO_EVERY_NS : SILENT_EVERY_NS;
    who->audio_ts += (uint32_t)(every / 1000 * 48 / 1000);
    who->audio_ns += every;
    who->audio_packets++;
    who->crowd->counts.sent_audio++;
}

/** RFC 7741: descriptor with a 15-bit picture id; at the frame's start a frame tag, in key frames start code and size.
 */
static void video_payload(const member *who, uint8_t *bytes, bool first, bool key)
{
    const uint8_t descriptor[] = {(uint8_t)(0x80 | (first ? 0x10 : 0)), 0x80, (uint8_t)(0x80 | who->picture >> 8),
                                  (uint8_t)who->picture};
    memcpy(bytes, descriptor, sizeof descriptor);
    if (!first) return;
    const uint8_t tag[] = {(uint8_t)(key ? 0x10 : 0x11), 0, 0}, start[] = {0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01};
    memcpy(bytes + 4, tag, sizeof tag);
    if (key) memcpy(bytes + 7, start, sizeof start);
}

static void video_packet(member *who)
{
    crowd *throng = who->crowd;
    const crowd_shape *shape = &throng->shape;
    uint64_t frame_ns = NS_PER_S / shape->fps;
    static _Thread_local bool key;
    bool first = !who->left_in_frame;
    if (first) {
        key = who->key_wanted || who->frame % KEY_EVERY_FRAMES == 0;
        who->key_wanted = false;
        size_t bytes = (size_t)shape->kbps * 125 / shape->fps * (key ? 4 : 1);
        who->in_frame = who->left_in_frame = (unsigned)((bytes + VIDEO_BYTES - 1) / VIDEO_BYTES);
        who->frame++;
        who->picture = (uint16_t)((who->picture + 1) & 0x7fff);
    }
    uint8_t payload[VIDEO_BYTES];
    memset(payload, 0x55, sizeof payload);
    video_payload(who, payload, first, key && first);
    who->left_in_frame--;
    cn_rtp_head head = {.ts = who->video_ts,
                        .ssrc = who->video_ssrc,
                        .seq = who->video_seq++,
                        .pt = CROWD_PT_VP8,
                        .marker = !who->left_in_frame};
    rtp_send(who, &head, "cam", payload, sizeof payload - (who->left_in_frame ? 0 : 200));
    who->video_packets++;
    throng->counts.sent_video++;
    if (!who->left_in_frame) who->video_ts += 90000 / shape->fps;
    if (shape->spread) {
        who->video_ns += frame_ns / who->in_frame;
    } else if (!who->left_in_frame) {
        who->video_ns += frame_ns;
    }
}

static void reports_send(member *who)
{
    uint8_t packet[200];
    cn_rtcp_sr sr = {.ssrc = who->audio_ssrc,
                     .ntp = cn_ntp_from_wall_ns(cn_wall_ns()),
                     .rtp_ts = who->audio_ts,
                     .packets = who->audio_packets};
    size_t n = cn_rtcp_write_sr(packet, sizeof packet, &sr, NULL, 0);
    if (n) (void)rtc_client_rtcp(who->client, packet, n);
    if (!who->video) return;
    sr.ssrc = who->video_ssrc;
    sr.rtp_ts = who->video_ts;
    sr.packets = who->video_packets;
    n = cn_rtcp_write_sr(packet, sizeof packet, &sr, NULL, 0);
    if (n) (void)rtc_client_rtcp(who->client, packet, n);
}

static bool due(uint64_t *at, uint64_t every, uint64_t now)
{
    if (*at > now) return false;
    *at = now + every;
    return true;
}

static void member_turn(member *who, uint64_t now)
{
    while (who->audio_ns <= now) audio_send(who);
    while (who->video && who->video_ns <= now) video_packet(who);
    if (due(&who->feedback_ns, FEEDBACK_EVERY_NS, now)) rtc_client_feedback(who->client, &who->twcc, now);
    if (due(&who->report_ns, REPORT_EVERY_NS, now)) reports_send(who);
    if (due(&who->check_ns, CHECK_EVERY_NS, now)) (void)rtc_client_check(who->client, true, false);
}

/* ---- the crowd ---- */

static void receive(crowd *throng, int wait_ms)
{
    struct epoll_event events[64];
    int n;
    do {
        n = epoll_wait(throng->epoll, events, 64, wait_ms);
        throng->now_ns = cn_mono_ns();
        for (int i = 0; i < n; i++) rtc_client_receive(((member *)events[i].data.ptr)->client);
        wait_ms = 0;
    } while (n == 64);
}

void crowd_play(crowd *throng, unsigned ms)
{
    uint64_t start = cn_mono_ns();
    for (size_t i = 0; i < throng->n; i++) { /* everybody begins somewhere else in the 20 ms, or in the frame */
        member *who = &throng->members[i];
        if (who->audio_ns + NS_PER_S < start)
            who->audio_ns = start + (i * 7919 % 1000) * (who->speaks ? AUDIO_EVERY_NS : SILENT_EVERY_NS) / 1000;
        if (who->video_ns + NS_PER_S < start)
            who->video_ns = start + (i * 6007 % 1000) * (NS_PER_S / throng->shape.fps) / 1000;
        if (!who->feedback_ns) who->feedback_ns = start + (i * 104729 % 1000) * FEEDBACK_EVERY_NS / 1000;
        if (!who->report_ns) who->report_ns = start + (i * 7907 % 1000) * REPORT_EVERY_NS / 1000;
        if (!who->check_ns) who->check_ns = start + (i * 7901 % 1000) * CHECK_EVERY_NS / 1000;
    }
    for (;;) {
        throng->now_ns = cn_mono_ns();
        if (throng->now_ns - start >= (uint64_t)ms * 1000000) break;
        for (size_t i = 0; i < throng->n; i++) member_turn(&throng->members[i], throng->now_ns);
        receive(throng, 1);
    }
    for (unsigned i = 0; i < 50; i++) receive(throng, 1); /* what is still on its way */
}

static bool member_join(crowd *throng, size_t index)
{
    member *who = &throng->members[index];
    *who = (member){.crowd = throng,
                    .index = (unsigned)index,
                    .video = index < throng->shape.video,
                    .speaks = index < throng->shape.speakers};
    (void)cn_fmt(who->name, sizeof who->name, "p%zu", index);
    cn_random(&who->audio_ssrc, sizeof who->audio_ssrc);
    who->video_ssrc = who->audio_ssrc + 1;
    rtc_client_events events = {on_rtp, on_rtcp, throng->shape.record ? on_arrived : NULL};
    who->client = rtc_client_new("SRTP_AEAD_AES_128_GCM", false, &events, who);
    char *offer = cn_calloc(1, BENCH_OFFER), *answer = cn_calloc(1, BENCH_OFFER);
    if (!who->client || !offer || !answer) abort();
    bench_join join = {.video = who->video, .audio_slots = 5, .video_slots = throng->shape.slots};
    (void)cn_strcpy(join.name, sizeof join.name, who->name);
    crowd_offer of = {.ufrag = rtc_client_ufrag(who->client),
                      .pwd = rtc_client_pwd(who->client),
                      .fingerprint = rtc_client_fingerprint(who->client),
                      .setup = "actpass",
                      .mic = true,
                      .mic_ssrc = who->audio_ssrc,
                      .codec = PAYLOAD_VP8,
                      .layers = who->video,
                      .camera_ssrc = who->video_ssrc,
                      .audio_slots = 5,
                      .video_slots = throng->shape.slots};
    crowd_sdp *sdp = CN_NEW(crowd_sdp);
    if (!sdp) abort();
    bool ok = crowd_offer_write(offer, BENCH_OFFER, &of) &&
              bench_server_join(throng->server, &join, offer, answer, BENCH_OFFER);
    if (!ok) fprintf(stderr, "forward: %s cannot join: %s\n", who->name, answer);
    ok = ok && crowd_sdp_read(sdp, answer) &&
         rtc_client_target(who->client, sdp->address, sdp->port, sdp->ufrag, sdp->pwd, sdp->fingerprint);
    free(sdp);
    free(offer);
    free(answer);
    if (!ok) return false;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};
    rtc_client_start(who->client);
    return epoll_ctl(throng->epoll, EPOLL_CTL_ADD, rtc_client_fd(who->client), &event) == 0;
}

static bool everybody_connected(crowd *throng)
{
    uint64_t until = cn_mono_ms() + CONNECT_MS;
    size_t connected = 0;
    while (connected < throng->n && cn_mono_ms() < until) {
        receive(throng, 20);
        connected = 0;
        for (size_t i = 0; i < throng->n; i++) {
            connected += rtc_client_connected(throng->members[i].client);
            if (!rtc_client_connected(throng->members[i].client)) rtc_client_tick(throng->members[i].client);
        }
    }
    if (connected < throng->n) fprintf(stderr, "forward: only %zu of %zu connected\n", connected, throng->n);
    return connected == throng->n;
}

/** Each watches the next cameras after its own place, so that all cameras are watched alike. */
static bool slots_fill(crowd *throng)
{
    for (size_t i = 0; i < throng->n; i++) {
        bench_show show = {0};
        (void)cn_strcpy(show.name, sizeof show.name, throng->members[i].name);
        size_t k = 0;
        for (size_t at = 1; k < throng->shape.slots && k < BENCH_SLOTS && at <= throng->shape.video; at++) {
            size_t shown = (i + at) % throng->shape.video;
            if (shown != i) (void)cn_strcpy(show.shown[k++], BENCH_NAME, throng->members[shown].name);
        }
        if (!bench_server_show(throng->server, &show)) return false;
    }
    return true;
}

crowd *crowd_new(bench_server *server, const crowd_shape *shape)
{
    crowd *throng = CN_NEW(crowd);
    if (!throng) return NULL;
    throng->shape = *shape;
    throng->server = server;
    throng->n = shape->video + shape->voice;
    throng->members = cn_calloc(throng->n, sizeof *throng->members);
    throng->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool ok = throng->members && throng->epoll >= 0 && crowd_offer_exts(&throng->exts);
    if (shape->record) ok = (throng->departures = cn_calloc(DEPARTURES_MAX, sizeof *throng->departures)) && ok;
    for (size_t i = 0; i < throng->n && ok; i++) {
        ok = member_join(throng, i);
        receive(throng, 0);
    }
    ok = ok && everybody_connected(throng) && slots_fill(throng);
    if (!ok) {
        crowd_free(throng);
        return NULL;
    }
    return throng;
}

static uint64_t bad_total(const crowd *throng)
{
    uint64_t bad = 0;
    for (size_t i = 0; i < throng->n; i++) {
        const rtc_client_counts *counts = rtc_client_counts_get(throng->members[i].client);
        bad += counts->rtp_bad + counts->rtcp_bad;
    }
    return bad;
}

void crowd_reset(crowd *throng)
{
    throng->recording = throng->shape.record;
    throng->departures_n = 0;
    throng->counts = (crowd_counts){0};
    throng->bad_before = bad_total(throng);
    memset(throng->delays, 0, sizeof throng->delays);
}

static double delay_at(const crowd *throng, double share)
{
    uint64_t all = 0, seen = 0;
    for (size_t i = 0; i < DELAY_BUCKETS; i++) all += throng->delays[i];
    size_t i = 0;
    for (; i < DELAY_BUCKETS && all; i++) {
        seen += throng->delays[i];
        if ((double)seen >= share * (double)all) break;
    }
    return (double)i * DELAY_STEP_NS / 1e6;
}

void crowd_counts_get(crowd *throng, crowd_counts *out)
{
    throng->counts.bad = bad_total(throng) - throng->bad_before;
    throng->counts.delay_p50_ms = delay_at(throng, 0.5);
    throng->counts.delay_p99_ms = delay_at(throng, 0.99);
    throng->counts.delay_max_ms = delay_at(throng, 1.0);
    *out = throng->counts;
}

static int departure_compare(const void *left, const void *right)
{
    const departure *departed = left, *b = right;
    return departed->wall_ns < b->wall_ns ? -1 : departed->wall_ns > b->wall_ns;
}

bool crowd_schedule_write(crowd *throng, const char *path)
{
    qsort(throng->departures, throng->departures_n, sizeof *throng->departures, departure_compare);
    FILE *file = fopen(path, "w");
    for (size_t i = 0; file && i < throng->departures_n; i++) {
        const departure *departed = &throng->departures[i];
        fprintf(file, "%lld %u %u\n", (long long)(departed->wall_ns - throng->departures[0].wall_ns) / 1000,
                departed->destination, departed->size);
    }
    bool ok = file && !ferror(file) && throng->departures_n;
    if (file && fclose(file)) ok = false;
    if (!ok) fprintf(stderr, "forward: no schedule in %s\n", path);
    return ok;
}

void crowd_free(crowd *throng)
{
    if (!throng) return;
    for (size_t i = 0; throng->members && i < throng->n; i++) rtc_client_free(throng->members[i].client);
    free(throng->members);
    free(throng->departures);
    if (throng->epoll >= 0) close(throng->epoll);
    free(throng);
}
