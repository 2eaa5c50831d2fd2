/* A body of parts gives the same parts however it is cut on its way. */
#include "cn_test.h"

#include <string.h>

#include "base/str.h"
#include "signaling/api/multipart.h"

static cn_err begin(void *ctx, const char *type)
{
    cn_buf_fmt(ctx, "<%s|", type);
    return CN_OK;
}
static cn_err bytes(void *ctx, const void *at, size_t len)
{
    cn_buf_add(ctx, at, len);
    return CN_OK;
}
static cn_err end(void *ctx)
{
    cn_buf_str(ctx, ">");
    return CN_OK;
}
static const cn_multipart_ops ops = {begin, bytes, end};

static cn_err parts_of(const char *body, size_t step, char *out, size_t size)
{
    cn_multipart multipart;
    cn_buf seen = {.p = NULL};
    assert_ok(cn_multipart_start(&multipart, "a'b", &ops, &seen));
    cn_err err = CN_OK;
    for (size_t at = 0, n = strlen(body); at < n && err == CN_OK; at += step)
        err = cn_multipart_feed(&multipart, body + at, n - at < step ? n - at : step);
    if (err == CN_OK) err = cn_multipart_finish(&multipart);
    cn_strcpy(out, size, seen.p ? seen.p : "");
    cn_buf_free(&seen);
    return err;
}

static void parts_are_the_same_however_cut(void **state)
{
    static const struct {
        const char *body, *parts;
        cn_err err;
    } table[] = {
        {"--a'b\r\nContent-Type: application/dicom\r\n\r\none\r\n--a'b\r\n\r\ntwo\r\n--a'b--",
         "<application/dicom|one><|two>", CN_OK},
        {"before\r\n--a'b \t\r\nX: y\r\ncontent-type:z\r\n\r\n\r\n--a\r\r\n-\r\n--a'b--\r\nafter", "<z|\r\n--a\r\r\n->",
         CN_OK},
        {"--a'b\r\n\r\n\r\n--a'b--", "<|>", CN_OK},
        {"--a'b--", "", CN_OK},
        {"--a'b\r\n\r\ncut", "<|cut", CN_ERR_PARSE},
        {"--a'bc\r\n\r\nlonger\r\n--a'b--", "", CN_ERR_PARSE},
        {"nothing", "", CN_ERR_PARSE},
        {"", "", CN_ERR_PARSE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        for (size_t step = 1; step < 90; step++) {
            char parts[256];
            assert_int_equal(parts_of(table[i].body, step, parts, sizeof parts), table[i].err);
            assert_string_equal(parts, table[i].parts);
        }
}

static void headers_end_somewhere(void **state)
{
    static char body[CN_MULTIPART_HEAD + 100], parts[256];
    (void)state;
    memset(body, 'x', sizeof body - 1);
    memcpy(body, "--a'b\r\nX: ", 10);
    assert_int_equal(parts_of(body, 64, parts, sizeof parts), CN_ERR_TOOBIG);
}

static void boundaries_are_quoted_or_not(void **state)
{
    char out[32];
    cn_multipart multipart;
    (void)state;
    assert_true(cn_multipart_param("multipart/related; type=\"a;boundary=no\"; Boundary=\"x y\"", "boundary", out, 32));
    assert_string_equal(out, "x y");
    assert_true(cn_multipart_param("multipart/related;boundary=xy ; type=z", "boundary", out, 32));
    assert_string_equal(out, "xy");
    assert_false(cn_multipart_param("multipart/related; boundary=\"xy", "boundary", out, 32));
    assert_false(cn_multipart_param("multipart/related", "boundary", out, 32));
    assert_false(cn_multipart_param("a; boundary=0123456789012345678901234567890123", "boundary", out, 32));
    assert_int_equal(cn_multipart_start(&multipart, "", &ops, NULL), CN_ERR_INVALID);
    assert_int_equal(cn_multipart_start(&multipart, "a\nb", &ops, NULL), CN_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_the_same_however_cut),
        cmocka_unit_test(headers_end_somewhere),
        cmocka_unit_test(boundaries_are_quoted_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
