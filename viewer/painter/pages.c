#include "viewer/painter/pages.h"

#include <stdio.h> /* before jpeglib.h, which uses it */

#include <cairo-pdf.h>
#include <cairo.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/mem.h"

#define PAGES_MAX 1000
#define PIXELS_MAX ((uint64_t)120000000)
#define A4_WIDTH 595.28 /* points */
#define QUALITY 88

typedef struct page {
    uint32_t width, height;
    double x_dpi, y_dpi; /* 0: not said */
    bool black_white;
    uint32_t *pixels; /* libtiff's: ABGR, upper left first */
} page;

/* ---- reading ---- */

static double dpi_of(TIFF *tif, uint32_t tag, uint16_t unit)
{
    float value = 0;
    if (!TIFFGetField(tif, tag, &value) || unit == RESUNIT_NONE) return 0;
    double dpi = unit == RESUNIT_CENTIMETER ? (double)value * 2.54 : (double)value;
    return dpi >= 20 && dpi <= 10000 ? dpi : 0; /* anything else is a programme's default, not a scanner's */
}

static cn_err read_page(TIFF *tif, page *out)
{
    uint16_t unit = RESUNIT_INCH, bits = 1, samples = 1;
    page got = {.width = 0};
    if (!TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &got.width) || !TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &got.height) ||
        !got.width || !got.height)
        return CN_ERR_CORRUPT;
    if ((uint64_t)got.width * got.height > PIXELS_MAX) return CN_ERR_TOOBIG;
    TIFFGetFieldDefaulted(tif, TIFFTAG_RESOLUTIONUNIT, &unit);
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &samples);
    got.black_white = bits == 1 && samples == 1;
    got.x_dpi = dpi_of(tif, TIFFTAG_XRESOLUTION, unit);
    got.y_dpi = dpi_of(tif, TIFFTAG_YRESOLUTION, unit);
    if (got.x_dpi == 0 || got.y_dpi == 0) got.x_dpi = got.y_dpi = got.width * 72.0 / A4_WIDTH;
    got.pixels = cn_calloc((size_t)got.width * got.height, sizeof(*got.pixels));
    if (!got.pixels) return CN_ERR_NOMEM;
    if (!TIFFReadRGBAImageOriented(tif, got.width, got.height, got.pixels, ORIENTATION_TOPLEFT, 1)) {
        free(got.pixels);
        return CN_ERR_CORRUPT;
    }
    *out = got;
    return CN_OK;
}

/* ---- drawing ---- */

/* One bit a pixel, which cairo writes as an image mask. */
static cairo_surface_t *mask_of(const page *from)
{
    cairo_surface_t *mask = cairo_image_surface_create(CAIRO_FORMAT_A1, (int)from->width, (int)from->height);
    uint8_t *bits = cairo_image_surface_get_data(mask);
    size_t stride = (size_t)cairo_image_surface_get_stride(mask);
    for (uint32_t y = 0; bits && y < from->height; y++) {
        uint32_t *row = (uint32_t *)(void *)(bits + y * stride);
        for (uint32_t x = 0; x < from->width; x++)
            if (TIFFGetG(from->pixels[(size_t)y * from->width + x]) < 128) row[x / 32] |= 1u << x % 32;
    }
    cairo_surface_mark_dirty(mask);
    return mask;
}

typedef struct jpeg_failure {
    struct jpeg_error_mgr mgr;
    jmp_buf back;
} jpeg_failure;

static void jpeg_fail(j_common_ptr jpeg)
{
    jpeg_failure *failure = (jpeg_failure *)(void *)jpeg->err;
    longjmp(failure->back, 1);
}

static void write_lines(struct jpeg_compress_struct *jpeg, const page *from, uint8_t *line)
{
    while (jpeg->next_scanline < jpeg->image_height) {
        const uint32_t *row = from->pixels + (size_t)jpeg->next_scanline * from->width;
        for (uint32_t x = 0; x < from->width; x++) {
            line[3 * x] = (uint8_t)TIFFGetR(row[x]);
            line[3 * x + 1] = (uint8_t)TIFFGetG(row[x]);
            line[3 * x + 2] = (uint8_t)TIFFGetB(row[x]);
        }
        jpeg_write_scanlines(jpeg, &line, 1);
    }
}

/* The JPEG that the PDF is to hold, malloc'd; false when the library refuses. */
static bool encode(const page *from, uint8_t *line, unsigned char **bytes, unsigned long *len)
{
    struct jpeg_compress_struct jpeg;
    jpeg_failure failure;
    jpeg.err = jpeg_std_error(&failure.mgr);
    failure.mgr.error_exit = jpeg_fail;
    if (setjmp(failure.back)) {
        jpeg_destroy_compress(&jpeg);
        return false;
    }
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, bytes, len);
    jpeg.image_width = from->width;
    jpeg.image_height = from->height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    write_lines(&jpeg, from, line);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return true;
}

/* A surface that stands for the JPEG: cairo puts those bytes into the PDF and does not look at its pixels. */
static cairo_surface_t *jpeg_of(const page *from, uint8_t *line)
{
    unsigned char *bytes = NULL;
    unsigned long n = 0;
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)from->width, (int)from->height);
    if (!encode(from, line, &bytes, &n) ||
        cairo_surface_set_mime_data(surface, CAIRO_MIME_TYPE_JPEG, bytes, n, free, bytes) != CAIRO_STATUS_SUCCESS) {
        free(bytes);
        cairo_surface_destroy(surface);
        return NULL;
    }
    return surface;
}

static cn_err draw_page(cairo_surface_t *pdf, cairo_t *cr, const page *from)
{
    CN_AUTO_FREE uint8_t *line = cn_calloc(from->width, 3);
    if (!line) return CN_ERR_NOMEM;
    cairo_surface_t *picture = from->black_white ? mask_of(from) : jpeg_of(from, line);
    if (!picture) return CN_ERR_TOOBIG;
    cairo_pdf_surface_set_size(pdf, from->width * 72.0 / from->x_dpi, from->height * 72.0 / from->y_dpi);
    cairo_save(cr);
    cairo_scale(cr, 72.0 / from->x_dpi, 72.0 / from->y_dpi);
    if (from->black_white) {
        cairo_set_source_rgb(cr, 0, 0, 0);
        cairo_mask_surface(cr, picture, 0, 0);
    } else {
        cairo_set_source_surface(cr, picture, 0, 0);
        cairo_paint(cr);
    }
    cairo_restore(cr);
    cairo_show_page(cr);
    cairo_surface_destroy(picture);
    return cairo_status(cr) == CAIRO_STATUS_SUCCESS ? CN_OK : CN_ERR_IO;
}

static cn_err draw_all(TIFF *tif, cairo_surface_t *pdf, cairo_t *cr)
{
    unsigned n = 0;
    do {
        page one = {.width = 0};
        if (++n > PAGES_MAX) return CN_ERR_TOOBIG;
        CN_TRY(read_page(tif, &one));
        cn_err err = draw_page(pdf, cr, &one);
        free(one.pixels);
        CN_TRY(err);
    } while (TIFFReadDirectory(tif));
    return CN_OK;
}

cn_err cn_painter_pages(const char *from, const char *to)
{
    TIFFSetWarningHandler(NULL);
    TIFF *tif = TIFFOpen(from, "r");
    if (!tif) return CN_ERR_CORRUPT;
    cairo_surface_t *pdf = cairo_pdf_surface_create(to, A4_WIDTH, A4_WIDTH);
    cairo_t *cr = cairo_create(pdf);
    cn_err err = draw_all(tif, pdf, cr);
    cairo_destroy(cr);
    cairo_surface_finish(pdf);
    if (err == CN_OK && cairo_surface_status(pdf) != CAIRO_STATUS_SUCCESS) err = CN_ERR_IO;
    cairo_surface_destroy(pdf);
    TIFFClose(tif);
    return err;
}
