#include "viewer/decoder/cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "viewer/decoder/jpeg.h"
#include "viewer/decoder/png.h"
#include "viewer/slide/iiif.h"

/* Upright, made of the nearest larger level; part by part, so that what it is made of needs not lie in memory as a
 * whole. */
static cn_err read_upright(cn_dslide *slide, const cn_decode_ask *ask, uint8_t *rgb)
{
    double scale_x = (double)ask->cut_width / ask->width, scale_y = (double)ask->cut_height / ask->height;
    uint32_t lines = cn_dslide_lines(slide, scale_x, scale_y, ask->width);
    for (uint32_t y = 0; y < ask->height; y += lines) {
        CN_AUTO_FREE uint8_t *part = NULL;
        uint32_t n = ask->height - y < lines ? ask->height - y : lines;
        CN_TRY(cn_dslide_picture(slide, (double)ask->column, (double)ask->row + y * scale_y, scale_x, scale_y,
                                 ask->width, n, &part));
        memcpy(rgb + (size_t)3 * y * ask->width, part, (size_t)3 * n * ask->width);
    }
    return CN_OK;
}

/* Where pixel (x, y) of what is answered comes from. */
static size_t source_of(const cn_decode_ask *ask, uint32_t x, uint32_t y)
{
    uint32_t width = ask->width, height = ask->height, sx, sy;
    switch (ask->quarters) {
    case 1: sx = y, sy = height - 1 - x; break;
    case 2: sx = width - 1 - x, sy = height - 1 - y; break;
    case 3: sx = width - 1 - y, sy = x; break;
    default: sx = x, sy = y; break;
    }
    if (ask->mirror) sx = width - 1 - sx;
    return (size_t)sy * width + sx;
}

static void turn(const cn_decode_ask *ask, const uint8_t *rgb, uint8_t *out, uint32_t width, uint32_t height)
{
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++, out += 3) memcpy(out, rgb + 3 * source_of(ask, x, y), 3);
}

/* ITU-R BT.601's luma. */
static void without_colour(uint8_t *rgb, size_t pixels, bool bitonal)
{
    for (size_t i = 0; i < pixels; i++, rgb += 3) {
        unsigned grey = (299u * rgb[0] + 587u * rgb[1] + 114u * rgb[2] + 500) / 1000;
        memset(rgb, (int)(!bitonal ? grey : grey >= 128 ? 255 : 0), 3);
    }
}

cn_err cn_cut_answer(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    size_t pixels = (size_t)ask->width * ask->height;
    bool lies = ask->quarters % 2;
    uint32_t width = lies ? ask->height : ask->width, height = lies ? ask->width : ask->height;
    CN_AUTO_FREE uint8_t *upright = cn_calloc(pixels, 3);
    CN_AUTO_FREE uint8_t *turned = cn_calloc(pixels, 3);
    if (!upright || !turned) return CN_ERR_NOMEM;
    CN_TRY(cn_dslide_plane(slide, ask));
    CN_TRY(read_upright(slide, ask, upright));
    turn(ask, upright, turned, width, height);
    if (ask->quality >= CN_IIIF_GRAY) without_colour(turned, pixels, ask->quality == CN_IIIF_BITONAL);
    return ask->format == CN_IIIF_PNG ? cn_png_encode(turned, width, height, out, size, len)
                                      : cn_jpeg_encode(turned, width, height, out, size, len);
}
