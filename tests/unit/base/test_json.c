#include "cn_test.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"

static cn_err parse(const char *text, json_t **out, cn_problem *p)
{
    *p = (cn_problem){0};
    return cn_json_object(out, text, strlen(text), p);
}

static void bad_json_is_named_and_never_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        cn_err err;
        const char *says;
    } cases[] = {
        {"", CN_ERR_PARSE, "JSON"},
        {"{", CN_ERR_PARSE, "ends in the middle"},
        {"{\"a\":1,}", CN_ERR_PARSE, "not valid JSON"},
        {"{\"Zhang\":1,\"Zhang\":2}", CN_ERR_PARSE, "same key twice"},
        {"{\"Zhang\" 1}", CN_ERR_PARSE, "line 1"},
        {"{} {}", CN_ERR_PARSE, "goes on after"},
        {"{\"a\":\"\xff\"}", CN_ERR_PARSE, "UTF-8"},
        {"{\"a\":99999999999999999999}", CN_ERR_PARSE, "too large"},
        {"{\"a\":\"\\u0000\"}", CN_ERR_PARSE, "JSON"},
        {"[]", CN_ERR_INVALID, "must be a JSON object"},
        {"12", CN_ERR_INVALID, "must be a JSON object"},
        {"null", CN_ERR_INVALID, "must be a JSON object"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *o = NULL;
        cn_problem p;
        assert_err(parse(cases[i].text, &o, &p), cases[i].err);
        assert_null(o);
        assert_err(p.err, cases[i].err);
        assert_non_null(strstr(p.detail, cases[i].says));
        assert_null(strstr(p.detail, "Zhang"));
    }
    json_t *o = NULL;
    assert_err(cn_json_object(&o, "{", 1, NULL), CN_ERR_PARSE);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    for (int depth = 31; depth <= 33; depth++) {
        cn_buf b = {0};
        cn_buf_str(&b, "{\"[[[\\\"[[[[\":0,\"a\":");
        for (int i = 1; i < depth; i++) cn_buf_str(&b, "[");
        for (int i = 1; i < depth; i++) cn_buf_str(&b, "]");
        cn_buf_str(&b, depth == 1 ? "1}" : "}");
        CN_AUTO_JSON json_t *o = NULL;
        cn_problem p;
        assert_err(parse(b.p, &o, &p), depth <= 32 ? CN_OK : CN_ERR_PARSE);
        cn_buf_free(&b);
    }
}

static void text_is_bounded_in_characters(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *o = NULL;
    cn_problem p;
    assert_ok(parse("{\"s\":\"\xe4\xbc\x9a\xe8\xaf\x8a\",\"t\":\"a\\tb\\nc\",\"c\":\"a\\u0007\",\"d\":\"\\u0085\","
                    "\"n\":null,\"i\":1}",
                    &o, &p));
    const char *out = "before";
    assert_ok(cn_json_str(o, "s", true, 1, 2, &out, &p));
    assert_string_equal(out, "\xe4\xbc\x9a\xe8\xaf\x8a");
    assert_err(cn_json_str(o, "s", true, 3, 9, &out, &p), CN_ERR_INVALID);
    assert_err(cn_json_str(o, "s", true, 0, 1, &out, &p), CN_ERR_INVALID);
    assert_string_equal(p.field, "s");
    assert_ok(cn_json_str(o, "t", true, 1, 9, &out, &p));
    assert_err(cn_json_str(o, "c", true, 1, 9, &out, &p), CN_ERR_INVALID);
    assert_err(cn_json_str(o, "d", true, 1, 9, &out, &p), CN_ERR_INVALID);
    assert_err(cn_json_str(o, "i", true, 1, 9, &out, &p), CN_ERR_INVALID);
    out = "before";
    assert_ok(cn_json_str(o, "n", false, 1, 9, &out, &p));
    assert_ok(cn_json_str(o, "none", false, 1, 9, &out, &p));
    assert_string_equal(out, "before");
    assert_err(cn_json_str(o, "n", true, 1, 9, &out, &p), CN_ERR_INVALID);
    assert_err(cn_json_str(o, "none", true, 1, 9, &out, &p), CN_ERR_INVALID);
    assert_string_equal(p.field, "none");
    assert_string_equal(out, "before");
}

static void numbers_and_truth_keep_their_types(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *o = NULL;
    cn_problem p;
    assert_ok(parse("{\"i\":5,\"r\":2.5,\"b\":true,\"s\":\"5\",\"m\":-9223372036854775808}", &o, &p));
    int64_t i = 0;
    double r = 0;
    bool b = false;
    assert_ok(cn_json_i64(o, "i", true, 5, 5, &i, &p));
    assert_int_equal(i, 5);
    assert_ok(cn_json_i64(o, "m", true, INT64_MIN, 0, &i, &p));
    assert_true(i == INT64_MIN);
    assert_err(cn_json_i64(o, "i", true, 6, 9, &i, &p), CN_ERR_INVALID);
    assert_err(cn_json_i64(o, "i", true, 0, 4, &i, &p), CN_ERR_INVALID);
    assert_err(cn_json_i64(o, "r", true, 0, 4, &i, &p), CN_ERR_INVALID);
    assert_err(cn_json_i64(o, "s", true, 0, 9, &i, &p), CN_ERR_INVALID);
    assert_err(cn_json_i64(o, "b", true, 0, 9, &i, &p), CN_ERR_INVALID);
    assert_ok(cn_json_i64(o, "none", false, 0, 9, &i, &p));
    assert_ok(cn_json_real(o, "r", true, 0, 3, &r, &p));
    assert_true(r > 2.4 && r < 2.6);
    assert_ok(cn_json_real(o, "i", true, 0, 5, &r, &p));
    assert_err(cn_json_real(o, "r", true, 3, 4, &r, &p), CN_ERR_INVALID);
    assert_err(cn_json_real(o, "s", true, 0, 9, &r, &p), CN_ERR_INVALID);
    assert_ok(cn_json_real(o, "none", false, 0, 9, &r, &p));
    assert_ok(cn_json_bool(o, "b", true, &b, &p));
    assert_true(b);
    assert_err(cn_json_bool(o, "i", true, &b, &p), CN_ERR_INVALID);
    assert_err(cn_json_bool(o, "none", true, &b, &p), CN_ERR_INVALID);
    assert_ok(cn_json_bool(o, "none", false, &b, &p));
}

static void lists_and_objects_are_borrowed(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *o = NULL;
    cn_problem p;
    assert_ok(parse("{\"a\":[1,2,3],\"o\":{\"x\":1}}", &o, &p));
    json_t *out = NULL;
    assert_ok(cn_json_arr(o, "a", true, 3, &out, &p));
    assert_int_equal(json_array_size(out), 3);
    assert_err(cn_json_arr(o, "a", true, 2, &out, &p), CN_ERR_INVALID);
    assert_err(cn_json_arr(o, "o", true, 2, &out, &p), CN_ERR_INVALID);
    assert_ok(cn_json_arr(o, "none", false, 2, &out, &p));
    assert_ok(cn_json_obj(o, "o", true, &out, &p));
    assert_true(json_is_object(out));
    assert_err(cn_json_obj(o, "a", true, &out, &p), CN_ERR_INVALID);
    assert_ok(cn_json_obj(o, "none", false, &out, &p));
    assert_err(cn_json_obj(out, "none", true, &out, &p), CN_ERR_INVALID);
    assert_err(cn_json_obj(json_array_get(json_object_get(o, "a"), 0), "x", true, &out, &p), CN_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_json_is_named_and_never_quoted), cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(text_is_bounded_in_characters),      cmocka_unit_test(numbers_and_truth_keep_their_types),
        cmocka_unit_test(lists_and_objects_are_borrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
