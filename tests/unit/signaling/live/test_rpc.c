/* JSON-RPC messages, problems as the outside sees them, and what is read from an offer. */
#include "cn_test.h"

#include <string.h>

#include "base/json.h"
#include "signaling/http/problem.h"
#include "signaling/live/rpc.h"

static void reads_messages(void **state)
{
    static const struct {
        const char *text;
        int expected;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", 0},
        {"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"ping\",\"params\":{}}", 0},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"ping\"}", 0},
        {"", CN_RPC_PARSE},
        {"{", CN_RPC_PARSE},
        {"[]", CN_RPC_PARSE},
        {"{} {}", CN_RPC_PARSE},
        {"{}", CN_RPC_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", CN_RPC_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", CN_RPC_REQUEST},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"ping\"}", CN_RPC_REQUEST},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}", CN_RPC_PARAMS},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":null}", CN_RPC_PARAMS},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_rpc rpc;
        int code = cn_rpc_parse(cases[i].text, strlen(cases[i].text), &rpc);
        if (code != cases[i].expected) fail_msg("%s: %d", cases[i].text, code);
        if (code == 0) assert_true(json_is_object(rpc.params));
        cn_rpc_free(&rpc);
    }
}

static void tells_a_notification_from_a_call(void **state)
{
    static const char note[] = "{\"jsonrpc\":\"2.0\",\"method\":\"m\"}",
                      call[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"m\"}";
    cn_rpc rpc;
    (void)state;
    assert_int_equal(cn_rpc_parse(note, sizeof note - 1, &rpc), 0);
    assert_null(rpc.id);
    cn_rpc_free(&rpc);
    assert_int_equal(cn_rpc_parse(call, sizeof call - 1, &rpc), 0);
    assert_true(json_is_null(rpc.id));
    cn_rpc_free(&rpc);
}

static void answers_have_the_protocols_codes(void **state)
{
    static const struct {
        cn_err err;
        int code;
        const char *reason;
    } cases[] = {{CN_ERR_UNAUTH, 1001, "unauthorized"}, {CN_ERR_FORBIDDEN, 1003, "forbidden"},
                 {CN_ERR_NOTFOUND, 1004, "not_found"},  {CN_ERR_CONFLICT, 1009, "conflict"},
                 {CN_ERR_STATE, 1009, "conflict"},      {CN_ERR_FULL, 1029, "busy"},
                 {CN_ERR_AGAIN, 1029, "busy"},          {CN_ERR_INVALID, -32602, "invalid"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        json_t *object = cn_rpc_problem(NULL, cases[i].err, NULL), *error = json_object_get(object, "error");
        assert_int_equal(json_integer_value(json_object_get(error, "code")), cases[i].code);
        assert_string_equal(json_string_value(json_object_get(json_object_get(error, "data"), "reason")),
                            cases[i].reason);
        if (cases[i].code == 1029)
            assert_true(json_integer_value(json_object_get(json_object_get(error, "data"), "retry_ms")) > 0);
        json_decref(object);
    }
}

static void problems_name_the_field(void **state)
{
    cn_problem problem;
    (void)state;
    cn_problem_set(&problem, CN_ERR_INVALID, "patient.name", "is missing");
    json_t *object = cn_problem_json(CN_ERR_INVALID, 422, &problem);
    assert_string_equal(json_string_value(json_object_get(object, "field")), "patient.name");
    assert_string_equal(json_string_value(json_object_get(object, "detail")), "is missing");
    assert_int_equal(json_integer_value(json_object_get(object, "status")), 422);
    json_decref(object);
}

/* A new error code needs a row in the table: none may look like a success. */
static void every_error_has_a_status(void **state)
{
    (void)state;
    for (int e = CN_ERR_OK + 1; e < CN_ERR_COUNT; e++) {
        int status = cn_problem_status((cn_err)e);
        if (status < 400 || status > 599 || !*cn_problem_title((cn_err)e) || cn_problem_rpc_code((cn_err)e) == 0)
            fail_msg("%s: %d", cn_err_name((cn_err)e), status);
    }
}

static void problems_say_what_is_wrong_in_a_word(void **state)
{
    (void)state;
    cn_problem problem;
    cn_problem_set(&problem, CN_ERR_INVALID, "diagnosis", "is too long");
    cn_problem_say(&problem, CN_ERR_INVALID, CN_WRONG_LONG, 1, 2000);
    CN_AUTO_JSON json_t *object = cn_problem_json(CN_ERR_INVALID, 422, &problem);
    assert_string_equal(json_string_value(json_object_get(object, "wrong")), "too_long");
    assert_int_equal(json_integer_value(json_object_get(object, "max")), 2000);
    CN_AUTO_JSON json_t *answer = cn_rpc_problem(NULL, CN_ERR_INVALID, &problem);
    json_t *data = json_object_get(json_object_get(answer, "error"), "data");
    assert_string_equal(json_string_value(json_object_get(data, "wrong")), "too_long");
    assert_string_equal(json_string_value(json_object_get(data, "field")), "diagnosis");
    cn_problem_set(&problem, CN_ERR_STATE, "state", "is closed");
    CN_AUTO_JSON json_t *plain = cn_problem_json(CN_ERR_STATE, 409, &problem);
    assert_null(json_object_get(plain, "wrong"));
    assert_null(json_object_get(plain, "max"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_messages),
        cmocka_unit_test(tells_a_notification_from_a_call),
        cmocka_unit_test(answers_have_the_protocols_codes),
        cmocka_unit_test(problems_name_the_field),
        cmocka_unit_test(problems_say_what_is_wrong_in_a_word),
        cmocka_unit_test(every_error_has_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
