#include "consult/mark/shape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define PI 3.14159265358979323846

static const struct {
    const char *name;
    size_t least, most;
} kinds[CN_MARK_KIND_COUNT] = {
#define X(id, name, least, most) [CN_MARK_##id] = {name, least, most},
    CN_MARK_TABLE(X)
#undef X
};

const char *cn_mark_kind_name(cn_mark_kind kind)
{
    return (unsigned)kind < CN_MARK_KIND_COUNT ? kinds[kind].name : "";
}

bool cn_mark_kind_parse(const char *name, cn_mark_kind *out)
{
    for (size_t i = 0; i < CN_MARK_KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, name) != 0) continue;
        *out = (cn_mark_kind)i;
        return true;
    }
    return false;
}

void cn_mark_shape_free(cn_mark_shape *shape)
{
    free(shape->points);
    shape->points = NULL;
    shape->len = 0;
}

/* ---- reading ---- */

static bool read_place(const json_t *value, int32_t *out)
{
    double pixels = json_is_number(value) ? json_number_value(value) : NAN;
    if (!(pixels >= -CN_MARK_REACH && pixels <= CN_MARK_REACH)) return false;
    *out = (int32_t)lround(pixels * CN_MARK_HUNDRED);
    return true;
}

cn_err cn_mark_points_read(const json_t *list, cn_mark_kind kind, cn_mark_shape *out, cn_problem *problem)
{
    size_t n = json_array_size(list), i;
    json_t *pair;
    if (!json_is_array(list)) return cn_problem_field(problem, CN_WRONG_TYPE, "points", "must be a list of [x, y]");
    if (n < kinds[kind].least || n > kinds[kind].most) {
        (void)cn_problem_set(problem, CN_ERR_INVALID, "points", "'%s' has %zu to %zu points, not %zu", kinds[kind].name,
                             kinds[kind].least, kinds[kind].most, n);
        return cn_problem_say(problem, CN_ERR_INVALID, CN_WRONG_MANY, (int64_t)kinds[kind].least,
                              (int64_t)kinds[kind].most);
    }
    cn_mark_point *points = calloc(n, sizeof *points);
    if (!points) return CN_ERR_NOMEM;
    json_array_foreach(list, i, pair)
    {
        if (json_array_size(pair) == 2 && read_place(json_array_get(pair, 0), &points[i].x) &&
            read_place(json_array_get(pair, 1), &points[i].y))
            continue;
        free(points);
        return cn_problem_field(problem, CN_WRONG_FORMAT, "points", "each point must be [x, y] in pixels");
    }
    *out = (cn_mark_shape){.kind = kind, .len = n, .points = points};
    return CN_OK;
}

static bool colour_valid(const char *colour)
{
    return strlen(colour) == 7 && colour[0] == '#' && strspn(colour + 1, "0123456789abcdef") == 6;
}

static bool client_valid(const char *id)
{
    return *id && id[strspn(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")] == '\0';
}

static cn_err read_words(const json_t *body, cn_mark_kind kind, cn_mark_new *mark, cn_problem *problem)
{
    CN_TRY(cn_json_str(body, "text", false, 0, CN_MARK_CHARS, &mark->text, problem));
    if (kind == CN_MARK_TEXT && mark->text[strspn(mark->text, " \t\n")] == '\0')
        return cn_problem_field(problem, CN_WRONG_MISSING, "text", "must not be empty");
    CN_TRY(cn_json_line(body, "colour", true, 7, 7, &mark->colour, problem));
    if (!colour_valid(mark->colour))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "colour", "must be # and six of 0-9 and a-f");
    return cn_json_i64(body, "z", false, 0, 9999, &mark->z, problem);
}

cn_err cn_mark_read(const json_t *body, bool known, cn_mark_new *out, cn_problem *problem)
{
    cn_mark_new mark = {.client = "", .colour = "", .text = ""};
    const char *name = "";
    json_t *points = NULL;
    cn_mark_kind kind;
    if (!known) {
        CN_TRY(cn_json_line(body, "id", true, 1, CN_MARK_CLIENT - 1, &mark.client, problem));
        if (!client_valid(mark.client))
            return cn_problem_field(problem, CN_WRONG_FORMAT, "id", "must be letters, digits, - or _");
    }
    CN_TRY(cn_json_line(body, "kind", true, 1, 20, &name, problem));
    if (!cn_mark_kind_parse(name, &kind))
        return cn_problem_field(problem, CN_WRONG_UNKNOWN, "kind", "is no kind of mark");
    CN_TRY(read_words(body, kind, &mark, problem));
    CN_TRY(cn_json_arr(body, "points", true, CN_MARK_POINTS, &points, problem));
    CN_TRY(cn_mark_points_read(points, kind, &mark.shape, problem));
    *out = mark;
    return CN_OK;
}

/* ---- writing ---- */

static void write_place(int32_t hundredths, cn_buf *out)
{
    int64_t value = hundredths, whole = llabs(value) / CN_MARK_HUNDRED, rest = llabs(value) % CN_MARK_HUNDRED;
    cn_buf_fmt(out, "%s%lld", value < 0 ? "-" : "", (long long)whole);
    if (rest % 10)
        cn_buf_fmt(out, ".%02lld", (long long)rest);
    else if (rest)
        cn_buf_fmt(out, ".%lld", (long long)rest / 10);
}

void cn_mark_points_write(const cn_mark_shape *shape, cn_buf *out)
{
    for (size_t i = 0; i < shape->len; i++) {
        cn_buf_str(out, i ? ",[" : "[[");
        write_place(shape->points[i].x, out);
        cn_buf_str(out, ",");
        write_place(shape->points[i].y, out);
        cn_buf_str(out, "]");
    }
    cn_buf_str(out, shape->len ? "]" : "[]");
}

/* ---- measuring ---- */

static double pixels(int64_t hundredths)
{
    return (double)hundredths / CN_MARK_HUNDRED;
}

static double between(const cn_mark_point *a, const cn_mark_point *b)
{
    return hypot(pixels((int64_t)b->x - a->x), pixels((int64_t)b->y - a->y));
}

static double along(const cn_mark_shape *shape, bool closed)
{
    double sum = 0;
    for (size_t i = 1; i < shape->len; i++) sum += between(&shape->points[i - 1], &shape->points[i]);
    return closed ? sum + between(&shape->points[shape->len - 1], &shape->points[0]) : sum;
}

/* Twice the area, positive when the points go round counter-clockwise with y upwards. Places relative to the first: no digits are lost. */
static double twice(const cn_mark_shape *shape)
{
    const cn_mark_point *first = &shape->points[0];
    double sum = 0;
    for (size_t i = 1; i + 1 < shape->len; i++) {
        const cn_mark_point *one = &shape->points[i], *next = &shape->points[i + 1];
        sum += pixels((int64_t)one->x - first->x) * pixels((int64_t)next->y - first->y) -
               pixels((int64_t)next->x - first->x) * pixels((int64_t)one->y - first->y);
    }
    return sum;
}

static double angle(const cn_mark_point *at)
{
    double ax = pixels((int64_t)at[0].x - at[1].x), ay = pixels((int64_t)at[0].y - at[1].y);
    double bx = pixels((int64_t)at[2].x - at[1].x), by = pixels((int64_t)at[2].y - at[1].y);
    return fabs(atan2(ax * by - ay * bx, ax * bx + ay * by)) * 180 / PI;
}

static bool is_round(cn_mark_kind kind)
{
    return kind == CN_MARK_ELLIPSE || kind == CN_MARK_CIRCLE;
}

static bool is_area(cn_mark_kind kind)
{
    return is_round(kind) || kind == CN_MARK_AREA || kind == CN_MARK_RECTANGLE || kind == CN_MARK_SQUARE;
}

/* Ramanujan's second: exact to 0.04 % for the flattest ellipse, far better for any that is drawn. */
static double around(const cn_mark_shape *shape)
{
    double wide = between(&shape->points[0], &shape->points[1]) / 2,
           high = between(&shape->points[1], &shape->points[2]) / 2;
    double sum = wide + high, h = sum > 0 ? (wide - high) * (wide - high) / (sum * sum) : 0;
    return PI * sum * (1 + 3 * h / (10 + sqrt(4 - 3 * h)));
}

void cn_mark_measure_of(const cn_mark_shape *shape, cn_mark_measure *out)
{
    *out = (cn_mark_measure){.length = -1, .area = -1, .degrees = -1};
    if (shape->kind == CN_MARK_DISTANCE || shape->kind == CN_MARK_POLYLINE) out->length = along(shape, false);
    if (shape->kind == CN_MARK_ANGLE) out->degrees = angle(shape->points);
    if (!is_area(shape->kind)) return;
    out->area = fabs(twice(shape)) / 2 * (is_round(shape->kind) ? PI / 4 : 1);
    out->length = is_round(shape->kind) ? around(shape) : along(shape, true);
}

/* Where a place lies in the parallelogram of the corners: both are -1…1 inside it. */
static bool within(const cn_mark_shape *shape, double x, double y, double *u, double *v)
{
    const cn_mark_point *at = shape->points;
    double cx = pixels((int64_t)at[0].x + at[2].x) / 2, cy = pixels((int64_t)at[0].y + at[2].y) / 2;
    double ux = pixels((int64_t)at[1].x - at[0].x) / 2, uy = pixels((int64_t)at[1].y - at[0].y) / 2;
    double vx = pixels((int64_t)at[2].x - at[1].x) / 2, vy = pixels((int64_t)at[2].y - at[1].y) / 2;
    double det = ux * vy - uy * vx;
    if (det == 0) return false;
    *u = ((x - cx) * vy - (y - cy) * vx) / det;
    *v = ((y - cy) * ux - (x - cx) * uy) / det;
    return true;
}

static bool crosses(const cn_mark_point *a, const cn_mark_point *b, double x, double y)
{
    double ay = pixels(a->y), by = pixels(b->y);
    if ((ay > y) == (by > y)) return false;
    return x < pixels(a->x) + (y - ay) / (by - ay) * pixels((int64_t)b->x - a->x);
}

static bool holds(const cn_mark_shape *shape, double x, double y)
{
    double u = 2, v = 2;
    bool in = false;
    if (shape->kind != CN_MARK_AREA) {
        if (!within(shape, x, y, &u, &v)) return false;
        return is_round(shape->kind) ? u * u + v * v <= 1 : fabs(u) <= 1 && fabs(v) <= 1;
    }
    for (size_t i = 0, last = shape->len - 1; i < shape->len; last = i++)
        if (crosses(&shape->points[i], &shape->points[last], x, y)) in = !in;
    return in;
}

size_t cn_mark_inside(const cn_mark_shape *shape, const cn_mark_shape *points)
{
    size_t n = 0;
    if (!is_area(shape->kind)) return 0;
    for (size_t i = 0; i < points->len; i++)
        if (holds(shape, pixels(points->points[i].x), pixels(points->points[i].y))) n++;
    return n;
}

static size_t round_outline(const cn_mark_shape *shape, bool turned, double (*out)[2], size_t size)
{
    const cn_mark_point *at = shape->points;
    if (size < CN_MARK_ROUND) return 0;
    for (size_t i = 0; i < CN_MARK_ROUND; i++) {
        double t = 2 * PI * (double)(turned ? CN_MARK_ROUND - i : i) / CN_MARK_ROUND, c = cos(t), s = sin(t);
        out[i][0] = pixels((int64_t)at[0].x + at[2].x) / 2 + c * pixels((int64_t)at[1].x - at[0].x) / 2 +
                    s * pixels((int64_t)at[2].x - at[1].x) / 2;
        out[i][1] = pixels((int64_t)at[0].y + at[2].y) / 2 + c * pixels((int64_t)at[1].y - at[0].y) / 2 +
                    s * pixels((int64_t)at[2].y - at[1].y) / 2;
    }
    return CN_MARK_ROUND;
}

size_t cn_mark_outline(const cn_mark_shape *shape, double (*out)[2], size_t size)
{
    if (!is_area(shape->kind)) return 0;
    bool turned = twice(shape) < 0;
    if (is_round(shape->kind)) return round_outline(shape, turned, out, size);
    if (size < shape->len) return 0;
    for (size_t i = 0; i < shape->len; i++) {
        const cn_mark_point *at = &shape->points[turned ? shape->len - 1 - i : i];
        out[i][0] = pixels(at->x);
        out[i][1] = pixels(at->y);
    }
    return shape->len;
}
