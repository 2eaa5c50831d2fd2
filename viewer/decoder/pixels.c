#include "viewer/decoder/pixels.h"

void cn_pixels_flatten(const uint32_t *argb, size_t count, uint32_t background, uint8_t *rgb)
{
    unsigned br = background >> 16 & 255, bg = background >> 8 & 255, bb = background & 255;
    for (size_t i = 0; i < count; i++) {
        unsigned a = argb[i] >> 24, rest = 255 - a;
        rgb[3 * i] = (uint8_t)((argb[i] >> 16 & 255) + br * rest / 255);
        rgb[3 * i + 1] = (uint8_t)((argb[i] >> 8 & 255) + bg * rest / 255);
        rgb[3 * i + 2] = (uint8_t)((argb[i] & 255) + bb * rest / 255);
    }
}

/* Area average of one output pixel over the source rectangle [x0, x1) × [y0, y1), edges weighted by their share. */
static void average(const uint8_t *src, int64_t sw, int64_t sh, double x0, double y0, double x1, double y1,
                    uint8_t *out)
{
    double sum[3] = {0, 0, 0}, weight = 0;
    for (int64_t y = (int64_t)y0; y < sh && (double)y < y1; y++) {
        double wy = ((double)(y + 1) < y1 ? (double)(y + 1) : y1) - ((double)y > y0 ? (double)y : y0);
        for (int64_t x = (int64_t)x0; x < sw && (double)x < x1; x++) {
            double w = wy * (((double)(x + 1) < x1 ? (double)(x + 1) : x1) - ((double)x > x0 ? (double)x : x0));
            const uint8_t *p = src + 3 * (y * sw + x);
            for (int c = 0; c < 3; c++) sum[c] += w * p[c];
            weight += w;
        }
    }
    for (int c = 0; c < 3; c++) out[c] = (uint8_t)(weight > 0 ? sum[c] / weight + 0.5 : 255);
}

void cn_pixels_shrink(const uint8_t *src, int64_t sw, int64_t sh, uint8_t *dst, int64_t dw, int64_t dh,
                      const cn_pixel_grid *grid)
{
    for (int64_t y = 0; y < dh; y++)
        for (int64_t x = 0; x < dw; x++)
            average(src, sw, sh, grid->x + (double)x * grid->width, grid->y + (double)y * grid->height,
                    grid->x + (double)(x + 1) * grid->width, grid->y + (double)(y + 1) * grid->height,
                    dst + 3 * (y * dw + x));
}

static void quarter_pixel(const uint8_t *src, int64_t width, int64_t height, int64_t stride, uint8_t *out)
{
    unsigned sum[3] = {0, 0, 0}, count = (unsigned)(width * height);
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            for (int c = 0; c < 3; c++) sum[c] += src[3 * (y * stride + x) + c];
    for (int c = 0; c < 3; c++) out[c] = (uint8_t)((sum[c] + count / 2) / count);
}

void cn_pixels_quarter(const uint8_t *src, int64_t width, int64_t height, int64_t stride, uint8_t *dst,
                       int64_t dst_stride)
{
    for (int64_t y = 0; y < height; y += 4)
        for (int64_t x = 0; x < width; x += 4)
            quarter_pixel(src + 3 * (y * stride + x), width - x < 4 ? width - x : 4, height - y < 4 ? height - y : 4,
                          stride, dst + 3 * (y / 4 * dst_stride + x / 4));
}
