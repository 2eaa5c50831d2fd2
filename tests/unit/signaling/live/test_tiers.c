/* The tiers are written down twice, since consult may not include media: what a picture costs and what may be sent must be
 * the same tiers under the same names. */
#include "cn_test.h"

#include "consult/minutes/meter.h"
#include "media/kinds.h"

static void both_tables_say_the_same(void **state)
{
    (void)state;
    assert_int_equal(CN_METER_TIERS, CN_TIER_4K + 1);
    for (int i = 0; i < CN_METER_TIERS; i++) {
        int64_t bound = cn_tier_area_max((cn_tier)i);
        cn_tier parsed = CN_TIER_VOICE;
        assert_string_equal(cn_meter_tier_name(i), cn_tier_name((cn_tier)i));
        assert_true(cn_tier_parse(cn_meter_tier_name(i), &parsed));
        assert_int_equal(parsed, i);
        assert_int_equal(cn_meter_tier(bound), i);
        if (bound < INT64_MAX) assert_int_equal(cn_meter_tier(bound + 1), i + 1);
    }
    assert_string_equal(cn_meter_tier_name(CN_METER_TIERS), "");
    assert_string_equal(cn_meter_tier_name(-1), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_tables_say_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
