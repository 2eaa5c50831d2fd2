#include "signaling/live/viewparams.h"

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"

#define FAR 1e9 /* level-0 pixels: beyond every slide */
#define SMALLER 1e-4
#define LARGER 1e4 /* times: of slides beside each other */
#define PAGES_MAX 100000
#define PLANES_MAX 10000

static cn_err read_page(const json_t *params, int *out, cn_problem *problem)
{
    int64_t page = 1;
    CN_TRY(cn_json_i64(params, "page", false, 0, PAGES_MAX, &page, problem));
    *out = (int)page;
    return CN_OK;
}

static cn_err read_plane(const json_t *params, int *out, cn_problem *problem)
{
    int64_t z = 0;
    CN_TRY(cn_json_i64(params, "z", false, 0, PLANES_MAX, &z, problem));
    *out = (int)z;
    return CN_OK;
}

static cn_err read_pane(const json_t *object, cn_view_pane *out, cn_problem *problem)
{
    const char *file = NULL;
    if (!json_is_object(object)) return cn_problem_set(problem, CN_ERR_INVALID, "beside", "a pane is an object");
    CN_TRY(cn_json_line(object, "file", true, 1, CN_ID_TEXT - 1, &file, problem));
    if (!cn_strcpy(out->file, sizeof out->file, file))
        return cn_problem_set(problem, CN_ERR_INVALID, "file", "no such file");
    CN_TRY(cn_json_real(object, "a", true, -LARGER, LARGER, &out->a, problem));
    CN_TRY(cn_json_real(object, "b", true, -LARGER, LARGER, &out->b, problem));
    CN_TRY(cn_json_real(object, "x", true, -FAR, FAR, &out->x, problem));
    CN_TRY(cn_json_real(object, "y", true, -FAR, FAR, &out->y, problem));
    if (!(hypot(out->a, out->b) >= SMALLER))
        return cn_problem_set(problem, CN_ERR_INVALID, "a", "a slide beside another has a size");
    return cn_json_bool(object, "over", false, &out->over, problem);
}

static bool is_twice(const cn_view_look *look, const char *file)
{
    size_t found = 0;
    for (size_t i = 0; i < look->panes; i++) found += strcmp(look->pane[i].file, file) == 0;
    return found > 1;
}

static cn_err read_beside(const json_t *params, cn_view_look *out, cn_problem *problem)
{
    json_t *beside = NULL, *panes = NULL;
    CN_TRY(cn_json_obj(params, "beside", false, &beside, problem));
    if (!beside) return CN_OK;
    CN_TRY(cn_json_bool(beside, "over", false, &out->over, problem));
    CN_TRY(cn_json_real(beside, "shown", false, 0, 1, &out->shown, problem));
    CN_TRY(cn_json_arr(beside, "panes", true, CN_VIEW_BESIDE, &panes, problem));
    for (size_t i = 0; i < json_array_size(panes); i++) {
        CN_TRY(read_pane(json_array_get(panes, i), &out->pane[out->panes++], problem));
        if (is_twice(out, out->pane[i].file))
            return cn_problem_set(problem, CN_ERR_INVALID, "panes", "a slide stands there twice");
    }
    return CN_OK;
}

cn_err cn_view_look_read(const json_t *params, cn_view_look *out, cn_problem *problem)
{
    *out = (cn_view_look){.rotation = 0};
    CN_TRY(cn_json_i64(params, "seq", true, 0, INT64_MAX / 2, &out->seq, problem));
    CN_TRY(cn_json_real(params, "cx", true, -FAR, FAR, &out->cx, problem));
    CN_TRY(cn_json_real(params, "cy", true, -FAR, FAR, &out->cy, problem));
    CN_TRY(cn_json_real(params, "w", true, 0, FAR, &out->w, problem));
    CN_TRY(cn_json_real(params, "h", true, 0, FAR, &out->h, problem));
    CN_TRY(cn_json_real(params, "rotation", false, -36000, 36000, &out->rotation, problem));
    CN_TRY(cn_json_bool(params, "mirror", false, &out->mirror, problem));
    CN_TRY(read_plane(params, &out->z, problem));
    CN_TRY(read_beside(params, out, problem));
    return read_page(params, &out->page, problem);
}

static json_t *beside_json(const cn_view_look *look)
{
    json_t *panes = json_array();
    for (size_t i = 0; i < look->panes; i++) {
        const cn_view_pane *pane = &look->pane[i];
        json_array_append_new(panes, json_pack("{s:s, s:f, s:f, s:f, s:f, s:b}", "file", pane->file, "a", pane->a, "b",
                                               pane->b, "x", pane->x, "y", pane->y, "over", pane->over));
    }
    return json_pack("{s:b, s:f, s:o}", "over", look->over, "shown", look->shown, "panes", panes);
}

json_t *cn_view_look_json(const cn_view_look *look, const char *presenter)
{
    json_t *json = json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:b, s:i, s:i}", "presenter", presenter, "seq",
                             (json_int_t)look->seq, "cx", look->cx, "cy", look->cy, "w", look->w, "h", look->h,
                             "rotation", look->rotation, "mirror", look->mirror, "z", look->z, "page", look->page);
    if (json && look->panes) json_object_set_new(json, "beside", beside_json(look));
    return json;
}

cn_err cn_view_pointer_read(const json_t *params, cn_pointer *out, bool *on, cn_problem *problem)
{
    *out = (cn_pointer){.page = 1};
    CN_TRY(cn_json_real(params, "x", true, -FAR, FAR, &out->x, problem));
    CN_TRY(cn_json_real(params, "y", true, -FAR, FAR, &out->y, problem));
    CN_TRY(cn_json_bool(params, "on", true, on, problem));
    CN_TRY(cn_json_bool(params, "laser", false, &out->laser, problem));
    return read_page(params, &out->page, problem);
}

static cn_err read_dots(const json_t *params, cn_drawing *out, cn_problem *problem)
{
    json_t *points;
    CN_TRY(cn_json_arr(params, "points", true, (size_t)2 * CN_DRAW_POINTS, &points, problem));
    size_t n = json_array_size(points);
    if (n == 0 || n % 2) return cn_problem_set(problem, CN_ERR_INVALID, "points", "pairs of x and y, at least one");
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(points, i);
        double number = json_number_value(value);
        if (!json_is_number(value) || !(number >= -FAR && number <= FAR))
            return cn_problem_set(problem, CN_ERR_INVALID, "points", "numbers between %g and %g", -FAR, FAR);
        cn_dot *dot = &out->dots[i / 2];
        *(i % 2 ? &dot->y : &dot->x) = (float)number;
    }
    out->n = n / 2;
    return CN_OK;
}

cn_err cn_view_drawing_read(const json_t *params, cn_drawing *out, cn_problem *problem)
{
    *out = (cn_drawing){.page = 1};
    CN_TRY(cn_json_i64(params, "stroke", true, 0, INT64_MAX / 2, &out->number, problem));
    CN_TRY(cn_json_bool(params, "fades", false, &out->fades, problem));
    CN_TRY(read_plane(params, &out->z, problem));
    CN_TRY(read_page(params, &out->page, problem));
    return read_dots(params, out, problem);
}
