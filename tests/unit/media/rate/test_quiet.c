/* Silence that is news, and silence by right. */
#include "cn_test.h"

#include "media/rate/quiet.h"

#define MS UINT64_C(1000000)
#define LOOK_MS 100

/* Looks until `to_ms`, with a sign every `every_ms` (0: none). Returns when it was first lost, in ms; 0: never. */
static uint64_t look(cn_quiet *quiet, uint64_t *now_ms, uint64_t to_ms, unsigned every_ms, bool due)
{
    static uint64_t sign_ms;
    uint64_t lost_ms = 0;
    while (*now_ms < to_ms) {
        *now_ms += LOOK_MS;
        if (every_ms && *now_ms - sign_ms >= every_ms) sign_ms = *now_ms - 1;
        if (cn_quiet_look(quiet, *now_ms * MS, sign_ms * MS, due) && quiet->lost && !lost_ms) lost_ms = *now_ms;
    }
    return lost_ms;
}

static void who_should_be_heard_is_lost_after_two_seconds(void **state)
{
    (void)state;
    cn_quiet quiet = {0};
    uint64_t now = 1000000;
    assert_int_equal(look(&quiet, &now, 1010000, 20, true), 0);
    assert_in_range(look(&quiet, &now, 1015000, 0, true), 1012000, 1012200);
    assert_true(quiet.lost);
    /* back with the first packet, told once */
    assert_true(cn_quiet_look(&quiet, 1015100 * MS, 1015050 * MS, true));
    assert_false(quiet.lost);
    assert_false(cn_quiet_look(&quiet, 1015200 * MS, 1015150 * MS, true));
}

static void who_sends_seldom_by_right_is_not_lost(void **state)
{
    (void)state;
    cn_quiet quiet = {0};
    uint64_t now = 2000000;
    /* a muted voice: a packet every 400 ms */
    assert_int_equal(look(&quiet, &now, 2020000, 400, true), 0);
    /* nothing sent and nothing received: checks alone, of Chromium and of Firefox */
    assert_int_equal(look(&quiet, &now, 2050000, 2500, false), 0);
    assert_int_equal(look(&quiet, &now, 2090000, 6000, false), 0);
    assert_in_range(look(&quiet, &now, 2110000, 0, false), 2092000, 2099000);
}

static void what_becomes_due_has_its_two_seconds(void **state)
{
    (void)state;
    cn_quiet quiet = {0};
    uint64_t now = 3000000;
    (void)look(&quiet, &now, 3001000, 20, false);
    assert_int_equal(look(&quiet, &now, 3006000, 0, false), 0);
    /* somebody begins to speak to him: his feedback may take its time */
    assert_int_equal(look(&quiet, &now, 3007500, 0, true), 0);
    assert_in_range(look(&quiet, &now, 3010000, 0, true), 3007600, 3008200);
    /* what is due no more does not take it back */
    assert_int_equal(look(&quiet, &now, 3011000, 0, false), 0);
    assert_true(quiet.lost);
}

static void ones_own_lateness_is_nobodys_silence(void **state)
{
    (void)state;
    cn_quiet quiet = {0};
    uint64_t now = 4000000;
    (void)look(&quiet, &now, 4005000, 20, true);
    /* ten seconds asleep: what came meanwhile has not been read yet */
    assert_false(cn_quiet_look(&quiet, 4015000 * MS, 4005000 * MS, true));
    assert_false(cn_quiet_look(&quiet, 4015100 * MS, 4015050 * MS, true));
    assert_false(quiet.lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_should_be_heard_is_lost_after_two_seconds),
        cmocka_unit_test(who_sends_seldom_by_right_is_not_lost),
        cmocka_unit_test(what_becomes_due_has_its_two_seconds),
        cmocka_unit_test(ones_own_lateness_is_nobodys_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
