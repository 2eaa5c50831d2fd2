/* Any JSON as a mark: what is taken is within its bounds, written and read again it is the same, and it is measured and exported. */
// covers: consult/mark/shape.c consult/mark/geojson.c
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "consult/mark/geojson.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void measured(const cn_mark_shape *shape)
{
    static double ring[CN_MARK_POINTS][2];
    cn_mark_measure measure;
    cn_mark_measure_of(shape, &measure);
    must(isfinite(measure.length) && isfinite(measure.area));
    must(measure.degrees <= 180.0001);
    size_t n = cn_mark_outline(shape, ring, CN_MARK_POINTS);
    must((n > 0) == (measure.area >= 0));
    for (size_t i = 0; i < n; i++)
        must(fabs(ring[i][0]) <= 4. * CN_MARK_REACH && fabs(ring[i][1]) <= 4. * CN_MARK_REACH);
    if (shape->len < 100) must(cn_mark_inside(shape, shape) <= shape->len);
}

static void same_again(const cn_mark_shape *shape)
{
    cn_buf text = {0};
    cn_mark_shape back = {.len = 0};
    cn_mark_points_write(shape, &text);
    must(text.err == CN_OK);
    json_t *list = json_loads(text.p, 0, NULL);
    must(list != NULL);
    must(cn_mark_points_read(list, shape->kind, &back, NULL) == CN_OK);
    must(back.len == shape->len && memcmp(back.points, shape->points, back.len * sizeof *back.points) == 0);
    cn_mark_shape_free(&back);
    json_decref(list);
    cn_buf_free(&text);
}

static void exported(json_t *body)
{
    json_t *marks = json_array(), *out = NULL;
    json_array_append(marks, body);
    if (cn_marks_geojson(marks, 0.25, &out) == CN_OK) must(json_array_size(json_object_get(out, "features")) == 1);
    json_decref(out);
    json_decref(marks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_problem problem = {.err = CN_OK};
    cn_mark_new mark;
    json_t *body = NULL;
    char *bytes = malloc(size + 1);
    if (bytes) {
        if (size) memcpy(bytes, data, size);
        bytes[size] = '\0';
        if (cn_json_object(&body, bytes, size, &problem) == CN_OK) {
            cn_err err = cn_mark_read(body, size % 2, &mark, &problem);
            must(err == CN_OK || err == CN_ERR_INVALID);
            if (err == CN_OK) {
                must(cn_utf8_length(mark.text) <= CN_MARK_CHARS && strlen(mark.colour) == 7);
                must(mark.z >= 0 && mark.z <= 9999);
                measured(&mark.shape);
                same_again(&mark.shape);
                cn_mark_shape_free(&mark.shape);
            }
            exported(body);
        }
    }
    json_decref(body);
    free(bytes);
    return 0;
}
