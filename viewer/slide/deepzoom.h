/* Deep Zoom geometry: a pyramid of halvings cut in tiles of 254 pixels with one pixel of overlap. Pure arithmetic. */
#ifndef CN_VIEWER_DEEPZOOM_H
#define CN_VIEWER_DEEPZOOM_H

#include <stdint.h>

#include "base/err.h"

#define CN_DZ_TILE 254
#define CN_DZ_OVERLAP 1

/** Number of levels of an image: ceil(log2(max(width, height))) + 1. Level 0 is 1 × 1 pixel, the last one is full size.
 */
unsigned cn_dz_levels(int64_t width, int64_t height);

/** Size in pixels of a level, and how many tiles it has. CN_ERR_NOTFOUND past the last level. */
cn_err cn_dz_level_size(int64_t width, int64_t height, unsigned level, int64_t *level_width, int64_t *level_height);

/** Where a tile lies in its level, overlap included. */
typedef struct cn_dz_rect {
    int64_t x, y;
    int64_t width, height;
    double scale; /* level-0 pixels per pixel of this level */
} cn_dz_rect;

/** CN_ERR_NOTFOUND outside the grid. */
cn_err cn_dz_tile_rect(int64_t width, int64_t height, unsigned level, int64_t column, int64_t row, cn_dz_rect *out);

#endif
