/* An hour of somebody's connection, and who looked at it. */
#include "cn_test.h"

#include <string.h>

#include "base/str.h"
#include "signaling/looks.h"
#include "signaling/live/qualitylog.h"

static void sums_up_ten_seconds(void **state)
{
    (void)state;
    cn_qualitylog l = {0};
    cn_media_stats s = {.up_bps = 1000,
                        .rtt_ms = 40,
                        .up_loss = 0.02f,
                        .nacks_in = 100,
                        .plis_out = 7,
                        .source_count = 1,
                        .sources = {{.kind = CN_SOURCE_CAMERA, .alive = 3, .height = 360}}};
    assert_int_equal(cn_qualitylog_add(&l, &s, 4, 1, 1000000), CN_OK);
    s.up_bps = 3000;
    s.rtt_ms = 60;
    s.up_loss = 0;
    s.nacks_in = 130;
    s.sources[0].alive = 7;
    s.sources[0].height = 720;
    assert_int_equal(cn_qualitylog_add(&l, &s, 2, 4, 1009999), CN_OK);
    assert_null(cn_qualitylog_at(&l, 0)); /* still under way */
    s.nacks_in = 135;
    assert_int_equal(cn_qualitylog_add(&l, &s, 3, 0, 1010000), CN_OK);
    const cn_quality_point *p = cn_qualitylog_at(&l, 0);
    assert_non_null(p);
    assert_int_equal(p->at_ms, 1000000);
    assert_int_equal(p->up_bps, 2000);
    assert_int_equal(p->rtt_ms, 50);
    assert_int_equal(p->up_loss, 100); /* 1 % */
    assert_int_equal(p->nacks_in, 30); /* not the 100 from before */
    assert_int_equal(p->plis_out, 0);
    assert_int_equal(p->why, 5);
    assert_int_equal(p->mark, 2);
    assert_int_equal(p->layers, 3);
    assert_int_equal(p->received_height, 720);
    assert_int_equal(cn_qualitylog_add(&l, &s, 3, 0, 1050000), CN_OK); /* after a pause */
    assert_int_equal(cn_qualitylog_at(&l, 1)->nacks_in, 5);
    assert_int_equal(cn_qualitylog_at(&l, 1)->mark, 3);
    assert_null(cn_qualitylog_at(&l, 2));
    cn_qualitylog_end(&l);
}

static void keeps_an_hour(void **state)
{
    (void)state;
    cn_qualitylog l = {0};
    for (int i = 0; i <= 1000; i++) {
        cn_media_stats s = {.rtt_ms = (uint32_t)i};
        assert_int_equal(cn_qualitylog_add(&l, &s, 4, 0, (int64_t)i * CN_QUALITYLOG_STEP_MS), CN_OK);
        size_t kept = i < CN_QUALITYLOG_POINTS ? (size_t)i : CN_QUALITYLOG_POINTS;
        assert_null(cn_qualitylog_at(&l, kept));
        for (size_t k = 0; k < kept; k++) assert_int_equal(cn_qualitylog_at(&l, k)->rtt_ms, i - (int)kept + (int)k);
    }
    cn_qualitylog_end(&l);
    assert_null(cn_qualitylog_at(&l, 0));
}

static void keeps_the_points_of_one_who_left(void **state)
{
    (void)state;
    cn_qualitylog l = {0};
    cn_qualitylog_fit(&l);
    assert_null(cn_qualitylog_at(&l, 0));
    for (int i = 0; i < 20; i++) {
        cn_media_stats s = {.rtt_ms = (uint32_t)i};
        assert_int_equal(cn_qualitylog_add(&l, &s, 4, 0, (int64_t)i * CN_QUALITYLOG_STEP_MS), CN_OK);
    }
    assert_int_equal(l.n, 19);
    assert_true(l.capacity > 20);
    cn_qualitylog_fit(&l); /* with the point that was under way */
    cn_qualitylog_fit(&l);
    assert_int_equal(l.capacity, 20);
    for (size_t i = 0; i < 20; i++) assert_int_equal(cn_qualitylog_at(&l, i)->rtt_ms, i);
    assert_null(cn_qualitylog_at(&l, 20));
    cn_media_stats s = {.rtt_ms = 20};
    assert_int_equal(cn_qualitylog_add(&l, &s, 4, 0, (int64_t)20 * CN_QUALITYLOG_STEP_MS), CN_OK);
    assert_int_equal(cn_qualitylog_add(&l, &s, 4, 0, (int64_t)21 * CN_QUALITYLOG_STEP_MS), CN_OK);
    assert_int_equal(cn_qualitylog_at(&l, 20)->rtt_ms, 20);
    cn_qualitylog_end(&l);
}

static void notes_a_look_once_in_ten_minutes(void **state)
{
    (void)state;
    static cn_looks l;
    cn_looks_init(&l);
    assert_true(cn_looks_due(&l, "u1", "room:a", 0));
    assert_false(cn_looks_due(&l, "u1", "room:a", 5000));
    assert_true(cn_looks_due(&l, "u1", "room:b", 5000));
    assert_true(cn_looks_due(&l, "u2", "room:a", 5000));
    assert_false(cn_looks_due(&l, "u1", "room:a", CN_LOOK_MS));
    assert_true(cn_looks_due(&l, "u1", "room:a", CN_LOOK_MS + 1));
    assert_false(cn_looks_due(&l, "u1", "room:a", CN_LOOK_MS + 2));
    for (int i = 0; i < 2 * CN_LOOKS; i++) {
        char object[16];
        (void)cn_fmt(object, sizeof object, "room:%d", i);
        assert_true(cn_looks_due(&l, "u3", object, CN_LOOK_MS + 10 + (uint64_t)i));
    }
    assert_true(cn_looks_due(&l, "u1", "room:a", CN_LOOK_MS + 5000)); /* forgotten at the bound: noted again */
    cn_looks_end(&l);
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
