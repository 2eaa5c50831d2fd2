#include "cn_test.h"

#include <string.h>

#include "media/wire/allocation.h"

/* As libwebrtc writes it: three streams of one spatial and three temporal layers; the second stream carries it. */
static const uint8_t simulcast[] = {0x61, 0xa8, /* 2, 2, 2: three temporal layers each */
                                    50,   80,   100,  0x96, 0x01, 0xc8, 0x01, 0xfa, 0x01, 0xf4,
                                    0x03, 0xe8, 0x07, 0xdc, 0x0b, 0x01, 0x3f, 0x00, 0xb3, 30,
                                    0x02, 0x7f, 0x01, 0x67, 30,   0x04, 0xff, 0x02, 0xcf, 30};
/* One stream of two spatial layers. */
static const uint8_t layered[] = {0x03, 0x00, 0x64, 0xc8, 0x01, 0x02, 0x7f, 0x01, 0x67, 15, 0x04, 0xff, 0x02, 0xcf, 30};
/* Two streams, of the first nothing is sent, of the second the first and third spatial layer. */
static const uint8_t uneven[] = {0x10, 0x05, 0x00, 10, 20, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 1};

static void sizes_are_read(void **state)
{
    (void)state;
    cn_allocation a;
    assert_int_equal(cn_allocation_parse(&a, simulcast, sizeof simulcast), CN_OK);
    assert_int_equal(a.streams, 3);
    assert_true(a.sized);
    assert_int_equal(a.area[0][0], 320 * 180);
    assert_int_equal(a.area[1][0], 640 * 360);
    assert_int_equal(a.area[2][0], 1280 * 720);
    assert_int_equal(a.area[2][1], 0);
    assert_int_equal(cn_allocation_parse(&a, layered, sizeof layered), CN_OK);
    assert_int_equal(a.streams, 1);
    assert_int_equal(a.area[0][0], 640 * 360);
    assert_int_equal(a.area[0][1], 1280 * 720);
    assert_int_equal(cn_allocation_parse(&a, uneven, sizeof uneven), CN_OK);
    assert_int_equal(a.area[0][0], 0);
    assert_int_equal(a.area[1][0], 1);
    assert_int_equal(a.area[1][1], 0);
    assert_int_equal(a.area[1][2], 65536ull * 65536);
}

static void sizes_may_be_left_out(void **state)
{
    (void)state;
    cn_allocation a;
    assert_int_equal(cn_allocation_parse(&a, layered, sizeof layered - 10), CN_OK);
    assert_false(a.sized);
    assert_int_equal(cn_allocation_parse(&a, (const uint8_t[]){0}, 1), CN_OK);
    assert_false(a.sized);
}

static void what_ends_early_is_refused(void **state)
{
    (void)state;
    cn_allocation a;
    uint8_t bytes[sizeof simulcast + 1] = {0};
    memcpy(bytes, simulcast, sizeof simulcast);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        bool good = n == sizeof simulcast || n == sizeof simulcast - 15;
        uint8_t exact[sizeof bytes + 1];
        memcpy(exact + sizeof bytes - n, bytes, n);
        assert_int_equal(cn_allocation_parse(&a, exact + sizeof bytes - n, n), good ? CN_OK : CN_ERR_PARSE);
    }
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(cn_allocation_parse(&a, bytes, sizeof bytes), CN_ERR_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(sizes_may_be_left_out),
        cmocka_unit_test(what_ends_early_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
