#include "cn_test.h"

#include <stdlib.h>

#include "media/stream/ntpmap.h"
#include "media/stream/seq.h"

#define MS 1000000ll
#define SECOND (1000 * MS)

/* A publisher whose clock shows `wall` seconds when the server's monotonic clock shows 100 s. */
static uint64_t ntp_at(uint64_t wall, int64_t server_ns)
{
    int64_t since = server_ns - 100 * SECOND;
    int64_t whole = since / SECOND, rest = since % SECOND;
    if (rest < 0) rest += SECOND, whole--;
    return (wall + (uint64_t)whole) << 32 | ((uint64_t)rest << 32) / (uint64_t)SECOND;
}

static void audio_and_video_of_one_moment_meet(void **state)
{
    (void)state;
    cn_ntpclock clock = {0};
    cn_ntpmap audio, video;
    cn_ntpmap_init(&audio, 48000);
    cn_ntpmap_init(&video, 90000);
    int64_t when;
    assert_false(cn_ntpmap_capture(&audio, &clock, 0, &when));
    /* reports sent at 100 s and 102 s, 30 and 70 ms on the way; video's timestamps wrap in between */
    cn_ntpclock_report(&clock, ntp_at(3900000000u, 100 * SECOND), (uint64_t)(100 * SECOND + 30 * MS));
    cn_ntpmap_report(&audio, ntp_at(3900000000u, 100 * SECOND), 5000);
    assert_false(cn_ntpmap_capture(&video, &clock, 0, &when));
    cn_ntpclock_report(&clock, ntp_at(3900000000u, 102 * SECOND), (uint64_t)(102 * SECOND + 70 * MS));
    cn_ntpmap_report(&video, ntp_at(3900000000u, 102 * SECOND), 45000);
    int64_t heard, seen;
    assert_true(cn_ntpmap_capture(&audio, &clock, 5000 + 48000, &heard)); /* captured at 101 s */
    assert_true(cn_ntpmap_capture(&video, &clock, 45000u - 90000u, &seen));
    assert_true(llabs(heard - seen) < 1000);
    assert_true(llabs(heard - (101 * SECOND + 30 * MS)) < 1000); /* the least delay seen stays in */
    assert_true(cn_ntpmap_capture(&video, &clock, 0, &seen));
    assert_true(llabs(seen - (heard + 500 * MS)) < 1000);
}

static void a_stepped_clock_starts_anew_and_drift_is_followed(void **state)
{
    (void)state;
    cn_ntpclock clock = {0};
    cn_ntpclock_report(&clock, ntp_at(1000, 100 * SECOND), (uint64_t)(100 * SECOND));
    int64_t first = clock.offset_ns;
    cn_ntpclock_report(&clock, ntp_at(1000, 101 * SECOND),
                       (uint64_t)(101 * SECOND + 500 * MS)); /* a late one changes nothing */
    assert_int_equal(clock.offset_ns, first);
    cn_ntpclock_report(&clock, ntp_at(900, 102 * SECOND), (uint64_t)(102 * SECOND));
    assert_true(llabs(clock.offset_ns - first - 100 * SECOND) < 1000);
    /* his clock runs 100 ppm slow: what is older than 40 s no longer counts */
    for (int64_t s = 0; s < 200; s++)
        cn_ntpclock_report(&clock, ntp_at(900, (102 + s) * SECOND - s * 100000), (uint64_t)((102 + s) * SECOND));
    int64_t drifted = clock.offset_ns - first - 100 * SECOND;
    assert_in_range(drifted, 15 * MS, 20 * MS);
}

static void differences_are_exact(void **state)
{
    (void)state;
    assert_int_equal(cn_ticks_from_ns(-33333333, 90000), -3000);
    assert_int_equal(cn_ns_from_ticks(90000ll * 86400 * 30, 90000), 86400 * 30 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_and_video_of_one_moment_meet),
        cmocka_unit_test(a_stepped_clock_starts_anew_and_drift_is_followed),
        cmocka_unit_test(differences_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
