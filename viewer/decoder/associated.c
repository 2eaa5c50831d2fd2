#include "viewer/decoder/associated.h"

#include <stdlib.h>

#include "base/mem.h"
#include "viewer/decode_proto.h"
#include "viewer/decoder/jpeg.h"
#include "viewer/decoder/pixels.h"

#define PIXELS_MAX ((int64_t)64 << 20) /* as much as a tile is made of at most */

/* OpenSlide's names are the same for every scanner. */
static const char *name_of(uint32_t which)
{
    return which == CN_DECODE_LABEL ? "label" : which == CN_DECODE_MACRO ? "macro" : NULL;
}

static bool size_of(openslide_t *osr, const char *name, int64_t *width, int64_t *height)
{
    *width = *height = -1;
    if (name) openslide_get_associated_image_dimensions(osr, name, width, height);
    return *width >= 1 && *height >= 1 && *width <= PIXELS_MAX / *height;
}

bool cn_associated_has(openslide_t *osr, uint32_t which)
{
    int64_t width, height;
    return size_of(osr, name_of(which), &width, &height);
}

/* RGB, caller frees. OpenSlide leaves zeros where it failed, and would give no further picture: the slide's own error. */
static cn_err read_rgb(openslide_t *osr, const char *name, size_t pixels, uint32_t background, uint8_t **out)
{
    CN_AUTO_FREE uint32_t *argb = cn_calloc(pixels, 4);
    if (!argb) return CN_ERR_NOMEM;
    openslide_read_associated_image(osr, name, argb);
    if (openslide_get_error(osr)) return CN_ERR_CORRUPT;
    uint8_t *rgb = cn_calloc(pixels, 3);
    if (!rgb) return CN_ERR_NOMEM;
    cn_pixels_flatten(argb, pixels, background, rgb);
    *out = rgb;
    return CN_OK;
}

static int64_t at_least_one(double pixels)
{
    return pixels >= 1 ? (int64_t)pixels : 1;
}

cn_err cn_associated_jpeg(openslide_t *osr, uint32_t which, uint32_t background, void *out, size_t size, size_t *len)
{
    int64_t width, height;
    const char *name = name_of(which);
    CN_AUTO_FREE uint8_t *rgb = NULL;
    if (!size_of(osr, name, &width, &height)) return CN_ERR_NOTFOUND;
    CN_TRY(read_rgb(osr, name, (size_t)width * (size_t)height, background, &rgb));
    int64_t side = width > height ? width : height;
    if (side <= CN_DECODE_ASSOCIATED_SIDE) return cn_jpeg_encode(rgb, width, height, out, size, len);
    double scale = (double)side / CN_DECODE_ASSOCIATED_SIDE;
    int64_t to_width = at_least_one((double)width / scale), to_height = at_least_one((double)height / scale);
    const cn_pixel_grid grid = {.width = (double)width / (double)to_width,
                                .height = (double)height / (double)to_height};
    CN_AUTO_FREE uint8_t *small = cn_calloc((size_t)to_width * (size_t)to_height, 3);
    if (!small) return CN_ERR_NOMEM;
    cn_pixels_shrink(rgb, width, height, small, to_width, to_height, &grid);
    return cn_jpeg_encode(small, to_width, to_height, out, size, len);
}
