#include "cn_test.h"

#include "media/rate/rtt.h"

#define S 1000000000ull

static void the_least_of_two_windows(void **state)
{
    (void)state;
    cn_rtt rtt = {0};
    assert_int_equal(cn_rtt_least(&rtt), 0);
    cn_rtt_sample(&rtt, 0, 1 * S);
    assert_int_equal(cn_rtt_least(&rtt), 0);
    cn_rtt_sample(&rtt, 120, 1 * S);
    cn_rtt_sample(&rtt, 80, 2 * S);
    cn_rtt_sample(&rtt, 140, 9 * S);
    assert_int_equal(cn_rtt_least(&rtt), 80);
    cn_rtt_sample(&rtt, 130, 11 * S);
    assert_int_equal(cn_rtt_least(&rtt), 80);
    cn_rtt_sample(&rtt, 125, 21 * S); /* the path became longer */
    assert_int_equal(cn_rtt_least(&rtt), 125);
    cn_rtt_sample(&rtt, 300, 95 * S); /* nothing for long */
    assert_int_equal(cn_rtt_least(&rtt), 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_least_of_two_windows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
