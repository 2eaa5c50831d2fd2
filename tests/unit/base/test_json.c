#include "cn_test.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"

static cn_err parse(const char *text, json_t **out, cn_problem *problem)
{
    *problem = (cn_problem){0};
    return cn_json_object(out, text, strlen(text), problem);
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
        {"{\"a\\u0000\":1}", CN_ERR_PARSE, "JSON"},
        {"[]", CN_ERR_INVALID, "must be a JSON object"},
        {"12", CN_ERR_INVALID, "must be a JSON object"},
        {"null", CN_ERR_INVALID, "must be a JSON object"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *object = NULL;
        cn_problem problem;
        assert_err(parse(cases[i].text, &object, &problem), cases[i].err);
        assert_null(object);
        assert_err(problem.err, cases[i].err);
        assert_non_null(strstr(problem.detail, cases[i].says));
        assert_null(strstr(problem.detail, "Zhang"));
    }
    json_t *object = NULL;
    assert_err(cn_json_object(&object, "{", 1, NULL), CN_ERR_PARSE);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    for (int depth = 31; depth <= 33; depth++) {
        cn_buf buf = {0};
        cn_buf_str(&buf, "{\"[[[\\\"[[[[\":0,\"a\":");
        for (int i = 1; i < depth; i++) cn_buf_str(&buf, "[");
        for (int i = 1; i < depth; i++) cn_buf_str(&buf, "]");
        cn_buf_str(&buf, depth == 1 ? "1}" : "}");
        CN_AUTO_JSON json_t *object = NULL;
        cn_problem problem;
        assert_err(parse(buf.p, &object, &problem), depth <= 32 ? CN_OK : CN_ERR_PARSE);
        cn_buf_free(&buf);
    }
}

static void text_is_bounded_in_characters(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *object = NULL;
    cn_problem problem;
    assert_ok(parse("{\"s\":\"\xe4\xbc\x9a\xe8\xaf\x8a\",\"t\":\"a\\tb\\nc\",\"n\":null,\"i\":1}", &object, &problem));
    const char *out = "before";
    assert_ok(cn_json_str(object, "s", true, 1, 2, &out, &problem));
    assert_string_equal(out, "\xe4\xbc\x9a\xe8\xaf\x8a");
    assert_err(cn_json_str(object, "s", true, 3, 9, &out, &problem), CN_ERR_INVALID);
    assert_err(cn_json_str(object, "s", true, 0, 1, &out, &problem), CN_ERR_INVALID);
    assert_string_equal(problem.field, "s");
    assert_ok(cn_json_str(object, "t", true, 1, 9, &out, &problem));
    assert_err(cn_json_str(object, "i", true, 1, 9, &out, &problem), CN_ERR_INVALID);
    out = "before";
    assert_ok(cn_json_str(object, "n", false, 1, 9, &out, &problem));
    assert_ok(cn_json_str(object, "none", false, 1, 9, &out, &problem));
    assert_string_equal(out, "before");
    assert_err(cn_json_str(object, "n", true, 1, 9, &out, &problem), CN_ERR_INVALID);
    assert_err(cn_json_str(object, "none", true, 1, 9, &out, &problem), CN_ERR_INVALID);
    assert_string_equal(problem.field, "none");
    assert_string_equal(out, "before");
}

static void invisible_characters_never_stop_a_text(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *object = NULL;
    cn_problem problem;
    const char *out = "";
    assert_ok(parse(
        "{\"w\":\"a\\u000bb\",\"c\":\"a\\u0007\\u007f\\u0085\\u2028b\",\"l\":\"\\u000ba\\r\\nb\\t\",\"e\":\"\\u0007\","
        "\"z\":\"a\\u0000b\",\"in\":[{\"z\":\"\\u0000c\"}]}",
        &object, &problem));
    assert_ok(cn_json_str(object, "w", true, 1, 9, &out, &problem));
    assert_string_equal(out, "a\nb");
    assert_string_equal(json_string_value(json_object_get(object, "w")), "a\nb");
    assert_ok(cn_json_str(object, "c", true, 1, 4, &out, &problem)); /* measured as it is kept */
    assert_string_equal(out, "a\n\nb");
    assert_ok(cn_json_line(object, "l", true, 1, 3, &out, &problem));
    assert_string_equal(out, "a b");
    assert_err(cn_json_line(object, "e", true, 1, 3, &out, &problem), CN_ERR_INVALID);
    assert_int_equal(problem.wrong, CN_WRONG_MISSING);
    assert_ok(cn_json_str(object, "z", true, 1, 9, &out, &problem));
    assert_string_equal(out, "ab");
    json_t *inner = json_array_get(json_object_get(object, "in"), 0);
    assert_string_equal(json_string_value(json_object_get(inner, "z")), "c");
}

static void a_problem_says_in_a_word_what_is_wrong(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *object = NULL;
    json_t *list = NULL;
    cn_problem problem;
    const char *out = "";
    int64_t number = 0;
    assert_ok(parse("{\"s\":\"abc\",\"e\":\"\",\"i\":7,\"a\":[1,2]}", &object, &problem));
    assert_err(cn_json_str(object, "s", true, 1, 2, &out, &problem), CN_ERR_INVALID);
    assert_int_equal(problem.wrong, CN_WRONG_LONG);
    assert_int_equal(problem.number[1], 2);
    assert_err(cn_json_str(object, "s", true, 4, 9, &out, &problem), CN_ERR_INVALID);
    assert_int_equal(problem.wrong, CN_WRONG_SHORT);
    assert_int_equal(problem.number[0], 4);
    assert_err(cn_json_str(object, "e", true, 1, 9, &out, &problem), CN_ERR_INVALID);
    assert_int_equal(problem.wrong, CN_WRONG_MISSING);
    assert_err(cn_json_str(object, "none", true, 1, 9, &out, &problem), CN_ERR_INVALID);
    assert_int_equal(problem.wrong, CN_WRONG_MISSING);
    assert_err(cn_json_str(object, "i", true, 1, 9, &out, &problem), CN_ERR_INVALID);
    assert_int_equal(problem.wrong, CN_WRONG_TYPE);
    assert_err(cn_json_i64(object, "i", true, 8, 9, &number, &problem), CN_ERR_INVALID);
    assert_int_equal(problem.wrong, CN_WRONG_RANGE);
    assert_int_equal(problem.number[0], 8);
    assert_err(cn_json_arr(object, "a", true, 1, &list, &problem), CN_ERR_INVALID);
    assert_int_equal(problem.wrong, CN_WRONG_MANY);
}

static void numbers_and_truth_keep_their_types(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *object = NULL;
    cn_problem problem;
    assert_ok(parse("{\"i\":5,\"r\":2.5,\"b\":true,\"s\":\"5\",\"m\":-9223372036854775808}", &object, &problem));
    int64_t i = 0;
    double r = 0;
    bool b = false;
    assert_ok(cn_json_i64(object, "i", true, 5, 5, &i, &problem));
    assert_int_equal(i, 5);
    assert_ok(cn_json_i64(object, "m", true, INT64_MIN, 0, &i, &problem));
    assert_true(i == INT64_MIN);
    assert_err(cn_json_i64(object, "i", true, 6, 9, &i, &problem), CN_ERR_INVALID);
    assert_err(cn_json_i64(object, "i", true, 0, 4, &i, &problem), CN_ERR_INVALID);
    assert_err(cn_json_i64(object, "r", true, 0, 4, &i, &problem), CN_ERR_INVALID);
    assert_err(cn_json_i64(object, "s", true, 0, 9, &i, &problem), CN_ERR_INVALID);
    assert_err(cn_json_i64(object, "b", true, 0, 9, &i, &problem), CN_ERR_INVALID);
    assert_ok(cn_json_i64(object, "none", false, 0, 9, &i, &problem));
    assert_ok(cn_json_real(object, "r", true, 0, 3, &r, &problem));
    assert_true(r > 2.4 && r < 2.6);
    assert_ok(cn_json_real(object, "i", true, 0, 5, &r, &problem));
    assert_err(cn_json_real(object, "r", true, 3, 4, &r, &problem), CN_ERR_INVALID);
    assert_err(cn_json_real(object, "s", true, 0, 9, &r, &problem), CN_ERR_INVALID);
    assert_ok(cn_json_real(object, "none", false, 0, 9, &r, &problem));
    assert_ok(cn_json_bool(object, "b", true, &b, &problem));
    assert_true(b);
    assert_err(cn_json_bool(object, "i", true, &b, &problem), CN_ERR_INVALID);
    assert_err(cn_json_bool(object, "none", true, &b, &problem), CN_ERR_INVALID);
    assert_ok(cn_json_bool(object, "none", false, &b, &problem));
}

static void lists_and_objects_are_borrowed(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *object = NULL;
    cn_problem problem;
    assert_ok(parse("{\"a\":[1,2,3],\"o\":{\"x\":1}}", &object, &problem));
    json_t *out = NULL;
    assert_ok(cn_json_arr(object, "a", true, 3, &out, &problem));
    assert_int_equal(json_array_size(out), 3);
    assert_err(cn_json_arr(object, "a", true, 2, &out, &problem), CN_ERR_INVALID);
    assert_err(cn_json_arr(object, "o", true, 2, &out, &problem), CN_ERR_INVALID);
    assert_ok(cn_json_arr(object, "none", false, 2, &out, &problem));
    assert_ok(cn_json_obj(object, "o", true, &out, &problem));
    assert_true(json_is_object(out));
    assert_err(cn_json_obj(object, "a", true, &out, &problem), CN_ERR_INVALID);
    assert_ok(cn_json_obj(object, "none", false, &out, &problem));
    assert_err(cn_json_obj(out, "none", true, &out, &problem), CN_ERR_INVALID);
    assert_err(cn_json_obj(json_array_get(json_object_get(object, "a"), 0), "x", true, &out, &problem), CN_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_json_is_named_and_never_quoted),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(text_is_bounded_in_characters),
        cmocka_unit_test(invisible_characters_never_stop_a_text),
        cmocka_unit_test(a_problem_says_in_a_word_what_is_wrong),
        cmocka_unit_test(numbers_and_truth_keep_their_types),
        cmocka_unit_test(lists_and_objects_are_borrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
