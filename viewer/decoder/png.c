#include "viewer/decoder/png.h"

#include <png.h>
#include <setjmp.h>
#include <string.h>

#define COMPRESSION 3 /* somebody waits for it */

typedef struct target {
    uint8_t *bytes;
    size_t size, len;
} target;

static void put(png_structp png, png_bytep bytes, size_t n)
{
    target *to = png_get_io_ptr(png);
    if (n > to->size - to->len) png_error(png, "too large");
    memcpy(to->bytes + to->len, bytes, n);
    to->len += n;
}

static void flush(png_structp png)
{
    (void)png;
}

static void fail(png_structp png, png_const_charp text)
{
    (void)text;
    longjmp(png_jmpbuf(png), 1);
}

static cn_err encode(png_structp png, png_infop info, const uint8_t *rgb, uint32_t width, uint32_t height)
{
    if (setjmp(png_jmpbuf(png))) return CN_ERR_TOOBIG;
    png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, COMPRESSION);
    png_write_info(png, info);
    for (uint32_t y = 0; y < height; y++) png_write_row(png, rgb + (size_t)3 * y * width);
    png_write_end(png, NULL);
    return CN_OK;
}

cn_err cn_png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, void *out, size_t size, size_t *len)
{
    target to = {.bytes = out, .size = size};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, fail, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    cn_err err = CN_ERR_NOMEM;
    if (info) {
        png_set_write_fn(png, &to, put, flush);
        err = encode(png, info, rgb, width, height);
    }
    png_destroy_write_struct(&png, &info);
    if (err == CN_OK) *len = to.len;
    return err;
}
