/* Viewers who have nothing but receiver reports, or not even those; and encoders that do not listen. */
#include "cn_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "support_sfu.h"

static const sfu_shape encoder = {.audio = true, .layers = 1, .packets = 22};
static const sfu_shape player = {.plain = true, .audio_slots = 1, .video_slots = 1};

static bool has_seen_much(void *arg)
{
    const sfu_client *client = arg;
    return client->log_n > 22 * SFU_FPS * 3;
}

/* 3 Mbit/s in one layer: more than is believed to fit at first. */
static void a_plain_player_sees_an_encoder(void **state)
{
    (void)state;
    static sfu server;
    uint32_t rtx = 1;
    for (unsigned reports = 0; reports < 2; reports++) {
        sfu_new(&server, 2, 0);
        (void)sfu_join(&server, "anna", &encoder);
        sfu_play(&server, 2500); /* its rate is known by now */
        sfu_client *eye = sfu_join(&server, "eye", &player);
        (void)sfu_slot_ssrc(eye, "v0", &rtx);
        assert_int_equal(rtx, 0); /* none was agreed */
        eye->reports = reports;
        sfu_show_one(eye, "anna", 640);
        assert_true(sfu_play_until(&server, has_seen_much, eye, 20000));
        sfu_clean(&server);
        sfu_free(&server);
    }
}

static bool is_clocked(void *arg)
{
    return sfu_controls(arg, CN_RTCP_SR, 0, NULL) >= 4;
}

/* An encoder without sender reports: viewers get theirs by when packets came. */
static void viewers_have_the_time_of_who_tells_none(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape clockless = {.layers = 1, .no_clock = true}, viewer = {.video_slots = 1};
    sfu_new(&server, 2, 0);
    (void)sfu_join(&server, "anna", &clockless);
    sfu_client *eye = sfu_join(&server, "eye", &viewer);
    sfu_show_one(eye, "anna", 640);
    assert_true(sfu_play_until(&server, is_clocked, eye, 12000));
    cn_rtcp last;
    cn_rtcp_sr sr;
    assert_true(sfu_controls(eye, CN_RTCP_SR, 0, &last) && cn_rtcp_sr_read(&last, &sr));
    int64_t wall_ms = (cn_wall_ns() - (int64_t)cn_mono_ns()) / 1000000, least = INT64_MAX;
    int64_t then = (int64_t)((sr.ntp >> 32) - 2208988800u) * 1000 + (int64_t)((sr.ntp & 0xffffffff) * 1000 >> 32);
    for (size_t i = 0; i < eye->log_n; i++) { /* some of them came without delay */
        int64_t late = wall_ms + (int64_t)eye->log[i].at_ns / 1000000 - then;
        late -= (int32_t)(eye->log[i].ts - sr.rtp_ts) / 90;
        if (late < least) least = late;
    }
    assert_true(llabs(least) < 5000); /* her clock slips while this thread cannot run */
    sfu_clean(&server);
    sfu_free(&server);
}

static void pli_send(sfu_client *client)
{
    uint8_t pli[16];
    size_t n = cn_rtcp_write_pli(pli, sizeof pli, 1, sfu_slot_ssrc(client, "v0", NULL));
    assert_true(rtc_client_rtcp(client->c, pli, n));
}

/* Key frames when it likes (OBS): requests thin out, and one follows at once after a key frame. */
static void who_does_not_listen_is_asked_less_and_less(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape deaf = {.audio = true, .layers = 1}, viewer = {.video_slots = 1};
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &deaf), *eye = sfu_join(&server, "eye", &viewer);
    anna->deaf = true;
    anna->key_every = 10000;
    sfu_play(&server, 1500);
    sfu_show_one(eye, "anna", 640);
    sfu_play(&server, 4000);
    assert_in_range(anna->layer[0].plis, 5, 11);
    unsigned before = anna->layer[0].plis;
    anna->deaf = false;
    anna->layer[0].key_wanted = true;
    sfu_hears(&server, eye, anna, true, 10);
    anna->deaf = true;
    assert_true(anna->layer[0].plis <= before + 1);
    before = anna->layer[0].plis;
    pli_send(eye);
    sfu_play(&server, 200);
    assert_in_range(anna->layer[0].plis - before, 1, 3);
    sfu_clean(&server);
    sfu_free(&server);
}

static bool sees_a_key_frame(void *arg)
{
    const sfu_client *client = arg;
    for (size_t i = 0; i < client->log_n; i++)
        if (client->log[i].video && client->log[i].key) return true;
    return false;
}

static bool was_asked_in_vain(void *arg)
{
    const sfu_client *client = arg;
    return client->layer[0].plis > 8;
}

static bool has_caught_up(void *arg)
{
    const sfu_client *client = arg, *from = &client->sfu->clients[0];
    return from->layer[0].frames - client->log[client->log_n - 1].stamp.frame < 4;
}

static bool has_no_wish(void *arg)
{
    return !((const sfu_client *)arg)->layer[0].key_wanted;
}

/* And nobody watches; 1.5 s later it is older than other runs may be. */
static void key_frame_when_it_likes(sfu_client *client)
{
    sfu_play(client->sfu, 1000); /* not as an answer */
    client->layer[0].key_wanted = true;
    client->deaf = false;
    assert_true(sfu_play_until(client->sfu, has_no_wish, client, 5000));
    client->deaf = true;
    sfu_play(client->sfu, 1500);
}

/* Once it is known that it does not listen, newcomers see what came since its last key frame, on whichever worker. */
static void newcomers_see_a_deaf_encoder_at_once(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape deaf = {.layers = 1, .packets = 6}, viewer = {.video_slots = 1};
    static const char *const names[] = {"near", "far", "later", "last"};
    sfu_new(&server, 2, 0);
    sfu_client *anna = sfu_join(&server, "anna", &deaf), *eye = sfu_join(&server, "eye", &viewer);
    anna->deaf = true;
    sfu_show_one(eye, "anna", 640);
    assert_true(sfu_play_until(&server, was_asked_in_vain, anna, 20000));
    sfu_play(&server, 1500); /* everybody knows by now */
    cn_media_leave(server.media, "eye", CN_LEAVE_ASKED);
    eye->gone = true;
    for (unsigned i = 0; i < COUNT_OF(names); i++) {
        sfu_client *one = sfu_join(&server, names[i], &viewer);
        key_frame_when_it_likes(anna);
        unsigned plis = anna->layer[0].plis;
        sfu_show_one(one, "anna", 640);
        assert_true(sfu_play_until(&server, sees_a_key_frame, one, 5000));
        assert_true(anna->layer[0].plis - plis < 4);
        if (i % 2) continue;
        cn_media_leave(server.media, names[i], CN_LEAVE_ASKED);
        one->gone = true;
    }
    sfu_client *last = &server.clients[server.n - 1];
    assert_true(sfu_play_until(&server, has_caught_up, last, 20000));
    assert_true(sfu_whole(last, sfu_slot_ssrc(last, "v0", NULL), 0) > 20);
    sfu_clean(&server);
    sfu_free(&server);
}

static void one_viewers_storm_is_not_the_speakers(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape camera = {.layers = 1}, viewer = {.video_slots = 1};
    sfu_new(&server, 2, 0);
    sfu_client *anna = sfu_join(&server, "anna", &camera), *eye = sfu_join(&server, "eye", &viewer);
    sfu_show_one(eye, "anna", 640);
    sfu_hears(&server, eye, anna, true, 10);
    unsigned before = anna->layer[0].plis;
    for (uint64_t end_ms = cn_mono_ms() + 4700; cn_mono_ms() < end_ms; sfu_play(&server, 4))
        for (unsigned i = 0; i < 10; i++) pli_send(eye);
    assert_in_range(anna->layer[0].plis - before, 1, 5);
    sfu_clean(&server);
    sfu_free(&server);
}

static bool is_doubted(void *arg)
{
    return sfu_events(arg, 'd', NULL, 0, NULL) > 0;
}

/* What watchers pay follows from the picture's size, and that costs its sender four bytes to write. */
static void a_claim_of_everything_counts_by_what_came(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape liar = {.layers = 1, .packets = 1}, viewer = {.video_slots = 1};
    sfu_event last = {0};
    sfu_new(&server, 2, 0);
    sfu_client *anna = sfu_join(&server, "anna", &liar), *eye = sfu_join(&server, "eye", &viewer);
    anna->claims = 16383;
    anna->key_every = 10;
    sfu_show_one(eye, "anna", 640);
    assert_true(sfu_play_until(&server, is_doubted, &server, 15000));
    sfu_hears(&server, eye, anna, true, 10);
    assert_int_equal(sfu_events(&server, 'd', "anna", 0, &last), 1);
    assert_int_equal(last.doubt, CN_SIZE_TOO_LARGE);
    assert_in_range(last.area, 1, 307200);
    for (size_t i = 0, n = sfu_event_count(&server); i < n; i++)
        if (sfu_events(&server, 'a', "eye", i, &last) && server.events[i].kind == 'a')
            assert_in_range(server.events[i].area, 0, 307200);
    sfu_clean(&server);
    sfu_free(&server);
}

/* A still screen: a key frame that holds it, and hardly anything after. */
static void a_still_picture_counts_as_large_as_it_is(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape screen = {.layers = 1}, viewer = {.video_slots = 1};
    sfu_new(&server, 2, 0);
    sfu_client *anna = sfu_join(&server, "anna", &screen), *eye = sfu_join(&server, "eye", &viewer);
    anna->mute = true;
    sfu_show_one(eye, "anna", 1280);
    for (unsigned i = 0; i < 15; i++) {
        sfu_frame(anna, 0, !i || anna->layer[0].key_wanted, 0);
        anna->video_ts += 27000;
        sfu_play(&server, 300);
    }
    sfu_event last = {0};
    assert_true(sfu_events(&server, 'a', "eye", 0, &last) > 0);
    assert_int_equal(last.area, 320 * 180);
    assert_int_equal(sfu_events(&server, 'd', NULL, 0, NULL), 0);
    sfu_clean(&server);
    sfu_free(&server);
}

/* FFmpeg 8 and others wait for the ClientHello: their offers say setup:passive. */
static void who_waits_for_the_handshake_is_heard_and_sees(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape quiet_ones[] = {
        {.passive = true, .audio = true, .layers = 1, .video_slots = 1},
        {.passive = true, .tcp = true, .profiles = "SRTP_AES128_CM_SHA1_80", .layers = 1, .video_slots = 1}};
    static const sfu_shape viewer = {.layers = 1, .video_slots = 1};
    for (size_t i = 0; i < 2; i++) {
        sfu_new(&server, 2, 0);
        sfu_client *anna = sfu_join(&server, "anna", &quiet_ones[i]), *eye = sfu_join(&server, "eye", &viewer);
        assert_non_null(strstr(anna->answer, "a=setup:active\r\n"));
        assert_null(strstr(anna->answer, "a=setup:passive"));
        assert_non_null(strstr(eye->answer, "a=setup:passive\r\n"));
        sfu_show_one(eye, "anna", 640);
        sfu_show_one(anna, "eye", 640);
        sfu_hears(&server, eye, anna, true, 20);
        sfu_hears(&server, anna, eye, true, 20);
        sfu_clean(&server);
        sfu_free(&server);
    }
}

/* Packets of a layer that came, and how often another layer followed. */
static size_t of_layer(const sfu_client *client, unsigned layer, unsigned *changes)
{
    size_t n = 0, last = SFU_LOG;
    *changes = 0;
    for (size_t i = 0; i < client->log_n; i++) {
        if (!client->log[i].video || client->log[i].probe) continue;
        n += client->log[i].stamp.layer == layer;
        *changes += last != SFU_LOG && client->log[i].stamp.layer != client->log[last].stamp.layer;
        last = i;
    }
    return n;
}

static bool both_see_theirs(void *arg)
{
    const sfu *server = arg;
    unsigned changes;
    return of_layer(&server->clients[1], 2, &changes) > 100 && of_layer(&server->clients[2], 0, &changes) > 40;
}

/* Plan B's simulcast: three SSRCs and no RIDs. Each is a layer of its own; they do not take turns in one. */
static void layers_by_ssrc_group(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape old = {.layers = 3, .ssrc_groups = true}, viewer = {.video_slots = 1};
    unsigned changes = 0;
    sfu_new(&server, 2, 0);
    (void)sfu_join(&server, "anna", &old);
    sfu_client *near = sfu_join(&server, "near", &viewer), *far = sfu_join(&server, "far", &viewer);
    sfu_show_one(near, "anna", 1280);
    sfu_show_one(far, "anna", 320);
    assert_true(sfu_play_until(&server, both_see_theirs, &server, 30000));
    (void)of_layer(near, 2, &changes);
    assert_true(changes < 10);
    (void)of_layer(far, 0, &changes);
    assert_true(changes < 10);
    assert_true(sfu_whole(near, sfu_slot_ssrc(near, "v0", NULL), 0) > 50);
    sfu_clean(&server);
    sfu_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_player_sees_an_encoder),
        cmocka_unit_test(viewers_have_the_time_of_who_tells_none),
        cmocka_unit_test(who_does_not_listen_is_asked_less_and_less),
        cmocka_unit_test(newcomers_see_a_deaf_encoder_at_once),
        cmocka_unit_test(one_viewers_storm_is_not_the_speakers),
        cmocka_unit_test(who_waits_for_the_handshake_is_heard_and_sees),
        cmocka_unit_test(layers_by_ssrc_group),
        cmocka_unit_test(a_claim_of_everything_counts_by_what_came),
        cmocka_unit_test(a_still_picture_counts_as_large_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
