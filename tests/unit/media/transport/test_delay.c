/* The histogram of forwarding delays. */
#include "cn_test.h"

#include "media/transport/delay.h"

#define US 1000u

static void counts_by_bounds(void **state)
{
    (void)state;
    cn_delay delay = {0};
    const uint64_t at = 1000 * US;
    cn_delay_queued(&delay, at, 3);
    cn_delay_queued(&delay, at, 2);
    cn_delay_queued(&delay, at, 0);
    assert_int_equal(delay.waiting_n, 1);
    cn_delay_sent(&delay, at + 50 * US); /* a bound belongs to its bucket */
    assert_int_equal(delay.counts[0], 5);
    assert_int_equal(delay.sum_ns, 5 * 50 * US);
    cn_delay_sent(&delay, at + 90 * US); /* nothing waits any more */
    assert_int_equal(delay.counts[1], 0);
    cn_delay_queued(&delay, at, 1);
    cn_delay_sent(&delay, at + 50 * US + 1);
    assert_int_equal(delay.counts[1], 1);
    cn_delay_queued(&delay, at, 4);
    cn_delay_sent(&delay, at + 10000000 * (uint64_t)US);
    assert_int_equal(delay.counts[CN_MEDIA_DELAYS - 1], 4);
    for (size_t i = 1; i + 1 < CN_MEDIA_DELAYS; i++) assert_true(cn_media_delay_us[i] > cn_media_delay_us[i - 1]);
}

static void keeps_arrivals_apart(void **state)
{
    (void)state;
    cn_delay delay = {0};
    cn_delay_queued(&delay, 0, 1);
    cn_delay_queued(&delay, 1500 * US, 1);
    cn_delay_queued(&delay, 1999 * US, 0); /* nothing was queued */
    assert_int_equal(delay.waiting_n, 2);
    cn_delay_sent(&delay, 2000 * US);
    assert_int_equal(delay.counts[5], 1); /* 2 ms */
    assert_int_equal(delay.counts[3], 1); /* 500 us */
    cn_delay_queued(&delay, 10, 1);
    cn_delay_sent(&delay, 5); /* a clock that was read before */
    assert_int_equal(delay.counts[0], 1);
}

static void forgets_no_packet_at_its_bound(void **state)
{
    (void)state;
    cn_delay delay = {0};
    uint64_t sum = 0;
    for (unsigned i = 0; i < 3 * CN_DELAY_WAITING; i++) cn_delay_queued(&delay, i, 2);
    cn_delay_sent(&delay, 100);
    for (size_t i = 0; i < CN_MEDIA_DELAYS; i++) sum += delay.counts[i];
    assert_int_equal(sum, 3 * CN_DELAY_WAITING * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_bounds),
        cmocka_unit_test(keeps_arrivals_apart),
        cmocka_unit_test(forgets_no_packet_at_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
