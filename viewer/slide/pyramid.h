/* Which levels a slide lacks. Pure arithmetic, the same where they are made and where they are read. */
#ifndef CN_VIEWER_PYRAMID_H
#define CN_VIEWER_PYRAMID_H

#include <stdint.h>

#define CN_PYRAMID_STEP 4 /* each level is a quarter of the one before, in width and height */
#define CN_PYRAMID_LEVELS 10

typedef struct cn_pyramid {
    uint32_t n;    /* levels to make, largest first; 0: nothing is missing */
    uint32_t base; /* the level of the file that the first one is made of */
    int64_t base_width, base_height;
    double base_downsample;
    int64_t width[CN_PYRAMID_LEVELS], height[CN_PYRAMID_LEVELS];
    double downsample[CN_PYRAMID_LEVELS]; /* of level 0 */
} cn_pyramid;

/** The file's own levels, largest first. Levels are missing when two of them lie further apart than a tile can be made
 * of at once, or when the smallest is no overview; together they have a fifteenth of the base's pixels. */
void cn_pyramid_missing(const int64_t *width, const int64_t *height, const double *downsample, uint32_t levels,
                        cn_pyramid *out);

#endif
