#include "cn_test.h"

#include "media/topk.h"

#define MS 1000000ull
#define TICK CN_TOPK_TICK_NS

static uint64_t seed;
static unsigned random_below(unsigned n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)(seed >> 33) % n;
}

/* Speech as RFC 6464 tells it: words of 200–400 ms around −30 dBov, 60–160 ms apart. */
typedef struct talker {
    unsigned left;
    bool word;
} talker;

static uint8_t talk(talker *k)
{
    if (!k->left) {
        k->word = !k->word;
        k->left = k->word ? 10 + random_below(10) : 3 + random_below(5);
    }
    k->left--;
    return (uint8_t)(k->word ? 24 + random_below(12) : 70 + random_below(10));
}

static const uint8_t quiet = 75;

static bool listed(const cn_topk *t, unsigned index, size_t among)
{
    uint16_t list[CN_TOPK_K_MAX + 1];
    size_t n = cn_topk_list(t, list, among);
    for (size_t i = 0; i < n; i++)
        if (list[i] == index) return true;
    return false;
}

static void bounds_are_checked(void **state)
{
    (void)state;
    cn_topk *t = NULL;
    assert_err(cn_topk_new(&t, 0), CN_ERR_INVALID);
    assert_err(cn_topk_new(&t, CN_TOPK_K_MAX + 1), CN_ERR_INVALID);
    assert_ok(cn_topk_new(&t, 3));
    assert_err(cn_topk_level(t, CN_TOPK_MAX, 0, true, 0), CN_ERR_INVALID);
    assert_err(cn_topk_size(t, CN_TOPK_MAX, 10, 0), CN_ERR_INVALID);
    cn_topk_remove(t, CN_TOPK_MAX);
    cn_topk_remove(t, 5);
    uint16_t list[4];
    assert_int_equal(cn_topk_tick(t, 1000 * MS), 0);
    assert_int_equal(cn_topk_list(t, list, 4), 0);
    assert_int_equal(cn_topk_speaker(t), CN_TOPK_NOBODY);
    cn_topk_free(t);
    cn_topk_free(NULL);
}

/* With room in the list everybody is in it before he speaks, so that nobody's first word is cut. */
static void the_first_ones_are_listed_unheard(void **state)
{
    (void)state;
    cn_topk *t = NULL;
    assert_ok(cn_topk_new(&t, 3));
    for (unsigned i = 0; i < 6; i++) assert_ok(cn_topk_level(t, i, quiet, false, 1000 * MS));
    assert_int_equal(cn_topk_tick(t, 1000 * MS), CN_TOPK_CHANGED_LIST);
    uint16_t list[8];
    assert_int_equal(cn_topk_list(t, list, 8), 4);
    assert_int_equal(cn_topk_speaker(t), CN_TOPK_NOBODY);
    cn_topk_remove(t, list[1]);
    for (unsigned i = 0; i < 6; i++)
        if (i != list[1]) assert_ok(cn_topk_level(t, i, quiet, false, 1020 * MS));
    assert_int_equal(cn_topk_tick(t, 1020 * MS), CN_TOPK_CHANGED_LIST);
    assert_int_equal(cn_topk_list(t, list, 8), 4); /* the next one moved up */
    cn_topk_free(t);
}

static void a_new_speaker_is_in_within_100_ms(void **state)
{
    (void)state;
    for (seed = 1; seed < 20; seed++) {
        uint64_t keep = seed, now = 1000 * MS;
        cn_topk *t = NULL;
        assert_ok(cn_topk_new(&t, 3));
        talker first = {0};
        for (unsigned tick = 0; tick < 250; tick++, now += TICK) { /* one speaks, 29 listen */
            for (unsigned i = 0; i < 30; i++) assert_ok(cn_topk_level(t, i, i ? quiet : talk(&first), true, now));
            (void)cn_topk_tick(t, now);
        }
        assert_int_equal(cn_topk_speaker(t), 0);
        uint64_t began = now;
        while (!listed(t, 29, 3)) {
            for (unsigned i = 0; i < 30; i++)
                assert_ok(cn_topk_level(t, i, i == 29 ? 30 : i ? quiet : talk(&first), true, now));
            (void)cn_topk_tick(t, now);
            now += TICK;
            if (now - began > 100 * MS) fail_msg("seed %llu: not in after 100 ms", (unsigned long long)keep);
        }
        cn_topk_free(t);
        seed = keep;
    }
}

static void equal_speakers_do_not_flap(void **state)
{
    (void)state;
    seed = 7;
    cn_topk *t = NULL;
    assert_ok(cn_topk_new(&t, 3));
    talker k[6] = {0};
    unsigned lists = 0, speakers = 0;
    uint64_t now = 1000 * MS;
    for (unsigned tick = 0; tick < 60 * 50; tick++, now += TICK) {
        for (unsigned i = 0; i < COUNT_OF(k); i++) assert_ok(cn_topk_level(t, i, talk(&k[i]), true, now));
        unsigned changed = cn_topk_tick(t, now);
        lists += (changed & CN_TOPK_CHANGED_LIST) != 0;
        speakers += (changed & CN_TOPK_CHANGED_SPEAKER) != 0;
    }
    print_message("six at once for 60 s: list changed %u times, speaker %u times\n", lists, speakers);
    assert_in_range(lists, 1, 60);
    assert_in_range(speakers, 1, 20);
    cn_topk_free(t);
}

static void the_speaker_follows_a_conversation(void **state)
{
    (void)state;
    seed = 3;
    cn_topk *t = NULL;
    assert_ok(cn_topk_new(&t, 2));
    uint64_t now = 1000 * MS;
    unsigned changes = 0;
    for (unsigned turn = 0; turn < 10; turn++) {
        unsigned who = turn % 2;
        talker k = {0};
        uint64_t began = now, known = 0;
        for (unsigned tick = 0; tick < 250; tick++, now += TICK) {
            for (unsigned i = 0; i < 4; i++) assert_ok(cn_topk_level(t, i, i == who ? talk(&k) : quiet, i == who, now));
            changes += (cn_topk_tick(t, now) & CN_TOPK_CHANGED_SPEAKER) != 0;
            if (!known && cn_topk_speaker(t) == (int)who) known = now;
        }
        assert_int_equal(cn_topk_speaker(t), who);
        assert_in_range(known - began, 0, 1200 * MS);
    }
    assert_int_equal(changes, 10);
    for (unsigned tick = 0; tick < 200; tick++, now += TICK) { /* silence, without any packets */
        (void)cn_topk_tick(t, now);
        if (tick < 120) assert_int_equal(cn_topk_speaker(t), 1);
    }
    assert_int_equal(cn_topk_speaker(t), CN_TOPK_NOBODY);
    cn_topk_free(t);
}

static void a_stuck_noise_sinks(void **state)
{
    (void)state;
    seed = 5;
    cn_topk *t = NULL;
    assert_ok(cn_topk_new(&t, 1));
    talker k[2] = {0};
    uint64_t now = 1000 * MS;
    for (unsigned tick = 0; tick < 500; tick++, now += TICK) { /* 10 s: a loud fan, two people at normal level */
        assert_ok(cn_topk_level(t, 0, (uint8_t)(18 + random_below(3)), true, now));
        for (unsigned i = 0; i < 2; i++) assert_ok(cn_topk_level(t, i + 1, talk(&k[i]), true, now));
        (void)cn_topk_tick(t, now);
    }
    assert_false(listed(t, 0, 2));
    assert_int_not_equal(cn_topk_speaker(t), 0);
    cn_topk_free(t);
}

static void packet_sizes_rank_who_tells_no_level(void **state)
{
    (void)state;
    seed = 9;
    cn_topk *t = NULL;
    assert_ok(cn_topk_new(&t, 1));
    talker k = {0};
    uint64_t now = 1000 * MS;
    for (unsigned tick = 0; tick < 500; tick++, now += TICK) {
        for (unsigned i = 0; i < 5; i++) {
            bool word = i == 4 && talk(&k) < 60;
            assert_ok(cn_topk_size(t, i,
                                   word     ? 90 + random_below(40)
                                   : i == 1 ? 120
                                            : 20 + random_below(8),
                                   now)); /* 1: constant bitrate */
        }
        (void)cn_topk_tick(t, now);
    }
    assert_true(listed(t, 4, 1));
    assert_int_equal(cn_topk_speaker(t), 4);
    cn_topk_free(t);
}

static void a_thousand_participants_stay_cheap_and_bounded(void **state)
{
    (void)state;
    cn_topk *t = NULL;
    assert_ok(cn_topk_new(&t, CN_TOPK_K_MAX));
    uint64_t now = 1000 * MS;
    for (unsigned tick = 0; tick < 50; tick++, now += TICK) {
        for (unsigned i = 0; i < CN_TOPK_MAX; i++)
            assert_ok(cn_topk_level(t, i, (uint8_t)((i * 37 + tick * 11) % 128), true, now));
        (void)cn_topk_tick(t, now);
        uint16_t list[64];
        assert_int_equal(cn_topk_list(t, list, 64), CN_TOPK_K_MAX + 1);
        for (size_t i = 0; i <= CN_TOPK_K_MAX; i++)
            for (size_t j = 0; j < i; j++) assert_int_not_equal(list[i], list[j]);
    }
    (void)cn_topk_tick(t, now + 60000 * MS); /* everybody gone */
    (void)cn_topk_tick(t, now + 60100 * MS);
    uint16_t list[4];
    assert_int_equal(cn_topk_list(t, list, 4), 0);
    cn_topk_free(t);
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
        cmocka_unit_test(a_thousand_participants_stay_cheap_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
