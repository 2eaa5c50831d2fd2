/* Any bytes as a request's JSON: either one object whose fields keep their promises, or a problem that names itself. */
// covers: base/json.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_fields(const json_t *object, bool need)
{
    cn_problem problem = {0};
    const char *text = NULL;
    if (!cn_json_str(object, "s", need, 1, 8, &text, &problem) && text) {
        size_t n = cn_utf8_length(text);
        if (n < 1 || n > 8 || !cn_utf8_valid(text, strlen(text))) abort();
        if (!cn_text_is_clean(text, strlen(text), CN_TEXT_LINES)) abort();
    }
    text = NULL; /* a field that is not there leaves it as it was */
    if (!cn_json_line(object, "l", need, 0, 8, &text, &problem) && text &&
        (!cn_text_is_clean(text, strlen(text), CN_TEXT_LINE) || !cn_utf8_valid(text, strlen(text))))
        abort();
    int64_t number = 0;
    if (!cn_json_i64(object, "i", need, -5, 5, &number, &problem) && (number < -5 || number > 5)) abort();
    double real = 0;
    if (!cn_json_real(object, "r", need, 0, 1, &real, &problem) && !(real >= 0 && real <= 1)) abort();
    bool truth = false;
    (void)cn_json_bool(object, "b", need, &truth, &problem);
    json_t *inner = NULL;
    if (!cn_json_arr(object, "a", need, 3, &inner, &problem) && inner && json_array_size(inner) > 3) abort();
    inner = NULL;
    if (!cn_json_obj(object, "o", need, &inner, &problem) && inner && !json_is_object(inner)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CN_AUTO_JSON json_t *object = NULL;
    cn_problem problem = {0};
    cn_err err = cn_json_object(&object, (const char *)data, size, &problem);
    if (err) {
        if (object || problem.err != err || !*problem.detail) abort();
        return 0;
    }
    read_fields(object, false);
    read_fields(object, true);
    return 0;
}
