/* How large a slide's pixels are, from what its file says, and the size in which it is pictured: with square pixels.
 * Pure arithmetic. */
#ifndef CN_VIEWER_SCALE_H
#define CN_VIEWER_SCALE_H

#include <stdint.h>

/** As text, NULL for what the file does not say. */
typedef struct cn_scale_texts {
    const char *mpp_x, *mpp_y;           /* µm per pixel, stated by the scanner */
    const char *per_unit_x, *per_unit_y; /* TIFF's resolution: pixels per … */
    const char *unit;                    /* … "centimeter" or "inch" */
} cn_scale_texts;

typedef struct cn_scale {
    double mpp_x, mpp_y;         /* µm per pictured pixel; 0: not known */
    double stretch_x, stretch_y; /* pictured pixels per pixel of the file; 1, but for pixels that are not square */
    int64_t width, height;       /* pictured */
} cn_scale;

/**
 * A number that no microscope gives is none: TIFF's resolution is a screen's or printer's for most programs, and a
 * picture larger than any glass has no scale. Pixels that are not square (by more than 1 %) are pictured square, the
 * coarser axis stretched, so that nothing of the finer one is lost and every length and angle on screen is right.
 */
void cn_scale_of(const cn_scale_texts *texts, int64_t width, int64_t height, cn_scale *out);

#endif
