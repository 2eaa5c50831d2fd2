/*
 * consilium-demo-slide FILE [WIDTH HEIGHT SEED]: writes the demo's synthetic slide, a pyramidal tiled TIFF with JPEG
 * tiles of 256 pixels at 0.25 µm per pixel, as scanners write it and OpenSlide reads it ("generic-tiff").
 */
#include <stdio.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/demo/tissue.h"

#define TILE 256

typedef struct picture {
    int64_t width, height;
    uint8_t *rgb;
} picture;

static void start_level(TIFF *tif, int64_t width, int64_t height, bool reduced)
{
    TIFFSetField(tif, TIFFTAG_SUBFILETYPE, reduced ? FILETYPE_REDUCEDIMAGE : 0);
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, (uint32_t)width);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, (uint32_t)height);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, COMPRESSION_JPEG);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_YCBCR);
    TIFFSetField(tif, TIFFTAG_JPEGQUALITY, 80);
    TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    TIFFSetField(tif, TIFFTAG_TILEWIDTH, TILE);
    TIFFSetField(tif, TIFFTAG_TILELENGTH, TILE);
    TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
    TIFFSetField(tif, TIFFTAG_XRESOLUTION, 40000.0);
    TIFFSetField(tif, TIFFTAG_YRESOLUTION, 40000.0);
}

/* Half-size average of a tile into its place in the next level. */
static void halve_into(const uint8_t *tile, int64_t x, int64_t y, picture *next)
{
    for (int j = 0; j < TILE / 2; j++) {
        int64_t ny = y / 2 + j;
        if (ny >= next->height) break;
        for (int i = 0; i < TILE / 2; i++) {
            int64_t nx = x / 2 + i;
            if (nx >= next->width) break;
            const uint8_t *p = tile + 3 * (2 * j * TILE + 2 * i);
            uint8_t *q = next->rgb + 3 * (ny * next->width + nx);
            for (int c = 0; c < 3; c++)
                q[c] = (uint8_t)((p[c] + p[c + 3] + p[c + 3 * TILE] + p[c + 3 * TILE + 3] + 2) / 4);
        }
    }
}

/* A tile of a picture in memory; past its edge the last pixel is repeated. */
static void cut_tile(const picture *from, int64_t x, int64_t y, uint8_t *tile)
{
    for (int j = 0; j < TILE; j++)
        for (int i = 0; i < TILE; i++) {
            int64_t px = x + i < from->width ? x + i : from->width - 1,
                    py = y + j < from->height ? y + j : from->height - 1;
            memcpy(tile + 3 * (j * TILE + i), from->rgb + 3 * (py * from->width + px), 3);
        }
}

static cn_err write_level(TIFF *tif, const cn_tissue *tissue, const picture *from, int64_t width, int64_t height,
                          picture *next)
{
    static uint8_t tile[TILE * TILE * 3];
    start_level(tif, width, height, tissue == NULL);
    for (int64_t y = 0; y < height; y += TILE) {
        for (int64_t x = 0; x < width; x += TILE) {
            if (tissue)
                cn_tissue_draw(tissue, x, y, TILE, tile);
            else
                cut_tile(from, x, y, tile);
            halve_into(tile, x, y, next);
            /* the JPEG codec works in place on what it is given */
            if (TIFFWriteTile(tif, tile, (uint32_t)x, (uint32_t)y, 0, 0) < 0) return CN_ERR_IO;
        }
        if (tissue && isatty(STDERR_FILENO))
            fprintf(stderr, "\rdrawing the demo slide: %3d %%", (int)(y * 100 / height));
    }
    return TIFFWriteDirectory(tif) ? CN_OK : CN_ERR_IO;
}

static cn_err write_slide(TIFF *tif, const cn_tissue *tissue, int64_t width, int64_t height)
{
    picture now = {0};
    cn_err err = CN_OK;
    for (bool first = true; err == CN_OK; first = false) {
        picture next = {.width = (width + 1) / 2, .height = (height + 1) / 2};
        next.rgb = cn_calloc((size_t)next.width * (size_t)next.height, 3);
        if (!next.rgb)
            err = CN_ERR_NOMEM;
        else
            err = write_level(tif, first ? tissue : NULL, &now, width, height, &next);
        free(now.rgb);
        now = next;
        if (width <= 2 * TILE && height <= 2 * TILE) break;
        width = next.width;
        height = next.height;
    }
    free(now.rgb);
    return err;
}

int main(int argc, char **argv)
{
    int64_t width = 24576, height = 18432, seed = 20260101;
    bool ok = (argc == 2 || argc == 5) && argv[1][0] != '-'; /* an option is no file's name */
    if (argc == 5)
        ok = cn_parse_i64(argv[2], 512, 200000, &width) && cn_parse_i64(argv[3], 512, 200000, &height) &&
             cn_parse_i64(argv[4], 0, INT64_MAX, &seed);
    if (!ok) {
        fprintf(stderr, "usage: consilium-demo-slide FILE [WIDTH HEIGHT SEED]\n");
        return 2;
    }
    cn_tissue *tissue = NULL;
    TIFF *tif = TIFFOpen(argv[1], "w");
    cn_err err = tif ? cn_tissue_new(&tissue, width, height, (uint64_t)seed) : CN_ERR_IO;
    if (err == CN_OK) err = write_slide(tif, tissue, width, height);
    if (tif) TIFFClose(tif);
    cn_tissue_free(tissue);
    if (err != CN_OK) fprintf(stderr, "consilium-demo-slide: %s\n", cn_err_text(err));
    return err == CN_OK ? 0 : 1;
}
