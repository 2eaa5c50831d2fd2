#include "cn_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void copies_are_bounded(void **state)
{
    (void)state;
    char small[4] = "zzz";
    assert_true(cn_strcpy(small, sizeof small, "abc"));
    assert_string_equal(small, "abc");
    assert_false(cn_strcpy(small, sizeof small, "abcd"));
    assert_string_equal(small, "abc");
    assert_false(cn_strcpy(small, 0, ""));
    assert_true(cn_fmt(small, sizeof small, "%d", 123));
    assert_false(cn_fmt(small, sizeof small, "%d", 1234));
    assert_string_equal(small, "123");
}

static void whole_numbers_only(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t min, max;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", 0, 0, true, 0},
        {"-1", -5, 5, true, -1},
        {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
        {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
        {"99999999999999999999999", INT64_MIN, INT64_MAX, false, 0},
        {"6", 0, 5, false, 0},
        {"-1", 0, 5, false, 0},
        {"", 0, 5, false, 0},
        {"-", -5, 5, false, 0},
        {" 1", 0, 5, false, 0},
        {"1 ", 0, 5, false, 0},
        {"+1", 0, 5, false, 0},
        {"1x", 0, 5, false, 0},
        {"0x1", 0, 5, false, 0},
        {NULL, 0, 5, false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = 77;
        assert_int_equal(cn_parse_i64(cases[i].text, cases[i].min, cases[i].max, &value), cases[i].ok);
        assert_true(value == (cases[i].ok ? cases[i].value : 77));
    }
}

static void utf8_follows_rfc_3629(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        bool ok;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xe4\xbc\x9a\xe8\xaf\x8a", true}, /* 会诊 */
        {"\xf0\x9f\xa9\xba", true},         /* U+1FA7A */
        {"\xf4\x8f\xbf\xbf", true},         /* U+10FFFF */
        {"\xf4\x90\x80\x80", false},        /* above it */
        {"\xc0\xaf", false},                /* overlong */
        {"\xe0\x80\xaf", false},
        {"\xf0\x80\x80\xaf", false},
        {"\xed\xa0\x80", false}, /* surrogate */
        {"\xed\x9f\xbf", true},  /* just below the surrogates */
        {"\xe4\xbc", false},     /* cut */
        {"\x80", false},
        {"\xff", false},
        {"a\xe4z\x9a", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(cn_utf8_valid(cases[i].bytes, strlen(cases[i].bytes)), cases[i].ok);
    assert_int_equal(cn_utf8_length("a\xe4\xbc\x9a\xf0\x9f\xa9\xba"), 3);
}

static void hex_both_ways(void **state)
{
    (void)state;
    char text[9];
    cn_hex("\x00\x7f\xab\xff", 4, text);
    assert_string_equal(text, "007fabff");
    unsigned char bytes[4];
    assert_true(cn_unhex("007FabfF", bytes, 4));
    assert_memory_equal(bytes, "\x00\x7f\xab\xff", 4);
    assert_false(cn_unhex("007fabf", bytes, 4));
    assert_false(cn_unhex("007fabff0", bytes, 4));
    assert_false(cn_unhex("007fabfg", bytes, 4));
    assert_false(cn_unhex(NULL, bytes, 4));
}

/* RFC 4648 §10, without padding, and the two characters in which base64url differs. */
static void base64_both_ways(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *url, *padded;
    } cases[] = {
        {"", "", ""},
        {"f", "Zg", "Zg=="},
        {"fo", "Zm8", "Zm8="},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg", "Zm9vYg=="},
        {"fooba", "Zm9vYmE", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "-__-", "+//+"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[20], back[20];
        size_t n = 99;
        cn_b64url(cases[i].plain, strlen(cases[i].plain), text);
        assert_string_equal(text, cases[i].url);
        assert_true(cn_unb64(cases[i].url, strlen(cases[i].url), back, sizeof back, &n));
        assert_int_equal(n, strlen(cases[i].plain));
        assert_memory_equal(back, cases[i].plain, n);
        assert_true(cn_unb64(cases[i].padded, strlen(cases[i].padded), back, sizeof back, &n));
        assert_int_equal(n, strlen(cases[i].plain));
    }
}

static void bad_base64_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "Z", "Zg=", "Zm9vY", "Zh", "Zm9=", "Z===", "====", "=", "Zm 9", "Zm9v\n", "Zg==Zg=="};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char back[20];
        size_t n = 0;
        assert_false(cn_unb64(cases[i], strlen(cases[i]), back, sizeof back, &n));
    }
    char two[2];
    size_t n = 0;
    assert_false(cn_unb64("Zm9v", 4, two, sizeof two, &n));
    assert_true(cn_unb64("Zm8", 3, two, sizeof two, &n));
}

static void a_buffer_grows_to_its_bound(void **state)
{
    (void)state;
    cn_buf buf = {.max = 10};
    cn_buf_str(&buf, "abc");
    cn_buf_fmt(&buf, "%d-%s", 42, "x");
    assert_ok(buf.err);
    assert_string_equal(buf.p, "abc42-x");
    cn_buf_add(&buf, "123", 3);
    assert_int_equal(buf.n, 10);
    cn_buf_add(&buf, "", 0);
    assert_ok(buf.err);
    cn_buf_str(&buf, "4");
    assert_err(buf.err, CN_ERR_TOOBIG);
    cn_buf_str(&buf, "");
    assert_err(buf.err, CN_ERR_TOOBIG);
    assert_string_equal(buf.p, "abc42-x123");
    assert_null(cn_buf_take(&buf));
    assert_int_equal(buf.n, 0);
    assert_ok(buf.err);

    for (int i = 0; i < 1000; i++) cn_buf_fmt(&buf, "%03d", i);
    assert_int_equal(buf.n, 3000);
    char *text = cn_buf_take(&buf);
    assert_int_equal(strlen(text), 3000);
    assert_memory_equal(text + 2997, "999", 4);
    free(text);
    assert_null(cn_buf_take(&buf));
    cn_buf_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_are_bounded),
        cmocka_unit_test(whole_numbers_only),
        cmocka_unit_test(utf8_follows_rfc_3629),
        cmocka_unit_test(hex_both_ways),
        cmocka_unit_test(base64_both_ways),
        cmocka_unit_test(bad_base64_is_refused),
        cmocka_unit_test(a_buffer_grows_to_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
