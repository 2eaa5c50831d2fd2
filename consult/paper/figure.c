#include "consult/paper/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "consult/mark/shape.h"
#include "consult/paper/press.h"

#define REACH 1e8 /* pixels; no slide is larger */
#define LEAST 8.0 /* pixels of the slide a side */
#define SLIVER 20 /* times as long as wide at most */
#define PLANES 4096

cn_err cn_figure_place_read(const json_t *body, cn_figure_place *out, cn_problem *problem)
{
    *out = (cn_figure_place){.z = 0};
    CN_TRY(cn_json_real(body, "cx", true, -REACH, REACH, &out->cx, problem));
    CN_TRY(cn_json_real(body, "cy", true, -REACH, REACH, &out->cy, problem));
    CN_TRY(cn_json_real(body, "w", true, LEAST, REACH, &out->w, problem));
    CN_TRY(cn_json_real(body, "h", true, LEAST, REACH, &out->h, problem));
    CN_TRY(cn_json_real(body, "rotation", false, -360, 360, &out->rotation, problem));
    CN_TRY(cn_json_bool(body, "mirror", false, &out->mirror, problem));
    CN_TRY(cn_json_i64(body, "z", false, 0, PLANES, &out->z, problem));
    if (out->w <= SLIVER * out->h && out->h <= SLIVER * out->w) return CN_OK;
    return cn_problem_set(problem, CN_ERR_INVALID, "w", "the picture would be a sliver");
}

static double clamp(double value, double least, double most)
{
    return value < least ? least : value > most ? most : value;
}

/* matrix of `then` after `first` */
static void chain(const double first[6], const double then[6], double out[6])
{
    out[0] = then[0] * first[0] + then[2] * first[1];
    out[1] = then[1] * first[0] + then[3] * first[1];
    out[2] = then[0] * first[2] + then[2] * first[3];
    out[3] = then[1] * first[2] + then[3] * first[3];
    out[4] = then[0] * first[4] + then[2] * first[5] + then[4];
    out[5] = then[1] * first[4] + then[3] * first[5] + then[5];
}

/* Clockwise on a screen, whose y grows downwards; mirrored after that. */
static void place_on_picture(const cn_figure_place *place, cn_figure_plan *plan)
{
    double turn = place->rotation * M_PI / 180, side = place->mirror ? -1 : 1, scale = plan->scale;
    const double around[6] = {
        side * scale * cos(turn), scale * sin(turn), -side * scale * sin(turn), scale * cos(turn), 0, 0};
    const double centre[6] = {1, 0, 0, 1, -place->cx, -place->cy};
    chain(centre, around, plan->from_slide);
    plan->from_slide[4] += plan->out_width / 2.0;
    plan->from_slide[5] += plan->out_height / 2.0;
}

/* The smallest upright part that holds all that is shown, as far as it is on the slide. */
static bool find_part(const cn_figure_place *place, int64_t width, int64_t height, cn_figure_plan *plan)
{
    double turn = place->rotation * M_PI / 180, c = fabs(cos(turn)), s = fabs(sin(turn));
    double across = c * place->w + s * place->h, down = s * place->w + c * place->h;
    double left = clamp(floor(place->cx - across / 2), 0, (double)width);
    double top = clamp(floor(place->cy - down / 2), 0, (double)height);
    double right = clamp(ceil(place->cx + across / 2), 0, (double)width);
    double bottom = clamp(ceil(place->cy + down / 2), 0, (double)height);
    plan->x = (int64_t)left;
    plan->y = (int64_t)top;
    plan->width = (int64_t)(right - left);
    plan->height = (int64_t)(bottom - top);
    return plan->width > 0 && plan->height > 0;
}

/* As many pixels as the picture shows, none more than the slide has, and no more than can be answered at once. */
static void size_part(cn_figure_plan *plan)
{
    double factor = plan->scale < 1 ? plan->scale : 1, pixels = (double)plan->width * (double)plan->height;
    if (pixels * factor * factor > CN_FIGURE_CUT) factor = sqrt(CN_FIGURE_CUT / pixels) * 0.999;
    plan->cut_width = (uint32_t)clamp(floor((double)plan->width * factor), 1, 4096);
    plan->cut_height = (uint32_t)clamp(floor((double)plan->height * factor), 1, 4096);
    const double there[6] = {(double)plan->width / plan->cut_width,
                             0,
                             0,
                             (double)plan->height / plan->cut_height,
                             (double)plan->x,
                             (double)plan->y};
    chain(there, plan->from_slide, plan->from_cut);
}

cn_err cn_figure_plan_make(const cn_figure_place *place, int64_t width, int64_t height, cn_figure_plan *out,
                           cn_problem *problem)
{
    double longer = place->w > place->h ? place->w : place->h;
    double wanted = clamp(longer, CN_FIGURE_LEAST, CN_FIGURE_MOST);
    *out = (cn_figure_plan){.scale = wanted / longer};
    if (!find_part(place, width, height, out))
        return cn_problem_set(problem, CN_ERR_INVALID, "cx", "nothing of the slide is there");
    out->out_width = (uint32_t)clamp(round(place->w * out->scale), 1, CN_FIGURE_MOST);
    out->out_height = (uint32_t)clamp(round(place->h * out->scale), 1, CN_FIGURE_MOST);
    place_on_picture(place, out);
    size_part(out);
    return CN_OK;
}

/* ---- the job ---- */

static json_t *matrix_json(const double matrix[6])
{
    return json_pack("[f, f, f, f, f, f]", matrix[0], matrix[1], matrix[2], matrix[3], matrix[4], matrix[5]);
}

static json_t *on_picture(const double matrix[6], double x, double y)
{
    return json_pack("[f, f]", matrix[0] * x + matrix[2] * y + matrix[4], matrix[1] * x + matrix[3] * y + matrix[5]);
}

/* The line that is drawn of a shape, in the picture. */
static cn_err line_json(const cn_mark_shape *shape, const double matrix[6], bool *closed, json_t **out)
{
    size_t room = shape->len > CN_MARK_ROUND ? shape->len : CN_MARK_ROUND;
    CN_AUTO_FREE double(*ring)[2] = calloc(room, sizeof *ring);
    CN_AUTO_JSON json_t *list = json_array();
    if (!ring || !list) return CN_ERR_NOMEM;
    size_t n = cn_mark_outline(shape, ring, room);
    *closed = n > 0;
    for (size_t i = 0; i < n; i++) json_array_append_new(list, on_picture(matrix, ring[i][0], ring[i][1]));
    for (size_t i = 0; n == 0 && i < shape->len; i++)
        json_array_append_new(list, on_picture(matrix, (double)shape->points[i].x / CN_MARK_HUNDRED,
                                               (double)shape->points[i].y / CN_MARK_HUNDRED));
    *out = json_incref(list);
    return CN_OK;
}

static cn_err mark_json(const json_t *mark, const double matrix[6], json_t **out)
{
    cn_mark_shape shape = {.len = 0};
    json_t *line = NULL;
    bool closed = false;
    const char *kind = json_string_value(json_object_get(mark, "kind"));
    if (!kind || !cn_mark_kind_parse(kind, &shape.kind)) return CN_ERR_CORRUPT;
    CN_TRY(cn_mark_points_read(json_object_get(mark, "points"), shape.kind, &shape, NULL));
    cn_err err = line_json(&shape, matrix, &closed, &line);
    cn_mark_shape_free(&shape);
    CN_TRY(err);
    *out = json_pack("{s:s, s:O, s:O, s:o, s:b}", "kind", kind, "colour", json_object_get(mark, "colour"), "text",
                     json_object_get(mark, "text"), "points", line, "closed", closed);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

static cn_err marks_json(const json_t *marks, const double matrix[6], json_t **out)
{
    CN_AUTO_JSON json_t *list = json_array();
    size_t i;
    const json_t *mark;
    json_array_foreach(marks, i, mark)
    {
        json_t *one = NULL;
        CN_TRY(mark_json(mark, matrix, &one));
        if (json_array_append_new(list, one) < 0) return CN_ERR_NOMEM;
    }
    *out = json_incref(list);
    return CN_OK;
}

cn_err cn_figure_draw(const cn_figure_plan *plan, const cn_figure_drawing *drawing, cn_buf *out)
{
    json_t *marks = NULL;
    CN_AUTO_FREE char *text = cn_b64url_new(drawing->png, drawing->png_len);
    if (!text) return CN_ERR_NOMEM;
    CN_TRY(marks_json(drawing->marks, plan->from_slide, &marks));
    CN_AUTO_JSON json_t *job =
        json_pack("{s:{s:s, s:i, s:i, s:o, s:i, s:f, s:o}}", "figure", "png", text, "width", (int)plan->out_width,
                  "height", (int)plan->out_height, "matrix", matrix_json(plan->from_cut), "background",
                  (int)drawing->background, "mpp", drawing->mpp / plan->scale, "marks", marks);
    return job ? cn_press(job, out) : CN_ERR_NOMEM;
}
