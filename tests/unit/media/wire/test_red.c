#include "cn_test.h"

#include <stdbool.h>
#include <string.h>

#include "media/wire/red.h"

/* Two older blocks of Chromium's kind: 40 ms and 20 ms old, then the newest. */
static const uint8_t three[] = {0x80 | 111,
                                1920 >> 6,
                                (1920 & 63) << 2,
                                3,
                                0x80 | 111,
                                960 >> 6,
                                (960 & 63) << 2,
                                2,
                                111,
                                'o',
                                'l',
                                'd',
                                'e',
                                'r',
                                'n',
                                'e',
                                'w'};

static void three_blocks_are_found(void **state)
{
    (void)state;
    cn_red red;
    assert_ok(cn_red_parse(&red, three, sizeof three));
    assert_int_equal(red.count, 3);
    assert_int_equal(red.block[0].offset, 1920);
    assert_int_equal(red.block[1].offset, 960);
    assert_int_equal(cn_red_newest(&red)->offset, 0);
    assert_memory_equal(three + red.block[0].at, "old", red.block[0].len);
    assert_memory_equal(three + red.block[1].at, "er", red.block[1].len);
    assert_int_equal(cn_red_newest(&red)->len, 3);
    assert_memory_equal(three + cn_red_newest(&red)->at, "new", 3);
    for (size_t i = 0; i < 3; i++) assert_int_equal(red.block[i].pt, 111);
}

static void lengths_and_offsets_use_all_their_bits(void **state)
{
    (void)state;
    uint8_t p[5 + 1023 + 1] = {0x80 | 5, 0xff, 0xff, 0xff, 5};
    p[sizeof p - 1] = 'n';
    cn_red red;
    assert_ok(cn_red_parse(&red, p, sizeof p));
    assert_int_equal(red.block[0].offset, CN_RED_OFFSET_MAX);
    assert_int_equal(red.block[0].len, 1023);
    assert_int_equal(cn_red_newest(&red)->len, 1);
    assert_err(cn_red_parse(&red, p, sizeof p - 1), CN_ERR_PARSE); /* nothing in the newest */
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    cn_red red;
    uint8_t many[4 * CN_RED_BLOCKS + 2];
    for (size_t i = 0; i < sizeof many; i++) many[i] = i % 4 ? 0 : 0x80 | 111;
    many[sizeof many - 2] = 111;
    assert_err(cn_red_parse(&red, many, sizeof many), CN_ERR_PARSE);
    assert_ok(cn_red_parse(&red, many + 4, sizeof many - 4));
    assert_int_equal(red.count, CN_RED_BLOCKS);
    assert_err(cn_red_parse(&red, three, 0), CN_ERR_PARSE);
    for (size_t n = 1; n < sizeof three; n++) {
        uint8_t cut[sizeof three];
        memcpy(cut, three, n);
        bool whole = n > 14; /* only the newest block is shorter */
        assert_int_equal(cn_red_parse(&red, cut, n), whole ? CN_OK : CN_ERR_PARSE);
    }
    static uint8_t huge[UINT16_MAX + 1] = {111};
    assert_err(cn_red_parse(&red, huge, sizeof huge), CN_ERR_PARSE);
    assert_ok(cn_red_parse(&red, huge, sizeof huge - 1));
}

static void older_blocks_are_left_out(void **state)
{
    (void)state;
    static const struct {
        uint32_t most;
        size_t count;
        const char *body;
    } cases[] = {{CN_RED_OFFSET_MAX, 3, "oldernew"},
                 {1920, 3, "oldernew"},
                 {1919, 2, "ernew"},
                 {960, 2, "ernew"},
                 {959, 1, "new"},
                 {0, 1, "new"}};
    cn_red red, again;
    assert_ok(cn_red_parse(&red, three, sizeof three));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t out[sizeof three];
        size_t n = cn_red_write(out, three, &red, 63, cases[i].most), body = strlen(cases[i].body);
        assert_ok(cn_red_parse(&again, out, n));
        assert_int_equal(again.count, cases[i].count);
        assert_int_equal(n, 4 * cases[i].count - 3 + body);
        assert_memory_equal(out + n - body, cases[i].body, body);
        for (size_t k = 0; k < again.count; k++) assert_int_equal(again.block[k].pt, 63);
        assert_int_equal(again.block[0].offset, red.block[3 - cases[i].count].offset);
    }
}

static void empty_blocks_are_left_out(void **state)
{
    (void)state;
    const uint8_t p[] = {0x80 | 111, 960 >> 6, (960 & 63) << 2, 0, 111, 'n'};
    uint8_t out[sizeof p];
    cn_red red;
    assert_ok(cn_red_parse(&red, p, sizeof p));
    assert_int_equal(cn_red_write(out, p, &red, 111, CN_RED_OFFSET_MAX), 2);
    assert_int_equal(out[0], 111);
    assert_int_equal(out[1], 'n');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_blocks_are_found),       cmocka_unit_test(lengths_and_offsets_use_all_their_bits),
        cmocka_unit_test(what_does_not_fit_is_refused), cmocka_unit_test(older_blocks_are_left_out),
        cmocka_unit_test(empty_blocks_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
