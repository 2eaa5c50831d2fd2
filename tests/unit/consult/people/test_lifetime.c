/* When a login ends, by clocks that the test sets. */
#include "cn_test.h"

#include "base/str.h"
#include "consult/people/lifetime.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static const cn_login_limits limits = {.idle_ms = 15 * MINUTE, .life_ms = 12 * HOUR};

static cn_instant at(const char *boot, int64_t mono_ms, int64_t wall_ms)
{
    cn_instant instant = {.mono_ms = mono_ms, .wall_ms = wall_ms};
    assert_true(cn_strcpy(instant.boot, sizeof instant.boot, boot));
    return instant;
}

static void signs_and_ages(void **state)
{
    static const struct {
        const char *what;
        int64_t idle_ms, age_ms; /* by the monotonic clock, now */
        cn_login_sign sign;
        int64_t ago_ms;
        bool ended, moved;
        int64_t idle_left_ms, life_left_ms;
    } cases[] = {
        {"a page that asks: nothing moves", 14 * MINUTE, HOUR, CN_LOGIN_NONE, 0, false, false, MINUTE, 11 * HOUR},
        {"to the last moment", 15 * MINUTE, HOUR, CN_LOGIN_NONE, 0, false, false, 0, 11 * HOUR},
        {"and not longer", 15 * MINUTE + 1, HOUR, CN_LOGIN_NONE, 0, true, false, 0, 0},
        {"a key", 14 * MINUTE, HOUR, CN_LOGIN_HAND, 0, false, true, 15 * MINUTE, 11 * HOUR},
        {"a key that is told later", 14 * MINUTE, HOUR, CN_LOGIN_HAND, MINUTE, false, true, 14 * MINUTE, 11 * HOUR},
        {"older than the last", 2 * MINUTE, HOUR, CN_LOGIN_HAND, 3 * MINUTE, false, false, 13 * MINUTE, 11 * HOUR},
        {"one not worth a write", 900, HOUR, CN_LOGIN_HAND, 0, false, false, 15 * MINUTE - 900, 11 * HOUR},
        {"a key wakes nothing", 16 * MINUTE, HOUR, CN_LOGIN_HAND, 0, true, false, 0, 0},
        {"whatever it says of the past", 16 * MINUTE, HOUR, CN_LOGIN_HAND, 15 * MINUTE, true, false, 0, 0},
        {"a clock that says nonsense", MINUTE, HOUR, CN_LOGIN_HAND, -HOUR, false, true, 15 * MINUTE, 11 * HOUR},
        {"in a room", 16 * MINUTE, HOUR, CN_LOGIN_ROOM, 0, false, true, 15 * MINUTE, 11 * HOUR},
        {"there, a write every 30 s", 20000, HOUR, CN_LOGIN_ROOM, 0, false, false, 15 * MINUTE - 20000, 11 * HOUR},
        {"old age, with busy hands", MINUTE, 12 * HOUR + 1, CN_LOGIN_HAND, 0, true, false, 0, 0},
        {"old age in a room", 1000, 13 * HOUR, CN_LOGIN_ROOM, 0, false, true, 15 * MINUTE - 1000, CN_LOGIN_GRACE_MS},
        {"near it in a room", 1000, 12 * HOUR - MINUTE, CN_LOGIN_ROOM, 0, false, true, 15 * MINUTE - 1000,
         CN_LOGIN_GRACE_MS},
        {"near it elsewhere", 1000, 12 * HOUR - MINUTE, CN_LOGIN_NONE, 0, false, false, 15 * MINUTE - 1000, MINUTE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const cn_instant now = at("boot", 100 * HOUR, 200 * HOUR);
        cn_login_times times = {.seen = now, .life = now};
        times.seen.mono_ms -= cases[i].idle_ms;
        times.life.mono_ms -= cases[i].age_ms;
        const cn_login_times before = times;
        cn_login_verdict got = cn_login_judge(&limits, cases[i].sign, cases[i].ago_ms, &now, &times);
        if (got.ended != cases[i].ended || got.moved != cases[i].moved || got.idle_left_ms != cases[i].idle_left_ms ||
            got.life_left_ms != cases[i].life_left_ms)
            fail_msg("%s: ended %d, moved %d, left %lld and %lld", cases[i].what, got.ended, got.moved,
                     (long long)got.idle_left_ms, (long long)got.life_left_ms);
        if (!got.moved) assert_memory_equal(&before, &times, sizeof times);
        if (got.ended || cases[i].sign == CN_LOGIN_NONE) continue;
        /* what is written says the same to the next one who looks */
        cn_login_verdict next = cn_login_judge(&limits, CN_LOGIN_NONE, 0, &now, &times);
        assert_int_equal(next.idle_left_ms, got.idle_left_ms);
        assert_int_equal(next.life_left_ms, got.life_left_ms);
    }
}

/* Setting the wall clock ends nothing; over a boot it is the only one, and where it went back nobody knows. */
static void clocks_that_jump(void **state)
{
    static const struct {
        const char *boot;
        int64_t mono_ms, wall_ms; /* of what the row has */
        bool ended;
    } cases[] = {
        {"boot", 100 * HOUR - MINUTE, 0, false},
        {"boot", 100 * HOUR - MINUTE, 900 * HOUR, false},
        {"boot", 100 * HOUR - 16 * MINUTE, 200 * HOUR, true},
        {"other", 100 * HOUR, 200 * HOUR - MINUTE, false},
        {"other", 100 * HOUR, 200 * HOUR - 16 * MINUTE, true},
        {"other", 100 * HOUR, 200 * HOUR + 1, true},
        {"", 0, 200 * HOUR - MINUTE, false}, /* of before this was written down */
    };
    (void)state;
    const cn_instant now = at("boot", 100 * HOUR, 200 * HOUR);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_login_times times = {.life = now};
        times.seen = at(cases[i].boot, cases[i].mono_ms, cases[i].wall_ms);
        cn_login_times in_room = times;
        assert_int_equal(cn_login_judge(&limits, CN_LOGIN_NONE, 0, &now, &times).ended, cases[i].ended);
        assert_false(cn_login_judge(&limits, CN_LOGIN_ROOM, 0, &now, &in_room).ended);
        assert_string_equal(in_room.seen.boot, "boot");
    }
}

/* Sixteen hours in a room, looked at every 2.5 s; then five minutes, nearly, and no more. */
static void a_long_talk(void **state)
{
    (void)state;
    cn_instant now = at("boot", 0, 0); /* the machine has just started: what is earlier is negative */
    cn_login_times times = {.seen = now, .life = now};
    for (; now.mono_ms < 16 * HOUR; now.mono_ms += 2500, now.wall_ms += 2500) {
        cn_login_verdict in_room = cn_login_judge(&limits, CN_LOGIN_ROOM, 0, &now, &times);
        assert_false(in_room.ended);
        assert_true(in_room.life_left_ms > CN_LOGIN_GRACE_MS - 31000);
    }
    now.mono_ms += CN_LOGIN_GRACE_MS - 40000;
    assert_false(cn_login_judge(&limits, CN_LOGIN_HAND, 0, &now, &times).ended);
    now.mono_ms += 50000;
    assert_true(cn_login_judge(&limits, CN_LOGIN_HAND, 0, &now, &times).ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_and_ages),
        cmocka_unit_test(clocks_that_jump),
        cmocka_unit_test(a_long_talk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
