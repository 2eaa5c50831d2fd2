/*
 * A picture of a place on a slide for a report: which part of the slide is wanted, and the drawing with marks and a scale
 * bar. The pixels come from whoever reads slides. cn_figure_plan_make is pure; the rest blocks.
 */
#ifndef CN_CONSULT_FIGURE_H
#define CN_CONSULT_FIGURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define CN_FIGURE_LEAST 1000 /* pixels of the longer side of a picture … */
#define CN_FIGURE_MOST 1600
#define CN_FIGURE_CUT ((int64_t)2048 * 2048) /* pixels of the part of the slide that it is made of, at most */

/** What is shown, as view.state says it (docs/protocol.md): centre and extent on screen in pixels of the slide, turned clockwise, then mirrored. */
typedef struct cn_figure_place {
    double cx, cy, w, h, rotation;
    bool mirror;
    int64_t z;
} cn_figure_place;

typedef struct cn_figure_plan {
    int64_t x, y, width, height;    /* the part of the slide, inside it */
    uint32_t cut_width, cut_height; /* pixels in which it is wanted */
    uint32_t out_width, out_height; /* of the picture */
    double scale;                   /* pixels of the picture per pixel of the slide */
    double from_slide[6]; /* a place of the slide to one of the picture: xx yx xy yy x0 y0, as cairo_matrix_t */
    double from_cut[6];   /* the same of the part */
} cn_figure_plan;

/** Reads `{cx, cy, w, h, rotation?, mirror?, z?}`; CN_ERR_INVALID and the field. */
cn_err cn_figure_place_read(const json_t *body, cn_figure_place *out, cn_problem *problem);

/** Of a slide of `width` × `height` pixels. CN_ERR_INVALID, and the field in `problem`: nothing of the slide is there, or it is a sliver. */
cn_err cn_figure_plan_make(const cn_figure_place *place, int64_t width, int64_t height, cn_figure_plan *out,
                           cn_problem *problem);

/** What is drawn over it, of the slide's pixels. */
typedef struct cn_figure_drawing {
    const void *png; /* the part */
    size_t png_len;
    uint32_t background; /* 0xRRGGBB, beside the slide */
    double mpp;          /* µm per pixel of the slide, 0: no scale, no bar */
    const json_t *marks; /* as cn_marks_get lists them */
} cn_figure_drawing;

/** Appends the picture as JPEG. */
cn_err cn_figure_draw(const cn_figure_plan *plan, const cn_figure_drawing *drawing, cn_buf *out);

#endif
