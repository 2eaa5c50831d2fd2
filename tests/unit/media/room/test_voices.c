/* Voices through the whole SFU: who is heard, redundancy, pauses, and what speakers are told of their listeners. */
#include "cn_test.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "support_sfu.h"

#define INDEXES 12000

static size_t indexes[INDEXES];

/* ---- voices ---- */

typedef struct choir {
    sfu *s;
    const sfu_client *ear;
    uint32_t expected; /* bits of the clients that are heard, and nobody else */
    size_t since;
    uint64_t from_ms;
} choir;

static bool only_these(void *arg)
{
    choir *singers = arg;
    if (cn_mono_ms() < singers->from_ms + 400) return false;
    uint32_t got = 0;
    for (size_t i = 0; i < singers->s->n; i++)
        if (sfu_heard(singers->ear, &singers->s->clients[i], false, singers->since) > 5) got |= 1u << i;
    if (got == singers->expected) return true;
    singers->since = singers->ear->log_n; /* another look at the next moment */
    singers->from_ms = cn_mono_ms();
    return false;
}

typedef struct speaker_wait {
    sfu *s;
    const char *name;
} speaker_wait;

static bool speaks(void *arg)
{
    const speaker_wait *wait = arg;
    sfu_event event = {0};
    return sfu_events(wait->s, 'p', NULL, 0, &event) > 0 && strcmp(event.who, wait->name) == 0;
}

static void the_loudest_are_heard(void **state)
{
    (void)state;
    static sfu server;
    static const char *const names[] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6"};
    static const uint8_t loud_low[] = {10, 24, 26, 28, 60, 65, 70}, loud_high[] = {65, 70, 26, 28, 60, 10, 24};
    const sfu_shape voice = {.audio = true, .audio_slots = 4};
    sfu_new(&server, 2, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) sfu_join(&server, names[i], &voice);
    for (size_t i = 0; i < COUNT_OF(names); i++) server.clients[i].level = loud_low[i];
    /* the room ranks more than these four slots can play */
    choir ear = {&server, &server.clients[6], 0x0f, server.clients[6].log_n, cn_mono_ms()};
    assert_true(sfu_play_until(&server, only_these, &ear, 8000));
    speaker_wait first = {&server, "c0"}, then = {&server, "c5"};
    assert_true(sfu_play_until(&server, speaks, &first, 5000));
    for (size_t i = 0; i < COUNT_OF(names); i++) server.clients[i].level = loud_high[i];
    choir later = {&server, &server.clients[4], 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6, server.clients[4].log_n,
                   cn_mono_ms()};
    assert_true(sfu_play_until(&server, only_these, &later, 8000));
    for (size_t i = 0; i < server.n; i++)
        assert_int_equal(sfu_heard(&server.clients[i], &server.clients[i], false, 0), 0);
    assert_true(sfu_play_until(&server, speaks, &then, 5000));
    for (unsigned i = 0; i < 4; i++) {
        const char mid[] = {'a', (char)('0' + i), 0};
        (void)sfu_whole(&server.clients[4], sfu_slot_ssrc(&server.clients[4], mid, NULL), 0);
    }
    sfu_clean(&server);
    sfu_free(&server);
}

/* As many as there are slots, and `expected` among them: who of the others is loudest changes while they speak on. */
static bool all_slots_sound(void *arg)
{
    choir *singers = arg;
    if (cn_mono_ms() < singers->from_ms + 400) return false;
    uint32_t got = 0;
    for (size_t i = 0; i < singers->s->n; i++)
        if (sfu_heard(singers->ear, &singers->s->clients[i], false, singers->since) > 5) got |= 1u << i;
    if (__builtin_popcount(got) == (int)singers->ear->shape.audio_slots &&
        (got & singers->expected) == singers->expected)
        return true;
    singers->since = singers->ear->log_n;
    singers->from_ms = cn_mono_ms();
    return false;
}

/* Slot 0 is for whoever is large, in sync with his picture; while he is silent, another voice is heard there. */
static void a_silent_large_one_takes_nobodys_place(void **state)
{
    (void)state;
    static sfu server;
    static const char *const names[] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"};
    static const uint8_t level[] = {10, 14, 26, 28, 40, 42, 44, 127, 127};
    const sfu_shape voice = {.audio = true, .audio_slots = 4},
                    looker = {.audio = true, .audio_slots = 4, .video_slots = 1};
    sfu_new(&server, 2, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) sfu_join(&server, names[i], i == 8 ? &looker : &voice);
    for (size_t i = 0; i < COUNT_OF(names); i++) server.clients[i].level = level[i];
    sfu_client *ear = &server.clients[8];
    sfu_show_one(ear, "c7", 640);
    choir four = {&server, ear, 0, ear->log_n, cn_mono_ms()};
    assert_true(sfu_play_until(&server, all_slots_sound, &four, 8000));
    assert_int_equal(sfu_heard(ear, &server.clients[7], false, four.since), 0);
    server.clients[7].level = 5;
    choir with_him = {&server, ear, 1u << 7, ear->log_n, cn_mono_ms()};
    assert_true(sfu_play_until(&server, all_slots_sound, &with_him, 8000));
    size_t slots = 0;
    pthread_mutex_lock(&server.lock);
    for (size_t i = 0; i < server.events_n; i++) {
        const sfu_event *event = &server.events[i];
        if (event->kind == 's' && !strcmp(event->who, "c8") && !strcmp(event->from, "c7") && !strcmp(event->mid, "a0"))
            slots++;
    }
    pthread_mutex_unlock(&server.lock);
    assert_true(slots > 0);
    sfu_clean(&server);
    sfu_free(&server);
}

#define WORD 8 /* packets */
#ifdef __SANITIZE_THREAD__
#define WORD_MS 300 /* slow threads */
#else
#define WORD_MS 100
#endif

/* When the first packet of the word came to an ear that heard all of it in order; 0: something is missing. */
static uint64_t heard_word(const sfu_client *ear, const sfu_client *from, size_t since)
{
    uint64_t first_ns = 0;
    uint32_t next = from->word_frame;
    for (size_t i = since; i < ear->log_n && next < from->word_frame + WORD; i++) {
        const sfu_packet *packet = &ear->log[i];
        if (packet->video || packet->probe || packet->stamp.sender != from->index || packet->stamp.frame < next)
            continue;
        if (packet->stamp.frame > next++) return 0;
        if (!first_ns) first_ns = packet->at_ns;
    }
    return next == from->word_frame + WORD ? first_ns : 0;
}

/* Everybody has heard a word: when the first of it came to the last one. */
typedef struct word_wait {
    const sfu *server;
    const sfu_client *who;
    size_t since[SFU_CLIENTS];
    const sfu_client *missing; /* who has not heard all of it yet */
    uint64_t slowest_ns;
} word_wait;

static bool all_heard(void *arg)
{
    word_wait *wait = arg;
    wait->missing = NULL;
    wait->slowest_ns = 0;
    for (size_t i = 0; i < wait->server->n; i++) {
        const sfu_client *ear = &wait->server->clients[i];
        uint64_t at = ear == wait->who ? wait->who->word_ns : heard_word(ear, wait->who, wait->since[i]);
        if (!at) {
            wait->missing = ear;
            return false;
        }
        if (at - wait->who->word_ns > wait->slowest_ns) wait->slowest_ns = at - wait->who->word_ns;
    }
    return true;
}

/* Fifteen microphones, four people talking; whoever begins to speak is heard by all from the first packet of the first
 * word, within 100 ms. */
static void a_first_word_is_whole(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 2, 0);
    for (unsigned i = 0; i < 15; i++) {
        char name[8];
        (void)cn_fmt(name, sizeof name, "c%u", i);
        (void)sfu_join(&server, name, &(sfu_shape){.audio = true, .red = i % 3 == 0, .audio_slots = 5});
    }
    for (unsigned i = 0; i < 4; i++) server.clients[i].level = (uint8_t)(26 + i);
    sfu_play(&server, 1500);
    uint64_t slowest = 0;
    for (unsigned turn = 0; turn < 10; turn++) {
        sfu_client *who = &server.clients[5 + turn];
        word_wait wait = {.server = &server, .who = who};
        for (size_t i = 0; i < server.n; i++) wait.since[i] = server.clients[i].log_n;
        while (who->audio_packets % 12 < 8) sfu_play(&server, 2); /* begins with a whole word */
        who->word_ns = 0;
        who->level = 20;
        sfu_play(&server, 300);
        if (!sfu_play_until(&server, all_heard, &wait, 2000))
            fail_msg("%s did not hear all of %s's first word", wait.missing->name, who->name);
        who->level = 127;
        if (wait.slowest_ns > slowest) slowest = wait.slowest_ns;
        sfu_play(&server, 600);
    }
    print_message("the slowest first word began %.0f ms after it was spoken\n", (double)slowest / 1e6);
    assert_in_range(slowest, 0, WORD_MS * 1000000ull);
    for (size_t i = 0; i < server.n; i++)
        assert_int_equal(sfu_heard(&server.clients[i], &server.clients[i], false, 0), 0);
    for (char slot = '0'; slot < '5'; slot++)
        (void)sfu_whole(&server.clients[14], sfu_slot_ssrc(&server.clients[14], (char[]){'a', slot, 0}, NULL), 0);
    sfu_clean(&server);
    sfu_free(&server);
}

/* How many of a sender's packets since `from` came under a payload type, and with how many older blocks at least. */
static size_t heard_as(const sfu_client *client, const sfu_client *from, size_t since, uint8_t pt, unsigned older)
{
    size_t n = 0;
    for (size_t i = since; i < client->log_n; i++) {
        const sfu_packet *packet = &client->log[i];
        n += !packet->video && !packet->probe && packet->stamp.sender == from->index && packet->pt == pt &&
             packet->older >= older;
    }
    return n;
}

/* Redundancy goes to those who take it, whole once it is all of the slot's present source; others get Opus alone. */
static void redundancy_goes_to_those_who_take_it(void **state)
{
    (void)state;
    static sfu server;
    const sfu_shape red = {.audio = true, .red = true, .audio_slots = 2};
    const sfu_shape plain = {.audio = true, .audio_slots = 2}, red_ear = {.red = true, .audio_slots = 1};
    sfu_new(&server, 2, 0);
    sfu_client *anna = sfu_join(&server, "anna", &red), *bob = sfu_join(&server, "bob", &plain);
    sfu_client *carl = sfu_join(&server, "carl", &red), *ear = sfu_join(&server, "ear", &red_ear);
    assert_non_null(strstr(ear->answer, "a=fmtp:63 111/111\r\n"));
    assert_null(strstr(bob->answer, "red/"));
    sfu_client *const turns[] = {anna, bob, carl, anna};
    for (size_t t = 0; t < COUNT_OF(turns); t++) {
        for (size_t i = 0; i < server.n; i++) server.clients[i].level = &server.clients[i] == turns[t] ? 20 : 127;
        size_t ear_since = ear->log_n, bob_since = bob->log_n;
        sfu_hears(&server, ear, turns[t], false, 20);
        sfu_play(&server, 200);
        bool redundant = turns[t] != bob;
        size_t n = sfu_heard(ear, turns[t], false, ear_since);
        /* the first ones after the change carry less: nothing from before it */
        assert_in_range(heard_as(ear, turns[t], ear_since, redundant ? 63 : 111, redundant ? 2 : 0), n - 2, n);
        if (t) assert_in_range(heard_as(ear, turns[t], ear_since, redundant ? 63 : 111, 1), redundant ? n - 1 : 0, n);
        if (redundant && t) assert_int_equal(heard_as(ear, turns[t], ear_since, 63, 1), n - 1);
        if (redundant) assert_true(heard_as(bob, turns[t], bob_since, 111, 0) > 15);
        assert_int_equal(heard_as(bob, turns[t], bob_since, 63, 0), 0);
    }
    (void)sfu_whole(ear, sfu_slot_ssrc(ear, "a0", NULL), 0);
    (void)sfu_whole(bob, sfu_slot_ssrc(bob, "a0", NULL), 0);
    sfu_clean(&server);
    sfu_free(&server);
}

/* Pauses without packets: no number is missing, time stamps run as the speaker's, and so do the reports that lip sync
 * follows. */
static void pauses_without_packets_leave_no_seam(void **state)
{
    (void)state;
    static sfu server;
    const sfu_shape red = {.audio = true, .red = true, .audio_slots = 1}, ear = {.red = true, .audio_slots = 1};
    sfu_new(&server, 2, 0);
    sfu_client *anna = sfu_join(&server, "anna", &red), *eva = sfu_join(&server, "eva", &ear);
    anna->dtx = true;
    anna->level = 20;
    sfu_hears(&server, eva, anna, false, 3);
    size_t since = eva->log_n;
    sfu_play(&server, 5000);
    uint32_t ssrc = sfu_slot_ssrc(eva, "a0", NULL);
    assert_in_range(sfu_whole(eva, ssrc, since), 60, 160);
    size_t n = sfu_of(eva, ssrc, since, indexes, INDEXES), pauses = 0;
    for (size_t i = 1; i < n; i++) {
        const sfu_packet *packet = &eva->log[indexes[i - 1]], *b = &eva->log[indexes[i]];
        assert_int_equal(b->ts - packet->ts, (b->stamp.frame - packet->stamp.frame) * 960);
        pauses += b->stamp.frame - packet->stamp.frame > 1;
    }
    assert_true(pauses >= 6);
    /* a report's time stamp is that of the last packet, and the time since then */
    size_t reports = 0, near = 0;
    for (size_t i = 0; i < eva->rtcp_n; i++) {
        cn_rtcp_it it;
        cn_rtcp pkt;
        cn_rtcp_sr sr;
        const sfu_control *control = &eva->rtcp[i];
        assert_ok(cn_rtcp_open(&it, control->bytes, control->n));
        if (!cn_rtcp_next(&it, &pkt) || !cn_rtcp_sr_read(&pkt, &sr) || sr.ssrc != ssrc) continue;
        const sfu_packet *last = NULL;
        for (size_t k = 0; k < n && eva->log[indexes[k]].at_ns <= control->at_ns; k++) last = &eva->log[indexes[k]];
        if (!last) continue;
        double ahead = (double)(int32_t)(sr.rtp_ts - last->ts) / 48000;
        reports++;
        near += fabs(ahead - (double)(control->at_ns - last->at_ns) / 1e9) < 0.08;
    }
    assert_true(reports >= 3);
    assert_in_range(near, reports - reports / 4, reports); /* this thread may have had to wait once */
    sfu_event event = {0};
    assert_true(sfu_events(&server, 'p', NULL, 0, &event) > 0);
    assert_string_equal(event.who, "anna");
    sfu_clean(&server);
    sfu_free(&server);
}

static void report_about(sfu_client *client, uint32_t ssrc, uint8_t fraction)
{
    uint8_t packet[100];
    cn_rtcp_block block = {.ssrc = ssrc, .fraction_lost = fraction, .lost = 5, .highest_seq = 1};
    size_t n = cn_rtcp_write_rr(packet, sizeof packet, 1, &block, 1);
    assert_true(n && rtc_client_rtcp(client->c, packet, n));
}

typedef struct told_loss {
    const sfu_client *c;
    uint8_t fraction;
    size_t from;
} told_loss;

static bool is_told(void *arg)
{
    const told_loss *loss = arg;
    cn_rtcp last;
    cn_rtcp_block block;
    bool told = false;
    if (!sfu_controls(loss->c, CN_RTCP_RR, loss->from, &last)) return false;
    for (size_t i = 0; cn_rtcp_block_read(&last, i, &block); i++) {
        assert_int_equal(block.lost, 0); /* nothing was lost on the way here */
        told = told || (block.ssrc == loss->c->audio_ssrc && block.fraction_lost == loss->fraction);
    }
    return told;
}

static void speaker_is_told(sfu *server, const sfu_client *client, uint8_t fraction)
{
    told_loss loss = {client, fraction, client->rtcp_n};
    assert_true(sfu_play_until(server, is_told, &loss, 4000));
}

/* Listeners' reports reach the speaker's encoder, whichever workers they are on. */
static void a_speaker_hears_of_the_worst_listener(void **state)
{
    (void)state;
    static sfu server;
    const sfu_shape voice = {.audio = true, .audio_slots = 1}, ear = {.audio_slots = 1};
    sfu_new(&server, 2, 0);
    sfu_client *anna = sfu_join(&server, "anna", &voice), *near = sfu_join(&server, "near", &ear),
               *far = sfu_join(&server, "far", &ear);
    uint32_t near_ssrc = sfu_slot_ssrc(near, "a0", NULL), far_ssrc = sfu_slot_ssrc(far, "a0", NULL);
    anna->level = 20;
    sfu_hears(&server, near, anna, false, 10);
    sfu_hears(&server, far, anna, false, 10);
    speaker_is_told(&server, anna, 0);
    report_about(near, near_ssrc, 30);
    speaker_is_told(&server, anna, 30);
    report_about(far, far_ssrc, 64);
    speaker_is_told(&server, anna, 30); /* one alone is not believed everything */
    report_about(near, near_ssrc, 60);
    speaker_is_told(&server, anna, 60);
    report_about(far, far_ssrc, 3);
    speaker_is_told(&server, anna, 26);
    report_about(near, near_ssrc, 255);
    speaker_is_told(&server, anna, 26);
    cn_media_leave(server.media, "near", CN_LEAVE_ASKED);
    near->gone = true;
    speaker_is_told(&server, anna, 3);
    sfu_clean(&server);
    sfu_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loudest_are_heard),
        cmocka_unit_test(a_silent_large_one_takes_nobodys_place),
        cmocka_unit_test(a_first_word_is_whole),
        cmocka_unit_test(redundancy_goes_to_those_who_take_it),
        cmocka_unit_test(pauses_without_packets_leave_no_seam),
        cmocka_unit_test(a_speaker_hears_of_the_worst_listener),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
