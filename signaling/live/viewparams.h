/* What the methods of the shared view are called with. Pure. */
#ifndef CN_SIGNALING_LIVE_VIEWPARAMS_H
#define CN_SIGNALING_LIVE_VIEWPARAMS_H

#include <jansson.h>

#include "base/err.h"
#include "signaling/live/board.h"

#define CN_VIEW_BESIDE 3

/** A slide beside the one that is shown: (x', y') = (a·x - b·y + x0, b·x + a·y + y0) in its level-0 pixels; `over`: of (-x, y). */
typedef struct cn_view_pane {
    char file[CN_ID_TEXT];
    double a, b, x, y;
    bool over;
} cn_view_pane;

/** Where the presenter looks. Level-0 pixels of a slide, points of a page, pixels of an image; degrees clockwise. */
typedef struct cn_view_look {
    int64_t seq;
    double cx, cy, w, h, rotation;
    int page, z;
    bool mirror;
    cn_view_pane pane[CN_VIEW_BESIDE]; /* slides beside it, or with `over` on it, of which `shown` (0…1) is seen */
    size_t panes;
    bool over;
    double shown;
} cn_view_look;

/** CN_ERR_INVALID with the field's name, here and below. */
cn_err cn_view_look_read(const json_t *params, cn_view_look *out, cn_problem *problem);
/** As relayed; `presenter` is borrowed. */
json_t *cn_view_look_json(const cn_view_look *look, const char *presenter);

/** *on: whether he points at all. Whose it is, is the caller's to fill in. */
cn_err cn_view_pointer_read(const json_t *params, cn_pointer *out, bool *on, cn_problem *problem);

cn_err cn_view_drawing_read(const json_t *params, cn_drawing *out, cn_problem *problem);

#endif
