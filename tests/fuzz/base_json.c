/* Any bytes as a request's JSON: either one object whose fields keep their promises, or a problem that names itself. */
// covers: base/json.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_fields(const json_t *o, bool need)
{
    cn_problem p = {0};
    const char *text = NULL;
    if (!cn_json_str(o, "s", need, 1, 8, &text, &p) && text) {
        size_t n = cn_utf8_length(text);
        if (n < 1 || n > 8 || !cn_utf8_valid(text, strlen(text))) abort();
    }
    int64_t number = 0;
    if (!cn_json_i64(o, "i", need, -5, 5, &number, &p) && (number < -5 || number > 5)) abort();
    double real = 0;
    if (!cn_json_real(o, "r", need, 0, 1, &real, &p) && !(real >= 0 && real <= 1)) abort();
    bool truth = false;
    (void)cn_json_bool(o, "b", need, &truth, &p);
    json_t *inner = NULL;
    if (!cn_json_arr(o, "a", need, 3, &inner, &p) && inner && json_array_size(inner) > 3) abort();
    inner = NULL;
    if (!cn_json_obj(o, "o", need, &inner, &p) && inner && !json_is_object(inner)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CN_AUTO_JSON json_t *o = NULL;
    cn_problem p = {0};
    cn_err err = cn_json_object(&o, (const char *)data, size, &p);
    if (err) {
        if (o || p.err != err || !*p.detail) abort();
        return 0;
    }
    read_fields(o, false);
    read_fields(o, true);
    return 0;
}
