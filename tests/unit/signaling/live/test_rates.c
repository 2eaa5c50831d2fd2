/* Who calls too often is told, then slowed, then closed; who calls as a page does is never refused. */
#include "cn_test.h"

#include "signaling/live/rates.h"

#define START_MS 1000u
static const cn_rate_limit limit = {.per_s = 5, .burst = 20};

/* How many of `calls` at one time get that verdict. */
static unsigned count(cn_rates *rates, uint64_t now_ms, unsigned calls, cn_rate_verdict verdict)
{
    unsigned n = 0;
    for (unsigned i = 0; i < calls; i++) n += cn_rates_take(rates, 1, &limit, now_ms) == verdict;
    return n;
}

static void a_burst_passes_and_fills_again(void **state)
{
    (void)state;
    cn_rates rates = {.slowed = 0};
    assert_int_equal(count(&rates, START_MS, 30, CN_RATE_PASS), 20);
    assert_int_equal(count(&rates, START_MS + 1000, 30, CN_RATE_PASS), 5);
    assert_int_equal(count(&rates, START_MS + 3600000, 30, CN_RATE_PASS), 20);
    assert_int_equal(cn_rates_take(&rates, 2, &limit, START_MS + 3600000), CN_RATE_PASS); /* another method's own */
}

static void steady_calls_pass_for_ever(void **state)
{
    (void)state;
    cn_rates rates = {.slowed = 0};
    for (unsigned i = 0; i < 5000; i++)
        assert_int_equal(cn_rates_take(&rates, 1, &limit, START_MS + i * 200u), CN_RATE_PASS);
}

static void all_methods_together_have_a_limit(void **state)
{
    (void)state;
    cn_rates rates = {.slowed = 0};
    const cn_rate_limit wide = {.per_s = 1000, .burst = 1000};
    unsigned passed = 0;
    for (unsigned i = 0; i < 500; i++) passed += cn_rates_take(&rates, i % 2, &wide, START_MS) == CN_RATE_PASS;
    assert_int_equal(passed, 400);
}

static void a_flood_is_refused_slowed_and_closed(void **state)
{
    (void)state;
    cn_rates rates = {.slowed = 0};
    uint64_t now = START_MS;
    unsigned rounds = 0;
    for (cn_rate_verdict verdict = CN_RATE_PASS; verdict != CN_RATE_CLOSE; rounds++) {
        do {
            verdict = cn_rates_take(&rates, 1, &limit, now);
        } while (verdict < CN_RATE_SLOW);
        /* what had been read already is only refused */
        if (verdict == CN_RATE_SLOW) assert_int_equal(count(&rates, now, 400, CN_RATE_REFUSE), 400);
        now = rates.slow_until_ms;
        assert_true(rounds < 10);
    }
    assert_int_equal(rounds, 6);
}

static void who_was_quiet_begins_anew(void **state)
{
    (void)state;
    cn_rates rates = {.slowed = 0};
    for (unsigned i = 0; i < 10; i++) {
        cn_rate_verdict verdict = CN_RATE_PASS;
        while (verdict < CN_RATE_SLOW) verdict = cn_rates_take(&rates, 1, &limit, START_MS + i * 70000u);
        assert_int_equal(verdict, CN_RATE_SLOW);
        assert_int_equal(rates.slowed, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_fills_again), cmocka_unit_test(steady_calls_pass_for_ever),
        cmocka_unit_test(all_methods_together_have_a_limit), cmocka_unit_test(a_flood_is_refused_slowed_and_closed),
        cmocka_unit_test(who_was_quiet_begins_anew)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
