#include "cn_test.h"

#include "media/lossrate.h"

#define MS 1000000ull

static void it_grows_slowly_while_the_path_is_used(void **state)
{
    (void)state;
    cn_lossrate r;
    cn_lossrate_init(&r);
    assert_int_equal(cn_lossrate_bps(&r), CN_LOSSRATE_START);
    uint64_t now = 1000 * MS;
    for (unsigned i = 0; i <= 10; i++, now += 100 * MS) (void)cn_lossrate_update(&r, 0.01, 2000000, 50, now);
    assert_in_range(cn_lossrate_bps(&r), 2150000, 2170000); /* 8 % in a second, however often reports come */
    for (unsigned i = 0; i < 300; i++, now += 100 * MS) (void)cn_lossrate_update(&r, 0, 2000000, 50, now);
    assert_int_equal(cn_lossrate_bps(&r), 3200000);   /* 1.5 × what was sent + 200 kbit/s */
    (void)cn_lossrate_update(&r, 0, 100000, 50, now); /* sending less takes nothing away */
    assert_int_equal(cn_lossrate_bps(&r), 3200000);
    now += 3600000 * MS; /* a long silence counts as one second */
    assert_in_range(cn_lossrate_update(&r, 0, 90000000, 50, now), 3455000, 3457000);
}

static void it_holds_between_and_falls_above(void **state)
{
    (void)state;
    cn_lossrate r;
    cn_lossrate_init(&r);
    uint64_t now = 1000 * MS;
    assert_int_equal(cn_lossrate_update(&r, 0.05, 9000000, 50, now), 2000000);
    assert_int_equal(cn_lossrate_update(&r, 0.10, 9000000, 50, now += 1000 * MS), 2000000);
    assert_int_equal(cn_lossrate_update(&r, 0.20, 9000000, 50, now += 1000 * MS), 1800000);
    assert_int_equal(cn_lossrate_update(&r, 0.20, 9000000, 50, now += 300 * MS),
                     1800000); /* the former cut is not yet felt */
    assert_int_equal(cn_lossrate_update(&r, 0.20, 9000000, 50, now += 51 * MS), 1620000);
    for (unsigned i = 0; i < 100; i++) (void)cn_lossrate_update(&r, 1.0, 0, 50, now += 1000 * MS);
    assert_int_equal(cn_lossrate_bps(&r), CN_LOSSRATE_MIN);
}

static void the_receivers_ceiling_holds(void **state)
{
    (void)state;
    cn_lossrate r;
    cn_lossrate_init(&r);
    cn_lossrate_cap(&r, 500000);
    assert_int_equal(cn_lossrate_bps(&r), 500000);
    uint64_t now = 1000 * MS;
    for (unsigned i = 0; i < 10; i++) (void)cn_lossrate_update(&r, 0, 9000000, 50, now += 1000 * MS);
    assert_int_equal(cn_lossrate_bps(&r), 500000);
    cn_lossrate_cap(&r, 1);
    assert_int_equal(cn_lossrate_bps(&r), CN_LOSSRATE_MIN);
    cn_lossrate_cap(&r, 0);
    assert_true(cn_lossrate_update(&r, 0, 9000000, 50, now += 1000 * MS) > CN_LOSSRATE_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_grows_slowly_while_the_path_is_used),
        cmocka_unit_test(it_holds_between_and_falls_above),
        cmocka_unit_test(the_receivers_ceiling_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
