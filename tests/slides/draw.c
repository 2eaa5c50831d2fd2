#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/str.h"
#include "slides/inside.h"

static uint8_t byte(double value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value + 0.5);
}

void slides_pixel(double x, double y, uint8_t rgb[3])
{
    double a = sin(x / 83 + y / 347), b = sin(y / 97 - x / 411), c = sin((x + 2 * y) / 61);
    rgb[0] = byte(196 + 34 * a + 9 * c);
    rgb[1] = byte(128 + 46 * b + 9 * c);
    rgb[2] = byte(172 + 30 * a * b + x / 64);
}

void slides_draw(uint8_t *rgb, int64_t x, int64_t y, int64_t width, int64_t height, slides_place place, const void *ctx)
{
    for (int64_t j = 0; j < height; j++)
        for (int64_t i = 0; i < width; i++) {
            double px = 0, py = 0;
            place(ctx, x + i, y + j, &px, &py);
            slides_pixel(px, py, rgb + 3 * (j * width + i));
        }
}

void slides_even(const void *ctx, int64_t x, int64_t y, double *px, double *py)
{
    double down = *(const double *)ctx;
    *px = (double)x * down;
    *py = (double)y * down;
}

/* ---- files ---- */

FILE *slides_file(const char *dir, const char *name)
{
    char path[1024];
    return cn_fmt(path, sizeof(path), "%s/%s", dir, name) ? fopen(path, "wbe") : NULL;
}

TIFF *slides_tiff(const char *dir, const char *name)
{
    char path[1024];
    return cn_fmt(path, sizeof(path), "%s/%s", dir, name) ? TIFFOpen(path, "w") : NULL;
}

static void set_dir(TIFF *tif, const slides_dir *dir)
{
    if (dir->subfile) TIFFSetField(tif, TIFFTAG_SUBFILETYPE, dir->subfile);
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, (uint32_t)dir->width);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, (uint32_t)dir->height);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, dir->compression);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, dir->photometric);
    if (dir->compression == COMPRESSION_JPEG) {
        TIFFSetField(tif, TIFFTAG_JPEGQUALITY, 95);
        if (dir->photometric == PHOTOMETRIC_YCBCR) TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    if (dir->tile_width) {
        TIFFSetField(tif, TIFFTAG_TILEWIDTH, dir->tile_width);
        TIFFSetField(tif, TIFFTAG_TILELENGTH, dir->tile_height);
    } else {
        TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, (uint32_t)dir->height);
    }
    if (dir->per_cm > 0) {
        TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
        TIFFSetField(tif, TIFFTAG_XRESOLUTION, dir->per_cm);
        TIFFSetField(tif, TIFFTAG_YRESOLUTION, dir->per_cm);
    }
    if (dir->description) TIFFSetField(tif, TIFFTAG_IMAGEDESCRIPTION, dir->description);
    if (dir->software) TIFFSetField(tif, TIFFTAG_SOFTWARE, dir->software);
    if (dir->xml) TIFFSetField(tif, TIFFTAG_XMLPACKET, (uint32_t)strlen(dir->xml), dir->xml);
}

cn_err slides_write_dir(TIFF *tif, const slides_dir *dir)
{
    int64_t tw = dir->tile_width ? dir->tile_width : dir->width, th = dir->tile_width ? dir->tile_height : dir->height;
    uint8_t *rgb = reallocarray(NULL, (size_t)(tw * th), 3);
    bool good = rgb != NULL;
    set_dir(tif, dir);
    uint32_t nth = 0;
    for (int64_t y = 0; good && y < dir->height; y += th)
        for (int64_t x = 0; good && x < dir->width; x += tw, nth++) {
            slides_draw(rgb, x, y, tw, th, dir->place, dir->ctx);
            good = (dir->tile_width ? TIFFWriteEncodedTile(tif, nth, rgb, 3 * tw * th)
                                    : TIFFWriteEncodedStrip(tif, nth, rgb, 3 * tw * th)) >= 0;
        }
    free(rgb);
    return good && TIFFWriteDirectory(tif) ? CN_OK : CN_ERR_IO;
}

size_t slides_jpeg(FILE *out, const uint8_t *rgb, uint32_t width, uint32_t height, unsigned restart)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    long start = ftell(out);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, out);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 95, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    jpeg.restart_interval = restart;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < height) {
        JSAMPROW line = (JSAMPROW)(uintptr_t)(rgb + (size_t)jpeg.next_scanline * width * 3);
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return fflush(out) == 0 && start >= 0 ? (size_t)(ftell(out) - start) : 0;
}
