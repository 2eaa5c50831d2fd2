#include "cn_test.h"

#include <string.h>

#include "media/stream/nackgen.h"

#define MS 1000000ull

static size_t due(cn_nackgen *nackgen, uint64_t now_ns, uint16_t *out)
{
    return cn_nackgen_due(nackgen, now_ns, 40, out, 100);
}

static void packets(cn_nackgen *nackgen, unsigned from, unsigned to, uint64_t now_ns)
{
    for (unsigned s = from; s < to; s++) (void)cn_nackgen_packet(nackgen, (uint16_t)s, now_ns, NULL);
}

static void a_gap_is_asked_for_over_the_wrap(void **state)
{
    (void)state;
    cn_nackgen nackgen = {0};
    uint16_t out[100];
    packets(&nackgen, 65530, 65534, 0);
    assert_int_equal(due(&nackgen, 0, out), 0);
    assert_int_equal(cn_nackgen_next_ns(&nackgen, 40), UINT64_MAX);
    assert_int_equal(cn_nackgen_packet(&nackgen, 2, 5 * MS, NULL), 65536 * 2 + 2); /* 65534, 65535, 0, 1 are missing */
    assert_int_equal(due(&nackgen, 5 * MS, out), 2); /* only those with 3 newer numbers: the others may just be late */
    assert_int_equal(out[0], 65534);
    assert_int_equal(out[1], 65535);
    assert_int_equal(cn_nackgen_next_ns(&nackgen, 40), 15 * MS);
    assert_int_equal(due(&nackgen, 15 * MS, out), 2);
    assert_int_equal(out[0], 0);
    bool fresh = false;
    assert_int_equal(cn_nackgen_packet(&nackgen, 65535, 20 * MS, &fresh), 65536 + 65535);
    assert_true(fresh);
    (void)cn_nackgen_packet(&nackgen, 65535, 21 * MS, &fresh);
    assert_false(fresh);
    assert_int_equal(nackgen.recovered, 1);
    assert_int_equal(due(&nackgen, 55 * MS, out), 1); /* 50 ms after it was asked for */
    assert_int_equal(out[0], 65534);
    assert_int_equal(due(&nackgen, 64 * MS, out), 0);
    assert_int_equal(due(&nackgen, 65 * MS, out), 2);
    cn_nackgen_free(&nackgen);
}

static void slight_reordering_asks_for_nothing(void **state)
{
    (void)state;
    cn_nackgen nackgen = {0};
    uint16_t out[4];
    (void)cn_nackgen_packet(&nackgen, 10, 0, NULL);
    (void)cn_nackgen_packet(&nackgen, 12, 1 * MS, NULL);
    assert_int_equal(due(&nackgen, 2 * MS, out), 0);
    (void)cn_nackgen_packet(&nackgen, 11, 3 * MS, NULL);
    assert_int_equal(due(&nackgen, 500 * MS, out), 0);
    assert_int_equal(nackgen.asked, 0);
    cn_nackgen_free(&nackgen);
}

static void asking_ends_and_calls_for_a_key_frame(void **state)
{
    (void)state;
    cn_nackgen nackgen = {0};
    uint16_t out[4];
    packets(&nackgen, 10, 12, 0);
    packets(&nackgen, 13, 20, 0);
    size_t asked = 0;
    uint64_t last = 0;
    for (uint64_t t = 0; t < 3000; t += 5) {
        if (!due(&nackgen, t * MS, out)) continue;
        asked++;
        last = t;
    }
    assert_in_range(asked, 5, CN_NACKGEN_RETRIES);
    assert_in_range(last, 300, 1000);
    assert_true(cn_nackgen_gave_up(&nackgen));
    assert_false(cn_nackgen_gave_up(&nackgen));
    assert_int_equal(nackgen.abandoned, 1);
    assert_int_equal(nackgen.count, 0);
    /* with a short round trip the number of retries is the bound */
    cn_nackgen_free(&nackgen);
    packets(&nackgen, 10, 12, 0);
    packets(&nackgen, 13, 20, 0);
    asked = 0;
    for (uint64_t t = 0; t < 3000; t += 5) asked += cn_nackgen_due(&nackgen, t * MS, 1, out, 4);
    assert_int_equal(asked, CN_NACKGEN_RETRIES);
    cn_nackgen_free(&nackgen);
}

static void too_many_missing_are_given_up_together(void **state)
{
    (void)state;
    cn_nackgen nackgen = {0};
    uint16_t out[100];
    packets(&nackgen, 0, 1, 0);
    packets(&nackgen, 200, 201, 0); /* 199 missing */
    assert_int_equal(cn_nackgen_due(&nackgen, 20 * MS, 40, out, 100), 100);
    assert_int_equal(cn_nackgen_due(&nackgen, 20 * MS, 40, out, 100), 99);
    packets(&nackgen, 300, 301, 20 * MS); /* 99 more: over the bound */
    assert_true(cn_nackgen_gave_up(&nackgen));
    assert_int_equal(nackgen.count, 99);
    packets(&nackgen, 700, 701, 20 * MS); /* 399 at once */
    assert_int_equal(nackgen.count, 0);
    assert_true(cn_nackgen_gave_up(&nackgen));
    cn_nackgen_free(&nackgen);
}

static void a_restart_keeps_numbers_ascending(void **state)
{
    (void)state;
    cn_nackgen nackgen = {0};
    uint64_t last = 0;
    static const struct {
        uint16_t seq;
        bool fresh;
    } steps[] = {{100, true},   {101, true},  {40000, false}, {102, true}, {40001, false}, {40002, true},
                 {40003, true}, {5, false},   {40004, true},  {6, false},  {7, true},      {8, true},
                 {3500, false}, {3501, true}, {1000, false},  {3502, true}};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        bool fresh;
        uint64_t ext = cn_nackgen_packet(&nackgen, steps[i].seq, 0, &fresh);
        assert_int_equal(ext & 0xffff, steps[i].seq);
        if (fresh != steps[i].fresh) fail_msg("step %zu", i);
        if (fresh) assert_true(ext > last);
        if (fresh) last = ext;
    }
    assert_int_equal(nackgen.restarts, 3);
    assert_int_equal(nackgen.count, 0);
    cn_nackgen_free(&nackgen);
}

static void a_key_frame_makes_older_losses_irrelevant(void **state)
{
    (void)state;
    cn_nackgen nackgen = {0};
    uint16_t out[4];
    packets(&nackgen, 10, 12, 0);
    packets(&nackgen, 14, 15, 0);
    packets(&nackgen, 16, 18, 0);
    cn_nackgen_forget_before(&nackgen, 65536 + 14);
    assert_int_equal(due(&nackgen, 20 * MS, out), 1);
    assert_int_equal(out[0], 15);
    bool fresh = false; /* it was only late: the key frame overtook it */
    (void)cn_nackgen_packet(&nackgen, 13, 21 * MS, &fresh);
    assert_true(fresh);
    (void)cn_nackgen_packet(&nackgen, 15, 22 * MS, &fresh);
    assert_int_equal(cn_nackgen_next_ns(&nackgen, 40), UINT64_MAX);
    assert_int_equal(due(&nackgen, 3000 * MS, out), 0);
    assert_int_equal(nackgen.count, 0);
    assert_false(cn_nackgen_gave_up(&nackgen));
    cn_nackgen_free(&nackgen);
}

static void reports_follow_rfc_3550(void **state)
{
    (void)state;
    cn_recvstats stats;
    cn_rtcp_block block = {0};
    cn_recvstats_init(&stats, 90000);
    assert_false(cn_recvstats_report(&stats, &block));
    for (unsigned i = 0; i < 100; i++)
        if (i % 4 != 1) cn_recvstats_packet(&stats, (uint16_t)(65500 + i), i * 3000, 1000, i * 33333333ull);
    assert_true(cn_recvstats_report(&stats, &block));
    assert_int_equal(block.highest_seq, 65536 + (65599 - 65536));
    assert_int_equal(block.lost, 25);
    assert_int_equal(block.fraction_lost, 64);
    assert_in_range(block.jitter, 0, 1); /* evenly spaced */
    assert_int_equal(stats.bytes, 75000);
    for (unsigned i = 100; i < 200; i++)
        cn_recvstats_packet(&stats, (uint16_t)(65500 + i), i * 3000, 1000, i * 33333333ull);
    assert_true(cn_recvstats_report(&stats, &block));
    assert_int_equal(block.fraction_lost, 0);
    assert_int_equal(block.lost, 25);
    /* doubles make the number negative, the fraction stays 0 */
    for (unsigned i = 0; i < 30; i++)
        cn_recvstats_packet(&stats, (uint16_t)(65500 + 199), 199 * 3000, 1000, 199 * 33333333ull);
    assert_true(cn_recvstats_report(&stats, &block));
    assert_int_equal(block.lost, -5);
    assert_int_equal(block.fraction_lost, 0);
}

static void jitter_settles_at_the_mean_deviation(void **state)
{
    (void)state;
    cn_recvstats stats;
    cn_rtcp_block block = {0};
    cn_recvstats_init(&stats, 48000);
    for (unsigned i = 0; i < 2000; i++) /* every other packet 5 ms late: |D| = 240 ticks */
        cn_recvstats_packet(&stats, (uint16_t)i, i * 960, 100, i * 20 * MS + (i % 2) * 5 * MS);
    assert_true(cn_recvstats_report(&stats, &block));
    assert_in_range(block.jitter, 238, 241);
    cn_recvstats_packet(&stats, 2000, 3000000000u, 100, 40000 * MS); /* a new timeline */
    assert_true(cn_recvstats_report(&stats, &block));
    assert_in_range(block.jitter, 238, 241);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_is_asked_for_over_the_wrap),
        cmocka_unit_test(slight_reordering_asks_for_nothing),
        cmocka_unit_test(asking_ends_and_calls_for_a_key_frame),
        cmocka_unit_test(too_many_missing_are_given_up_together),
        cmocka_unit_test(a_restart_keeps_numbers_ascending),
        cmocka_unit_test(a_key_frame_makes_older_losses_irrelevant),
        cmocka_unit_test(reports_follow_rfc_3550),
        cmocka_unit_test(jitter_settles_at_the_mean_deviation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
