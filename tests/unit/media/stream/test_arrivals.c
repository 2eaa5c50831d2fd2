#include "cn_test.h"

#include "media/stream/arrivals.h"

#define MS 1000000ull

static void the_least_delayed_packet_tells_the_time(void **state)
{
    (void)state;
    cn_arrivals arrivals;
    uint32_t ts = 0, first = 0xffffff00u; /* wraps */
    int64_t ns = 0;
    cn_arrivals_init(&arrivals, 90000);
    assert_false(cn_arrivals_capture(&arrivals, 9000 * MS, &ts, &ns));
    for (unsigned i = 0; i < 250; i++) { /* 25 pictures a second, delayed by 10 to 50 ms, three packets each */
        uint64_t captured = (5000 + 40 * i) * MS, delay = (10 + i * 7 % 40) * MS;
        for (unsigned k = 0; k < 3; k++) cn_arrivals_packet(&arrivals, first + 3600 * i, captured + delay + k * MS);
        bool known = cn_arrivals_capture(&arrivals, captured + delay, &ts, &ns);
        assert_int_equal(known, delay + captured >= 9000 * MS + 10 * MS);
        if (!known) continue;
        assert_int_equal(ts, first + 3600 * i);
        assert_in_range((uint64_t)ns, captured + 9 * MS, captured + 11 * MS);
    }
}

static void a_late_packet_of_before_does_not_go_back(void **state)
{
    (void)state;
    cn_arrivals arrivals;
    uint32_t ts = 0;
    int64_t ns = 0;
    cn_arrivals_init(&arrivals, 48000);
    cn_arrivals_packet(&arrivals, 960, 1000 * MS);
    cn_arrivals_packet(&arrivals, 0, 1005 * MS);
    cn_arrivals_packet(&arrivals, 48000 * 5, 6000 * MS);
    cn_arrivals_packet(&arrivals, 48000 * 4, 6010 * MS);
    assert_true(cn_arrivals_capture(&arrivals, 6010 * MS, &ts, &ns));
    assert_int_equal(ts, 48000 * 5);
    assert_in_range((uint64_t)ns, 5979 * MS, 6000 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_delayed_packet_tells_the_time),
        cmocka_unit_test(a_late_packet_of_before_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
