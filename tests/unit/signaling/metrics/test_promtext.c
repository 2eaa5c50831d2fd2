/* Prometheus' text format. */
#include "cn_test.h"

#include <math.h>
#include <string.h>

#include "signaling/metrics/promtext.h"

static void is_text(cn_buf *buf, const char *expected)
{
    assert_int_equal(buf->err, CN_OK);
    cn_buf_add(buf, "", 1);
    assert_string_equal(buf->p, expected);
    cn_buf_free(buf);
    *buf = (cn_buf){0};
}

static void writes_families_and_samples(void **state)
{
    (void)state;
    cn_buf buf = {0};
    cn_prom_single(&buf, "things_total", "counter", "Things.", 18446744073709551615u);
    is_text(&buf, "# HELP consilium_things_total Things.\n# TYPE consilium_things_total counter\n"
                  "consilium_things_total 18446744073709551615\n");
    const cn_prom_label labels[] = {{"room", "a\\b\"c\nd"}, {"peer", ""}};
    cn_prom_sample(&buf, "loss_ratio", labels, 2, 0.0125);
    cn_prom_sample(&buf, "loss_ratio", labels, 1, NAN);
    cn_prom_sample(&buf, "loss_ratio", NULL, 0, INFINITY);
    is_text(&buf, "consilium_loss_ratio{room=\"a\\\\b\\\"c\\nd\",peer=\"\"} 0.0125\n"
                  "consilium_loss_ratio{room=\"a\\\\b\\\"c\\nd\"} NaN\nconsilium_loss_ratio +Inf\n");
}

static void writes_cumulative_histograms(void **state)
{
    (void)state;
    static const uint32_t bounds[] = {50, 1000, 100000};
    static const uint64_t counts[] = {3, 0, 2, 1};
    cn_buf buf = {0};
    const cn_prom_label label = {"worker", "0"};
    cn_prom_histogram(&buf, "delay_seconds", &label, 1, bounds, 3, 1e-6, counts, 0.25);
    is_text(&buf, "consilium_delay_seconds_bucket{worker=\"0\",le=\"5e-05\"} 3\n"
                  "consilium_delay_seconds_bucket{worker=\"0\",le=\"0.001\"} 3\n"
                  "consilium_delay_seconds_bucket{worker=\"0\",le=\"0.1\"} 5\n"
                  "consilium_delay_seconds_bucket{worker=\"0\",le=\"+Inf\"} 6\n"
                  "consilium_delay_seconds_sum{worker=\"0\"} 0.25\nconsilium_delay_seconds_count{worker=\"0\"} 6\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_families_and_samples),
        cmocka_unit_test(writes_cumulative_histograms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
