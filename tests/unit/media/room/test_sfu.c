#include "cn_test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "client/packet.h"
#include "media/stream/seq.h"
#include "support_rtcp.h"
#include "support_sfu.h"

#define INDEXES 12000

static size_t indexes[INDEXES];

static const sfu_client *client_of(const sfu *server, unsigned index)
{
    assert_true(index < server->n);
    return &server->clients[index];
}

/* Whose picture a time stamp of a slot is, by the last event before it; "" when none said. */
static void named(sfu *server, const sfu_client *client, const char *mid, uint32_t ts, char from[CN_MEDIA_ID])
{
    from[0] = '\0';
    pthread_mutex_lock(&server->lock);
    for (size_t k = 0; k < server->events_n; k++) {
        const sfu_event *event = &server->events[k];
        if (event->kind != 's' || event->state != CN_SLOT_LIVE || strcmp(event->who, client->name) != 0 ||
            strcmp(event->mid, mid) != 0)
            continue;
        if ((int32_t)(ts - event->ts) >= 0) (void)cn_strcpy(from, CN_MEDIA_ID, event->from);
    }
    pthread_mutex_unlock(&server->lock);
}

static void events_name_the_sender(sfu *server, const sfu_client *client, const char *mid)
{
    size_t n = sfu_of(client, sfu_slot_ssrc(client, mid, NULL), 0, indexes, INDEXES), checked = 0;
    for (size_t i = 0; i < n; i++) {
        const sfu_packet *packet = &client->log[indexes[i]];
        char from[CN_MEDIA_ID];
        if (packet->probe) continue;
        named(server, client, mid, packet->ts, from);
        assert_string_equal(from, client_of(server, packet->stamp.sender)->name);
        checked++;
    }
    assert_true(checked > 0);
}

static const sfu_shape sender = {.audio = true, .layers = 1, .audio_slots = 3, .video_slots = 2};
static const sfu_shape viewer = {.audio_slots = 3, .video_slots = 2};

/* ---- what is sent arrives, as itself ---- */

static void everybody_gets_everybody(void **state)
{
    (void)state;
    static sfu server;
    static const char *const profiles[] = {"SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80", SFU_BOTH};
    static const char *const names[] = {"anna", "ben", "cora"};
    sfu_new(&server, 1, 0);
    for (size_t i = 0; i < 3; i++) {
        sfu_shape shape = sender;
        shape.profiles = profiles[i];
        sfu_join(&server, names[i], &shape)->level = 30;
        assert_string_equal(rtc_client_profile(server.clients[i].c), i == 1 ? profiles[1] : profiles[0]);
    }
    for (size_t i = 0; i < 3; i++) {
        cn_slot_want wants[2] = {{.mid = "v0", .source = CN_SOURCE_CAMERA, .width = 320, .height = 180, .priority = 2},
                                 {.mid = "v1", .source = CN_SOURCE_CAMERA, .width = 320, .height = 180, .priority = 1}};
        (void)cn_strcpy(wants[0].participant, CN_MEDIA_ID, names[(i + 1) % 3]);
        (void)cn_strcpy(wants[1].participant, CN_MEDIA_ID, names[(i + 2) % 3]);
        sfu_show(&server.clients[i], 2, wants);
    }
    sfu_play(&server, 1200);
    for (size_t i = 0; i < 3; i++) {
        const sfu_client *client = &server.clients[i];
        for (size_t k = 1; k < 3; k++) {
            const sfu_client *other = &server.clients[(i + k) % 3];
            assert_true(sfu_heard(client, other, true, 0) > 30);
            assert_true(sfu_heard(client, other, false, 0) > 20);
        }
        assert_int_equal(sfu_heard(client, client, true, 0) + sfu_heard(client, client, false, 0), 0);
        assert_true(sfu_whole(client, sfu_slot_ssrc(client, "v0", NULL), 0) > 30);
        assert_true(sfu_whole(client, sfu_slot_ssrc(client, "v1", NULL), 0) > 30);
        assert_true(sfu_whole(client, sfu_slot_ssrc(client, "a0", NULL), 0) > 20);
        events_name_the_sender(&server, client, "v0");
        events_name_the_sender(&server, client, "v1");
    }
    sfu_clean(&server);
    sfu_free(&server);
}

static const sfu_packet *first_picture(const sfu_client *client, size_t since)
{
    for (size_t i = since; i < client->log_n; i++)
        if (client->log[i].video && !client->log[i].probe) return &client->log[i];
    return NULL;
}

/* The key frame is asked for when it is said what will be shown, and waits for the handshake; who comes back soon gets
 * the run since. */
static void a_joiner_does_not_wait_for_the_publisher(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    const sfu_client *anna = sfu_join(&server, "anna", &sender);
    sfu_play(&server, 600);
    unsigned before = anna->layer[0].plis;
    sfu_client *eye = sfu_ask(&server, "eye", &viewer);
    sfu_show_one(eye, "anna", 320);
    sfu_play(&server, 150);
    assert_int_equal(anna->layer[0].plis, before + 1);
    sfu_connect(eye);
    sfu_hears(&server, eye, anna, true, 10);
    assert_true(first_picture(eye, 0)->key);
    assert_int_equal(anna->layer[0].plis, before + 1);
    sfu_show_one(eye, NULL, 0);
    sfu_play(&server, 100);
    size_t from = eye->log_n;
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    assert_true(first_picture(eye, from)->key);
    assert_int_equal(anna->layer[0].plis, before + 1);
    assert_true(sfu_whole(eye, sfu_slot_ssrc(eye, "v0", NULL), 0) > 20);
    events_name_the_sender(&server, eye, "v0");
    sfu_clean(&server);
    sfu_free(&server);
}

static cn_slot_state last_state(sfu *server, const char *who, const char *mid)
{
    cn_slot_state state = CN_SLOT_EMPTY;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->events_n; i++) {
        const sfu_event *event = &server->events[i];
        if (event->kind == 's' && strcmp(event->who, who) == 0 && strcmp(event->mid, mid) == 0) state = event->state;
    }
    pthread_mutex_unlock(&server->lock);
    return state;
}

static void slots_change_without_a_seam(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    const sfu_client *anna = sfu_join(&server, "anna", &sender), *ben = sfu_join(&server, "ben", &sender);
    sfu_client *eye = sfu_join(&server, "eye", &viewer);
    sfu_play(&server, 100);
    for (unsigned i = 0; i < 24; i++) {
        sfu_show_one(eye, i % 2 ? "anna" : "ben", 320);
        if (i % 5 == 4)
            sfu_play(&server, 20); /* gone before it was seen */
        else
            sfu_hears(&server, eye, i % 2 ? anna : ben, true, 5);
    }
    assert_true(sfu_whole(eye, sfu_slot_ssrc(eye, "v0", NULL), 0) > 90);
    events_name_the_sender(&server, eye, "v0");
    sfu_show_one(eye, NULL, 0);
    sfu_play(&server, 100);
    assert_int_equal(last_state(&server, "eye", "v0"), CN_SLOT_EMPTY);
    size_t before = eye->log_n;
    sfu_play(&server, 200);
    assert_int_equal(sfu_heard(eye, anna, true, before) + sfu_heard(eye, ben, true, before), 0);
    sfu_clean(&server);
    sfu_free(&server);
}

static uint8_t last_layer(const sfu_client *client)
{
    for (size_t i = client->log_n; i-- > 0;)
        if (client->log[i].video && !client->log[i].probe && !client->log[i].rtx) return client->log[i].stamp.layer;
    return 255;
}

typedef struct layer_wait {
    const sfu_client *c;
    uint8_t layer;
} layer_wait;

static bool has_layer(void *arg)
{
    const layer_wait *wait = arg;
    return last_layer(wait->c) == wait->layer;
}

static void layers_change_without_a_seam(void **state)
{
    (void)state;
    static sfu server;
    sfu_shape simulcast = sender;
    simulcast.layers = 3;
    sfu_new(&server, 1, 0);
    (void)sfu_join(&server, "anna", &simulcast);
    sfu_client *eye = sfu_join(&server, "eye", &viewer);
    sfu_play(&server, 1200); /* the server measures its layers once a second */
    static const unsigned widths[] = {320, 1280, 640, 1280, 320};
    static const uint8_t layers[] = {0, 2, 1, 2, 0};
    for (size_t i = 0; i < COUNT_OF(widths); i++) {
        layer_wait wait = {eye, layers[i]};
        sfu_show_one(eye, "anna", widths[i]);
        assert_true(sfu_play_until(&server, has_layer, &wait, 6000)); /* a step up must fit for 2 s */
        sfu_play(&server, 100);
    }
    assert_true(sfu_whole(eye, sfu_slot_ssrc(eye, "v0", NULL), 0) > 100);
    events_name_the_sender(&server, eye, "v0");
    sfu_clean(&server);
    sfu_free(&server);
}

/* A browser whose upload gets narrow stops its sharpest layer without a word. */
static void a_layer_that_ends_is_left_at_once(void **state)
{
    (void)state;
    static sfu server;
    sfu_shape simulcast = sender;
    simulcast.layers = 2;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &simulcast), *eye = sfu_join(&server, "eye", &viewer);
    sfu_play(&server, 1200);
    sfu_show_one(eye, "anna", 640);
    layer_wait sharp = {eye, 1}, small = {eye, 0};
    assert_true(sfu_play_until(&server, has_layer, &sharp, 6000));
    for (unsigned i = 0; i < 3; i++) { /* wherever the server's second stands */
        sfu_play(&server, 1300);
        anna->shape.layers = 1;
        assert_true(sfu_play_until(&server, has_layer, &small, 600));
        anna->shape.layers = 2;
        anna->layer[1].key_wanted = true;
        assert_true(sfu_play_until(&server, has_layer, &sharp, 6000));
    }
    sfu_clean(&server);
    sfu_free(&server);
}

/* ---- loss ---- */

static void what_a_publisher_loses_is_asked_again(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    uint32_t frame = anna->layer[0].frames;
    anna->lose_up = 15;
    sfu_play(&server, 1500);
    anna->lose_up = 0;
    sfu_play(&server, 300);
    assert_true(anna->nacked > 3);
    /* order changes where a packet came late, but every packet of every frame is there */
    uint32_t ssrc = sfu_slot_ssrc(eye, "v0", NULL);
    uint32_t last = anna->layer[0].frames - 2;
    for (uint32_t f = frame; f < last; f++) {
        unsigned parts = 0;
        for (size_t i = 0; i < eye->log_n; i++)
            if (eye->log[i].ssrc == ssrc && !eye->log[i].probe && eye->log[i].stamp.frame == f)
                parts |= 1u << eye->log[i].stamp.index;
        assert_int_equal(parts, 3);
    }
    sfu_clean(&server);
    sfu_free(&server);
}

static void what_never_comes_ends_in_a_key_frame(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    anna->no_repair = true;
    unsigned plis = anna->layer[0].plis;
    sfu_frame(anna, 0, false, 1);
    sfu_play(&server, 1700);
    assert_true(anna->layer[0].plis > plis);
    assert_true(anna->nacked >= 2 && anna->nacked <= 12); /* asked again, but not for ever */
    sfu_clean(&server);
    sfu_free(&server);
}

static void nack_send(sfu_client *client, uint32_t ssrc, const uint16_t *seqs, size_t count)
{
    uint8_t packet[300];
    size_t used = 0, len = cn_rtcp_write_nack(packet, sizeof packet, 1, ssrc, seqs, count, &used);
    assert_int_equal(used, count);
    assert_true(rtc_client_rtcp(client->c, packet, len));
}

static const sfu_packet *repeated(const sfu_client *client, uint32_t rtx_ssrc, uint16_t seq, size_t from)
{
    for (size_t i = from; i < client->log_n; i++)
        if (client->log[i].ssrc == rtx_ssrc && client->log[i].osn == seq && !client->log[i].probe)
            return &client->log[i];
    return NULL;
}

static void what_a_receiver_misses_is_sent_again(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    const sfu_client *anna = sfu_join(&server, "anna", &sender);
    sfu_client *eye = sfu_join(&server, "eye", &viewer);
    uint32_t rtx = 0, ssrc = sfu_slot_ssrc(eye, "v0", &rtx);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 30);
    size_t n = sfu_of(eye, ssrc, 0, indexes, INDEXES), from = eye->log_n;
    uint16_t seqs[3];
    for (size_t i = 0; i < 3; i++) seqs[i] = eye->log[indexes[n - 9 + 3 * i]].seq;
    nack_send(eye, ssrc, seqs, 3);
    sfu_play(&server, 150);
    for (size_t i = 0; i < 3; i++) {
        const sfu_packet *packet = &eye->log[indexes[n - 9 + 3 * i]], *pkt = repeated(eye, rtx, seqs[i], from);
        assert_non_null(pkt);
        assert_true(packet->ts == pkt->ts && packet->picture == pkt->picture && packet->tl0 == pkt->tl0 &&
                    packet->marker == pkt->marker);
        assert_memory_equal(&packet->stamp, &pkt->stamp, sizeof packet->stamp);
    }
    /* numbers of the future, of long ago and of another's stream draw nothing */
    from = eye->log_n;
    const uint16_t strange[2] = {(uint16_t)(seqs[0] - 20000), (uint16_t)(seqs[0] + 20000)};
    nack_send(eye, ssrc, strange, 1);
    nack_send(eye, ssrc, strange + 1, 1);
    nack_send(eye, anna->layer[0].ssrc, seqs, 1);
    sfu_play(&server, 100);
    assert_int_equal(sfu_of(eye, rtx, from, indexes, INDEXES), 0);
    assert_true(sfu_whole(eye, ssrc, 0) > 30);
    sfu_clean(&server);
    sfu_free(&server);
}

static void key_frame_requests_are_throttled(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    uint32_t ssrc = sfu_slot_ssrc(eye, "v0", NULL);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    sfu_play(&server, 500);
    unsigned before = anna->layer[0].plis;
    for (unsigned i = 0; i < 60; i++) {
        uint8_t packet[40];
        size_t n = i % 2 ? cn_rtcp_write_pli(packet, sizeof packet, 1, ssrc)
                         : rtcp_fir(packet, sizeof packet, 1, ssrc, (uint8_t)i);
        assert_true(rtc_client_rtcp(eye->c, packet, n));
        sfu_play(&server, 15);
    }
    unsigned asked = anna->layer[0].plis - before;
    assert_in_range(asked, 1, 5);
    sfu_clean(&server);
    sfu_free(&server);
}

/* ---- reports and feedback ---- */

static void reports_go_both_ways(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    anna->level = 30;
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    sfu_play(&server, 2500);
    cn_rtcp last;
    cn_rtcp_sr sr = {0};
    uint32_t ssrc = sfu_slot_ssrc(eye, "v0", NULL);
    bool video = false, audio = false;
    for (size_t i = 0; i < eye->rtcp_n; i++) {
        cn_rtcp_it it;
        assert_ok(cn_rtcp_open(&it, eye->rtcp[i].bytes, eye->rtcp[i].n));
        assert_true(cn_rtcp_next(&it, &last));
        if (!cn_rtcp_sr_read(&last, &sr)) continue;
        video = video || sr.ssrc == ssrc;
        audio = audio || sr.ssrc == sfu_slot_ssrc(eye, "a0", NULL);
        int64_t off =
            (int64_t)(sr.ntp - cn_ntp_from_wall_ns(cn_wall_ns() - (int64_t)(cn_mono_ns() - eye->rtcp[i].at_ns)));
        assert_true(llabs(off) < (int64_t)(UINT64_C(1) << 32) / 5); /* 200 ms: this thread may have waited */
        if (sr.ssrc != ssrc) continue;
        /* its time stamp is that of the frame sent then, a frame or two more or less */
        size_t n = sfu_of(eye, ssrc, 0, indexes, INDEXES);
        bool near = false;
        for (size_t k = 0; k < n; k++) near = near || labs((long)(int32_t)(eye->log[indexes[k]].ts - sr.rtp_ts)) < 9000;
        assert_true(near);
    }
    assert_true(video && audio);
    assert_true(sfu_controls(eye, CN_RTCP_SDES, 0, NULL) > 0);
    /* what the publisher hears of itself */
    cn_rtcp_block block;
    bool about_video = false, about_audio = false;
    assert_true(sfu_controls(anna, CN_RTCP_RR, 0, &last) >= 2);
    for (size_t i = 0; cn_rtcp_block_read(&last, i, &block); i++) {
        about_video = about_video || block.ssrc == anna->layer[0].ssrc;
        about_audio = about_audio || block.ssrc == anna->audio_ssrc;
        assert_int_equal(block.fraction_lost, 0);
        assert_true(block.lsr != 0);
        assert_true(block.dlsr < 2 * 65536);
        if (block.ssrc == anna->layer[0].ssrc)
            assert_true((uint16_t)(anna->layer[0].seq - (uint16_t)block.highest_seq) < 200);
    }
    assert_true(about_video && about_audio);
    sfu_clean(&server);
    sfu_free(&server);
}

static void transport_numbers_count_every_packet(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    anna->level = 30;
    sfu_show_one(eye, "anna", 320);
    sfu_play(&server, 800);
    uint32_t ssrc = sfu_slot_ssrc(eye, "v0", NULL);
    uint16_t seq = eye->log[eye->log_n - 1].seq;
    if (eye->log[eye->log_n - 1].ssrc == ssrc) nack_send(eye, ssrc, &seq, 1);
    sfu_play(&server, 300);
    /* towards the receiver: voice, picture and repetitions in one sequence */
    for (size_t i = 1; i < eye->log_n; i++) assert_int_equal((uint16_t)(eye->log[i].twcc - eye->log[i - 1].twcc), 1);
    /* towards the publisher: every packet is told to have come */
    static bool told[65536];
    memset(told, 0, sizeof told);
    for (size_t i = 0; i < anna->rtcp_n; i++) {
        cn_rtcp_it it;
        cn_rtcp pkt;
        cn_rtcp_twcc_it rtcp_twcc_it;
        cn_rtcp_twcc one;
        assert_ok(cn_rtcp_open(&it, anna->rtcp[i].bytes, anna->rtcp[i].n));
        assert_true(cn_rtcp_next(&it, &pkt));
        if (!cn_rtcp_twcc_open(&rtcp_twcc_it, &pkt)) continue;
        while (cn_rtcp_twcc_next(&rtcp_twcc_it, &one)) told[one.seq] = told[one.seq] || one.received;
    }
    for (uint16_t i = 0; i + 60 < rtc_packet_number(anna->c); i++) assert_true(told[i]);
    sfu_clean(&server);
    sfu_free(&server);
}

static bool steps_down(void *arg)
{
    return last_layer(arg) == 0;
}

static void loss_steps_layers_down(void **state)
{
    (void)state;
    static sfu server;
    sfu_shape simulcast = sender;
    simulcast.layers = 3;
    simulcast.packets = 6;
    sfu_new(&server, 1, 0);
    (void)sfu_join(&server, "anna", &simulcast);
    sfu_client *eye = sfu_join(&server, "eye", &viewer), *fine = sfu_join(&server, "fine", &viewer);
    sfu_play(&server, 1200);
    sfu_show_one(eye, "anna", 1280);
    sfu_show_one(fine, "anna", 640);
    layer_wait up = {fine, 1};
    assert_true(sfu_play_until(&server, has_layer, &up, 6000));
    sfu_play(&server, 500);
    assert_true(last_layer(eye) >= 1);
    eye->lose_down = 40;
    assert_true(sfu_play_until(&server, steps_down, eye, 6000));
    eye->lose_down = 0;
    assert_int_equal(last_layer(fine), 1); /* whom it does not concern keeps what he has */
    sfu_clean(&server);
    sfu_free(&server);
}

static void show_within(sfu_client *client, const char *who, cn_tier tier)
{
    cn_slot_want want = {.mid = "v0", .source = CN_SOURCE_CAMERA, .width = 1280, .height = 720, .priority = 1};
    (void)cn_strcpy(want.participant, sizeof want.participant, who);
    cn_media_show(client->sfu->media, client->name, &want, 1, tier);
}

typedef struct state_wait {
    sfu *s;
    const char *who;
    cn_slot_state state;
} state_wait;

static bool has_state(void *arg)
{
    const state_wait *wait = arg;
    sfu_event event = {.state = CN_SLOT_EMPTY};
    return sfu_events(wait->s, 's', wait->who, 0, &event) > 0 && event.state == wait->state;
}

static void a_ceiling_is_obeyed_at_once(void **state)
{
    (void)state;
    static sfu server;
    const sfu_shape large = {.audio = true, .layers = 3};
    sfu_new(&server, 1, 0);
    (void)sfu_join(&server, "anna", &large);
    sfu_client *eye = sfu_join(&server, "eye", &viewer);
    show_within(eye, "anna", CN_TIER_4K);
    layer_wait top = {eye, 2}, middle = {eye, 1};
    assert_true(sfu_play_until(&server, has_layer, &top, 8000));
    show_within(eye, "anna", CN_TIER_SD);
    assert_true(sfu_play_until(&server, has_layer, &middle, 1000));
    size_t before = eye->log_n;
    sfu_play(&server, 500);
    for (size_t i = before; i < eye->log_n; i++)
        if (eye->log[i].video && !eye->log[i].probe) assert_true(eye->log[i].stamp.layer <= 1);
    /* no layer is small enough: the slot says so, and shows a picture again as soon as one is */
    show_within(eye, "anna", CN_TIER_VOICE);
    state_wait limit = {&server, "eye", CN_SLOT_LIMIT}, live = {&server, "eye", CN_SLOT_LIVE};
    assert_true(sfu_play_until(&server, has_state, &limit, 1000));
    show_within(eye, "anna", CN_TIER_SD);
    assert_true(sfu_play_until(&server, has_state, &live, 1500));
    sfu_clean(&server);
    sfu_free(&server);
}

/* ---- the way there ---- */

typedef struct restarted {
    pthread_mutex_t lock;
    bool done, ok;
    rtc_sdp sdp; /* what the answer says */
} restarted;

static void on_restarted(void *arg, cn_err err, const cn_problem *problem, const char *answer)
{
    (void)problem;
    restarted *waiter = arg;
    pthread_mutex_lock(&waiter->lock);
    if (err == CN_OK) rtc_sdp_scan(&waiter->sdp, answer);
    waiter->ok = waiter->sdp.ufrag[0] && waiter->sdp.pwd[0];
    waiter->done = true;
    pthread_mutex_unlock(&waiter->lock);
}

static bool is_restarted(void *arg)
{
    restarted *waiter = arg;
    pthread_mutex_lock(&waiter->lock);
    bool done = waiter->done;
    pthread_mutex_unlock(&waiter->lock);
    return done;
}

static void ice_restarts_and_media_goes_on(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 2, 0);
    const sfu_client *anna = sfu_join(&server, "anna", &sender);
    sfu_client *eye = sfu_join(&server, "eye", &sender);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    for (unsigned i = 0; i < 3; i++) {
        restarted waiter = {.lock = PTHREAD_MUTEX_INITIALIZER};
        char fragment[200];
        (void)cn_fmt(fragment, sizeof fragment, "a=ice-ufrag:new%u%u\r\na=ice-pwd:0123456789abcdefghijkl%02u\r\n", i, i,
                     i);
        cn_media_ice_restart(server.media, "eye", fragment, on_restarted, &waiter);
        assert_true(sfu_play_until(&server, is_restarted, &waiter, 3000));
        assert_true(waiter.ok);
        const rtc_sdp *now = &waiter.sdp;
        assert_true(rtc_client_target(eye->c, "127.0.0.1", eye->sdp.port, now->ufrag, now->pwd, NULL));
        assert_true(rtc_client_move(eye->c)); /* another network: another port */
        assert_true(rtc_client_check(eye->c, true, false));
        sfu_play(&server, 60);
        sfu_hears(&server, eye, anna, true, 20);
    }
    assert_int_equal(sfu_events(&server, 'l', NULL, 0, NULL), 0);
    assert_int_equal(sfu_events(&server, 'c', "eye", 0, NULL), 1);
    sfu_clean(&server);
    sfu_free(&server);
}

static bool is_gone(void *arg)
{
    const sfu_client *client = arg;
    return sfu_events(client->sfu, 'l', client->name, 0, NULL) > 0;
}

static void who_falls_silent_is_gone(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 2);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    anna->level = 20;
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    uint64_t start = cn_mono_ms();
    anna->gone = true;
    assert_true(sfu_play_until(&server, is_gone, anna, 6000));
    assert_in_range(cn_mono_ms() - start, 1500, 5000);
    sfu_event event = {0};
    (void)sfu_events(&server, 'l', "anna", 0, &event);
    assert_int_equal(event.cause, CN_LEAVE_TIMEOUT);
    sfu_play(&server, 100);
    (void)sfu_events(&server, 's', "eye", 0, &event);
    assert_int_equal(event.state, CN_SLOT_EMPTY);
    /* the name is free again, and who is there stays */
    sfu_client *again = sfu_join(&server, "anna", &sender);
    sfu_hears(&server, eye, again, true, 10);
    assert_int_equal(sfu_events(&server, 'l', "eye", 0, NULL), 0);
    sfu_clean(&server);
    sfu_free(&server);
}

static bool is_lost(void *arg)
{
    const sfu_client *client = arg;
    return sfu_events(client->sfu, 'q', client->name, 0, NULL) > sfu_events(client->sfu, 'h', client->name, 0, NULL);
}

static bool is_back(void *arg)
{
    return !is_lost(arg);
}

/* Told after 2 s without a packet, taken back with the first one; the muted and the listeners are no less there. */
static void who_is_not_heard_is_told_at_once(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape voice = {.audio = true};
    sfu_new(&server, 2, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    sfu_client *dora = sfu_join(&server, "dora", &voice);
    sfu_client *all[] = {anna, eye, dora};
    dora->dtx = true;
    cn_media_source_set(server.media, "dora", CN_SOURCE_MIC, false);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    sfu_play(&server, 3000);
    for (size_t i = 0; i < 3; i++) assert_false(is_lost(all[i]));
    for (size_t i = 0; i < 3; i++) {
        uint64_t start = cn_mono_ms();
        all[i]->gone = true;
        assert_true(sfu_play_until(&server, is_lost, all[i], 8000));
        assert_in_range(cn_mono_ms() - start, 1500, 6000);
        for (size_t k = 0; k < 3; k++) assert_int_equal(is_lost(all[k]), k == i);
        all[i]->gone = false;
        assert_true(sfu_play_until(&server, is_back, all[i], 2000));
    }
    assert_int_equal(sfu_events(&server, 'l', NULL, 0, NULL), 0);
    sfu_clean(&server);
    sfu_free(&server);
}

static void replays_are_counted_and_harmless(void **state)
{
    (void)state;
    static sfu server;
    cn_media_worker before, after;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    anna->mute = true; /* the last packet is the frame's below, the last control packet the one after it */
    sfu_play(&server, 100);
    cn_media_worker_get(server.media, 0, &before);
    size_t since = eye->log_n;
    anna->video_ts += 3600;
    sfu_frame(anna, 0, false, 0);
    uint8_t copy[1500];
    const uint8_t *p = NULL;
    size_t n = rtc_client_last_sent(anna->c, &p);
    memcpy(copy, p, n);
    for (unsigned i = 0; i < 20; i++) assert_true(rtc_client_raw(anna->c, copy, n));
    uint8_t rr[8] = {0x80, 201, 0, 1, 0, 0, 0, 7};
    assert_true(rtc_client_rtcp(anna->c, rr, sizeof rr));
    n = rtc_client_last_sent(anna->c, &p);
    memcpy(copy, p, n);
    for (unsigned i = 0; i < 20; i++) assert_true(rtc_client_raw(anna->c, copy, n));
    sfu_play(&server, 200);
    cn_media_worker_get(server.media, 0, &after);
    assert_int_equal(after.replayed - before.replayed, 40);
    assert_int_equal(sfu_heard(eye, anna, true, since), 2);
    anna->mute = false;
    sfu_hears(&server, eye, anna, true, 10);
    assert_true(sfu_whole(eye, sfu_slot_ssrc(eye, "v0", NULL), 0) > 20);
    sfu_clean(&server);
    sfu_free(&server);
}

/* A check that somebody captured, sent again from his own port: an answer may come, media must not. */
static void a_captured_check_draws_no_media(void **state)
{
    (void)state;
    static sfu sfu_server;
    sfu_new(&sfu_server, 1, 0);
    const sfu_client *anna = sfu_join(&sfu_server, "anna", &sender);
    sfu_client *eye = sfu_join(&sfu_server, "eye", &viewer);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&sfu_server, eye, anna, true, 10);
    struct sockaddr_in server;
    socklen_t server_n = sizeof server;
    assert_int_equal(getpeername(rtc_client_fd(eye->c), (struct sockaddr *)&server, &server_n), 0);
    int thief = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(thief, (struct sockaddr *)&server, server_n), 0);
    const uint8_t *check = NULL;
    size_t n = rtc_client_last_check(eye->c, &check), stolen = 0;
    size_t since = eye->log_n;
    for (unsigned i = 0; i < 20; i++) {
        uint8_t junk[2000];
        assert_int_equal(send(thief, check, n, 0), (ssize_t)n);
        sfu_play(&sfu_server, 30);
        for (ssize_t got; (got = recv(thief, junk, sizeof junk, 0)) > 0;) stolen += junk[0] >= 20;
    }
    assert_int_equal(stolen, 0);
    assert_true(sfu_heard(eye, anna, true, since) > 15);
    close(thief);
    sfu_clean(&sfu_server);
    sfu_free(&sfu_server);
}

/* What is no packet of anybody's: counted, and nobody notices. */
static void garbage_is_counted_and_harmless(void **state)
{
    (void)state;
    static sfu server;
    cn_media_worker before, after;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    cn_media_worker_get(server.media, 0, &before);
    uint32_t random = 7;
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t junk[400];
        for (size_t k = 0; k < sizeof junk; k++) {
            random = random * 1664525u + 1013904223u;
            junk[k] = (uint8_t)(random >> 24);
        }
        static const uint8_t first[] = {0x00, 0x16, 0x17, 0x80, 0x90, 0xb0, 0x40, 0xff};
        junk[0] = first[i % sizeof first];
        if (i % 3 == 0) junk[1] = 200;
        assert_true(rtc_client_raw((i & 1 ? anna : eye)->c, junk, 20 + random % 380));
        if (i % 40 == 0) sfu_play(&server, 2);
    }
    sfu_play(&server, 200);
    cn_media_worker_get(server.media, 0, &after);
    assert_true(after.bad_rtp > before.bad_rtp && after.bad_rtcp > before.bad_rtcp && after.bad_stun > before.bad_stun);
    sfu_hears(&server, eye, anna, true, 10);
    assert_int_equal(sfu_events(&server, 'l', NULL, 0, NULL), 0);
    sfu_clean(&server);
    sfu_free(&server);
}

/* ---- more than one worker ---- */

static void a_room_spans_workers(void **state)
{
    (void)state;
    static sfu server;
    static const char *const names[] = {"w0", "w1", "w2", "w3", "w4", "w5"};
    enum { N = COUNT_OF(names) };
    sfu_shape shape = sender;
    shape.video_slots = N - 1;
    shape.audio_slots = N - 1;
    sfu_new(&server, 3, 0);
    for (size_t i = 0; i < N; i++) sfu_join(&server, names[i], &shape)->level = (uint8_t)(20 + i);
    for (size_t i = 0; i < N; i++) {
        cn_slot_want wants[N - 1] = {0};
        for (size_t k = 0; k + 1 < N; k++) {
            wants[k] = (cn_slot_want){.source = CN_SOURCE_CAMERA, .width = 320, .height = 180, .priority = 9};
            (void)cn_fmt(wants[k].mid, CN_MEDIA_ID, "v%zu", k);
            (void)cn_strcpy(wants[k].participant, CN_MEDIA_ID, names[(i + k + 1) % N]);
        }
        sfu_show(&server.clients[i], N - 1, wants);
    }
    sfu_play(&server, 2500);
    for (size_t i = 0; i < N; i++) {
        const sfu_client *client = &server.clients[i];
        for (size_t k = 1; k < N; k++) {
            const sfu_client *other = &server.clients[(i + k) % N];
            assert_true(sfu_heard(client, other, true, 0) > 30);
            assert_true(sfu_heard(client, other, false, 0) > 20);
        }
        assert_int_equal(sfu_heard(client, client, true, 0) + sfu_heard(client, client, false, 0), 0);
        assert_true(sfu_whole(client, sfu_slot_ssrc(client, "v0", NULL), 0) > 30);
        events_name_the_sender(&server, client, "v0");
        events_name_the_sender(&server, client, "v4");
    }
    /* key frames are asked for and losses repeated across workers */
    for (unsigned i = 0; i < 3; i++) {
        cn_media_worker figures;
        cn_media_worker_get(server.media, i, &figures);
        assert_int_equal(figures.bad_rtp + figures.bad_rtcp + figures.replayed, 0);
    }
    cn_media_leave(server.media, "w0", CN_LEAVE_ASKED);
    assert_true(sfu_play_until(&server, is_gone, &server.clients[0], 3000));
    server.clients[0].gone = true;
    size_t since = server.clients[5].log_n;
    sfu_play(&server, 300);
    assert_true(sfu_heard(&server.clients[5], &server.clients[1], true, since) > 5);
    sfu_clean(&server);
    sfu_free(&server); /* with everything under way */
    for (size_t i = 1; i < N; i++) {
        size_t found = 0;
        for (size_t k = 0; k < server.events_n; k++)
            found += server.events[k].kind == 'l' && strcmp(server.events[k].who, names[i]) == 0 &&
                     server.events[k].cause == CN_LEAVE_SHUTDOWN;
        assert_int_equal(found, 1);
    }
}

static void people_come_and_go(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 3, 0);
    sfu_client *eye = sfu_join(&server, "eye", &viewer);
    for (unsigned i = 0; i < 10; i++) {
        char name[8];
        (void)cn_fmt(name, sizeof name, "g%u", i);
        sfu_client *guest = sfu_join(&server, name, &sender);
        guest->level = 20;
        sfu_show_one(eye, name, 320);
        sfu_hears(&server, eye, guest, true, 8);
        if (i % 2)
            rtc_client_bye(guest->c);
        else
            cn_media_leave(server.media, name, CN_LEAVE_ASKED);
        assert_true(sfu_play_until(&server, is_gone, guest, 3000));
        guest->gone = true;
        sfu_event event = {0};
        (void)sfu_events(&server, 'l', name, 0, &event);
        assert_int_equal(event.cause, i % 2 ? CN_LEAVE_CLOSED : CN_LEAVE_ASKED);
    }
    assert_true(sfu_whole(eye, sfu_slot_ssrc(eye, "v0", NULL), 0) > 60);
    events_name_the_sender(&server, eye, "v0");
    sfu_clean(&server);
    sfu_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_gets_everybody),
        cmocka_unit_test(a_joiner_does_not_wait_for_the_publisher),
        cmocka_unit_test(slots_change_without_a_seam),
        cmocka_unit_test(layers_change_without_a_seam),
        cmocka_unit_test(a_layer_that_ends_is_left_at_once),
        cmocka_unit_test(what_a_publisher_loses_is_asked_again),
        cmocka_unit_test(what_never_comes_ends_in_a_key_frame),
        cmocka_unit_test(what_a_receiver_misses_is_sent_again),
        cmocka_unit_test(key_frame_requests_are_throttled),
        cmocka_unit_test(reports_go_both_ways),
        cmocka_unit_test(transport_numbers_count_every_packet),
        cmocka_unit_test(loss_steps_layers_down),
        cmocka_unit_test(a_ceiling_is_obeyed_at_once),
        cmocka_unit_test(ice_restarts_and_media_goes_on),
        cmocka_unit_test(who_falls_silent_is_gone),
        cmocka_unit_test(who_is_not_heard_is_told_at_once),
        cmocka_unit_test(replays_are_counted_and_harmless),
        cmocka_unit_test(a_captured_check_draws_no_media),
        cmocka_unit_test(garbage_is_counted_and_harmless),
        cmocka_unit_test(a_room_spans_workers),
        cmocka_unit_test(people_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
