#include "viewer/painter/webp.h"

#include <cairo.h>
#include <string.h>
#include <webp/demux.h>

#include "base/file.h"
#include "base/mem.h"

#define FILE_MAX ((size_t)256 << 20)

/* Whether cairo drew and wrote all of it. */
static cn_err write_small(cairo_surface_t *picture, int width, int height, double scale, const char *to)
{
    int small_width = (int)(width * scale + 0.5), small_height = (int)(height * scale + 0.5);
    cairo_surface_t *small = cairo_image_surface_create(CAIRO_FORMAT_RGB24, small_width > 0 ? small_width : 1,
                                                        small_height > 0 ? small_height : 1);
    cairo_t *cr = cairo_create(small);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, scale, scale);
    cairo_set_source_surface(cr, picture, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_GOOD);
    cairo_paint(cr);
    bool drawn = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cr);
    bool written = drawn && cairo_surface_write_to_png(small, to) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(small);
    return written ? CN_OK : CN_ERR_IO;
}

static cn_err draw_first(WebPAnimDecoder *decoder, int size, const char *to)
{
    WebPAnimInfo info;
    uint8_t *pixels = NULL;
    int at = 0;
    if (!WebPAnimDecoderGetInfo(decoder, &info) || !WebPAnimDecoderGetNext(decoder, &pixels, &at))
        return CN_ERR_CORRUPT;
    int width = (int)info.canvas_width, height = (int)info.canvas_height, side = width > height ? width : height;
    cairo_surface_t *picture =
        cairo_image_surface_create_for_data(pixels, CAIRO_FORMAT_ARGB32, width, height, 4 * width);
    cn_err err = write_small(picture, width, height, side > size ? (double)size / side : 1, to);
    cairo_surface_destroy(picture);
    return err;
}

cn_err cn_painter_webp(const char *from, const char *to, int size)
{
    CN_AUTO_FREE char *bytes = NULL;
    size_t n = 0;
    WebPAnimDecoderOptions options;
    CN_TRY(cn_file_read(from, FILE_MAX, &bytes, &n));
    if (!WebPAnimDecoderOptionsInit(&options)) return CN_ERR_UNSUPPORTED;
    options.color_mode = MODE_bgrA; /* cairo's: premultiplied, blue first on this processor */
    const WebPData data = {(const uint8_t *)bytes, n};
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
    if (!decoder) return CN_ERR_CORRUPT;
    cn_err err = draw_first(decoder, size, to);
    WebPAnimDecoderDelete(decoder);
    return err;
}
