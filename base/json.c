#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/text.h"

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

static void drop_nuls_of_text(json_t *value)
{
    size_t n = json_string_length(value), out = 0;
    CN_AUTO_FREE char *text = malloc(n + 1);
    if (!text) return; /* the text ends at its first U+0000 then */
    const char *from = json_string_value(value);
    for (size_t i = 0; i < n; i++)
        if (from[i]) text[out++] = from[i];
    (void)json_string_setn_nocheck(value, text, out);
}

/* By recursion: too_deep has bounded it. */
static void drop_nuls(json_t *value)
{
    size_t i;
    const char *key;
    json_t *item;
    if (json_is_string(value)) drop_nuls_of_text(value);
    json_array_foreach(value, i, item) drop_nuls(item);
    json_object_foreach(value, key, item) drop_nuls(item);
}

cn_err cn_json_object(json_t **out, const char *text, size_t len, cn_problem *problem)
{
    if (too_deep(text, len))
        return cn_problem_set(problem, CN_ERR_PARSE, "", "The JSON is nested deeper than %d levels.", DEPTH_MAX);
    json_error_t error;
    json_t *parsed = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!parsed) return refuse(&error, problem);
    if (memmem(text, len, "\\u0000", 6)) drop_nuls(parsed);
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
    if (!value && need) return cn_problem_field(problem, CN_WRONG_MISSING, key, "This field is required.");
    return CN_OK;
}

/* The value itself is cleaned: whoever reads it again, or hands the object on, finds it clean. */
static cn_err clean(json_t *value, cn_text_kind kind)
{
    size_t n = json_string_length(value);
    if (cn_text_is_clean(json_string_value(value), n, kind)) return CN_OK;
    CN_AUTO_FREE char *text = malloc(n + 1);
    if (!text) return CN_ERR_NOMEM;
    memcpy(text, json_string_value(value), n + 1);
    n = cn_text_clean(text, n, kind);
    return json_string_setn_nocheck(value, text, n) == 0 ? CN_OK : CN_ERR_NOMEM;
}

static cn_err read_text(const json_t *object, const char *key, bool need, cn_text_kind kind, json_t **out,
                        cn_problem *problem)
{
    CN_TRY(find(object, key, need, out, problem));
    if (!*out) return CN_OK;
    if (!json_is_string(*out)) return cn_problem_field(problem, CN_WRONG_TYPE, key, "This field must be text.");
    return clean(*out, kind);
}

static cn_err measure(const char *text, const char *key, size_t min, size_t max, cn_problem *problem)
{
    size_t length = cn_utf8_length(text);
    if (length >= min && length <= max) return CN_OK;
    (void)cn_problem_set(problem, CN_ERR_INVALID, key, "The text must have %zu to %zu characters; it has %zu.", min,
                         max, length);
    cn_wrong wrong = length > max ? CN_WRONG_LONG : length ? CN_WRONG_SHORT : CN_WRONG_MISSING;
    return cn_problem_say(problem, CN_ERR_INVALID, wrong, (int64_t)min, (int64_t)max);
}

cn_err cn_json_str(const json_t *object, const char *key, bool need, size_t min, size_t max, const char **out,
                   cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(read_text(object, key, need, CN_TEXT_LINES, &value, problem));
    if (!value) return CN_OK;
    CN_TRY(measure(json_string_value(value), key, min, max, problem));
    *out = json_string_value(value);
    return CN_OK;
}

cn_err cn_json_line(const json_t *object, const char *key, bool need, size_t min, size_t max, const char **out,
                    cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(read_text(object, key, need, CN_TEXT_LINE, &value, problem));
    if (!value) return CN_OK;
    CN_TRY(measure(json_string_value(value), key, min, max, problem));
    *out = json_string_value(value);
    return CN_OK;
}

cn_err cn_json_i64(const json_t *object, const char *key, bool need, int64_t min, int64_t max, int64_t *out,
                   cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_integer(value))
        return cn_problem_field(problem, CN_WRONG_TYPE, key, "This field must be a whole number.");
    int64_t number = json_integer_value(value);
    if (number < min || number > max) {
        (void)cn_problem_set(problem, CN_ERR_INVALID, key, "The number must be between %" PRId64 " and %" PRId64 ".",
                             min, max);
        return cn_problem_say(problem, CN_ERR_INVALID, CN_WRONG_RANGE, min, max);
    }
    *out = number;
    return CN_OK;
}

cn_err cn_json_bool(const json_t *object, const char *key, bool need, bool *out, cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_boolean(value))
        return cn_problem_field(problem, CN_WRONG_TYPE, key, "This field must be true or false.");
    *out = json_is_true(value);
    return CN_OK;
}

cn_err cn_json_real(const json_t *object, const char *key, bool need, double min, double max, double *out,
                    cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_number(value)) return cn_problem_field(problem, CN_WRONG_TYPE, key, "This field must be a number.");
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
    if (!json_is_array(value)) return cn_problem_field(problem, CN_WRONG_TYPE, key, "This field must be a list.");
    if (json_array_size(value) > max_items) {
        (void)cn_problem_set(problem, CN_ERR_INVALID, key, "The list must have at most %zu items.", max_items);
        return cn_problem_say(problem, CN_ERR_INVALID, CN_WRONG_MANY, 0, (int64_t)max_items);
    }
    *out = value;
    return CN_OK;
}

cn_err cn_json_obj(const json_t *object, const char *key, bool need, json_t **out, cn_problem *problem)
{
    json_t *value = NULL;
    CN_TRY(find(object, key, need, &value, problem));
    if (!value) return CN_OK;
    if (!json_is_object(value)) return cn_problem_field(problem, CN_WRONG_TYPE, key, "This field must be an object.");
    *out = value;
    return CN_OK;
}
