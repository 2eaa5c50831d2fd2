#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define DEPTH_MAX 32

/* jansson descends by recursion up to 2,048; what is deeper than we ever write is refused before it starts. */
static bool too_deep(const char *text, size_t len)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (quoted) {
            if (c == '\\') i++;
            if (c == '"') quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MAX) return true;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return false;
}

/* jansson's own text quotes the input, which may hold a patient's data: say where and what kind only. */
static cn_err refuse(const json_error_t *error, cn_problem *problem)
{
    const char *what = "is not valid JSON";
    if (json_error_code(error) == json_error_duplicate_key) what = "holds the same key twice";
    if (json_error_code(error) == json_error_end_of_input_expected) what = "goes on after the end of the JSON value";
    if (json_error_code(error) == json_error_premature_end_of_input) what = "ends in the middle of a JSON value";
    if (json_error_code(error) == json_error_invalid_utf8) what = "is not valid UTF-8";
    if (json_error_code(error) == json_error_numeric_overflow) what = "holds a number that is too large";
    return cn_problem_set(problem, CN_ERR_PARSE, "", "The input %s (line %d, column %d).", what, error->line,
                          error->column);
}

cn_err cn_json_object(json_t **out, const char *text, size_t len, cn_problem *problem)
{
    if (too_deep(text, len))
        return cn_problem_set(problem, CN_ERR_PARSE, "", "The JSON is nested deeper than %d levels.", DEPTH_MAX);
    json_error_t error;
    json_t *parsed = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!parsed) return refuse(&error, problem);
    if (!json_is_object(parsed)) {
        json_decref(parsed);
        return cn_problem_set(problem, CN_ERR_INVALID, "", "The input must be a JSON object.");
    }
    *out = parsed;
    return CN_OK;
}

/* The field, or NULL in *out when it is optional and not there. */
static cn_err find(const json_t *object, const char *key, bool need, json_t **out, cn_problem *problem)
{
    json_t *value = json_object_get(object, key);
    if (json_is_null(value)) value = NULL;
    *out = value;
    if (!value && need) return cn_problem_set(problem, CN_ERR_INVALID, key, "This field is required.");
    return CN_OK;
}

static bool has_controls(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    for (size_t i = 0; i < len; i++) {
        if ((bytes[i] < 0x20 && bytes[i] != '\t' && bytes[i] != '\n') || bytes[i] == 0x7f) return true;
        if (bytes[i] == 0xc2 && i + 1 < len && bytes[i + 1] < 0xa0) return true; /* C1 in UTF-8 */
    }
    return false;
}

cn_err cn_json_str(const json_t *object, const char *key, bool need, size_t min, size_t max, const char **out,
                   cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_string(value)) return cn_problem_set(problem, CN_ERR_INVALID, key, "This field must be text.");
    const char *text = json_string_value(value);
    if (has_controls(text, json_string_length(value)))
        return cn_problem_set(problem, CN_ERR_INVALID, key, "The text must not hold control characters.");
    size_t length = cn_utf8_length(text);
    if (length < min || length > max)
        return cn_problem_set(problem, CN_ERR_INVALID, key, "The text must have %zu to %zu characters; it has %zu.",
                              min, max, length);
    *out = text;
    return CN_OK;
}

cn_err cn_json_i64(const json_t *object, const char *key, bool need, int64_t min, int64_t max, int64_t *out,
                   cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_integer(value))
        return cn_problem_set(problem, CN_ERR_INVALID, key, "This field must be a whole number.");
    int64_t number = json_integer_value(value);
    if (number < min || number > max)
        return cn_problem_set(problem, CN_ERR_INVALID, key, "The number must be between %" PRId64 " and %" PRId64 ".",
                              min, max);
    *out = number;
    return CN_OK;
}

cn_err cn_json_bool(const json_t *object, const char *key, bool need, bool *out, cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_boolean(value))
        return cn_problem_set(problem, CN_ERR_INVALID, key, "This field must be true or false.");
    *out = json_is_true(value);
    return CN_OK;
}

cn_err cn_json_real(const json_t *object, const char *key, bool need, double min, double max, double *out,
                    cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_number(value)) return cn_problem_set(problem, CN_ERR_INVALID, key, "This field must be a number.");
    double number = json_number_value(value);
    if (!(number >= min && number <= max))
        return cn_problem_set(problem, CN_ERR_INVALID, key, "The number must be between %g and %g.", min, max);
    *out = number;
    return CN_OK;
}

cn_err cn_json_arr(const json_t *object, const char *key, bool need, size_t max_items, json_t **out,
                   cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_array(value)) return cn_problem_set(problem, CN_ERR_INVALID, key, "This field must be a list.");
    if (json_array_size(value) > max_items)
        return cn_problem_set(problem, CN_ERR_INVALID, key, "The list must have at most %zu items.", max_items);
    *out = value;
    return CN_OK;
}

cn_err cn_json_obj(const json_t *object, const char *key, bool need, json_t **out, cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_object(value)) return cn_problem_set(problem, CN_ERR_INVALID, key, "This field must be an object.");
    *out = value;
    return CN_OK;
}
