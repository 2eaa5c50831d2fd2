/*
 * A drawing or measure on a picture as its author sends it, and what it measures. Pure.
 *
 * Places are pixels of the picture at full size, as it is pictured (pixels that are not square are stretched: viewer/slide/scale.h), kept to
 * a hundredth of one. What is turned with the screen stays what it is: rectangle, ellipse and frame have four corners.
 */
#ifndef CN_CONSULT_MARK_SHAPE_H
#define CN_CONSULT_MARK_SHAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define CN_MARK_POINTS 10000   /* of one mark */
#define CN_MARK_CHARS 500      /* of its text */
#define CN_MARK_CLIENT 41      /* bytes of its writer's own id, with the end */
#define CN_MARK_REACH 10000000 /* pixels; no coordinate is farther from 0 */
#define CN_MARK_HUNDRED 100    /* parts of a pixel */

/* id, name in API and database, least and most points */
#define CN_MARK_TABLE(X)                                                     \
    X(DISTANCE, "distance", 2, 2)                                            \
    X(POLYLINE, "polyline", 2, CN_MARK_POINTS)                               \
    X(AREA, "area", 3, CN_MARK_POINTS)                                       \
    X(RECTANGLE, "rectangle", 4, 4)                                          \
    X(ELLIPSE, "ellipse", 4, 4) /* touches the middles of the sides */       \
    X(ANGLE, "angle", 3, 3)     /* at the second point */                    \
    X(ARROW, "arrow", 2, 2)     /* to the second point */                    \
    X(TEXT, "text", 1, 1)                                                    \
    X(COUNT, "count", 1, CN_MARK_POINTS) /* things of one class, its text */ \
    X(SQUARE, "frame_square", 4, 4)      /* counting frame of 2 mm² */      \
    X(CIRCLE, "frame_circle", 4, 4)      /* the same, round */

typedef enum cn_mark_kind {
#define X(id, name, least, most) CN_MARK_##id,
    CN_MARK_TABLE(X)
#undef X
        CN_MARK_KIND_COUNT
} cn_mark_kind;

const char *cn_mark_kind_name(cn_mark_kind kind);
bool cn_mark_kind_parse(const char *name, cn_mark_kind *out);

/** In hundredths of a pixel. */
typedef struct cn_mark_point {
    int32_t x, y;
} cn_mark_point;

typedef struct cn_mark_shape {
    cn_mark_kind kind;
    size_t len;
    cn_mark_point *points; /* owned: cn_mark_shape_free */
} cn_mark_shape;
void cn_mark_shape_free(cn_mark_shape *shape);

/** A mark as it is sent. Texts are borrowed from the body. */
typedef struct cn_mark_new {
    cn_mark_shape shape; /* owned */
    const char *client, *colour, *text;
    int64_t z;
} cn_mark_new;

/** Reads `{id, kind, points, colour, text?, z?}`; `id` (1…40 letters, digits, '-' or '_') is not asked for where `known` is set. What is only
 * words has some. CN_ERR_INVALID and the field. Free out->shape. */
cn_err cn_mark_read(const json_t *body, bool known, cn_mark_new *out, cn_problem *problem);

/** Reads `[[x, y], …]` for a kind; CN_ERR_INVALID (field "points") for a wrong number of them, and places that are none. */
cn_err cn_mark_points_read(const json_t *list, cn_mark_kind kind, cn_mark_shape *out, cn_problem *problem);
/** Appends `[[x,y],…]` without needless digits; reading it gives the same points. */
void cn_mark_points_write(const cn_mark_shape *shape, cn_buf *out);

/** What a shape measures, in pixels and square pixels; what it has none of is negative. */
typedef struct cn_mark_measure {
    double length; /* of a line, or around */
    double area;
    double degrees; /* 0…180 */
} cn_mark_measure;
void cn_mark_measure_of(const cn_mark_shape *shape, cn_mark_measure *out);

/** How many of `points` lie inside a shape that has an area; its border counts. */
size_t cn_mark_inside(const cn_mark_shape *shape, const cn_mark_shape *points);

/** A closed outline of a rectangle, an ellipse (128 corners, within 0.05 % of its area) or what has corners, counter-clockwise when y goes up,
 * without its first point once more. `out` has room for `size` points; the number of them, 0 for what is no area. */
size_t cn_mark_outline(const cn_mark_shape *shape, double (*out)[2], size_t size);
#define CN_MARK_ROUND 128

#endif
