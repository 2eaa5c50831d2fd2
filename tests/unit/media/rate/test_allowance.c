#include "cn_test.h"

#include "media/rate/allowance.h"

#define MS 1000000ull

/* Asks every `step_ms` for so long; how many go on. */
static unsigned storm(cn_allowance *allowance, uint64_t *now_ns, unsigned ms, unsigned step_ms)
{
    unsigned granted = 0;
    for (unsigned t = 0; t < ms; t += step_ms, *now_ns += step_ms * MS)
        granted += cn_allowance_take(allowance, *now_ns);
    return granted;
}

static void a_storm_gets_ever_less(void **state)
{
    (void)state;
    cn_allowance allowance = {0};
    uint64_t now_ns = 5000 * MS;
    assert_in_range(storm(&allowance, &now_ns, 4700, 1), 2, 4);
    assert_in_range(storm(&allowance, &now_ns, 60000, 1), 2, 4);
    assert_in_range(storm(&allowance, &now_ns, 600000, 1), 10, 20);
}

static void who_needs_one_gets_it(void **state)
{
    (void)state;
    cn_allowance allowance = {0};
    uint64_t now_ns = 5000 * MS;
    for (unsigned i = 0; i < 20; i++) { /* every 3 s, asked for until it comes after 300 ms */
        assert_true(cn_allowance_take(&allowance, now_ns));
        (void)storm(&allowance, &now_ns, 300, 100);
        now_ns += 2700 * MS;
    }
    for (unsigned i = 0; i < 2; i++) assert_true(cn_allowance_take(&allowance, now_ns)); /* and once more at once */
    assert_false(cn_allowance_take(&allowance, now_ns));
}

static void a_storm_that_is_over_is_forgotten(void **state)
{
    (void)state;
    cn_allowance allowance = {0};
    uint64_t now_ns = 5000 * MS;
    (void)storm(&allowance, &now_ns, 100000, 10);
    now_ns += 70000 * MS;
    assert_true(cn_allowance_take(&allowance, now_ns));
    assert_true(cn_allowance_take(&allowance, now_ns + 1100 * MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storm_gets_ever_less),
        cmocka_unit_test(who_needs_one_gets_it),
        cmocka_unit_test(a_storm_that_is_over_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
