#include "cn_test.h"

#include "media/rate/topk.h"

#define MS 1000000ull
#define TICK CN_TOPK_TICK_NS

static uint64_t seed;
static unsigned random_below(unsigned bound)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(seed >> 33) % bound;
}

/* Speech as RFC 6464 tells it: words of 200–400 ms around −30 dBov, 60–160 ms apart. */
typedef struct talker {
    unsigned left;
    bool word;
} talker;

static uint8_t talk(talker *speaker)
{
    if (!speaker->left) {
        speaker->word = !speaker->word;
        speaker->left = speaker->word ? 10 + random_below(10) : 3 + random_below(5);
    }
    speaker->left--;
    return (uint8_t)(speaker->word ? 24 + random_below(12) : 70 + random_below(10));
}

static const uint8_t quiet = 75;

static bool listed(const cn_topk *topk, unsigned index, size_t among)
{
    uint16_t list[CN_TOPK_K_MAX + 1];
    size_t n = cn_topk_list(topk, list, among);
    for (size_t i = 0; i < n; i++)
        if (list[i] == index) return true;
    return false;
}

static void bounds_are_checked(void **state)
{
    (void)state;
    cn_topk *topk = NULL;
    assert_err(cn_topk_new(&topk, 0), CN_ERR_INVALID);
    assert_err(cn_topk_new(&topk, CN_TOPK_K_MAX + 1), CN_ERR_INVALID);
    assert_ok(cn_topk_new(&topk, 3));
    assert_err(cn_topk_level(topk, CN_TOPK_MAX, 0, true, 0), CN_ERR_INVALID);
    assert_err(cn_topk_size(topk, CN_TOPK_MAX, 10, 0), CN_ERR_INVALID);
    cn_topk_remove(topk, CN_TOPK_MAX);
    cn_topk_remove(topk, 5);
    uint16_t list[4];
    assert_int_equal(cn_topk_tick(topk, 1000 * MS), 0);
    assert_int_equal(cn_topk_list(topk, list, 4), 0);
    assert_int_equal(cn_topk_speaker(topk), CN_TOPK_NOBODY);
    cn_topk_free(topk);
    cn_topk_free(NULL);
}

/* With room in the list everybody is in it before he speaks, so that nobody's first word is cut. */
static void the_first_ones_are_listed_unheard(void **state)
{
    (void)state;
    cn_topk *topk = NULL;
    assert_ok(cn_topk_new(&topk, 3));
    for (unsigned i = 0; i < 6; i++) assert_ok(cn_topk_level(topk, i, quiet, false, 1000 * MS));
    assert_int_equal(cn_topk_tick(topk, 1000 * MS), CN_TOPK_CHANGED_LIST);
    uint16_t list[8];
    assert_int_equal(cn_topk_list(topk, list, 8), 4);
    assert_int_equal(cn_topk_speaker(topk), CN_TOPK_NOBODY);
    cn_topk_remove(topk, list[1]);
    for (unsigned i = 0; i < 6; i++)
        if (i != list[1]) assert_ok(cn_topk_level(topk, i, quiet, false, 1020 * MS));
    assert_int_equal(cn_topk_tick(topk, 1020 * MS), CN_TOPK_CHANGED_LIST);
    assert_int_equal(cn_topk_list(topk, list, 8), 4); /* the next one moved up */
    cn_topk_free(topk);
}

static void a_new_speaker_is_in_within_100_ms(void **state)
{
    (void)state;
    for (seed = 1; seed < 20; seed++) {
        uint64_t keep = seed, now = 1000 * MS;
        cn_topk *topk = NULL;
        assert_ok(cn_topk_new(&topk, 3));
        talker first = {0};
        for (unsigned tick = 0; tick < 250; tick++, now += TICK) { /* one speaks, 29 listen */
            for (unsigned i = 0; i < 30; i++) assert_ok(cn_topk_level(topk, i, i ? quiet : talk(&first), true, now));
            (void)cn_topk_tick(topk, now);
        }
        assert_int_equal(cn_topk_speaker(topk), 0);
        uint64_t began = now;
        while (!listed(topk, 29, 3)) {
            for (unsigned i = 0; i < 30; i++)
                assert_ok(cn_topk_level(topk, i, i == 29 ? 30 : i ? quiet : talk(&first), true, now));
            (void)cn_topk_tick(topk, now);
            now += TICK;
            if (now - began > 100 * MS) fail_msg("seed %llu: not in after 100 ms", (unsigned long long)keep);
        }
        cn_topk_free(topk);
        seed = keep;
    }
}

static void equal_speakers_do_not_flap(void **state)
{
    (void)state;
    seed = 7;
    cn_topk *topk = NULL;
    assert_ok(cn_topk_new(&topk, 3));
    talker speaker[6] = {0};
    unsigned lists = 0, speakers = 0;
    uint64_t now = 1000 * MS;
    for (unsigned tick = 0; tick < 60 * 50; tick++, now += TICK) {
        for (unsigned i = 0; i < COUNT_OF(speaker); i++)
            assert_ok(cn_topk_level(topk, i, talk(&speaker[i]), true, now));
        unsigned changed = cn_topk_tick(topk, now);
        lists += (changed & CN_TOPK_CHANGED_LIST) != 0;
        speakers += (changed & CN_TOPK_CHANGED_SPEAKER) != 0;
    }
    print_message("six at once for 60 s: list changed %u times, speaker %u times\n", lists, speakers);
    assert_in_range(lists, 1, 60);
    assert_in_range(speakers, 1, 20);
    cn_topk_free(topk);
}

static void the_speaker_follows_a_conversation(void **state)
{
    (void)state;
    seed = 3;
    cn_topk *topk = NULL;
    assert_ok(cn_topk_new(&topk, 2));
    uint64_t now = 1000 * MS;
    unsigned changes = 0;
    for (unsigned turn = 0; turn < 10; turn++) {
        unsigned who = turn % 2;
        talker speaker = {0};
        uint64_t began = now, known = 0;
        for (unsigned tick = 0; tick < 250; tick++, now += TICK) {
            for (unsigned i = 0; i < 4; i++)
                assert_ok(cn_topk_level(topk, i, i == who ? talk(&speaker) : quiet, i == who, now));
            changes += (cn_topk_tick(topk, now) & CN_TOPK_CHANGED_SPEAKER) != 0;
            if (!known && cn_topk_speaker(topk) == (int)who) known = now;
        }
        assert_int_equal(cn_topk_speaker(topk), who);
        assert_in_range(known - began, 0, 1200 * MS);
    }
    assert_int_equal(changes, 10);
    for (unsigned tick = 0; tick < 200; tick++, now += TICK) { /* silence, without any packets */
        (void)cn_topk_tick(topk, now);
        if (tick < 120) assert_int_equal(cn_topk_speaker(topk), 1);
    }
    assert_int_equal(cn_topk_speaker(topk), CN_TOPK_NOBODY);
    cn_topk_free(topk);
}

static void a_stuck_noise_sinks(void **state)
{
    (void)state;
    seed = 5;
    cn_topk *topk = NULL;
    assert_ok(cn_topk_new(&topk, 1));
    talker speaker[2] = {0};
    uint64_t now = 1000 * MS;
    for (unsigned tick = 0; tick < 500; tick++, now += TICK) { /* 10 s: a loud fan, two people at normal level */
        assert_ok(cn_topk_level(topk, 0, (uint8_t)(18 + random_below(3)), true, now));
        for (unsigned i = 0; i < 2; i++) assert_ok(cn_topk_level(topk, i + 1, talk(&speaker[i]), true, now));
        (void)cn_topk_tick(topk, now);
    }
    assert_false(listed(topk, 0, 2));
    assert_int_not_equal(cn_topk_speaker(topk), 0);
    cn_topk_free(topk);
}

static void packet_sizes_rank_who_tells_no_level(void **state)
{
    (void)state;
    seed = 9;
    cn_topk *topk = NULL;
    assert_ok(cn_topk_new(&topk, 1));
    talker speaker = {0};
    uint64_t now = 1000 * MS;
    for (unsigned tick = 0; tick < 500; tick++, now += TICK) {
        for (unsigned i = 0; i < 5; i++) {
            bool word = i == 4 && talk(&speaker) < 60;
            assert_ok(cn_topk_size(topk, i,
                                   word     ? 90 + random_below(40)
                                   : i == 1 ? 120
                                            : 20 + random_below(8),
                                   now)); /* 1: constant bitrate */
        }
        (void)cn_topk_tick(topk, now);
    }
    assert_true(listed(topk, 4, 1));
    assert_int_equal(cn_topk_speaker(topk), 4);
    cn_topk_free(topk);
}

/* Three who speak over everybody for two minutes do not keep a fourth one out, whose voice is softer by far. */
static void a_soft_voice_is_heard_in_time(void **state)
{
    (void)state;
    seed = 11;
    cn_topk *topk = NULL;
    assert_ok(cn_topk_new(&topk, 2));
    talker speaker[4] = {0};
    uint64_t now = 1000 * MS, unheard = 0, longest = 0, heard_for = 0;
    for (unsigned tick = 0; tick < 120 * 50; tick++, now += TICK) {
        for (unsigned i = 0; i < 4; i++) {
            int level = talk(&speaker[i]);
            if (level < 60) level += i < 3 ? -16 : 16;
            assert_ok(cn_topk_level(topk, i, (uint8_t)level, true, now));
        }
        (void)cn_topk_tick(topk, now);
        bool in = listed(topk, 3, 2);
        unheard = in ? 0 : unheard + TICK;
        heard_for += in ? TICK : 0;
        if (unheard > longest) longest = unheard;
    }
    print_message("the soft one: unheard for %.1f s at most, heard %.0f of 120 s\n", (double)longest / 1e9,
                  (double)heard_for / 1e9);
    assert_in_range(longest, 0, 35000 * MS);
    assert_in_range(heard_for, 8000 * MS, 60000 * MS);
    cn_topk_free(topk);
}

/*
 * A room of 200: everybody's microphone is on, every room has its noise. One after the other talks (with the next one
 * at times beginning before the former ended); others cough, type, one has a fan, one holds a tone.
 */
#define ROOM 200
#define AUDIBLE 5
#define FAN 190u
#define TONE 191u

typedef struct turn {
    unsigned who, left; /* ticks; 0: nobody */
    talker words;
    bool began;
    uint64_t since;
} turn;

typedef struct room200 {
    cn_topk *t;
    uint64_t now;
    uint8_t noise[ROOM];
    unsigned burst[ROOM]; /* ticks of a cough or of keys left */
    uint8_t burst_level[ROOM];
    turn turns[2];
    unsigned utterances, late, dropped, lists, speakers, coughs_heard;
    uint64_t slowest;
} room200;

static void utterances_begin(room200 *full)
{
    for (size_t i = 0; i < COUNT_OF(full->turns); i++) {
        turn *round_ = &full->turns[i];
        if (round_->left || random_below(i ? 400 : 25)) continue; /* the second one only now and then */
        unsigned who = random_below(180);
        if (who == full->turns[!i].who) continue;
        *round_ = (turn){
            .who = who, .left = 100 + random_below(300), .words = {.left = 12, .word = true}, .since = full->now};
        full->burst[round_->who] = 0;
        full->utterances++;
    }
}

static uint8_t level_in_room(room200 *full, unsigned index, bool *voiced)
{
    for (size_t k = 0; k < COUNT_OF(full->turns); k++) {
        turn *round_ = &full->turns[k];
        if (!round_->left || round_->who != index) continue;
        round_->left--;
        *voiced = true;
        return talk(&round_->words);
    }
    *voiced =
        index == FAN || index == TONE || (full->burst[index] && full->burst_level[index] < 30); /* keys are no voice */
    if (index == FAN) return (uint8_t)(38 + random_below(4));
    if (index == TONE) return full->now % (40000 * MS) < 20000 * MS ? 20 : 80;
    if (full->burst[index]) {
        full->burst[index]--;
        return (uint8_t)(full->burst_level[index] + random_below(6));
    }
    return (uint8_t)(full->noise[index] + random_below(6));
}

/* Within 100 ms of the first word, and from then on without a break to the last. */
static void utterances_check(room200 *full)
{
    for (size_t i = 0; i < COUNT_OF(full->turns); i++) {
        turn *round_ = &full->turns[i];
        if (!round_->left) continue;
        bool in = listed(full->t, round_->who, AUDIBLE);
        uint64_t waited = full->now - round_->since;
        if (round_->began) full->dropped += !in;
        if (in && !round_->began && waited > full->slowest) full->slowest = waited;
        round_->began = round_->began || in;
        full->late += !round_->began && waited == 100 * MS;
    }
}

static void two_hundred_voices(void **state)
{
    (void)state;
    seed = 21;
    static room200 full;
    full = (room200){.now = 1000 * MS};
    assert_ok(cn_topk_new(&full.t, AUDIBLE));
    for (unsigned i = 0; i < ROOM; i++) full.noise[i] = (uint8_t)(55 + random_below(40));
    const unsigned ticks = 300 * 50;
    for (unsigned tick = 0; tick < ticks; tick++, full.now += TICK) {
        if (tick > 50) utterances_begin(&full);
        unsigned noisy = random_below(180); /* coughs every 3 s, keys every second */
        bool cough = !random_below(150), keys = !random_below(50);
        if ((cough || keys) && noisy != full.turns[0].who && noisy != full.turns[1].who) {
            full.burst[noisy] = cough ? 10 + random_below(10) : 1 + random_below(2);
            full.burst_level[noisy] = cough ? 22 : 40;
        }
        for (unsigned i = 0; i < ROOM; i++) {
            bool voiced = false;
            uint8_t level = level_in_room(&full, i, &voiced);
            assert_ok(cn_topk_level(full.t, i, level, voiced, full.now));
        }
        unsigned changed = cn_topk_tick(full.t, full.now);
        full.lists += (changed & CN_TOPK_CHANGED_LIST) != 0;
        full.speakers += (changed & CN_TOPK_CHANGED_SPEAKER) != 0;
        int speaker = cn_topk_speaker(full.t);
        if (tick > 500) assert_int_not_equal(speaker, FAN);
        if (full.now % (40000 * MS) > 6000 * MS) assert_int_not_equal(speaker, TONE); /* it sinks by then */
        utterances_check(&full);
    }
    print_message("200 voices, 5 minutes: %u utterances, the slowest heard after %llu ms; list changed %.0f times and "
                  "speaker %.0f times a minute; %u ticks lost\n",
                  full.utterances, (unsigned long long)(full.slowest / MS), full.lists / 5.0, full.speakers / 5.0,
                  full.dropped);
    assert_true(full.utterances > 40);
    assert_int_equal(full.late, 0);
    assert_int_equal(full.dropped, 0);
    assert_in_range(full.slowest, 0, 100 * MS);
    assert_in_range(full.speakers, full.utterances / 2, 2 * full.utterances);
    cn_topk_free(full.t);
}

static void a_thousand_participants_stay_cheap_and_bounded(void **state)
{
    (void)state;
    cn_topk *topk = NULL;
    assert_ok(cn_topk_new(&topk, CN_TOPK_K_MAX));
    uint64_t now = 1000 * MS;
    for (unsigned tick = 0; tick < 50; tick++, now += TICK) {
        for (unsigned i = 0; i < CN_TOPK_MAX; i++)
            assert_ok(cn_topk_level(topk, i, (uint8_t)((i * 37 + tick * 11) % 128), true, now));
        (void)cn_topk_tick(topk, now);
        uint16_t list[64];
        assert_int_equal(cn_topk_list(topk, list, 64), CN_TOPK_K_MAX + 1);
        for (size_t i = 0; i <= CN_TOPK_K_MAX; i++)
            for (size_t j = 0; j < i; j++) assert_int_not_equal(list[i], list[j]);
    }
    (void)cn_topk_tick(topk, now + 60000 * MS); /* everybody gone */
    (void)cn_topk_tick(topk, now + 60100 * MS);
    uint16_t list[4];
    assert_int_equal(cn_topk_list(topk, list, 4), 0);
    cn_topk_free(topk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_checked),
        cmocka_unit_test(the_first_ones_are_listed_unheard),
        cmocka_unit_test(a_new_speaker_is_in_within_100_ms),
        cmocka_unit_test(equal_speakers_do_not_flap),
        cmocka_unit_test(the_speaker_follows_a_conversation),
        cmocka_unit_test(a_stuck_noise_sinks),
        cmocka_unit_test(packet_sizes_rank_who_tells_no_level),
        cmocka_unit_test(a_soft_voice_is_heard_in_time),
        cmocka_unit_test(two_hundred_voices),
        cmocka_unit_test(a_thousand_participants_stay_cheap_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
