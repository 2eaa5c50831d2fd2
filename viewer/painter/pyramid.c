#include "viewer/painter/pyramid.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h> /* before jpeglib.h, which uses it */
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include <jpeglib.h>

#include "base/mem.h"
#include "base/str.h"

#define TILE CN_PYRAMID_TILE
#define LEVELS 24
#define QUALITY 90

/* Where a tile's JPEG waits until its level is written. */
typedef struct kept {
    int64_t at;
    uint32_t len;
} kept;

typedef struct level {
    int64_t width, height;
    int64_t taken; /* lines so far */
    uint8_t *band; /* a row of tiles, of which taken % TILE lines are there */
    uint8_t *half; /* one line of the next level */
    kept *tiles;   /* NULL: of the largest, which are written as they are made */
    int64_t columns;
} level;

typedef struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr mgr;
    jmp_buf back;
    unsigned char *bytes;
    unsigned long size;
} encoder;

struct cn_pyramid_maker {
    TIFF *tif;
    int spool, said;
    int64_t spooled;
    unsigned levels;
    level level[LEVELS];
    uint8_t tile[3 * TILE * TILE];
    encoder encoder;
    bool encodes; /* the encoder was made */
    void *icc;
    size_t icc_bytes;
    double x_per_cm, y_per_cm;
    int said_last;
};

/* ---- tiles ---- */

static void jpeg_fail(j_common_ptr jpeg)
{
    encoder *failed = (encoder *)jpeg->client_data;
    longjmp(failed->back, 1);
}

/* Q90, no subsampling. */
static cn_err encode(encoder *coder, const uint8_t *rgb, unsigned long *len)
{
    struct jpeg_compress_struct *jpeg = &coder->jpeg;
    unsigned char *bytes = coder->bytes;
    if (setjmp(coder->back)) return CN_ERR_NOMEM;
    *len = coder->size;
    jpeg_mem_dest(jpeg, &bytes, len); /* large enough for any tile: it stays where it is */
    jpeg->image_width = jpeg->image_height = TILE;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, QUALITY, TRUE);
    jpeg->comp_info[0].h_samp_factor = jpeg->comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < TILE) {
        JSAMPROW line = (JSAMPROW)(uintptr_t)(rgb + (size_t)jpeg->next_scanline * 3 * TILE);
        jpeg_write_scanlines(jpeg, &line, 1);
    }
    jpeg_finish_compress(jpeg);
    return bytes == coder->bytes ? CN_OK : CN_ERR_NOMEM;
}

static cn_err write_error(void)
{
    if (errno == EFBIG) return CN_ERR_TOOBIG;
    return errno ? cn_err_from_errno(errno) : CN_ERR_IO;
}

static cn_err keep(cn_pyramid_maker *maker, kept *place, const void *bytes, unsigned long len)
{
    *place = (kept){.at = maker->spooled, .len = (uint32_t)len};
    for (unsigned long done = 0; done < len;) {
        ssize_t wrote = pwrite(maker->spool, (const char *)bytes + done, len - done, maker->spooled + (int64_t)done);
        if (wrote <= 0) return write_error();
        done += (unsigned long)wrote;
    }
    maker->spooled += (int64_t)len;
    return CN_OK;
}

static cn_err put_tile(cn_pyramid_maker *maker, level *of, int64_t number)
{
    unsigned long len = 0;
    CN_TRY(encode(&maker->encoder, maker->tile, &len));
    if (of->tiles) return keep(maker, &of->tiles[number], maker->encoder.bytes, len);
    errno = 0;
    tmsize_t put = TIFFWriteRawTile(maker->tif, (uint32_t)number, maker->encoder.bytes, (tmsize_t)len);
    return put == (tmsize_t)len ? CN_OK : write_error();
}

/* A tile of the band whose upper left `width` × `height` pixels are there; past them the last ones are repeated. */
static void cut_tile(const level *of, int64_t x, int64_t width, int64_t height, uint8_t *tile)
{
    for (int64_t row = 0; row < height; row++) {
        uint8_t *line = tile + 3 * TILE * row;
        memcpy(line, of->band + 3 * (row * of->width + x), (size_t)(3 * width));
        for (int64_t column = width; column < TILE; column++) memcpy(line + 3 * column, line + 3 * (width - 1), 3);
    }
    for (int64_t row = height; row < TILE; row++)
        memcpy(tile + 3 * TILE * row, tile + 3 * TILE * (height - 1), 3 * TILE);
}

static cn_err put_band(cn_pyramid_maker *maker, level *of)
{
    int64_t row = (of->taken - 1) / TILE, height = of->taken - row * TILE;
    for (int64_t column = 0; column < of->columns; column++) {
        int64_t x = column * TILE, width = of->width - x < TILE ? of->width - x : TILE;
        cut_tile(of, x, width, height, maker->tile);
        CN_TRY(put_tile(maker, of, row * of->columns + column));
    }
    return CN_OK;
}

/* ---- lines ---- */

/* The average of 2 × 2 pixels, of what is there of them at the right and lower edge. */
static void halve(const uint8_t *upper, const uint8_t *lower, int64_t width, uint8_t *out)
{
    for (int64_t x = 0; x < width; x += 2, out += 3) {
        int64_t left = 3 * x, right = x + 1 < width ? left + 3 : left;
        for (int64_t c = 0; c < 3; c++)
            out[c] = (uint8_t)((upper[left + c] + upper[right + c] + lower[left + c] + lower[right + c] + 2) / 4);
    }
}

static void say(cn_pyramid_maker *maker, int hundredths)
{
    uint8_t byte = (uint8_t)hundredths;
    if (maker->said < 0 || hundredths == maker->said_last) return;
    maker->said_last = hundredths;
    (void)!pwrite(maker->said, &byte, 1, 0);
}

/* One line of level `i` and what it completes of the smaller ones. */
static cn_err take_line(cn_pyramid_maker *maker, unsigned i, const uint8_t *rgb)
{
    for (; i < maker->levels; i++) {
        level *of = &maker->level[i];
        int64_t place = of->taken % TILE;
        uint8_t *line = of->band + 3 * place * of->width;
        memcpy(line, rgb, (size_t)(3 * of->width));
        bool last = ++of->taken == of->height, pair = of->taken % 2 == 0;
        if ((last || pair) && of->half) halve(pair ? line - 3 * of->width : line, line, of->width, of->half);
        if (last || of->taken % TILE == 0) CN_TRY(put_band(maker, of));
        if ((!last && !pair) || !of->half) break;
        rgb = of->half;
    }
    return CN_OK;
}

cn_err cn_pyramid_maker_lines(cn_pyramid_maker *maker, const uint8_t *rgb, int64_t n)
{
    const level *whole = &maker->level[0];
    if (n > whole->height - whole->taken) return CN_ERR_CORRUPT;
    for (int64_t i = 0; i < n; i++) CN_TRY(take_line(maker, 0, rgb + 3 * i * whole->width));
    say(maker, (int)(whole->taken * 90 / whole->height));
    return CN_OK;
}

/* ---- the file ---- */

static void start_level(const cn_pyramid_maker *maker, unsigned i)
{
    TIFF *tif = maker->tif;
    TIFFSetField(tif, TIFFTAG_SUBFILETYPE, i ? FILETYPE_REDUCEDIMAGE : 0);
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, (uint32_t)maker->level[i].width);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, (uint32_t)maker->level[i].height);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 3);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, COMPRESSION_JPEG);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_YCBCR);
    TIFFSetField(tif, TIFFTAG_YCBCRSUBSAMPLING, 1, 1);
    TIFFSetField(tif, TIFFTAG_TILEWIDTH, TILE);
    TIFFSetField(tif, TIFFTAG_TILELENGTH, TILE);
    if (i) return;
    if (maker->icc) TIFFSetField(tif, TIFFTAG_ICCPROFILE, (uint32_t)maker->icc_bytes, maker->icc);
    if (maker->x_per_cm > 0 && maker->y_per_cm > 0) {
        TIFFSetField(tif, TIFFTAG_RESOLUTIONUNIT, RESUNIT_CENTIMETER);
        TIFFSetField(tif, TIFFTAG_XRESOLUTION, maker->x_per_cm);
        TIFFSetField(tif, TIFFTAG_YRESOLUTION, maker->y_per_cm);
    }
}

static cn_err end_level(cn_pyramid_maker *maker)
{
    errno = 0;
    return TIFFWriteDirectory(maker->tif) ? CN_OK : write_error();
}

static cn_err write_kept(cn_pyramid_maker *maker, unsigned i)
{
    const level *of = &maker->level[i];
    int64_t tiles = of->columns * ((of->height - 1) / TILE + 1);
    start_level(maker, i);
    for (int64_t number = 0; number < tiles; number++) {
        const kept *place = &of->tiles[number];
        if (pread(maker->spool, maker->encoder.bytes, place->len, place->at) != (ssize_t)place->len) return CN_ERR_IO;
        errno = 0;
        if (TIFFWriteRawTile(maker->tif, (uint32_t)number, maker->encoder.bytes, place->len) != (tmsize_t)place->len)
            return write_error();
    }
    return end_level(maker);
}

cn_err cn_pyramid_maker_end(cn_pyramid_maker *maker)
{
    if (maker->level[0].taken != maker->level[0].height) return CN_ERR_CORRUPT;
    CN_TRY(end_level(maker));
    for (unsigned i = 1; i < maker->levels; i++) {
        say(maker, 90 + (int)(9 * i / maker->levels));
        CN_TRY(write_kept(maker, i));
    }
    TIFFClose(maker->tif);
    maker->tif = NULL;
    say(maker, 100);
    return CN_OK;
}

/* ---- making and ending it ---- */

static cn_err make_level(level *of, int64_t width, int64_t height, bool first, bool last)
{
    *of = (level){.width = width, .height = height, .columns = (width - 1) / TILE + 1};
    int64_t lines = height < TILE ? height : TILE, rows = (height - 1) / TILE + 1;
    of->band = cn_calloc((size_t)(lines * width), 3);
    if (!last) of->half = cn_calloc((size_t)((width - 1) / 2 + 1), 3);
    if (!first) of->tiles = cn_calloc((size_t)(of->columns * rows), sizeof(*of->tiles));
    return of->band && (last || of->half) && (first || of->tiles) ? CN_OK : CN_ERR_NOMEM;
}

static cn_err make_levels(cn_pyramid_maker *maker, int64_t width, int64_t height)
{
    for (bool last = false; !last && maker->levels < LEVELS; maker->levels++) {
        last = width <= TILE && height <= TILE;
        CN_TRY(make_level(&maker->level[maker->levels], width, height, maker->levels == 0, last));
        width = (width - 1) / 2 + 1;
        height = (height - 1) / 2 + 1;
    }
    return CN_OK;
}

static cn_err make_encoder(encoder *coder)
{
    coder->size = 8UL * TILE * TILE; /* no tile is larger, whatever its pixels: Q90 has at most 11 bits a coefficient */
    coder->bytes = cn_calloc(1, coder->size);
    if (!coder->bytes) return CN_ERR_NOMEM;
    coder->jpeg.err = jpeg_std_error(&coder->mgr);
    coder->mgr.error_exit = jpeg_fail;
    coder->jpeg.client_data = coder;
    if (setjmp(coder->back)) return CN_ERR_NOMEM;
    jpeg_create_compress(&coder->jpeg);
    return CN_OK;
}

static cn_err open_files(cn_pyramid_maker *maker, const char *path)
{
    char spool[4096];
    if (!cn_fmt(spool, sizeof(spool), "%s.tiles", path)) return CN_ERR_TOOBIG;
    maker->spool = open(spool, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (maker->spool < 0) return cn_err_from_errno(errno);
    unlink(spool);
    maker->tif = TIFFOpen(path, "w8");
    return maker->tif ? CN_OK : CN_ERR_IO;
}

/* Only a profile of RGB: of CMYK or grey it would say nothing of what is made of them (ICC.1 7.2.8). */
static cn_err keep_profile(cn_pyramid_maker *maker, const cn_picture_head *head)
{
    if (!head->icc || head->icc_bytes < 128 || memcmp((const char *)head->icc + 16, "RGB ", 4) != 0) return CN_OK;
    maker->icc = cn_calloc(1, head->icc_bytes);
    if (!maker->icc) return CN_ERR_NOMEM;
    memcpy(maker->icc, head->icc, head->icc_bytes);
    maker->icc_bytes = head->icc_bytes;
    return CN_OK;
}

cn_err cn_pyramid_maker_new(cn_pyramid_maker **out, const char *path, const cn_picture_head *head, int said)
{
    if (head->width < 1 || head->height < 1) return CN_ERR_CORRUPT;
    if (head->width > CN_PICTURE_SIDE || head->height > CN_PICTURE_SIDE ||
        head->width > CN_PICTURE_PIXELS / head->height)
        return CN_ERR_TOOBIG;
    cn_pyramid_maker *maker = CN_NEW(cn_pyramid_maker);
    if (!maker) return CN_ERR_NOMEM;
    maker->spool = -1;
    maker->said = said;
    maker->said_last = -1;
    maker->x_per_cm = head->x_per_cm;
    maker->y_per_cm = head->y_per_cm;
    cn_err err = make_levels(maker, head->width, head->height);
    if (err == CN_OK) err = keep_profile(maker, head);
    if (err == CN_OK) err = make_encoder(&maker->encoder);
    maker->encodes = err == CN_OK;
    if (err == CN_OK) err = open_files(maker, path);
    if (err != CN_OK) {
        cn_pyramid_maker_free(maker);
        return err;
    }
    start_level(maker, 0);
    *out = maker;
    return CN_OK;
}

void cn_pyramid_maker_free(cn_pyramid_maker *maker)
{
    if (!maker) return;
    if (maker->tif) TIFFClose(maker->tif);
    cn_fd_close(&maker->spool);
    if (maker->encodes) jpeg_destroy_compress(&maker->encoder.jpeg);
    for (unsigned i = 0; i < LEVELS; i++) {
        free(maker->level[i].band);
        free(maker->level[i].half);
        free(maker->level[i].tiles);
    }
    free(maker->encoder.bytes);
    free(maker->icc);
    free(maker);
}
