/* PNG, line by line; an interlaced one as a whole. */
#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "viewer/painter/exif.h"
#include "viewer/painter/source.h"

#define CHUNK_BYTES ((png_alloc_size_t)64 << 20)

typedef struct png_source {
    png_structp png;
    png_infop info;
    FILE *file;
    uint8_t *pixels; /* a line, or the whole picture */
    uint8_t *rgb;
    bool out_of_memory;
} png_source;

static void fail(png_structp png, png_const_charp text)
{
    png_source *of = png_get_error_ptr(png);
    if (strstr(text, "memory")) of->out_of_memory = true;
    longjmp(png_jmpbuf(png), 1);
}

static void warn(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void read_head(png_source *of, cn_picture_head *head)
{
    png_charp name;
    png_bytep icc = NULL, exif = NULL;
    png_uint_32 icc_bytes = 0, exif_bytes = 0;
    int method;
    *head = (cn_picture_head){.width = png_get_image_width(of->png, of->info),
                              .height = png_get_image_height(of->png, of->info),
                              .x_per_cm = png_get_x_pixels_per_meter(of->png, of->info) / 100.0,
                              .y_per_cm = png_get_y_pixels_per_meter(of->png, of->info) / 100.0};
    if (png_get_iCCP(of->png, of->info, &name, &method, &icc, &icc_bytes)) {
        head->icc = icc;
        head->icc_bytes = icc_bytes;
    }
    if (png_get_eXIf_1(of->png, of->info, &exif_bytes, &exif))
        head->orientation = cn_exif_orientation(exif, exif_bytes);
}

/* Grey, palette, 1 to 16 bits: all of them as 8-bit RGB with or without an alpha channel. */
static void transform(png_source *of)
{
    png_set_expand(of->png);
    png_set_scale_16(of->png);
    png_set_gray_to_rgb(of->png);
}

/* Over white. */
static void flatten(const uint8_t *rgba, int64_t pixels, uint8_t *rgb)
{
    for (int64_t i = 0; i < pixels; i++, rgba += 4)
        for (int64_t c = 0; c < 3; c++) *rgb++ = (uint8_t)((rgba[c] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255);
}

static cn_err give(png_source *of, const cn_picture_sink *sink, const uint8_t *line, int64_t width, bool alpha)
{
    if (alpha) flatten(line, width, of->rgb);
    return sink->lines(sink->ctx, alpha ? of->rgb : line, 1);
}

static cn_err read_lines(png_source *of, const cn_picture_sink *sink, const cn_picture_head *head, int passes)
{
    bool alpha = png_get_channels(of->png, of->info) == 4;
    size_t bytes = png_get_rowbytes(of->png, of->info), kept = passes > 1 ? (size_t)head->height : 1;
    if (bytes != (size_t)head->width * (alpha ? 4 : 3)) return CN_ERR_CORRUPT;
    of->pixels = cn_calloc(kept, bytes);
    of->rgb = cn_calloc((size_t)head->width, 3);
    if (!of->pixels || !of->rgb) return CN_ERR_NOMEM;
    for (int pass = 0; pass < passes; pass++)
        for (int64_t y = 0; y < head->height; y++) {
            uint8_t *line = of->pixels + (passes > 1 ? (size_t)y * bytes : 0);
            png_read_row(of->png, line, NULL);
            if (pass + 1 == passes) CN_TRY(give(of, sink, line, head->width, alpha));
        }
    png_read_end(of->png, NULL);
    return CN_OK;
}

static cn_err read_file(png_source *of, const cn_picture_sink *sink)
{
    cn_picture_head head;
    if (setjmp(png_jmpbuf(of->png))) return of->out_of_memory ? CN_ERR_TOOBIG : CN_ERR_CORRUPT;
    png_init_io(of->png, of->file);
    png_set_user_limits(of->png, CN_PICTURE_SIDE, CN_PICTURE_SIDE);
    png_set_chunk_malloc_max(of->png, CHUNK_BYTES);
    png_read_info(of->png, of->info);
    read_head(of, &head);
    CN_TRY(sink->begin(sink->ctx, &head));
    transform(of);
    int passes = png_set_interlace_handling(of->png);
    png_read_update_info(of->png, of->info);
    return read_lines(of, sink, &head, passes);
}

cn_err cn_read_png(const char *path, const cn_picture_sink *sink)
{
    png_source of = {.file = fopen(path, "rbe")};
    cn_err err = of.file ? CN_ERR_NOMEM : CN_ERR_IO;
    if (of.file) of.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &of, fail, warn);
    if (of.png) of.info = png_create_info_struct(of.png);
    if (of.info) err = read_file(&of, sink);
    png_destroy_read_struct(&of.png, &of.info, NULL);
    if (of.file) fclose(of.file);
    free(of.pixels);
    free(of.rgb);
    return err;
}
