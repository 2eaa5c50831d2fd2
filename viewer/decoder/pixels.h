/* Arithmetic of pixels. */
#ifndef CN_VIEWER_DECODER_PIXELS_H
#define CN_VIEWER_DECODER_PIXELS_H

#include <stddef.h>
#include <stdint.h>

/** Premultiplied ARGB over a background colour (0xRRGGBB), as RGB into a buffer of its own. */
void cn_pixels_flatten(const uint32_t *argb, size_t count, uint32_t background, uint8_t *rgb);

/** Which part of a source one pixel of a picture is: `x`, `y` where the picture begins, `width`, `height` of a pixel. */
typedef struct cn_pixel_grid {
    double x, y, width, height;
} cn_pixel_grid;

/** RGB of `sw` × `sh` pixels as RGB of `dw` × `dh`, each the average of its part of the source, by share of area. */
void cn_pixels_shrink(const uint8_t *src, int64_t sw, int64_t sh, uint8_t *dst, int64_t dw, int64_t dh,
                      const cn_pixel_grid *grid);

/** RGB with `stride` pixels a line as a quarter of its width and height, rounded up; each the average of what is there
 * of its 4 × 4 pixels. */
void cn_pixels_quarter(const uint8_t *src, int64_t width, int64_t height, int64_t stride, uint8_t *dst,
                       int64_t dst_stride);

#endif
