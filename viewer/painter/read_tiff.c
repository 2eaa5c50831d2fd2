/* TIFF of any program: tiles or strips, 8 or 16 bits, grey, palette, RGB, CMYK, and JPEG 2000 inside. What is stored in
 * another way (separate planes, subsampled colour, few bits) goes through libtiff's own conversion, block by block. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/mem.h"
#include "viewer/painter/j2k.h"
#include "viewer/painter/samples.h"
#include "viewer/painter/source.h"

#define J2K_YCC 33003 /* Aperio */
#define J2K_RGB 33005
#define J2K_FILE 34712
#define BLOCK_PIXELS ((int64_t)256 << 20)
#define PAGES_LOOKED_AT 64

typedef struct tiff_source {
    TIFF *tif;
    const cn_picture_sink *sink;
    int64_t width, height;
    int64_t block_width, block_height; /* a tile's, or the picture's width and a strip's height */
    bool tiled;
    uint16_t compression, photometric, planar;
    cn_samples samples;
    uint8_t *rgb; /* a band of blocks */
    size_t block_bytes;
    uint8_t *block;
} tiff_source;

/* ---- what it is ---- */

static bool read_size(tiff_source *of)
{
    uint32_t width = 0, height = 0, block_width = 0, block_height = 0;
    TIFF *tif = of->tif;
    if (!TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &width) || !TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &height))
        return false;
    of->tiled = TIFFIsTiled(tif);
    if (of->tiled) {
        TIFFGetField(tif, TIFFTAG_TILEWIDTH, &block_width);
        TIFFGetField(tif, TIFFTAG_TILELENGTH, &block_height);
    } else {
        block_width = width;
        TIFFGetFieldDefaulted(tif, TIFFTAG_ROWSPERSTRIP, &block_height);
        if (block_height > height) block_height = height;
    }
    of->width = width;
    of->height = height;
    of->block_width = block_width;
    of->block_height = block_height;
    return width && height && block_width && block_height;
}

static void read_samples(tiff_source *of)
{
    uint16_t extras = 0, *kinds = NULL, inks = INKSET_CMYK, format = SAMPLEFORMAT_UINT;
    cn_samples *samples = &of->samples;
    TIFF *tif = of->tif;
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &samples->bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &samples->parts);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &of->planar);
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &of->compression);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(tif, TIFFTAG_INKSET, &inks);
    TIFFGetFieldDefaulted(tif, TIFFTAG_EXTRASAMPLES, &extras, &kinds);
    if (!TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &of->photometric))
        of->photometric = samples->parts >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK;
    if (of->compression == COMPRESSION_JPEG && of->photometric == PHOTOMETRIC_YCBCR &&
        of->planar == PLANARCONFIG_CONTIG) {
        TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        of->photometric = PHOTOMETRIC_RGB;
    }
    samples->alpha = extras != 1                          ? CN_ALPHA_NONE
                     : kinds[0] == EXTRASAMPLE_ASSOCALPHA ? CN_ALPHA_MULTIPLIED
                     : kinds[0] == EXTRASAMPLE_UNASSALPHA ? CN_ALPHA_APART
                                                          : CN_ALPHA_NONE;
    bool plain =
        of->planar == PLANARCONFIG_CONTIG && format == SAMPLEFORMAT_UINT && (samples->bits == 8 || samples->bits == 16);
    samples->kind = !plain                                                      ? CN_SAMPLES_OTHER
                    : of->photometric == PHOTOMETRIC_MINISBLACK                 ? CN_SAMPLES_GREY
                    : of->photometric == PHOTOMETRIC_MINISWHITE                 ? CN_SAMPLES_WHITE
                    : of->photometric == PHOTOMETRIC_RGB && samples->parts >= 3 ? CN_SAMPLES_RGB
                    : of->photometric == PHOTOMETRIC_SEPARATED && samples->parts >= 4 && inks == INKSET_CMYK
                        ? CN_SAMPLES_CMYK
                    : of->photometric == PHOTOMETRIC_PALETTE && samples->bits == 8 ? CN_SAMPLES_PALETTE
                                                                                   : CN_SAMPLES_OTHER;
    if (samples->kind == CN_SAMPLES_PALETTE &&
        !TIFFGetField(tif, TIFFTAG_COLORMAP, &samples->map[0], &samples->map[1], &samples->map[2]))
        samples->kind = CN_SAMPLES_OTHER;
}

/* A scan or a fax is a document, whose pages are read one after another. */
static bool is_scan(tiff_source *of)
{
    unsigned pages = 1;
    if (of->samples.bits == 1 && of->samples.parts == 1) return true;
    for (unsigned i = 0; i < PAGES_LOOKED_AT && TIFFReadDirectory(of->tif); i++) {
        uint32_t kind = 0, width = 0;
        TIFFGetFieldDefaulted(of->tif, TIFFTAG_SUBFILETYPE, &kind);
        TIFFGetField(of->tif, TIFFTAG_IMAGEWIDTH, &width);
        if (!(kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) && (int64_t)width * 2 >= of->width) pages++;
    }
    return pages > 1;
}

static double per_cm(TIFF *tif, uint32_t tag)
{
    float count = 0;
    uint16_t unit = RESUNIT_INCH;
    TIFFGetFieldDefaulted(tif, TIFFTAG_RESOLUTIONUNIT, &unit);
    if (!TIFFGetField(tif, tag, &count) || !(count > 0 && count < 1e9f)) return 0;
    return unit == RESUNIT_CENTIMETER ? (double)count : unit == RESUNIT_INCH ? (double)count / 2.54 : 0;
}

static cn_err begin(tiff_source *of)
{
    uint16_t orientation = 1;
    uint32_t icc_bytes = 0;
    void *icc = NULL;
    TIFFGetFieldDefaulted(of->tif, TIFFTAG_ORIENTATION, &orientation);
    if (!TIFFGetField(of->tif, TIFFTAG_ICCPROFILE, &icc_bytes, &icc)) icc_bytes = 0;
    const cn_picture_head head = {.width = of->width,
                                  .height = of->height,
                                  .orientation = orientation <= 8 ? orientation : 1,
                                  .icc = icc_bytes ? icc : NULL,
                                  .icc_bytes = icc_bytes,
                                  .x_per_cm = per_cm(of->tif, TIFFTAG_XRESOLUTION),
                                  .y_per_cm = per_cm(of->tif, TIFFTAG_YRESOLUTION)};
    return of->sink->begin(of->sink->ctx, &head);
}

/* ---- samples as they are stored: lines of strips, bands of tiles ---- */

typedef cn_err (*line_fn)(tiff_source *of, const uint8_t *samples);

static cn_err each_strip_line(tiff_source *of, line_fn use)
{
    for (int64_t y = 0; y < of->height; y++) {
        if (TIFFReadScanline(of->tif, of->block, (uint32_t)y, 0) < 0) return CN_ERR_CORRUPT;
        CN_TRY(use(of, of->block));
    }
    return CN_OK;
}

static cn_err each_tile_line(tiff_source *of, line_fn use)
{
    size_t pixel = (size_t)of->samples.parts * of->samples.bits / 8, line = (size_t)of->width * pixel;
    size_t tile_line = (size_t)of->block_width * pixel;
    CN_AUTO_FREE uint8_t *band = cn_calloc((size_t)of->block_height, line);
    if (!band) return CN_ERR_NOMEM;
    for (int64_t top = 0; top < of->height; top += of->block_height) {
        int64_t lines = of->height - top < of->block_height ? of->height - top : of->block_height;
        for (int64_t left = 0; left < of->width; left += of->block_width) {
            if (TIFFReadTile(of->tif, of->block, (uint32_t)left, (uint32_t)top, 0, 0) < 0) return CN_ERR_CORRUPT;
            int64_t width = of->width - left < of->block_width ? of->width - left : of->block_width;
            for (int64_t y = 0; y < lines; y++)
                memcpy(band + (size_t)y * line + (size_t)left * pixel, of->block + (size_t)y * tile_line,
                       (size_t)width * pixel);
        }
        for (int64_t y = 0; y < lines; y++) CN_TRY(use(of, band + (size_t)y * line));
    }
    return CN_OK;
}

static cn_err each_line(tiff_source *of, line_fn use)
{
    return of->tiled ? each_tile_line(of, use) : each_strip_line(of, use);
}

static cn_err look_line(tiff_source *of, const uint8_t *line)
{
    cn_samples_look(&of->samples, line, of->width);
    return CN_OK;
}

static cn_err draw_line(tiff_source *of, const uint8_t *line)
{
    cn_samples_rgb(&of->samples, line, of->width, of->rgb);
    return of->sink->lines(of->sink->ctx, of->rgb, 1);
}

static cn_err read_plain(tiff_source *of)
{
    tmsize_t bytes = of->tiled ? TIFFTileSize(of->tif) : TIFFScanlineSize(of->tif);
    int64_t pixels = of->tiled ? of->block_width * of->block_height : of->width;
    if (bytes < pixels * of->samples.parts * of->samples.bits / 8) return CN_ERR_CORRUPT;
    if (pixels > BLOCK_PIXELS) return CN_ERR_TOOBIG;
    of->block = cn_calloc(1, (size_t)bytes);
    of->rgb = cn_calloc((size_t)of->width, 3);
    if (!of->block || !of->rgb) return CN_ERR_NOMEM;
    if (of->samples.bits == 16) CN_TRY(each_line(of, look_line)); /* how many of the bits are used */
    return each_line(of, draw_line);
}

/* ---- blocks of RGB: JPEG 2000, and what libtiff converts itself ---- */

/* A block of whole RGB, `width` × `height` of it inside the picture, to its place in the band. */
static void place(tiff_source *of, const uint8_t *rgb, int64_t stride, int64_t left, int64_t width, int64_t height)
{
    for (int64_t y = 0; y < height; y++)
        memcpy(of->rgb + 3 * (y * of->width + left), rgb + 3 * y * stride, (size_t)(3 * width));
}

static cn_err j2k_block(tiff_source *of, int64_t left, int64_t top, int64_t width, int64_t height)
{
    uint32_t number = of->tiled ? TIFFComputeTile(of->tif, (uint32_t)left, (uint32_t)top, 0, 0)
                                : TIFFComputeStrip(of->tif, (uint32_t)top, 0);
    uint64_t stored = TIFFGetStrileByteCount(of->tif, number);
    if (stored < 4 || stored > (uint64_t)BLOCK_PIXELS * 4) return CN_ERR_CORRUPT;
    CN_AUTO_FREE uint8_t *bytes = cn_calloc(1, (size_t)stored);
    CN_AUTO_FREE uint8_t *rgb = NULL;
    if (!bytes) return CN_ERR_NOMEM;
    tmsize_t got = of->tiled ? TIFFReadRawTile(of->tif, number, bytes, (tmsize_t)stored)
                             : TIFFReadRawStrip(of->tif, number, bytes, (tmsize_t)stored);
    if (got != (tmsize_t)stored) return CN_ERR_CORRUPT;
    cn_j2k_size size = {0};
    cn_j2k file = {.bytes = bytes,
                   .len = (size_t)stored,
                   .colours = of->compression == J2K_YCC   ? CN_J2K_YCC
                              : of->compression == J2K_RGB ? CN_J2K_RGB
                                                           : CN_J2K_AS_IT_SAYS};
    CN_TRY(cn_j2k_look(&file, &size, NULL, NULL));
    if (size.width < width || size.height < height) return CN_ERR_CORRUPT;
    if (size.width > of->block_width || size.height > of->block_height) return CN_ERR_CORRUPT;
    CN_TRY(cn_j2k_lines(&file, size.width, 0, height, &rgb));
    place(of, rgb, size.width, left, width, height);
    return CN_OK;
}

/* libtiff's raster begins at the lower left, tiles filled up to their size. */
static cn_err converted_block(tiff_source *of, int64_t left, int64_t top, int64_t width, int64_t height)
{
    uint32_t *raster = (uint32_t *)(void *)of->block;
    int64_t stride = of->tiled ? of->block_width : of->width, lines = of->tiled ? of->block_height : height;
    int ok = of->tiled ? TIFFReadRGBATileExt(of->tif, (uint32_t)left, (uint32_t)top, raster, 1)
                       : TIFFReadRGBAStripExt(of->tif, (uint32_t)top, raster, 1);
    if (!ok) return CN_ERR_CORRUPT;
    for (int64_t y = 0; y < height; y++) {
        const uint32_t *line = raster + (lines - 1 - y) * stride;
        uint8_t *out = of->rgb + 3 * (y * of->width + left);
        for (int64_t x = 0; x < width; x++, out += 3) {
            unsigned rest = 255 - TIFFGetA(line[x]);
            out[0] = (uint8_t)(TIFFGetR(line[x]) + rest);
            out[1] = (uint8_t)(TIFFGetG(line[x]) + rest);
            out[2] = (uint8_t)(TIFFGetB(line[x]) + rest);
        }
    }
    return CN_OK;
}

static cn_err read_blocks(tiff_source *of, cn_err (*block)(tiff_source *, int64_t, int64_t, int64_t, int64_t))
{
    if (of->block_height > BLOCK_PIXELS / of->block_width || of->block_height > BLOCK_PIXELS / of->width)
        return CN_ERR_TOOBIG;
    of->block = cn_calloc((size_t)(of->block_width * of->block_height), 4);
    of->rgb = cn_calloc((size_t)(of->width * of->block_height), 3);
    if (!of->block || !of->rgb) return CN_ERR_NOMEM;
    for (int64_t top = 0; top < of->height; top += of->block_height) {
        int64_t height = of->height - top < of->block_height ? of->height - top : of->block_height;
        for (int64_t left = 0; left < of->width; left += of->block_width) {
            int64_t width = of->width - left < of->block_width ? of->width - left : of->block_width;
            CN_TRY(block(of, left, top, width, height));
        }
        CN_TRY(of->sink->lines(of->sink->ctx, of->rgb, height));
    }
    return CN_OK;
}

/* ---- the file ---- */

static cn_err read_first(tiff_source *of)
{
    char why[1024];
    if (!read_size(of)) return CN_ERR_CORRUPT;
    read_samples(of);
    if (is_scan(of)) return CN_ERR_UNSUPPORTED;
    if (!TIFFSetDirectory(of->tif, 0)) return CN_ERR_CORRUPT;
    read_samples(of);
    CN_TRY(begin(of));
    if (of->compression == J2K_YCC || of->compression == J2K_RGB || of->compression == J2K_FILE)
        return read_blocks(of, j2k_block);
    if (!TIFFIsCODECConfigured(of->compression)) return CN_ERR_UNSUPPORTED;
    if (of->samples.kind != CN_SAMPLES_OTHER) return read_plain(of);
    return TIFFRGBAImageOK(of->tif, why) ? read_blocks(of, converted_block) : CN_ERR_UNSUPPORTED;
}

cn_err cn_read_tiff(const char *path, const cn_picture_sink *sink)
{
    TIFFSetWarningHandler(NULL);
    /* mapped, all of the file would count as our memory */
    tiff_source of = {.tif = TIFFOpen(path, "rm"), .sink = sink};
    if (!of.tif) return CN_ERR_CORRUPT;
    cn_err err = read_first(&of);
    TIFFClose(of.tif);
    free(of.block);
    free(of.rgb);
    return err;
}
