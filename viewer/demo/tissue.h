/* Draws a synthetic section that looks like haematoxylin and eosin: the demo slide is nobody's tissue. */
#ifndef CN_VIEWER_DEMO_TISSUE_H
#define CN_VIEWER_DEMO_TISSUE_H

#include <stdint.h>

#include "base/err.h"

typedef struct cn_tissue cn_tissue;

/** The same seed draws the same slide. Width and height in pixels at 0.25 µm. */
cn_err cn_tissue_new(cn_tissue **out, int64_t width, int64_t height, uint64_t seed);

/** RGB of the `side` × `side` square whose corner is (x, y). Reads only: any number of threads. */
void cn_tissue_draw(const cn_tissue *tissue, int64_t x, int64_t y, int side, uint8_t *rgb);

void cn_tissue_free(cn_tissue *tissue);

#endif
