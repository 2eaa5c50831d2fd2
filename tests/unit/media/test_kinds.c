#include "cn_test.h"

#include "media/kinds.h"

static void bounds_are_inclusive(void **state)
{
    (void)state;
    static const struct {
        int64_t area;
        cn_tier tier;
    } cases[] = {
        {-1, CN_TIER_VOICE},
        {0, CN_TIER_VOICE},
        {1, CN_TIER_SD},
        {640 * 480, CN_TIER_SD},
        {307201, CN_TIER_HD},
        {1280 * 720, CN_TIER_HD},
        {921601, CN_TIER_SUPER_HD},
        {1920 * 1080, CN_TIER_SUPER_HD},
        {2073601, CN_TIER_2K},
        {2560 * 1440, CN_TIER_2K},
        {3686401, CN_TIER_4K},
        {3840 * 2160, CN_TIER_4K},
        {INT64_MAX, CN_TIER_4K},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_tier tier = cases[i].tier;
        assert_true(cases[i].area <= cn_tier_area_max(tier));
        assert_true(tier == CN_TIER_VOICE || cases[i].area > cn_tier_area_max((cn_tier)(tier - 1)));
    }
    for (int t = CN_TIER_VOICE; t <= CN_TIER_4K; t++) {
        cn_tier back = CN_TIER_VOICE;
        assert_true(cn_tier_parse(cn_tier_name((cn_tier)t), &back));
        assert_int_equal(back, t);
    }
    assert_string_equal(cn_tier_name((cn_tier)6), "");
    assert_int_equal(cn_tier_area_max((cn_tier)6), 0);
    cn_tier none;
    assert_false(cn_tier_parse("8k", &none));
    assert_false(cn_tier_parse("", &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(bounds_are_inclusive)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
