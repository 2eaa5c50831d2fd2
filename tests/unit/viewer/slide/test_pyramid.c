#include "cn_test.h"

#include "viewer/slide/pyramid.h"

static const struct {
    const char *what;
    uint32_t levels;
    int64_t width[4], height[4];
    double downsample[4];
    uint32_t base, n;
    int64_t last_width, last_height;
} rows[] = {
    {"a demo's halvings", 4, {8000, 4000, 2000, 1000}, {8000, 4000, 2000, 1000}, {1, 2, 4, 8}, 0, 0, 0, 0},
    {"a small picture", 1, {4000}, {4000}, {1}, 0, 0, 0, 0},
    {"one level", 1, {20000}, {16000}, {1}, 0, 3, 313, 250},
    {"one large level", 1, {100001}, {100001}, {1}, 0, 4, 391, 391},
    {"a scanner's three", 3, {40000, 10000, 2500}, {40000, 10000, 2500}, {1, 4, 16}, 0, 0, 0, 0},
    {"its smallest is too large", 3, {100000, 25000, 6250}, {80000, 20000, 5000}, {1, 4, 16}, 2, 2, 391, 313},
    {"a gap", 2, {64000, 1000}, {64000, 1000}, {1, 64}, 0, 3, 1000, 1000},
    {"a strip", 1, {2000000000}, {1}, {1}, 0, 6, 488282, 1},
    {"nothing", 0, {0}, {0}, {0}, 0, 0, 0, 0},
};

static void what_is_missing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cn_pyramid plan;
        print_message("%s\n", rows[i].what);
        cn_pyramid_missing(rows[i].width, rows[i].height, rows[i].downsample, rows[i].levels, &plan);
        assert_int_equal(plan.n, rows[i].n);
        if (!plan.n) continue;
        assert_int_equal(plan.base, rows[i].base);
        assert_int_equal(plan.width[plan.n - 1], rows[i].last_width);
        assert_int_equal(plan.height[plan.n - 1], rows[i].last_height);
        for (uint32_t k = 0; k < plan.n; k++)
            assert_true(plan.downsample[k] == rows[i].downsample[plan.base] * (double)(1u << (2 * (k + 1))));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_missing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
