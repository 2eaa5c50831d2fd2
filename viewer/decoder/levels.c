#include "viewer/decoder/levels.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/mem.h"
#include "viewer/decode_proto.h"
#include "viewer/decoder/pixels.h"
#include "viewer/decoder/slide.h"
#include "viewer/decoder/worker.h"

#define TILE 256
#define BLOCK (TILE * CN_PYRAMID_STEP) /* side of what one tile of the first level is made of */
#define PICTURE_MAX ((int64_t)512 << 20)
#define QUALITY 85
#define NICENESS 10

/* A level in memory: all but the first and largest. */
typedef struct picture {
    int64_t width, height;
    uint8_t *rgb;
} picture;

static cn_err picture_make(picture *out, int64_t width, int64_t height)
{
    if (width > PICTURE_MAX / 3 / height) return CN_ERR_TOOBIG;
    *out = (picture){.width = width, .height = height, .rgb = cn_calloc((size_t)width * (size_t)height, 3)};
    return out->rgb ? CN_OK : CN_ERR_NOMEM;
}

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
    TIFFSetField(tif, TIFFTAG_JPEGQUALITY, QUALITY);
    TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    TIFFSetField(tif, TIFFTAG_TILEWIDTH, TILE);
    TIFFSetField(tif, TIFFTAG_TILELENGTH, TILE);
}

static cn_err write_error(void)
{
    if (errno == EFBIG) return CN_ERR_TOOBIG;
    return errno ? cn_err_from_errno(errno) : CN_ERR_IO;
}

/* A tile whose upper left `width` × `height` pixels are there; past them the last ones are repeated. */
static cn_err write_tile(TIFF *tif, uint8_t *tile, int64_t width, int64_t height, int64_t x, int64_t y)
{
    for (int64_t row = 0; row < height; row++) {
        uint8_t *line = tile + 3 * TILE * row;
        for (int64_t column = width; column < TILE; column++) memcpy(line + 3 * column, line + 3 * (width - 1), 3);
    }
    for (int64_t row = height; row < TILE; row++)
        memcpy(tile + 3 * TILE * row, tile + 3 * TILE * (height - 1), 3 * TILE);
    errno = 0;
    /* the JPEG codec works in place on what it is given */
    return TIFFWriteTile(tif, tile, (uint32_t)x, (uint32_t)y, 0, 0) < 0 ? write_error() : CN_OK;
}

static cn_err end_level(TIFF *tif)
{
    errno = 0;
    return TIFFWriteDirectory(tif) ? CN_OK : write_error();
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* One tile of the first level, at (x, y) there, and its part of the next one. */
static cn_err first_tile(cn_dslide *slide, const cn_pyramid *plan, TIFF *tif, int64_t x, int64_t y, picture *next)
{
    uint8_t tile[3 * TILE * TILE];
    CN_AUTO_FREE uint8_t *rgb = NULL;
    int64_t left = x * CN_PYRAMID_STEP, top = y * CN_PYRAMID_STEP;
    int64_t sw = least(BLOCK, plan->base_width - left), sh = least(BLOCK, plan->base_height - top);
    int64_t width = least(TILE, plan->width[0] - x), height = least(TILE, plan->height[0] - y);
    CN_TRY(cn_dslide_read(slide, (int32_t)plan->base, llround((double)left * plan->base_downsample),
                          llround((double)top * plan->base_downsample), sw, sh, &rgb));
    cn_pixels_quarter(rgb, sw, sh, sw, tile, TILE);
    if (next->rgb) {
        int64_t at = y / CN_PYRAMID_STEP * next->width + x / CN_PYRAMID_STEP;
        cn_pixels_quarter(tile, width, height, TILE, next->rgb + 3 * at, next->width);
    }
    return write_tile(tif, tile, width, height, x, y);
}

/* Hundredths, in the first byte. The lock knows no pwrite. */
static void say(int said, int64_t done, int64_t of)
{
    uint8_t byte = (uint8_t)(done * 99 / of);
    if (lseek(said, 0, SEEK_SET) == 0) (void)!write(said, &byte, 1);
}

static cn_err first_level(cn_dslide *slide, const cn_pyramid *plan, TIFF *tif, picture *next, int said)
{
    start_level(tif, plan->width[0], plan->height[0], false);
    for (int64_t y = 0; y < plan->height[0]; y += TILE) {
        for (int64_t x = 0; x < plan->width[0]; x += TILE) CN_TRY(first_tile(slide, plan, tif, x, y, next));
        say(said, y, plan->height[0]);
    }
    return end_level(tif);
}

static cn_err further_level(const picture *from, TIFF *tif)
{
    uint8_t tile[3 * TILE * TILE];
    start_level(tif, from->width, from->height, true);
    for (int64_t y = 0; y < from->height; y += TILE)
        for (int64_t x = 0; x < from->width; x += TILE) {
            int64_t width = least(TILE, from->width - x), height = least(TILE, from->height - y);
            for (int64_t row = 0; row < height; row++)
                memcpy(tile + 3 * TILE * row, from->rgb + 3 * ((y + row) * from->width + x), (size_t)(3 * width));
            CN_TRY(write_tile(tif, tile, width, height, x, y));
        }
    return end_level(tif);
}

/* The first level is written as it is made; of the next one, a sixteenth of it, on they are in memory. */
static cn_err write_levels(cn_dslide *slide, const cn_pyramid *plan, TIFF *tif, int said)
{
    picture now = {0};
    cn_err err = plan->n > 1 ? picture_make(&now, plan->width[1], plan->height[1]) : CN_OK;
    if (err == CN_OK) err = first_level(slide, plan, tif, &now, said);
    for (uint32_t i = 1; err == CN_OK && i < plan->n; i++) {
        picture next = {0};
        err = further_level(&now, tif);
        if (err == CN_OK && i + 1 < plan->n) err = picture_make(&next, plan->width[i + 1], plan->height[i + 1]);
        if (next.rgb) cn_pixels_quarter(now.rgb, now.width, now.height, now.width, next.rgb, next.width);
        free(now.rgb);
        now = next;
    }
    free(now.rgb);
    return err;
}

static cn_err build(const char *path, int fd, int said)
{
    cn_dslide *slide = NULL;
    CN_TRY(cn_decoder_open(&slide, path, CN_LEVELS_BYTES));
    const cn_pyramid *plan = cn_dslide_missing(slide);
    TIFF *tif = plan->n ? TIFFFdOpen(fd, "levels", "w8") : NULL;
    cn_err err = !plan->n ? CN_ERR_INVALID : tif ? write_levels(slide, plan, tif, said) : CN_ERR_IO;
    if (tif) TIFFCleanup(tif); /* the descriptor stays the caller's */
    cn_dslide_close(slide);
    return err;
}

int cn_levels_main(const char *path, const char *out, const char *how)
{
    CN_AUTO_CLOSE int fd = open(out, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return CN_LEVELS_STATUS + (int)cn_err_from_errno(errno);
    CN_AUTO_CLOSE int said = open(how, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (said < 0) return CN_LEVELS_STATUS + (int)cn_err_from_errno(errno);
    errno = 0;
    (void)!nice(NICENESS); /* tiles that somebody waits for come first */
    cn_err err = build(path, fd, said);
    return err == CN_OK ? 0 : CN_LEVELS_STATUS + (int)err;
}
