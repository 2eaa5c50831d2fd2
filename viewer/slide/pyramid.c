#include "viewer/slide/pyramid.h"

#define GAP 8.5                      /* a tile between two levels is made of up to GAP² times its pixels */
#define OVERVIEW ((int64_t)16 << 20) /* pixels; the smallest level is read as a whole for every thumbnail */
#define SMALLEST ((int64_t)1 << 20)

void cn_pyramid_missing(const int64_t *width, const int64_t *height, const double *downsample, uint32_t levels,
                        cn_pyramid *out)
{
    *out = (cn_pyramid){.n = 0};
    uint32_t base = 0;
    while (base + 1 < levels && downsample[base + 1] <= downsample[base] * GAP) base++;
    if (!levels || (base + 1 == levels && width[base] <= OVERVIEW / height[base])) return;
    out->base = base;
    out->base_width = width[base];
    out->base_height = height[base];
    out->base_downsample = downsample[base];
    int64_t step = 1, w = width[base], h = height[base];
    while (out->n < CN_PYRAMID_LEVELS && w > SMALLEST / h) {
        step *= CN_PYRAMID_STEP;
        w = (width[base] - 1) / step + 1;
        h = (height[base] - 1) / step + 1;
        out->width[out->n] = w;
        out->height[out->n] = h;
        out->downsample[out->n++] = downsample[base] * (double)step;
    }
}
