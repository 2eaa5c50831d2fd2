#include "consult/paper/printer/picture.h"

#include <cairo.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <string.h>

#include "base/mem.h"
#include "consult/paper/printer/jpegs.h"

#define SIDE 4096
#define FACE "Noto Sans CJK SC Bold"
#define BAR 0.25 /* of the picture's width at most */

typedef struct easel {
    cairo_t *cr;
    double width, height, unit; /* unit: a thousandth of the longer side, what lines are measured in */
} easel;

/* ---- the slide ---- */

typedef struct png_bytes {
    const unsigned char *bytes;
    size_t left;
} png_bytes;

static cairo_status_t read_some(void *closure, unsigned char *data, unsigned length)
{
    png_bytes *from = closure;
    if (length > from->left) return CAIRO_STATUS_READ_ERROR;
    memcpy(data, from->bytes, length);
    from->bytes += length;
    from->left -= length;
    return CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *open_png(const char *text)
{
    size_t room = strlen(text), n = 0;
    CN_AUTO_FREE unsigned char *bytes = malloc(room + 1);
    if (!bytes || !cn_unb64(text, room, bytes, room, &n)) return NULL;
    png_bytes from = {.bytes = bytes, .left = n};
    cairo_surface_t *surface = cairo_image_surface_create_from_png_stream(read_some, &from);
    if (cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS) return surface;
    cairo_surface_destroy(surface);
    return NULL;
}

static cairo_matrix_t matrix_of(const json_t *list)
{
    double part[6] = {1, 0, 0, 1, 0, 0};
    for (size_t i = 0; i < 6; i++) part[i] = json_number_value(json_array_get(list, i));
    cairo_matrix_t matrix;
    cairo_matrix_init(&matrix, part[0], part[1], part[2], part[3], part[4], part[5]);
    return matrix;
}

static void set_colour(cairo_t *cr, unsigned rgb)
{
    cairo_set_source_rgb(cr, (rgb >> 16 & 255) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0);
}

static cn_err draw_slide(easel *on, const json_t *figure)
{
    const char *text = json_string_value(json_object_get(figure, "png"));
    cairo_surface_t *slide = text ? open_png(text) : NULL;
    cairo_matrix_t matrix = matrix_of(json_object_get(figure, "matrix"));
    if (!slide) return CN_ERR_CORRUPT;
    set_colour(on->cr, (unsigned)json_integer_value(json_object_get(figure, "background")));
    cairo_paint(on->cr);
    cairo_save(on->cr);
    cairo_transform(on->cr, &matrix);
    cairo_set_source_surface(on->cr, slide, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(on->cr), CAIRO_FILTER_GOOD);
    cairo_paint(on->cr);
    cairo_restore(on->cr);
    cairo_surface_destroy(slide);
    return cairo_status(on->cr) == CAIRO_STATUS_SUCCESS ? CN_OK : CN_ERR_CORRUPT;
}

/* ---- words ---- */

/* Black on white, so that they are read over any tissue; `y` is their top. */
static void write_words(easel *on, const char *text, double x, double y)
{
    PangoLayout *layout = pango_cairo_create_layout(on->cr);
    PangoFontDescription *face = pango_font_description_from_string(FACE);
    pango_font_description_set_absolute_size(face, 34 * on->unit * PANGO_SCALE);
    pango_layout_set_font_description(layout, face);
    pango_font_description_free(face);
    pango_layout_set_text(layout, text, -1);
    cairo_move_to(on->cr, x, y);
    pango_cairo_layout_path(on->cr, layout);
    cairo_set_source_rgb(on->cr, 1, 1, 1);
    cairo_set_line_width(on->cr, 5 * on->unit);
    cairo_set_line_join(on->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke_preserve(on->cr);
    cairo_set_source_rgb(on->cr, 0.05, 0.08, 0.1);
    cairo_fill(on->cr);
    g_object_unref(layout);
}

/* ---- marks ---- */

static void place(const json_t *points, size_t i, double *x, double *y)
{
    const json_t *point = json_array_get(points, i);
    *x = json_number_value(json_array_get(point, 0));
    *y = json_number_value(json_array_get(point, 1));
}

static void trace(easel *on, const json_t *points, bool closed)
{
    double x, y;
    for (size_t i = 0; i < json_array_size(points); i++) {
        place(points, i, &x, &y);
        cairo_line_to(on->cr, x, y);
    }
    if (closed) cairo_close_path(on->cr);
}

static void trace_dots(easel *on, const json_t *points)
{
    double x, y;
    for (size_t i = 0; i < json_array_size(points); i++) {
        place(points, i, &x, &y);
        cairo_new_sub_path(on->cr);
        cairo_arc(on->cr, x, y, 5 * on->unit, 0, 2 * M_PI);
    }
}

/* Its head is at the second point. */
static void trace_head(easel *on, const json_t *points)
{
    double x, y, tip_x, tip_y, back = 22 * on->unit;
    place(points, 0, &x, &y);
    place(points, 1, &tip_x, &tip_y);
    double along = atan2(y - tip_y, x - tip_x);
    cairo_move_to(on->cr, tip_x + back * cos(along + 0.45), tip_y + back * sin(along + 0.45));
    cairo_line_to(on->cr, tip_x, tip_y);
    cairo_line_to(on->cr, tip_x + back * cos(along - 0.45), tip_y + back * sin(along - 0.45));
}

static void draw_mark(easel *on, const json_t *mark)
{
    const char *kind = json_string_value(json_object_get(mark, "kind")),
               *colour = json_string_value(json_object_get(mark, "colour")),
               *text = json_string_value(json_object_get(mark, "text"));
    const json_t *points = json_object_get(mark, "points");
    double x, y;
    if (!kind || json_array_size(points) == 0) return;
    cairo_new_path(on->cr);
    if (strcmp(kind, "count") == 0)
        trace_dots(on, points);
    else if (strcmp(kind, "text") != 0)
        trace(on, points, json_is_true(json_object_get(mark, "closed")));
    if (strcmp(kind, "arrow") == 0) trace_head(on, points);
    cairo_set_line_join(on->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_source_rgb(on->cr, 1, 1, 1);
    cairo_set_line_width(on->cr, 6 * on->unit);
    cairo_stroke_preserve(on->cr);
    set_colour(on->cr, colour && colour[0] == '#' ? (unsigned)strtoul(colour + 1, NULL, 16) : 0);
    cairo_set_line_width(on->cr, 3 * on->unit);
    cairo_stroke(on->cr);
    place(points, 0, &x, &y);
    if (text && *text) write_words(on, text, x + 8 * on->unit, y - 44 * on->unit);
}

/* ---- the scale bar ---- */

/* 1, 2 or 5 with noughts: the longest that is not longer. */
static double round_length(double most)
{
    double ten = pow(10, floor(log10(most))), part = most / ten;
    return ten * (part >= 5 ? 5 : part >= 2 ? 2 : 1);
}

static void draw_bar(easel *on, double mpp)
{
    double microns = round_length(BAR * on->width * mpp), length = microns / mpp, thick = 10 * on->unit;
    double right = on->width - 24 * on->unit, top = on->height - 32 * on->unit;
    char text[32];
    if (!cn_fmt(text, sizeof(text), microns < 1000 ? "%g µm" : "%g mm", microns < 1000 ? microns : microns / 1000))
        return;
    cairo_rectangle(on->cr, right - length - 3 * on->unit, top - 3 * on->unit, length + 6 * on->unit,
                    thick + 6 * on->unit);
    cairo_set_source_rgb(on->cr, 1, 1, 1);
    cairo_fill(on->cr);
    cairo_rectangle(on->cr, right - length, top, length, thick);
    cairo_set_source_rgb(on->cr, 0, 0, 0);
    cairo_fill(on->cr);
    write_words(on, text, right - length, top - 56 * on->unit);
}

/* ---- all of it ---- */

static cn_err draw(easel *on, const json_t *figure)
{
    double mpp = json_number_value(json_object_get(figure, "mpp"));
    size_t i;
    const json_t *mark;
    CN_TRY(draw_slide(on, figure));
    json_array_foreach(json_object_get(figure, "marks"), i, mark) draw_mark(on, mark);
    if (mpp > 0) draw_bar(on, mpp);
    return cairo_status(on->cr) == CAIRO_STATUS_SUCCESS ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_picture_jpeg(const json_t *figure, cn_buf *out)
{
    json_int_t width = json_integer_value(json_object_get(figure, "width")),
               height = json_integer_value(json_object_get(figure, "height"));
    if (width < 1 || width > SIDE || height < 1 || height > SIDE) return CN_ERR_INVALID;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    easel on = {.cr = cairo_create(surface),
                .width = (double)width,
                .height = (double)height,
                .unit = (double)(width > height ? width : height) / 1000};
    cn_err err = draw(&on, figure);
    cairo_destroy(on.cr);
    if (err == CN_OK) err = cn_jpegs_write(surface, out);
    cairo_surface_destroy(surface);
    return err;
}
