/* Reasons for a bad connection. */
#include "cn_test.h"

#include <string.h>

#include "signaling/live/why.h"

static cn_media_stats good(void)
{
    return (cn_media_stats){.rtt_ms = 30,
                            .jitter_ms = 5,
                            .estimate_bps = 4000000,
                            .wanted_bps = 3000000,
                            .path = CN_PATH_UDP,
                            .source_count = 2,
                            .sources = {{.kind = CN_SOURCE_MIC, .on = true, .layers = 1, .alive = 1, .wanted = 1},
                                        {.kind = CN_SOURCE_CAMERA, .on = true, .layers = 3, .alive = 7, .wanted = 7}}};
}

static uint32_t settled(const cn_media_stats *stats)
{
    cn_why why = {0};
    cn_media_stats before = good();
    (void)cn_why_update(&why, &before);
    (void)cn_why_update(&why, stats);
    return cn_why_update(&why, stats);
}

#define ONE(r) (UINT32_C(1) << CN_WHY_##r)

static void names_what_is_wrong(void **state)
{
    (void)state;
    cn_media_stats stats = good();
    assert_int_equal(settled(&stats), 0);
    stats.up_loss = 0.03f;
    stats.jitter_ms = 60;
    assert_int_equal(settled(&stats), ONE(UP_LOSS) | ONE(JITTER));
    stats = good();
    stats.down_loss = 0.2f;
    stats.rtt_ms = 400;
    assert_int_equal(settled(&stats), ONE(DOWN_LOSS) | ONE(DELAY));
    stats = good();
    stats.estimate_bps = 2000000;
    assert_int_equal(settled(&stats), ONE(DOWN_SLOW));
    stats.estimate_bps = 0; /* not known */
    assert_int_equal(settled(&stats), 0);
    stats.paused = 1;
    assert_int_equal(settled(&stats), ONE(DOWN_SLOW));
    stats = good();
    stats.path = CN_PATH_TCP;
    assert_int_equal(settled(&stats), ONE(TCP));
    assert_string_equal(cn_why_name(CN_WHY_SENDS_LESS), "sends_less");
    assert_string_equal(cn_why_name(CN_WHY_COUNT), "");
}

static void looks_at_what_is_sent(void **state)
{
    (void)state;
    cn_media_stats stats = good();
    stats.sources[0].silent_ms = stats.sources[1].silent_ms = 3000;
    stats.sources[1].alive = 0;
    assert_int_equal(settled(&stats), ONE(MIC_SILENT) | ONE(CAMERA_SILENT));
    stats.sources[0].on = stats.sources[1].on = false;
    assert_int_equal(settled(&stats), 0);
    /* a layer that rests may rest by choice */
    stats = good();
    stats.sources[1].alive = 1;
    assert_int_equal(settled(&stats), 0);
}

static void takes_an_apps_word(void **state)
{
    (void)state;
    assert_int_equal(cn_why_told("cpu"), ONE(CPU));
    assert_int_equal(cn_why_told("up_slow"), ONE(UP_SLOW));
    assert_int_equal(cn_why_told("up_loss"), 0); /* that the server knows better */
    assert_int_equal(cn_why_told(""), 0);
    assert_int_equal(cn_why_told("x"), 0);
}

static void never_flickers(void **state)
{
    (void)state;
    cn_why why = {0};
    cn_media_stats bad = good(), well = good();
    bad.up_loss = 0.1f;
    for (int i = 0; i < 6; i++) assert_int_equal(cn_why_update(&why, i % 2 ? &bad : &well), 0);
    (void)cn_why_update(&why, &bad);
    assert_int_equal(cn_why_update(&why, &bad), ONE(UP_LOSS));
    for (int i = 0; i < 6; i++) assert_int_equal(cn_why_update(&why, i % 3 ? &well : &bad), ONE(UP_LOSS));
    for (int i = 0; i < 2; i++) (void)cn_why_update(&why, &well);
    assert_int_equal(cn_why_update(&why, &well), 0);
}

static void marks(void **state)
{
    (void)state;
    cn_media_stats stats = good();
    assert_int_equal(cn_why_mark(&stats, 0), 4);
    assert_int_equal(cn_why_mark(&stats, ONE(TCP) | ONE(MIC_SILENT)), 4);
    assert_int_equal(cn_why_mark(&stats, ONE(DOWN_SLOW)), 2);
    assert_int_equal(cn_why_mark(&stats, ONE(SENDS_LESS)), 2);
    stats.up_loss = 0.5f;
    assert_int_equal(cn_why_mark(&stats, ONE(DOWN_SLOW)), 1);
    stats = good();
    stats.rtt_ms = 200;
    assert_int_equal(cn_why_mark(&stats, 0), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(looks_at_what_is_sent),
        cmocka_unit_test(takes_an_apps_word),
        cmocka_unit_test(never_flickers),
        cmocka_unit_test(marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
