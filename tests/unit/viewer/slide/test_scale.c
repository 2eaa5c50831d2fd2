#include "cn_test.h"

#include "viewer/slide/scale.h"

static const struct {
    const char *what;
    cn_scale_texts texts;
    int64_t width, height;
    double mpp;
    int64_t shown_width, shown_height;
} rows[] = {
    {"a scanner's", {.mpp_x = "0.25", .mpp_y = "0.25"}, 1000, 500, 0.25, 1000, 500},
    {"40 per µm in centimetres",
     {.per_unit_x = "40000", .per_unit_y = "40000", .unit = "centimeter"},
     9,
     9,
     0.25,
     9,
     9},
    {"in inches", {.per_unit_x = "50800", .per_unit_y = "50800", .unit = "inch"}, 9, 9, 0.5, 9, 9},
    {"libvips by default", {.per_unit_x = "10", .per_unit_y = "10", .unit = "centimeter"}, 9, 9, 0, 9, 9},
    {"a screen", {.per_unit_x = "72", .per_unit_y = "72", .unit = "inch"}, 9, 9, 0, 9, 9},
    {"a flatbed at 1200 dpi", {.per_unit_x = "1200", .per_unit_y = "1200", .unit = "inch"}, 9, 9, 0, 9, 9},
    {"a resolution without a unit", {.per_unit_x = "40000", .per_unit_y = "40000", .unit = "none"}, 9, 9, 0, 9, 9},
    {"nothing", {.unit = NULL}, 9, 9, 0, 9, 9},
    {"what the scanner says is above the tag",
     {.mpp_x = "0.5", .mpp_y = "0.5", .per_unit_x = "40000", .per_unit_y = "40000", .unit = "centimeter"},
     9,
     9,
     0.5,
     9,
     9},
    {"nonsense and a tag that is none",
     {.mpp_x = "1000", .mpp_y = "1000", .per_unit_x = "40000", .per_unit_y = "40000", .unit = "centimeter"},
     9,
     9,
     0.25,
     9,
     9},
    {"no numbers", {.mpp_x = "nan", .mpp_y = "inf"}, 9, 9, 0, 9, 9},
    {"negative", {.mpp_x = "-0.25", .mpp_y = "-0.25"}, 9, 9, 0, 9, 9},
    {"larger than any glass", {.mpp_x = "10", .mpp_y = "10"}, 100000, 100, 0, 100000, 100},
    {"one axis only", {.mpp_x = "0.25"}, 9, 9, 0.25, 9, 9},
    {"one axis nonsense", {.mpp_x = "0.25", .mpp_y = "5000"}, 9, 9, 0, 9, 9},
    {"twice as high", {.mpp_x = "0.25", .mpp_y = "0.5"}, 1000, 500, 0.25, 1000, 1000},
    {"wider", {.mpp_x = "0.75", .mpp_y = "0.5"}, 1000, 500, 0.5, 1500, 500},
    {"a calibration is no shape", {.mpp_x = "0.2525", .mpp_y = "0.2527"}, 1000, 500, 0.2525, 1000, 500},
    {"longer than any pixel", {.mpp_x = "0.1", .mpp_y = "50"}, 9, 9, 0, 9, 9},
};

static void what_a_file_says_of_its_scale(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cn_scale scale;
        print_message("%s\n", rows[i].what);
        cn_scale_of(&rows[i].texts, rows[i].width, rows[i].height, &scale);
        assert_true(scale.mpp_x > rows[i].mpp - 1e-9 && scale.mpp_x < rows[i].mpp + 1e-9);
        assert_true((scale.mpp_y > 0) == (rows[i].mpp > 0));
        assert_int_equal(scale.width, rows[i].shown_width);
        assert_int_equal(scale.height, rows[i].shown_height);
        assert_true(scale.stretch_x >= 1 && scale.stretch_y >= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_file_says_of_its_scale)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
