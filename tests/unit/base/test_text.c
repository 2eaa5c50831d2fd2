#include "cn_test.h"

#include <string.h>

#include "base/text.h"

#define A "\xe6\xa3\x80" /* 检 */
#define B "\xe6\x9f\xa5" /* 查 */

static const struct {
    const char *in;
    size_t len;
    const char *lines, *line;
} cases[] = {
#define CASE(in, lines, line)           \
    {                                   \
        in, sizeof(in) - 1, lines, line \
    }
    CASE("", "", ""),
    CASE(A B, A B, A B),
    CASE(A "\v" B, A "\n" B, A " " B),           /* Word's manual line break */
    CASE(A "\f" B, A "\n" B, A " " B),           /* a page's end, from PDF and HIS */
    CASE(A "\r" B, A "\n" B, A " " B),           /* a line's end of old */
    CASE(A "\r\n" B, A "\n" B, A " " B),         /* Windows */
    CASE(A "\n\r\n" B, A "\n\n" B, A " " B),     /* an empty line stays one */
    CASE(A "\xc2\x85" B, A "\n" B, A " " B),     /* NEL */
    CASE(A "\xe2\x80\xa8" B, A "\n" B, A " " B), /* LINE SEPARATOR */
    CASE(A "\xe2\x80\xa9" B, A "\n" B, A " " B), /* PARAGRAPH SEPARATOR */
    CASE(A "\t" B, A "\t" B, A " " B),
    CASE(A "\0" B, A B, A B),
    CASE("\x01\x02\x1b" A "\x1f\x7f" B, A B, A B),        /* C0, DEL */
    CASE(A "\xc2\x80\xc2\x9f" B, A B, A B),               /* C1 */
    CASE(A "\xc2\xa0" B, A "\xc2\xa0" B, A "\xc2\xa0" B), /* a no-break space can be seen */
    CASE(A "\xe2\x80\xa7" B, A "\xe2\x80\xa7" B, A "\xe2\x80\xa7" B),
    CASE(" " A "  " B " ", " " A "  " B " ", A "  " B),
    CASE("\n" A " \n " B "\v\v", "\n" A " \n " B "\n\n", A "  " B),
    CASE("\x01\x02", "", ""),
    CASE("\xc2", "\xc2", "\xc2"), /* cut input is nobody's line end */
#undef CASE
};

static void invisible_characters_end_lines_or_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int kind = CN_TEXT_LINES; kind <= CN_TEXT_LINE; kind++) {
            const char *want = kind == CN_TEXT_LINE ? cases[i].line : cases[i].lines;
            char text[64];
            memcpy(text, cases[i].in, cases[i].len + 1);
            bool same = strlen(want) == cases[i].len && memcmp(want, text, cases[i].len) == 0;
            assert_int_equal(cn_text_is_clean(text, cases[i].len, (cn_text_kind)kind), same);
            size_t n = cn_text_clean(text, cases[i].len, (cn_text_kind)kind);
            assert_string_equal(text, want);
            assert_int_equal(n, strlen(want));
            assert_true(cn_text_is_clean(text, n, (cn_text_kind)kind));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(invisible_characters_end_lines_or_go)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
