/* Texts in every encoding that hospitals write, and what cannot be read. */
#include "cn_test.h"

#include <stdlib.h>
#include <string.h>

#include "viewer/document/office.h"
#include "viewer/document/text.h"

#define MARK "\xef\xbb\xbf"

static void every_encoding_becomes_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *text;
    } cases[] = {
#define C(bytes, text) {bytes, sizeof bytes - 1, MARK text}
        C("", ""),
        C("plain\r\n", "plain\r\n"),
        C("患者𠮷", "患者𠮷"),
        C(MARK "患者", "患者"),
        C("\xbb\xbc\xd5\xdf", "患者"),
        C("\xbb\xbc\x95\x34\xb2\x35\xfe\x9f", "患𠮷䶮"), /* four bytes; GB 18030 alone has the last two */
        C("\xff\xfe\xa3\x60\x05\x80", "患者"),
        C("\xfe\xff\x60\xa3\xd8\x42\xdf\xb7", "患𠮷"),
        C("\xff\xfe", ""),
        C("\xff\xfe\xa3\x60\x05", "患\xef\xbf\xbd"),     /* cut */
        C("\xff\xfe\xb7\xdf\xa3\x60", "\xef\xbf\xbd患"), /* half a pair */
        C("\xbb\xbc\xd5", "患\xef\xbf\xbd"),             /* cut */
        C("\xbb\xbc\xff\xd5\xdf", "患\xef\xbf\xbd者"),   /* one bad byte among good ones */
        C("患者三天\xff者", "患者三天\xef\xbf\xbd者"),   /* the same in UTF-8 */
        C("\xbb\xbc\x80", "患€"),                        /* code page 936 */
#undef C
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cn_buf out = {0};
        assert_ok(cn_text_utf8(cases[i].bytes, cases[i].n, &out));
        if (strcmp(out.p, cases[i].text) != 0) fail_msg("case %zu: %s", i, out.p + 3);
        cn_buf_free(&out);
    }
}

static void a_text_of_any_length(void **state)
{
    (void)state;
    const size_t n = (size_t)16 << 20;
    char *bytes = malloc(n + 1);
    cn_buf out = {0};
    bytes[0] = 'a'; /* so that steps end inside characters */
    for (size_t i = 1; i < n; i += 2) memcpy(bytes + i, "\xbb\xbc", 2);
    assert_ok(cn_text_utf8(bytes, n - 1, &out));
    assert_int_equal(out.n, 4 + (n / 2 - 1) * 3);
    assert_null(memmem(out.p, out.n, "\xef\xbf\xbd", 3));
    cn_buf_free(&out);
    assert_err(cn_text_utf8(bytes, n + 1, &out), CN_ERR_TOOBIG);
    assert_int_equal(out.n, 0);
    memset(bytes, 0xff, 100000); /* nothing of it can be read */
    bytes[0] = 'a';
    assert_ok(cn_text_utf8(bytes, 100000, &out));
    assert_int_equal(out.n, 4 + 99999 * 3);
    cn_buf_free(&out);
    free(bytes);
}

static void raw_bytes_in_rtf(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\\rtf1 出a𠮷}", "{\\rtf1 {\\uc1\\u20986?}a{\\uc1\\u-10174?\\u-8265?}}"},
        {"{\\rtf1\\ansicpg936 \xb3\xf6}", "{\\rtf1\\ansicpg936 {\\uc1\\u20986?}}"},
        {"{\\rtf1\\ansi \\'b3\\'f6}", NULL},
        {"{\\rtf1\\ansicpg1252 \xe4}", NULL},
        {"{\\rtf1 \\bin2 \xb3\xf6}", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cn_buf out = {0};
        cn_err err = cn_text_rtf(cases[i][0], strlen(cases[i][0]), &out);
        assert_int_equal(err, cases[i][1] ? CN_OK : CN_ERR_UNSUPPORTED);
        if (cases[i][1]) assert_string_equal(out.p, cases[i][1]);
        if (!cases[i][1]) assert_int_equal(out.n, 0);
        cn_buf_free(&out);
    }
}

static void paths_as_urls(void **state)
{
    (void)state;
    char url[64];
    assert_ok(cn_office_url("/a b/张,(\"&.x", url, sizeof(url)));
    assert_string_equal(url, "file:///a%20b/%E5%BC%A0%2C%28%22%26.x");
    assert_err(cn_office_url("/a b/张,(\"&.x", url, 20), CN_ERR_TOOBIG);
    assert_err(cn_office_url("/", url, 4), CN_ERR_TOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_encoding_becomes_utf8),
                                       cmocka_unit_test(a_text_of_any_length), cmocka_unit_test(raw_bytes_in_rtf),
                                       cmocka_unit_test(paths_as_urls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
