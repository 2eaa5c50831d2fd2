/* JPEG, line by line: baseline takes no more memory than a few lines, progressive all coefficients. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h> /* before jpeglib.h, which uses it */
#include <stdlib.h>

#include <jerror.h>
#include <jpeglib.h>

#include "base/mem.h"
#include "viewer/painter/exif.h"
#include "viewer/painter/source.h"

#define EXIF_BYTES 0xffff
#define LINES 16

typedef struct jpeg_source {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr mgr;
    jmp_buf back;
    FILE *file;
    uint8_t *lines, *rgb; /* as decoded; the same of a CMYK one */
    JOCTET *icc;
    bool damaged;
} jpeg_source;

static void fail(j_common_ptr jpeg)
{
    jpeg_source *failed = jpeg->client_data;
    longjmp(failed->back, 1);
}

/* The library draws grey over what is missing or makes no sense; a doctor must not take that for the picture. */
static void warn(j_common_ptr jpeg, int level)
{
    jpeg_source *of = jpeg->client_data;
    if (level < 0 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA && jpeg->err->msg_code != JWRN_ADOBE_XFORM &&
        jpeg->err->msg_code != JWRN_BOGUS_ICC)
        of->damaged = true;
}

static unsigned orientation(const struct jpeg_decompress_struct *jpeg)
{
    for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker; marker = marker->next)
        if (marker->marker == JPEG_APP0 + 1 && marker->data_length >= 6 && marker->data[0] == 'E')
            return cn_exif_orientation(marker->data, marker->data_length);
    return 1;
}

/* Inks as Adobe's programs store them, full at 0, and everybody after them does. */
static void from_cmyk(const uint8_t *cmyk, int64_t pixels, uint8_t *rgb)
{
    for (int64_t i = 0; i < pixels; i++, cmyk += 4)
        for (int64_t c = 0; c < 3; c++) *rgb++ = (uint8_t)((cmyk[c] * cmyk[3] + 127) / 255);
}

static cn_err read_lines(jpeg_source *of, const cn_picture_sink *sink)
{
    struct jpeg_decompress_struct *jpeg = &of->jpeg;
    int64_t width = jpeg->output_width, parts = jpeg->output_components;
    bool cmyk = parts == 4;
    of->lines = cn_calloc((size_t)(width * LINES), (size_t)parts);
    of->rgb = cmyk ? cn_calloc((size_t)(width * LINES), 3) : NULL;
    if (!of->lines || (cmyk && !of->rgb)) return CN_ERR_NOMEM;
    while (jpeg->output_scanline < jpeg->output_height) {
        JDIMENSION n = 0;
        while (n < LINES && jpeg->output_scanline < jpeg->output_height) {
            JSAMPROW line = of->lines + (int64_t)n * width * parts;
            n += jpeg_read_scanlines(jpeg, &line, 1);
        }
        if (of->damaged) return CN_ERR_CORRUPT;
        if (cmyk) from_cmyk(of->lines, n * width, of->rgb);
        CN_TRY(sink->lines(sink->ctx, cmyk ? of->rgb : of->lines, n));
    }
    jpeg_finish_decompress(jpeg);
    return of->damaged ? CN_ERR_CORRUPT : CN_OK;
}

static cn_err read_file(jpeg_source *of, const cn_picture_sink *sink)
{
    struct jpeg_decompress_struct *jpeg = &of->jpeg;
    unsigned icc_bytes = 0;
    if (setjmp(of->back)) return jpeg->err->msg_code == JERR_OUT_OF_MEMORY ? CN_ERR_TOOBIG : CN_ERR_CORRUPT;
    jpeg_create_decompress(jpeg);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, EXIF_BYTES);
    jpeg_save_markers(jpeg, JPEG_APP0 + 2, EXIF_BYTES);
    jpeg_stdio_src(jpeg, of->file);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->num_components == 2) return CN_ERR_UNSUPPORTED;
    jpeg->out_color_space = jpeg->num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (!jpeg_read_icc_profile(jpeg, &of->icc, &icc_bytes)) icc_bytes = 0;
    cn_picture_head head = {.width = jpeg->image_width,
                            .height = jpeg->image_height,
                            .orientation = orientation(jpeg),
                            .icc = of->icc,
                            .icc_bytes = icc_bytes};
    CN_TRY(sink->begin(sink->ctx, &head));
    jpeg_start_decompress(jpeg);
    return read_lines(of, sink);
}

cn_err cn_read_jpeg(const char *path, const cn_picture_sink *sink)
{
    jpeg_source *of = CN_NEW(jpeg_source);
    if (!of) return CN_ERR_NOMEM;
    cn_err err = CN_ERR_IO;
    of->jpeg.err = jpeg_std_error(&of->mgr);
    of->mgr.error_exit = fail;
    of->mgr.emit_message = warn;
    of->jpeg.client_data = of;
    of->file = fopen(path, "rbe");
    if (of->file) {
        err = read_file(of, sink);
        jpeg_destroy_decompress(&of->jpeg);
        fclose(of->file);
    }
    free(of->lines);
    free(of->rgb);
    free(of->icc);
    free(of);
    return err;
}
