/* An hour of somebody's connection, and who looked at it. */
#include "cn_test.h"

#include <string.h>

#include "base/str.h"
#include "signaling/looks.h"
#include "signaling/live/qualitylog.h"

static void sums_up_ten_seconds(void **state)
{
    (void)state;
    cn_qualitylog log = {0};
    cn_media_stats stats = {.up_bps = 1000,
                            .rtt_ms = 40,
                            .up_loss = 0.02f,
                            .nacks_in = 100,
                            .plis_out = 7,
                            .source_count = 1,
                            .sources = {{.kind = CN_SOURCE_CAMERA, .alive = 3, .height = 360}}};
    assert_int_equal(cn_qualitylog_add(&log, &stats, 4, 1, 1000000), CN_OK);
    stats.up_bps = 3000;
    stats.rtt_ms = 60;
    stats.up_loss = 0;
    stats.nacks_in = 130;
    stats.sources[0].alive = 7;
    stats.sources[0].height = 720;
    assert_int_equal(cn_qualitylog_add(&log, &stats, 2, 4, 1009999), CN_OK);
    assert_null(cn_qualitylog_at(&log, 0)); /* still under way */
    stats.nacks_in = 135;
    assert_int_equal(cn_qualitylog_add(&log, &stats, 3, 0, 1010000), CN_OK);
    const cn_quality_point *point = cn_qualitylog_at(&log, 0);
    assert_non_null(point);
    assert_int_equal(point->at_ms, 1000000);
    assert_int_equal(point->up_bps, 2000);
    assert_int_equal(point->rtt_ms, 50);
    assert_int_equal(point->up_loss, 100); /* 1 % */
    assert_int_equal(point->nacks_in, 30); /* not the 100 from before */
    assert_int_equal(point->plis_out, 0);
    assert_int_equal(point->why, 5);
    assert_int_equal(point->mark, 2);
    assert_int_equal(point->layers, 3);
    assert_int_equal(point->received_height, 720);
    assert_int_equal(cn_qualitylog_add(&log, &stats, 3, 0, 1050000), CN_OK); /* after a pause */
    assert_int_equal(cn_qualitylog_at(&log, 1)->nacks_in, 5);
    assert_int_equal(cn_qualitylog_at(&log, 1)->mark, 3);
    assert_null(cn_qualitylog_at(&log, 2));
    cn_qualitylog_end(&log);
}

static void keeps_an_hour(void **state)
{
    (void)state;
    cn_qualitylog log = {0};
    for (int i = 0; i <= 1000; i++) {
        cn_media_stats stats = {.rtt_ms = (uint32_t)i};
        assert_int_equal(cn_qualitylog_add(&log, &stats, 4, 0, (int64_t)i * CN_QUALITYLOG_STEP_MS), CN_OK);
        size_t kept = i < CN_QUALITYLOG_POINTS ? (size_t)i : CN_QUALITYLOG_POINTS;
        assert_null(cn_qualitylog_at(&log, kept));
        for (size_t k = 0; k < kept; k++) assert_int_equal(cn_qualitylog_at(&log, k)->rtt_ms, i - (int)kept + (int)k);
    }
    cn_qualitylog_end(&log);
    assert_null(cn_qualitylog_at(&log, 0));
}

static void keeps_the_points_of_one_who_left(void **state)
{
    (void)state;
    cn_qualitylog log = {0};
    cn_qualitylog_fit(&log);
    assert_null(cn_qualitylog_at(&log, 0));
    for (int i = 0; i < 20; i++) {
        cn_media_stats stats = {.rtt_ms = (uint32_t)i};
        assert_int_equal(cn_qualitylog_add(&log, &stats, 4, 0, (int64_t)i * CN_QUALITYLOG_STEP_MS), CN_OK);
    }
    assert_int_equal(log.n, 19);
    assert_true(log.capacity > 20);
    cn_qualitylog_fit(&log); /* with the point that was under way */
    cn_qualitylog_fit(&log);
    assert_int_equal(log.capacity, 20);
    for (size_t i = 0; i < 20; i++) assert_int_equal(cn_qualitylog_at(&log, i)->rtt_ms, i);
    assert_null(cn_qualitylog_at(&log, 20));
    cn_media_stats stats = {.rtt_ms = 20};
    assert_int_equal(cn_qualitylog_add(&log, &stats, 4, 0, (int64_t)20 * CN_QUALITYLOG_STEP_MS), CN_OK);
    assert_int_equal(cn_qualitylog_add(&log, &stats, 4, 0, (int64_t)21 * CN_QUALITYLOG_STEP_MS), CN_OK);
    assert_int_equal(cn_qualitylog_at(&log, 20)->rtt_ms, 20);
    cn_qualitylog_end(&log);
}

static void notes_a_look_once_in_ten_minutes(void **state)
{
    (void)state;
    static cn_looks looks;
    cn_looks_init(&looks);
    assert_true(cn_looks_due(&looks, "u1", "room:a", 0));
    assert_false(cn_looks_due(&looks, "u1", "room:a", 5000));
    assert_true(cn_looks_due(&looks, "u1", "room:b", 5000));
    assert_true(cn_looks_due(&looks, "u2", "room:a", 5000));
    assert_false(cn_looks_due(&looks, "u1", "room:a", CN_LOOK_MS));
    assert_true(cn_looks_due(&looks, "u1", "room:a", CN_LOOK_MS + 1));
    assert_false(cn_looks_due(&looks, "u1", "room:a", CN_LOOK_MS + 2));
    for (int i = 0; i < 2 * CN_LOOKS; i++) {
        char object[16];
        (void)cn_fmt(object, sizeof object, "room:%d", i);
        assert_true(cn_looks_due(&looks, "u3", object, CN_LOOK_MS + 10 + (uint64_t)i));
    }
    assert_true(cn_looks_due(&looks, "u1", "room:a", CN_LOOK_MS + 5000)); /* forgotten at the bound: noted again */
    cn_looks_end(&looks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_up_ten_seconds),
        cmocka_unit_test(keeps_an_hour),
        cmocka_unit_test(keeps_the_points_of_one_who_left),
        cmocka_unit_test(notes_a_look_once_in_ten_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
