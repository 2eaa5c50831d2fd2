/* Counting minutes: the vectors of REQUIREMENTS §14 and the meter's edges. */
#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consult/minutes/meter.h"

#define SHANGHAI 480
#define MINUTE 60000
#define SD (640 * 360)
#define HD (1280 * 720)

/* 2026-11-20T08:00:00+08:00 */
#define MORNING INT64_C(1795132800000)

static void test_tiers(void **state)
{
    (void)state;
    static const struct {
        int64_t area;
        int tier;
    } rows[] = {{-1, 0},      {0, 0},       {1, 1},       {307200, 1},  {307201, 2},  {921600, 2},   {921601, 3},
                {2073600, 3}, {2073601, 4}, {3686400, 4}, {3686401, 5}, {8294400, 5}, {INT64_MAX, 5}};
    static const int weights[] = {1, 2, 4, 9, 16, 36};
    for (size_t i = 0; i < COUNT_OF(rows); i++) assert_int_equal(cn_meter_tier(rows[i].area), rows[i].tier);
    for (int i = 0; i < CN_METER_TIERS; i++) assert_int_equal(cn_meter_weight(i), weights[i]);
    assert_int_equal(cn_meter_weight(-1), 0);
    assert_int_equal(cn_meter_weight(CN_METER_TIERS), 0);
}

/* ---- the vectors: participants who each receive one thing for a time ---- */

typedef struct sums {
    int64_t aggregate[CN_METER_TIERS], max_tier[CN_METER_TIERS];
} sums;

static void add(sums *totals, const cn_meter_segment *segs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        totals->aggregate[segs[i].tier_aggregate] += segs[i].duration_ms;
        totals->max_tier[segs[i].tier_max] += segs[i].duration_ms;
    }
}

static void attend(sums *totals, int64_t sum, int64_t max_area, int64_t ms)
{
    cn_meter meter;
    cn_meter_segment segs[CN_METER_SEGMENTS];
    cn_meter_start(&meter, 1000, MORNING, SHANGHAI);
    add(totals, segs, cn_meter_area(&meter, 1000, sum, max_area, segs, CN_METER_SEGMENTS));
    add(totals, segs, cn_meter_stop(&meter, 1000 + (uint64_t)ms, "leave", segs, CN_METER_SEGMENTS));
}

static void test_vector_voice(void **state)
{
    (void)state;
    sums totals = {0};
    for (int i = 0; i < 3; i++) attend(&totals, 0, 0, 30 * MINUTE);
    assert_int_equal(cn_meter_weighted(totals.aggregate), 90);
    assert_int_equal(cn_meter_weighted(totals.max_tier), 90);
}

static void test_vector_two_people(void **state)
{
    (void)state;
    sums totals = {0};
    attend(&totals, SD, SD, 30 * MINUTE); /* A receives B's picture */
    assert_int_equal(cn_meter_weighted(totals.aggregate), 60);
    attend(&totals, HD, HD, 30 * MINUTE);
    assert_int_equal(cn_meter_weighted(totals.aggregate), 180);
}

static void test_vector_rounding(void **state)
{
    (void)state;
    sums totals = {0};
    attend(&totals, 0, 0, 59000);
    attend(&totals, HD, HD, 61000);
    assert_int_equal(cn_meter_weighted(totals.aggregate), 9);
    /* rounded once per month, not per segment */
    sums pieces = {0};
    for (int i = 0; i < 60; i++) attend(&pieces, SD, SD, 1000);
    assert_int_equal(cn_meter_weighted(pieces.aggregate), 2);
}

static void test_vector_thirty_people(void **state)
{
    (void)state;
    sums totals = {0};
    for (int i = 0; i < 30; i++) attend(&totals, 29 * SD, SD, 60 * MINUTE);
    assert_int_equal(cn_meter_weighted(totals.aggregate), 64800);
    assert_int_equal(cn_meter_weighted(totals.max_tier), 3600);
}

/* ---- splitting ---- */

static void check(const cn_meter_segment *segment, int64_t start, int64_t ms, int64_t sum, int tier, int tier_max,
                  const char *cause)
{
    assert_int_equal(segment->start_ms, start);
    assert_int_equal(segment->duration_ms, ms);
    assert_int_equal(segment->area_sum, sum);
    assert_int_equal(segment->tier_aggregate, tier);
    assert_int_equal(segment->tier_max, tier_max);
    assert_string_equal(segment->end_cause, cause);
}

static void test_changes_of_tier(void **state)
{
    (void)state;
    cn_meter meter;
    cn_meter_segment segment[CN_METER_SEGMENTS];
    cn_meter_start(&meter, 500, MORNING, SHANGHAI);
    assert_int_equal(cn_meter_area(&meter, 500, SD, SD, segment, 4), 0);          /* nothing lasted yet */
    assert_int_equal(cn_meter_area(&meter, 1500, SD / 2, SD / 2, segment, 4), 0); /* the same tiers */
    assert_int_equal(cn_meter_area(&meter, 2500, HD, HD, segment, 4), 1);
    check(&segment[0], MORNING, 2000, SD, 1, 1, "tier");
    /* the sum stays in its tier, the largest picture does not */
    assert_int_equal(cn_meter_area(&meter, 3000, HD, SD, segment, 4), 1);
    check(&segment[0], MORNING + 2000, 500, HD, 2, 2, "tier");
    assert_int_equal(cn_meter_area(&meter, 3100, HD - 10, SD, segment, 4), 0);
    assert_int_equal(cn_meter_area(&meter, 3200, HD - 5, SD, segment, 4), 0);
    assert_int_equal(cn_meter_checkpoint(&meter, 4000, segment, 4), 1);
    check(&segment[0], MORNING + 2500, 1000, HD, 2, 1, "checkpoint");
    /* after the checkpoint the largest is of what is being sent now */
    assert_int_equal(cn_meter_checkpoint(&meter, 4000, segment, 4), 0);
    assert_int_equal(cn_meter_stop(&meter, 4001, "leave", segment, 4), 1);
    check(&segment[0], MORNING + 3500, 1, HD - 5, 2, 1, "leave");
    assert_int_equal(cn_meter_stop(&meter, 9000, "leave", segment, 4), 0); /* ended is ended */
    assert_int_equal(cn_meter_area(&meter, 9000, HD, HD, segment, 4), 0);
    assert_int_equal(cn_meter_checkpoint(&meter, 9000, segment, 4), 0);
}

static void test_time_running_backwards(void **state)
{
    (void)state;
    cn_meter meter;
    cn_meter_segment segment[CN_METER_SEGMENTS];
    cn_meter_start(&meter, 10000, MORNING, SHANGHAI);
    assert_int_equal(cn_meter_area(&meter, 9000, SD, SD, segment, 4), 0);
    assert_int_equal(cn_meter_area(&meter, 11000, HD, HD, segment, 4), 1);
    check(&segment[0], MORNING, 1000, SD, 1, 1, "tier");
    assert_int_equal(cn_meter_checkpoint(&meter, 5000, segment, 4), 0);
    assert_int_equal(cn_meter_area(&meter, 15000, HD, HD, segment, 4), 0);
    /* the last sign of life may lie before the last change of areas, not before what was already written */
    assert_int_equal(cn_meter_stop(&meter, 13000, "timeout", segment, 4), 1);
    check(&segment[0], MORNING + 1000, 2000, HD, 2, 2, "timeout");
    cn_meter_start(&meter, 10000, MORNING, SHANGHAI);
    assert_int_equal(cn_meter_checkpoint(&meter, 11000, segment, 4), 1);
    assert_int_equal(cn_meter_stop(&meter, 10500, "timeout", segment, 4), 0);
}

/* ---- months ---- */

static int64_t at(const char *month)
{
    int64_t from = 0, to = 0;
    assert_true(cn_month_bounds(month, SHANGHAI, &from, &to));
    return from;
}

static void test_months(void **state)
{
    (void)state;
    int64_t from = 0, to = 0;
    assert_true(cn_month_bounds("2026-11", SHANGHAI, &from, &to));
    assert_int_equal(from, INT64_C(1793462400000)); /* 2026-10-31T16:00:00Z */
    assert_int_equal(to, INT64_C(1796054400000));   /* 2026-11-30T16:00:00Z */
    assert_true(cn_month_bounds("1970-01", 0, &from, &to));
    assert_int_equal(from, 0);
    assert_true(cn_month_bounds("2024-02", 0, &from, &to));
    assert_int_equal(to - from, INT64_C(29) * 86400000);
    assert_true(cn_month_bounds("2100-02", 0, &from, &to));
    assert_int_equal(to - from, INT64_C(28) * 86400000);
    static const char *const bad[] = {"",        "2026-13", "2026-00", "2026-1", "2026-111", "26-11",  "2026/11",
                                      "abcd-ef", "2026-+1", "+026-01", " 026-1", "1969-12",  "2026- 1"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) assert_false(cn_month_bounds(bad[i], 0, &from, &to));
    /* every month follows the one before, and each of its moments knows its end */
    static const int zones[] = {480, 0, -570, 840};
    for (size_t z = 0; z < COUNT_OF(zones); z++) {
        int64_t end = 0;
        for (int i = 12; i < 12 * 300; i++) {
            char text[16], name[CN_MONTH_TEXT];
            snprintf(text, sizeof text, "%04d-%02d", 1970 + i / 12, i % 12 + 1);
            assert_true(cn_month_bounds(text, zones[z], &from, &to));
            if (end) assert_int_equal(from, end);
            assert_int_equal(cn_month_end(from, zones[z]), to);
            assert_int_equal(cn_month_end(to - 1, zones[z]), to);
            cn_month_name(from, zones[z], name);
            assert_string_equal(name, text);
            cn_month_name(to - 1, zones[z], name);
            assert_string_equal(name, text);
            end = to;
        }
    }
}

static void test_month_splits(void **state)
{
    (void)state;
    cn_meter meter;
    cn_meter_segment segment[8];
    int64_t december = at("2026-12");
    /* 00:00 in Shanghai, not in UTC */
    cn_meter_start(&meter, 100, december - 1000, SHANGHAI);
    assert_int_equal(cn_meter_area(&meter, 100, SD, SD, segment, 8), 0);
    assert_int_equal(cn_meter_stop(&meter, 3100, "leave", segment, 8), 2);
    check(&segment[0], december - 1000, 1000, SD, 1, 1, "month");
    check(&segment[1], december, 2000, SD, 1, 1, "leave");
    /* ending exactly at the border is one segment of the old month */
    cn_meter_start(&meter, 100, december - 1000, SHANGHAI);
    assert_int_equal(cn_meter_stop(&meter, 1100, "leave", segment, 8), 1);
    check(&segment[0], december - 1000, 1000, 0, 0, 0, "month");
    /* a change within the tier shows the month as well */
    cn_meter_start(&meter, 100, december - 1000, SHANGHAI);
    cn_meter_area(&meter, 100, SD, SD, segment, 8);
    assert_int_equal(cn_meter_area(&meter, 2100, SD - 1, SD - 1, segment, 8), 1);
    check(&segment[0], december - 1000, 1000, SD, 1, 1, "month");
    assert_int_equal(cn_meter_stop(&meter, 3100, "leave", segment, 8), 1);
    check(&segment[0], december, 2000, SD, 1, 1, "leave");
}

static void test_several_months(void **state)
{
    (void)state;
    cn_meter meter;
    cn_meter_segment segment[8];
    int64_t start = at("2026-12") - 5000, stop = at("2027-03") + 7;
    cn_meter_start(&meter, 0, start, SHANGHAI);
    assert_int_equal(cn_meter_area(&meter, (uint64_t)(stop - start), HD, HD, segment, 8), 5);
    check(&segment[0], start, 5000, 0, 0, 0, "month");
    check(&segment[1], at("2026-12"), INT64_C(31) * 86400000, 0, 0, 0, "month");
    check(&segment[2], at("2027-01"), INT64_C(31) * 86400000, 0, 0, 0, "month");
    check(&segment[3], at("2027-02"), INT64_C(28) * 86400000, 0, 0, 0, "month");
    check(&segment[4], at("2027-03"), 7, 0, 0, 0, "tier");
    /* more months than room: nothing is lost */
    cn_meter_start(&meter, 0, start, SHANGHAI);
    assert_int_equal(cn_meter_stop(&meter, (uint64_t)(stop - start), "leave", segment, 2), 2);
    assert_int_equal(segment[0].duration_ms + segment[1].duration_ms, stop - start);
}

/* xorshift64: the same numbers in every run. */
static int dice(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (int)(*seed >> 33 & 0x7fffffff);
}

/* However a meeting is cut, its time is all there, in order, in the right months. */
static void test_nothing_is_lost(void **state)
{
    (void)state;
    static const int64_t areas[] = {0, SD, HD, 921601, 3686401, 30 * SD};
    uint64_t seed = 7;
    for (int round = 0; round < 200; round++) {
        cn_meter meter;
        cn_meter_segment segment[CN_METER_SEGMENTS];
        uint64_t now = 1000, highest = now;
        int64_t wall = at("2027-01") - 50000, end = wall;
        cn_meter_start(&meter, now, wall, SHANGHAI);
        for (int i = 0; i < 60; i++) {
            now += (uint64_t)(dice(&seed) % 5000);
            if (dice(&seed) % 5 == 0) now -= 2000 < now ? 2000 : 0;
            if (now > highest) highest = now;
            int64_t sum = areas[dice(&seed) % 6], largest = areas[dice(&seed) % 6];
            size_t n = i == 59 ? cn_meter_stop(&meter, highest, "leave", segment, CN_METER_SEGMENTS)
                       : dice(&seed) % 4
                           ? cn_meter_area(&meter, now, sum, largest < sum ? largest : sum, segment, CN_METER_SEGMENTS)
                           : cn_meter_checkpoint(&meter, now, segment, CN_METER_SEGMENTS);
            for (size_t k = 0; k < n; k++) {
                assert_int_equal(segment[k].start_ms, end);
                assert_true(segment[k].duration_ms > 0);
                end += segment[k].duration_ms;
                assert_true(end <= cn_month_end(segment[k].start_ms, SHANGHAI));
            }
        }
        assert_int_equal(end - wall, highest - 1000);
    }
}

/* ---- shares ---- */

static void test_shares(void **state)
{
    (void)state;
    int64_t out[6];
    cn_meter_shares((const int64_t[]){1, 1, 1}, 3, 100, out);
    assert_int_equal(out[0], 34); /* ties: the lower index */
    assert_int_equal(out[1], 33);
    assert_int_equal(out[2], 33);
    cn_meter_shares((const int64_t[]){50, 30, 20}, 3, 10, out);
    assert_int_equal(out[0], 5);
    assert_int_equal(out[1], 3);
    assert_int_equal(out[2], 2);
    /* 1.6, 1.6, 0.8: the largest remainder first */
    cn_meter_shares((const int64_t[]){2, 2, 1}, 3, 4, out);
    assert_int_equal(out[0], 2);
    assert_int_equal(out[1], 1);
    assert_int_equal(out[2], 1);
    cn_meter_shares((const int64_t[]){0, 0}, 2, 5, out);
    assert_int_equal(out[0], 0);
    cn_meter_shares((const int64_t[]){0, 9, 0}, 3, 5, out);
    assert_int_equal(out[0], 0);
    assert_int_equal(out[1], 5);
    cn_meter_shares(NULL, 0, 5, out);
    /* products beyond 64 bits */
    cn_meter_shares((const int64_t[]){INT64_C(1) << 60, INT64_C(1) << 61}, 2, 300000, out);
    assert_int_equal(out[0], 100000);
    assert_int_equal(out[1], 200000);
}

static void test_shares_sum_up(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int round = 0; round < 500; round++) {
        int64_t w[64], out[64], sum = 0, all = 0, total = dice(&seed) % 400000;
        size_t n = 1 + (size_t)dice(&seed) % 64;
        for (size_t i = 0; i < n; i++) all += w[i] = dice(&seed) % 3 ? dice(&seed) % 1000000 : dice(&seed) % 7;
        cn_meter_shares(w, n, total, out);
        for (size_t i = 0; i < n; i++) {
            sum += out[i];
            if (all) assert_true(llabs(out[i] * all - total * w[i]) < all); /* never a whole minute off */
        }
        assert_int_equal(sum, all ? total : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiers),
        cmocka_unit_test(test_vector_voice),
        cmocka_unit_test(test_vector_two_people),
        cmocka_unit_test(test_vector_rounding),
        cmocka_unit_test(test_vector_thirty_people),
        cmocka_unit_test(test_changes_of_tier),
        cmocka_unit_test(test_time_running_backwards),
        cmocka_unit_test(test_months),
        cmocka_unit_test(test_month_splits),
        cmocka_unit_test(test_several_months),
        cmocka_unit_test(test_nothing_is_lost),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_shares_sum_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
