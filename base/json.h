/* Reading JSON (jansson) with a clear word on what is wrong with which field. */
#ifndef CN_BASE_JSON_H
#define CN_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/**
 * Parses one object; depth ≤ 32, duplicate keys and trailing bytes refused. U+0000 in text is left out: C strings end
 * there, and nobody sees it. New reference in *out.
 */
cn_err cn_json_object(json_t **out, const char *text, size_t len, cn_problem *problem);

/**
 * Field readers. `object` is an object. A required field that is missing, a wrong type, a string that is not
 * `min`…`max` code points, a number outside [min, max]: CN_ERR_INVALID with the field's name and the word for what is
 * wrong. Optional ones (`need` false) that are missing or null leave *out untouched. Strings are borrowed from
 * `object`, and their invisible characters are taken out there before they are measured (base/text.h): a _str has
 * lines, a _line is one.
 */
cn_err cn_json_str(const json_t *object, const char *key, bool need, size_t min, size_t max, const char **out,
                   cn_problem *problem);
cn_err cn_json_line(const json_t *object, const char *key, bool need, size_t min, size_t max, const char **out,
                    cn_problem *problem);
cn_err cn_json_i64(const json_t *object, const char *key, bool need, int64_t min, int64_t max, int64_t *out,
                   cn_problem *problem);
cn_err cn_json_bool(const json_t *object, const char *key, bool need, bool *out, cn_problem *problem);
cn_err cn_json_real(const json_t *object, const char *key, bool need, double min, double max, double *out,
                    cn_problem *problem);
/** Borrowed array or object. */
cn_err cn_json_arr(const json_t *object, const char *key, bool need, size_t max_items, json_t **out,
                   cn_problem *problem);
cn_err cn_json_obj(const json_t *object, const char *key, bool need, json_t **out, cn_problem *problem);

static inline void cn_cleanup_json(json_t **object)
{
    json_decref(*object);
}
#define CN_AUTO_JSON __attribute__((cleanup(cn_cleanup_json)))

#endif
