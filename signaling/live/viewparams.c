#include "signaling/live/viewparams.h"

#include "base/json.h"

#define FAR 1e9 /* level-0 pixels: beyond every slide */
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
    return read_page(params, &out->page, problem);
}

json_t *cn_view_look_json(const cn_view_look *look, const char *presenter)
{
    return json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:b, s:i, s:i}", "presenter", presenter, "seq",
                     (json_int_t)look->seq, "cx", look->cx, "cy", look->cy, "w", look->w, "h", look->h, "rotation",
                     look->rotation, "mirror", look->mirror, "z", look->z, "page", look->page);
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
