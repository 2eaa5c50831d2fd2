#include "cn_test.h"

#include <string.h>

#include "base/clock.h"

static void times_are_written_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},  {1795162500123, "2026-11-20T08:15:00.123Z"},
        {-1, "1969-12-31T23:59:59.999Z"}, {951782400000, "2000-02-29T00:00:00.000Z"},
        {INT64_MAX, "invalid-time"},      {INT64_MIN, "invalid-time"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[CN_TIME_TEXT];
        cn_time_format(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void ntp_counts_from_1900(void **state)
{
    (void)state;
    assert_true(cn_ntp_from_wall_ns(0) == 2208988800ull << 32);
    assert_true(cn_ntp_from_wall_ns(500000000) == (2208988800ull << 32 | 0x80000000u));
    assert_true(cn_ntp_from_wall_ns(-500000000) == (2208988799ull << 32 | 0x80000000u));
    /* era 1 begins on 2036-02-07 06:28:16 UTC: the seconds wrap (RFC 5905 figure 4) */
    assert_true(cn_ntp_from_wall_ns(2085978496ll * 1000000000) == 0);
}

static void clocks_go_forward(void **state)
{
    (void)state;
    uint64_t a = cn_mono_ns(), b = cn_mono_ns();
    assert_true(b >= a);
    assert_true(cn_mono_ms() >= b / 1000000);
    assert_true(cn_wall_ms() > 1700000000000);
    assert_true(cn_wall_ns() / 1000000 >= 1700000000000);
}

static void an_instant_outlives_steps_of_the_wall_clock(void **state)
{
    (void)state;
    const cn_instant seen = {.boot = "a", .mono_ms = 5000, .wall_ms = 1000000};
    const struct {
        cn_instant now;
        int64_t passed;
    } cases[] = {
        {{.boot = "a", .mono_ms = 5000, .wall_ms = 1000000}, 0},
        {{.boot = "a", .mono_ms = 65000, .wall_ms = 1060000}, 60000},
        {{.boot = "a", .mono_ms = 65000, .wall_ms = 4660000}, 60000},    /* an hour forward */
        {{.boot = "a", .mono_ms = 65000, .wall_ms = 0}, 60000},          /* back to nothing */
        {{.boot = "b", .mono_ms = 65000, .wall_ms = 1090000}, 90000},    /* after a boot: the wall clock */
        {{.boot = "b", .mono_ms = 65000, .wall_ms = 999999}, INT64_MAX}, /* which went back: nobody knows */
        {{.boot = "a", .mono_ms = 4999, .wall_ms = 1030000}, 30000},     /* another name space of clocks */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(cn_instant_passed(&seen, &cases[i].now), cases[i].passed);
    const cn_instant nameless = {.mono_ms = 5000, .wall_ms = 1000000}, later = {.mono_ms = 5001, .wall_ms = 1000700};
    assert_int_equal(cn_instant_passed(&nameless, &later), 700);
    cn_instant now;
    cn_instant_now(&now);
    assert_true(strlen(now.boot) == 36);
    assert_true(now.mono_ms > 0 && now.wall_ms > 1700000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(ntp_counts_from_1900),
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(an_instant_outlives_steps_of_the_wall_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
