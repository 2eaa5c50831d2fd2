#include "viewer/decoder/sparse.h"

#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "base/mem.h"
#include "viewer/decode_proto.h"

#define TILES_MAX (1u << 24) /* of a level: 16 M, a million pixels square in tiles of 256 */
#define TILE_SIDE_MAX 8192
#define SMALL_MAX (64u << 20) /* pixels */

typedef struct sparse_level {
    uint8_t *empty; /* a bit for each tile, NULL: none is empty */
    bool small;     /* no tile of it is whole, and OpenSlide leaves them to libtiff */
    uint32_t width, height;
    tdir_t dir;
    uint32_t tile_width, tile_height, across, down;
} sparse_level;

struct cn_sparse {
    TIFF *tif;
    sparse_level levels[CN_DECODE_LEVELS];
};

static bool is_empty(const sparse_level *level, int64_t column, int64_t row)
{
    int64_t i = row * level->across + column;
    return level->empty[i / 8] >> (i % 8) & 1;
}

/*
 * libtiff 4.5.0 as Debian has it reads a tile that is larger than its image at the wrong lines, or not at all
 * (TIFFReadRGBATile: "Raster height … adapted"). OpenSlide 3.4.1 decodes JPEG in colour itself; everything else it asks
 * libtiff for, and shows what came: the small levels of a pyramid shifted.
 */
static bool misread(TIFF *tif, const sparse_level *level)
{
    uint16_t compression = 0, samples = 1;
    TIFFGetField(tif, TIFFTAG_COMPRESSION, &compression);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &samples);
    return (level->width < level->tile_width || level->height < level->tile_height) &&
           !(compression == COMPRESSION_JPEG && samples == 3);
}

/* Of the directory that is set. *found: a tile is empty, or the level has to be read here for another reason. */
static cn_err scan_level(TIFF *tif, sparse_level *level, bool *found)
{
    uint32_t tiles = TIFFNumberOfTiles(tif);
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &level->width);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &level->height);
    TIFFGetField(tif, TIFFTAG_TILEWIDTH, &level->tile_width);
    TIFFGetField(tif, TIFFTAG_TILELENGTH, &level->tile_height);
    if (!level->tile_width || !level->tile_height || level->tile_width > TILE_SIDE_MAX ||
        level->tile_height > TILE_SIDE_MAX || tiles > TILES_MAX)
        return CN_OK;
    level->across = (level->width - 1) / level->tile_width + 1;
    level->down = (level->height - 1) / level->tile_height + 1;
    if ((uint64_t)level->across * level->down > tiles) return CN_OK;
    uint8_t *empty = NULL;
    for (uint32_t i = 0; i < level->across * level->down; i++) {
        int unread = 0;
        if (TIFFGetStrileByteCountWithErr(tif, i, &unread) != 0 || unread) continue;
        if (!empty) empty = cn_calloc(tiles / 8 + 1, 1);
        if (!empty) return CN_ERR_NOMEM;
        empty[i / 8] = (uint8_t)(empty[i / 8] | 1u << (i % 8));
        *found = true;
    }
    level->empty = empty;
    level->small = !empty && misread(tif, level);
    if (level->small) *found = true;
    return CN_OK;
}

/* OpenSlide's level of this directory, as it finds them: tiled, the first one or reduced, told apart by their size. */
static int32_t level_of(TIFF *tif, openslide_t *osr)
{
    uint32_t width = 0, height = 0, kind = 0;
    bool first = TIFFCurrentDirectory(tif) == 0;
    if (!TIFFIsTiled(tif) || !TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &width) ||
        !TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &height) || !width || !height)
        return -1;
    if (!first && (!TIFFGetField(tif, TIFFTAG_SUBFILETYPE, &kind) || !(kind & FILETYPE_REDUCEDIMAGE))) return -1;
    for (int32_t i = 0; i < openslide_get_level_count(osr) && i < CN_DECODE_LEVELS; i++) {
        int64_t level_width = 0, level_height = 0;
        openslide_get_level_dimensions(osr, i, &level_width, &level_height);
        if (level_width == width && level_height == height) return i;
    }
    return -1;
}

cn_err cn_sparse_open(cn_sparse **out, const char *path, openslide_t *osr)
{
    const char *vendor = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_VENDOR);
    *out = NULL;
    if (!vendor || strcmp(vendor, "generic-tiff") != 0) return CN_OK;
    cn_sparse *sparse = CN_NEW(cn_sparse);
    if (!sparse) return CN_ERR_NOMEM;
    sparse->tif = TIFFOpen(path, "rm"); /* not mapped: a slide is larger than what a worker may address */
    cn_err err = CN_OK;
    bool found = false;
    while (err == CN_OK && sparse->tif) {
        int32_t level = level_of(sparse->tif, osr);
        if (level >= 0 && !sparse->levels[level].empty) {
            sparse->levels[level].dir = TIFFCurrentDirectory(sparse->tif);
            err = scan_level(sparse->tif, &sparse->levels[level], &found);
        }
        if (!TIFFReadDirectory(sparse->tif)) break;
    }
    if (err != CN_OK || !found) {
        cn_sparse_close(sparse);
        return err;
    }
    *out = sparse;
    return CN_OK;
}

void cn_sparse_close(cn_sparse *sparse)
{
    if (!sparse) return;
    if (sparse->tif) TIFFClose(sparse->tif);
    for (size_t i = 0; i < CN_DECODE_LEVELS; i++) free(sparse->levels[i].empty);
    free(sparse);
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

bool cn_sparse_touches(const cn_sparse *sparse, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height)
{
    if (!sparse || level < 0 || level >= CN_DECODE_LEVELS) return false;
    const sparse_level *of = &sparse->levels[level];
    if (of->small) return true;
    if (!of->empty) return false;
    int64_t right = clamp((x + width) / of->tile_width, 0, of->across - 1);
    int64_t bottom = clamp((y + height) / of->tile_height, 0, of->down - 1);
    for (int64_t row = clamp((y - 1) / of->tile_height, 0, of->down); row <= bottom; row++)
        for (int64_t column = clamp((x - 1) / of->tile_width, 0, of->across); column <= right; column++)
            if (is_empty(of, column, row)) return true;
    return false;
}

typedef struct rectangle {
    int64_t x, y, width, height;
    uint32_t *argb;
} rectangle;

/* libtiff's raster is R, G, B, A from the low byte on, its last line first. */
static void copy_tile(const sparse_level *of, const uint32_t *raster, int64_t left, int64_t top, const rectangle *into)
{
    int64_t x0 = left > into->x ? left : into->x, x1 = left + of->tile_width;
    int64_t y0 = top > into->y ? top : into->y, y1 = top + of->tile_height;
    if (x1 > into->x + into->width) x1 = into->x + into->width;
    if (y1 > into->y + into->height) y1 = into->y + into->height;
    for (int64_t y = y0; y < y1; y++) {
        const uint32_t *from = raster + (of->tile_height - 1 - (y - top)) * of->tile_width + (x0 - left);
        uint32_t *to = into->argb + (y - into->y) * into->width + (x0 - into->x);
        for (int64_t n = x1 - x0; n > 0; n--, from++, to++)
            *to = TIFFGetA(*from) << 24 | TIFFGetR(*from) << 16 | TIFFGetG(*from) << 8 | TIFFGetB(*from);
    }
}

/* The whole level, as libtiff reads it rightly. */
static cn_err read_small(cn_sparse *sparse, const sparse_level *level, const rectangle *into)
{
    if ((uint64_t)level->width * level->height > SMALL_MAX) return CN_ERR_TOOBIG;
    CN_AUTO_FREE uint32_t *raster = cn_calloc((size_t)level->width * level->height, sizeof(*raster));
    if (!raster) return CN_ERR_NOMEM;
    if (!TIFFSetDirectory(sparse->tif, level->dir) ||
        !TIFFReadRGBAImageOriented(sparse->tif, level->width, level->height, raster, ORIENTATION_BOTLEFT, 1))
        return CN_ERR_CORRUPT;
    const sparse_level whole = {.tile_width = level->width, .tile_height = level->height};
    copy_tile(&whole, raster, 0, 0, into);
    return CN_OK;
}

cn_err cn_sparse_read(cn_sparse *sparse, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                      uint32_t *argb)
{
    const sparse_level *of = &sparse->levels[level];
    const rectangle into = {x, y, width, height, argb};
    if (of->small) return read_small(sparse, of, &into);
    CN_AUTO_FREE uint32_t *raster = cn_calloc((size_t)of->tile_width * of->tile_height, sizeof(*raster));
    if (!raster) return CN_ERR_NOMEM;
    if (!TIFFSetDirectory(sparse->tif, of->dir)) return CN_ERR_CORRUPT;
    int64_t right = clamp((x + width - 1) / of->tile_width, -1, of->across - 1);
    int64_t bottom = clamp((y + height - 1) / of->tile_height, -1, of->down - 1);
    for (int64_t row = clamp(y / of->tile_height, 0, of->down); row <= bottom; row++)
        for (int64_t column = clamp(x / of->tile_width, 0, of->across); column <= right; column++) {
            int64_t left = column * of->tile_width, top = row * of->tile_height;
            if (is_empty(of, column, row)) continue;
            if (!TIFFReadRGBATileExt(sparse->tif, (uint32_t)left, (uint32_t)top, raster, 1)) return CN_ERR_CORRUPT;
            copy_tile(of, raster, left, top, &into);
        }
    return CN_OK;
}
