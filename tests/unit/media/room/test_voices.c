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
    choir *w = arg;
    if (cn_mono_ms() < w->from_ms + 400) return false;
    uint32_t got = 0;
    for (size_t i = 0; i < w->s->n; i++)
        if (sfu_heard(w->ear, &w->s->clients[i], false, w->since) > 5) got |= 1u << i;
    if (got == w->expected) return true;
    w->since = w->ear->log_n; /* another look at the next moment */
    w->from_ms = cn_mono_ms();
    return false;
}

typedef struct speaker_wait {
    sfu *s;
    const char *name;
} speaker_wait;

static bool speaks(void *arg)
{
    const speaker_wait *w = arg;
    sfu_event e = {0};
    return sfu_events(w->s, 'p', NULL, 0, &e) > 0 && strcmp(e.who, w->name) == 0;
}

static void the_loudest_are_heard(void **state)
{
    (void)state;
    static sfu s;
    static const char *const names[] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6"};
    static const uint8_t loud_low[] = {10, 24, 26, 28, 60, 65, 70}, loud_high[] = {65, 70, 26, 28, 60, 10, 24};
    const sfu_shape voice = {.audio = true, .audio_slots = 4};
    sfu_new(&s, 2, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) sfu_join(&s, names[i], &voice);
    for (size_t i = 0; i < COUNT_OF(names); i++) s.clients[i].level = loud_low[i];
    /* the room ranks more than these four slots can play */
    choir ear = {&s, &s.clients[6], 0x0f, s.clients[6].log_n, cn_mono_ms()};
    assert_true(sfu_play_until(&s, only_these, &ear, 8000));
    speaker_wait first = {&s, "c0"}, then = {&s, "c5"};
    assert_true(sfu_play_until(&s, speaks, &first, 5000));
    for (size_t i = 0; i < COUNT_OF(names); i++) s.clients[i].level = loud_high[i];
    choir later = {&s, &s.clients[4], 1u << 2 | 1u << 3 | 1u << 5 | 1u << 6, s.clients[4].log_n, cn_mono_ms()};
    assert_true(sfu_play_until(&s, only_these, &later, 8000));
    for (size_t i = 0; i < s.n; i++) assert_int_equal(sfu_heard(&s.clients[i], &s.clients[i], false, 0), 0);
    assert_true(sfu_play_until(&s, speaks, &then, 5000));
    for (unsigned i = 0; i < 4; i++) {
        const char mid[] = {'a', (char)('0' + i), 0};
        (void)sfu_whole(&s.clients[4], sfu_slot_ssrc(&s.clients[4], mid, NULL), 0);
    }
    sfu_clean(&s);
    sfu_free(&s);
}

/* As many as there are slots, and `expected` among them: who of the others is loudest changes while they speak on. */
static bool all_slots_sound(void *arg)
{
    choir *w = arg;
    if (cn_mono_ms() < w->from_ms + 400) return false;
    uint32_t got = 0;
    for (size_t i = 0; i < w->s->n; i++)
        if (sfu_heard(w->ear, &w->s->clients[i], false, w->since) > 5) got |= 1u << i;
    if (__builtin_popcount(got) == (int)w->ear->shape.audio_slots && (got & w->expected) == w->expected) return true;
    w->since = w->ear->log_n;
    w->from_ms = cn_mono_ms();
    return false;
}

/* Slot 0 is for whoever is large, in sync with his picture; while he is silent, another voice is heard there. */
static void a_silent_large_one_takes_nobodys_place(void **state)
{
    (void)state;
    static sfu s;
    static const char *const names[] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"};
    static const uint8_t level[] = {10, 14, 26, 28, 40, 42, 44, 127, 127};
    const sfu_shape voice = {.audio = true, .audio_slots = 4},
                    looker = {.audio = true, .audio_slots = 4, .video_slots = 1};
    sfu_new(&s, 2, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++) sfu_join(&s, names[i], i == 8 ? &looker : &voice);
    for (size_t i = 0; i < COUNT_OF(names); i++) s.clients[i].level = level[i];
    sfu_client *ear = &s.clients[8];
    sfu_show_one(ear, "c7", 640);
    choir four = {&s, ear, 0, ear->log_n, cn_mono_ms()};
    assert_true(sfu_play_until(&s, all_slots_sound, &four, 8000));
    assert_int_equal(sfu_heard(ear, &s.clients[7], false, four.since), 0);
    s.clients[7].level = 5;
    choir with_him = {&s, ear, 1u << 7, ear->log_n, cn_mono_ms()};
    assert_true(sfu_play_until(&s, all_slots_sound, &with_him, 8000));
    size_t slots = 0;
    pthread_mutex_lock(&s.lock);
    for (size_t i = 0; i < s.events_n; i++) {
        const sfu_event *e = &s.events[i];
        if (e->kind == 's' && !strcmp(e->who, "c8") && !strcmp(e->from, "c7") && !strcmp(e->mid, "a0")) slots++;
    }
    pthread_mutex_unlock(&s.lock);
    assert_true(slots > 0);
    sfu_clean(&s);
    sfu_free(&s);
}

#define WORD 8 /* packets */

/* When the first packet of the word came to an ear that heard all of it in order; 0: something is missing. */
static uint64_t heard_word(const sfu_client *ear, const sfu_client *from, size_t since)
{
    uint64_t first_ns = 0;
    uint32_t next = from->word_frame;
    for (size_t i = since; i < ear->log_n && next < from->word_frame + WORD; i++) {
        const sfu_packet *p = &ear->log[i];
        if (p->video || p->probe || p->stamp.sender != from->index || p->stamp.frame < next) continue;
        if (p->stamp.frame > next++) return 0;
        if (!first_ns) first_ns = p->at_ns;
    }
    return next == from->word_frame + WORD ? first_ns : 0;
}

/* Fifteen microphones, four people talking; whoever begins to speak is heard by all from the first packet of the first
 * word, within 100 ms. */
static void a_first_word_is_whole(void **state)
{
    (void)state;
    static sfu s;
    sfu_new(&s, 2, 0);
    for (unsigned i = 0; i < 15; i++) {
        char name[8];
        (void)cn_fmt(name, sizeof name, "c%u", i);
        (void)sfu_join(&s, name, &(sfu_shape){.audio = true, .red = i % 3 == 0, .audio_slots = 5});
    }
    for (unsigned i = 0; i < 4; i++) s.clients[i].level = (uint8_t)(26 + i);
    sfu_play(&s, 1500);
    uint64_t slowest = 0;
    for (unsigned turn = 0; turn < 10; turn++) {
        sfu_client *who = &s.clients[5 + turn];
        size_t since[SFU_CLIENTS];
        for (size_t i = 0; i < s.n; i++) since[i] = s.clients[i].log_n;
        while (who->audio_packets % 12 < 8) sfu_play(&s, 2); /* begins with a whole word */
        who->word_ns = 0;
        who->level = 20;
        sfu_play(&s, 400);
        who->level = 127;
        for (size_t i = 0; i < s.n; i++) {
            const sfu_client *ear = &s.clients[i];
            uint64_t at = ear == who ? who->word_ns : heard_word(ear, who, since[i]);
            if (!at) fail_msg("%s did not hear all of %s's first word", ear->name, who->name);
            if (at - who->word_ns > slowest) slowest = at - who->word_ns;
        }
        sfu_play(&s, 600);
    }
    print_message("the slowest first word began %.0f ms after it was spoken\n", (double)slowest / 1e6);
    assert_in_range(slowest, 0, 100 * 1000000ull);
    for (size_t i = 0; i < s.n; i++) assert_int_equal(sfu_heard(&s.clients[i], &s.clients[i], false, 0), 0);
    for (char slot = '0'; slot < '5'; slot++)
        (void)sfu_whole(&s.clients[14], sfu_slot_ssrc(&s.clients[14], (char[]){'a', slot, 0}, NULL), 0);
    sfu_clean(&s);
    sfu_free(&s);
}

/* How many of a sender's packets since `from` came under a payload type, and with how many older blocks at least. */
static size_t heard_as(const sfu_client *c, const sfu_client *from, size_t since, uint8_t pt, unsigned older)
{
    size_t n = 0;
    for (size_t i = since; i < c->log_n; i++) {
        const sfu_packet *p = &c->log[i];
        n += !p->video && !p->probe && p->stamp.sender == from->index && p->pt == pt && p->older >= older;
    }
    return n;
}

/* Redundancy goes to those who take it, whole once it is all of the slot's present source; others get Opus alone. */
static void redundancy_goes_to_those_who_take_it(void **state)
{
    (void)state;
    static sfu s;
    const sfu_shape red = {.audio = true, .red = true, .audio_slots = 2};
    const sfu_shape plain = {.audio = true, .audio_slots = 2}, red_ear = {.red = true, .audio_slots = 1};
    sfu_new(&s, 2, 0);
    sfu_client *anna = sfu_join(&s, "anna", &red), *bob = sfu_join(&s, "bob", &plain);
    sfu_client *carl = sfu_join(&s, "carl", &red), *ear = sfu_join(&s, "ear", &red_ear);
    assert_non_null(strstr(ear->answer, "a=fmtp:63 111/111\r\n"));
    assert_null(strstr(bob->answer, "red/"));
    sfu_client *const turns[] = {anna, bob, carl, anna};
    for (size_t t = 0; t < COUNT_OF(turns); t++) {
        for (size_t i = 0; i < s.n; i++) s.clients[i].level = &s.clients[i] == turns[t] ? 20 : 127;
        size_t ear_since = ear->log_n, bob_since = bob->log_n;
        sfu_hears(&s, ear, turns[t], false, 20);
        sfu_play(&s, 200);
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
    sfu_clean(&s);
    sfu_free(&s);
}

/* Pauses without packets: no number is missing, time stamps run as the speaker's, and so do the reports that lip sync
 * follows. */
static void pauses_without_packets_leave_no_seam(void **state)
{
    (void)state;
    static sfu s;
    const sfu_shape red = {.audio = true, .red = true, .audio_slots = 1}, ear = {.red = true, .audio_slots = 1};
    sfu_new(&s, 2, 0);
    sfu_client *anna = sfu_join(&s, "anna", &red), *eva = sfu_join(&s, "eva", &ear);
    anna->dtx = true;
    anna->level = 20;
    sfu_hears(&s, eva, anna, false, 3);
    size_t since = eva->log_n;
    sfu_play(&s, 5000);
    uint32_t ssrc = sfu_slot_ssrc(eva, "a0", NULL);
    assert_in_range(sfu_whole(eva, ssrc, since), 60, 160);
    size_t n = sfu_of(eva, ssrc, since, indexes, INDEXES), pauses = 0;
    for (size_t i = 1; i < n; i++) {
        const sfu_packet *a = &eva->log[indexes[i - 1]], *b = &eva->log[indexes[i]];
        assert_int_equal(b->ts - a->ts, (b->stamp.frame - a->stamp.frame) * 960);
        pauses += b->stamp.frame - a->stamp.frame > 1;
    }
    assert_true(pauses >= 6);
    /* a report's time stamp is that of the last packet, and the time since then */
    size_t reports = 0, near = 0;
    for (size_t i = 0; i < eva->rtcp_n; i++) {
        cn_rtcp_it it;
        cn_rtcp pkt;
        cn_rtcp_sr sr;
        const sfu_control *r = &eva->rtcp[i];
        assert_ok(cn_rtcp_open(&it, r->bytes, r->n));
        if (!cn_rtcp_next(&it, &pkt) || !cn_rtcp_sr_read(&pkt, &sr) || sr.ssrc != ssrc) continue;
        const sfu_packet *last = NULL;
        for (size_t k = 0; k < n && eva->log[indexes[k]].at_ns <= r->at_ns; k++) last = &eva->log[indexes[k]];
        if (!last) continue;
        double ahead = (double)(int32_t)(sr.rtp_ts - last->ts) / 48000;
        reports++;
        near += fabs(ahead - (double)(r->at_ns - last->at_ns) / 1e9) < 0.08;
    }
    assert_true(reports >= 3);
    assert_in_range(near, reports - reports / 4, reports); /* this thread may have had to wait once */
    sfu_event e = {0};
    assert_true(sfu_events(&s, 'p', NULL, 0, &e) > 0);
    assert_string_equal(e.who, "anna");
    sfu_clean(&s);
    sfu_free(&s);
}

static void report_about(sfu_client *c, uint32_t ssrc, uint8_t fraction)
{
    uint8_t packet[100];
    cn_rtcp_block b = {.ssrc = ssrc, .fraction_lost = fraction, .lost = 5, .highest_seq = 1};
    size_t n = cn_rtcp_write_rr(packet, sizeof packet, 1, &b, 1);
    assert_true(n && cn_client_rtcp(c->c, packet, n));
}

typedef struct told_loss {
    const sfu_client *c;
    uint8_t fraction;
    size_t from;
} told_loss;

static bool is_told(void *arg)
{
    const told_loss *w = arg;
    cn_rtcp last;
    cn_rtcp_block b;
    bool told = false;
    if (!sfu_controls(w->c, CN_RTCP_RR, w->from, &last)) return false;
    for (size_t i = 0; cn_rtcp_block_read(&last, i, &b); i++) {
        assert_int_equal(b.lost, 0); /* nothing was lost on the way here */
        told = told || (b.ssrc == w->c->audio_ssrc && b.fraction_lost == w->fraction);
    }
    return told;
}

static void speaker_is_told(sfu *s, const sfu_client *c, uint8_t fraction)
{
    told_loss w = {c, fraction, c->rtcp_n};
    assert_true(sfu_play_until(s, is_told, &w, 4000));
}

/* Listeners' reports reach the speaker's encoder, whichever workers they are on. */
static void a_speaker_hears_of_the_worst_listener(void **state)
{
    (void)state;
    static sfu s;
    const sfu_shape voice = {.audio = true, .audio_slots = 1}, ear = {.audio_slots = 1};
    sfu_new(&s, 2, 0);
    sfu_client *anna = sfu_join(&s, "anna", &voice), *near = sfu_join(&s, "near", &ear),
               *far = sfu_join(&s, "far", &ear);
    uint32_t near_ssrc = sfu_slot_ssrc(near, "a0", NULL), far_ssrc = sfu_slot_ssrc(far, "a0", NULL);
    anna->level = 20;
    sfu_hears(&s, near, anna, false, 10);
    sfu_hears(&s, far, anna, false, 10);
    speaker_is_told(&s, anna, 0);
    report_about(near, near_ssrc, 30);
    speaker_is_told(&s, anna, 30);
    report_about(far, far_ssrc, 64);
    speaker_is_told(&s, anna, 64);
    report_about(far, far_ssrc, 3);
    speaker_is_told(&s, anna, 30);
    cn_media_leave(s.media, "near", CN_LEAVE_ASKED);
    near->gone = true;
    speaker_is_told(&s, anna, 3);
    sfu_clean(&s);
    sfu_free(&s);
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
