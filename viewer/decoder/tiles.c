#include "viewer/decoder/tiles.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/mem.h"
#include "viewer/decode_proto.h"
#include "viewer/slide/jpeghead.h"
#include "viewer/slide/tiletable.h"

#define LOOKED_AT 65536 /* bytes of a tile, until its scan begins */
#define TRIED 64        /* tiles that are looked at until one is there */

typedef struct tiles_level {
    bool native, adobe;
    tdir_t dir;
    uint32_t width, height, tiles; /* of a tile; their number */
} tiles_level;

struct cn_tiles {
    TIFF *tif;
    uint64_t file_bytes;
    tiles_level levels[CN_DECODE_LEVELS];
};

/* Formats whose levels are one directory each, with its tiles side by side from the upper left corner. */
static bool is_plain(openslide_t *osr)
{
    const char *vendor = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_VENDOR);
    return vendor && (strcmp(vendor, "generic-tiff") == 0 || strcmp(vendor, "aperio") == 0);
}

/* OpenSlide's level of the directory that is set, -1 when it is none or more than one. */
static int32_t level_of(TIFF *tif, openslide_t *osr)
{
    uint32_t width = 0, height = 0;
    int32_t found = -1;
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &height);
    for (int32_t i = 0; i < openslide_get_level_count(osr) && i < CN_DECODE_LEVELS; i++) {
        int64_t level_width = 0, level_height = 0;
        openslide_get_level_dimensions(osr, i, &level_width, &level_height);
        if (level_width != width || level_height != height) continue;
        if (found >= 0) return -1;
        found = i;
    }
    return found;
}

typedef struct tile_layout {
    uint16_t compression, bits, samples, planar, orientation, photometric;
} tile_layout;

static bool is_jpeg_tiled(TIFF *tif, tile_layout *out)
{
    if (!TIFFIsTiled(tif)) return false;
    TIFFGetFieldDefaulted(tif, TIFFTAG_COMPRESSION, &out->compression);
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &out->bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &out->samples);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &out->planar);
    TIFFGetFieldDefaulted(tif, TIFFTAG_ORIENTATION, &out->orientation);
    if (!TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &out->photometric)) return false;
    return out->compression == COMPRESSION_JPEG && out->bits == 8 && out->planar == PLANARCONFIG_CONTIG &&
           out->orientation == ORIENTATION_TOPLEFT;
}

static uint64_t place_of(cn_tiles *tiles, uint32_t tile)
{
    int failed = 0;
    uint64_t length = TIFFGetStrileByteCountWithErr(tiles->tif, tile, &failed);
    uint64_t offset = failed ? 0 : TIFFGetStrileOffsetWithErr(tiles->tif, tile, &failed);
    return failed ? CN_TILE_BROKEN : cn_tile_place(offset, length, tiles->file_bytes);
}

/* The tables of the directory that is set; none is no error. */
static size_t tables_of(TIFF *tif, const void **tables)
{
    uint32_t n = 0;
    void *bytes = NULL;
    if (!TIFFGetField(tif, TIFFTAG_JPEGTABLES, &n, &bytes) || !bytes || n > CN_TILE_TABLES) return 0;
    *tables = bytes;
    return n;
}

/* The colours that a browser takes the tile for have to be those that the TIFF says. */
static bool same_colours(const cn_jpeghead *head, const tile_layout *layout, bool *adobe)
{
    *adobe = false;
    if (layout->samples == 1) return layout->photometric == PHOTOMETRIC_MINISBLACK && head->components == 1;
    if (layout->samples != 3 || head->components != 3) return false;
    if (layout->photometric == PHOTOMETRIC_YCBCR) return head->colours == CN_JPEG_YCBCR;
    if (layout->photometric != PHOTOMETRIC_RGB) return false;
    *adobe = head->colours != CN_JPEG_RGB;
    return !*adobe || !head->says;
}

/* By the first tile that is there: a scanner writes all of a level alike. */
static bool can_be_sent(cn_tiles *tiles, tiles_level *level, const tile_layout *layout)
{
    const void *tables = NULL;
    size_t tables_n = tables_of(tiles->tif, &tables);
    CN_AUTO_FREE uint8_t *bytes = cn_calloc(1, LOOKED_AT);
    for (uint32_t i = 0, tried = 0; bytes && i < level->tiles && tried < TRIED; i++) {
        uint64_t place = place_of(tiles, i);
        if (place == CN_TILE_EMPTY) continue;
        tried++;
        if (place == CN_TILE_BROKEN) continue;
        uint32_t n = cn_tile_length(place) < LOOKED_AT ? cn_tile_length(place) : LOOKED_AT;
        if (pread(TIFFFileno(tiles->tif), bytes, n, (off_t)cn_tile_offset(place)) != (ssize_t)n) continue;
        cn_jpeghead head = {0};
        if (tables_n && !cn_jpeghead_read(tables, tables_n, &head)) return false;
        if (!cn_jpeghead_read(bytes, n, &head)) continue;
        return head.width == level->width && head.height == level->height && same_colours(&head, layout, &level->adobe);
    }
    return false;
}

static void look_at(cn_tiles *tiles, openslide_t *osr, bool *found)
{
    tile_layout layout = {0};
    int32_t at = level_of(tiles->tif, osr);
    if (at < 0 || tiles->levels[at].tiles || !is_jpeg_tiled(tiles->tif, &layout)) return;
    tiles_level *level = &tiles->levels[at];
    uint32_t width = 0, height = 0;
    TIFFGetField(tiles->tif, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiles->tif, TIFFTAG_IMAGELENGTH, &height);
    TIFFGetField(tiles->tif, TIFFTAG_TILEWIDTH, &level->width);
    TIFFGetField(tiles->tif, TIFFTAG_TILELENGTH, &level->height);
    level->tiles = TIFFNumberOfTiles(tiles->tif);
    level->dir = TIFFCurrentDirectory(tiles->tif);
    if (!level->width || !level->height || level->width > CN_DECODE_PICTURE || level->height > CN_DECODE_PICTURE ||
        level->tiles > CN_TILES_MAX)
        return;
    uint64_t grid = (((uint64_t)width - 1) / level->width + 1) * (((uint64_t)height - 1) / level->height + 1);
    level->native = grid == level->tiles && can_be_sent(tiles, level, &layout);
    *found = *found || level->native;
}

cn_err cn_tiles_open(cn_tiles **out, const char *path, openslide_t *osr)
{
    struct stat st;
    *out = NULL;
    if (!is_plain(osr)) return CN_OK;
    cn_tiles *tiles = CN_NEW(cn_tiles);
    if (!tiles) return CN_ERR_NOMEM;
    bool found = false;
    tiles->tif = TIFFOpen(path, "rmO"); /* not mapped; offsets are read when they are asked for */
    if (tiles->tif && fstat(TIFFFileno(tiles->tif), &st) == 0) {
        tiles->file_bytes = (uint64_t)st.st_size;
        do look_at(tiles, osr, &found);
        while (TIFFReadDirectory(tiles->tif));
    }
    if (!found) {
        cn_tiles_close(tiles);
        return CN_OK;
    }
    *out = tiles;
    return CN_OK;
}

void cn_tiles_close(cn_tiles *tiles)
{
    if (!tiles) return;
    if (tiles->tif) TIFFClose(tiles->tif);
    free(tiles);
}

bool cn_tiles_native(const cn_tiles *tiles, int32_t level, uint32_t *width, uint32_t *height)
{
    if (!tiles || level < 0 || level >= CN_DECODE_LEVELS || !tiles->levels[level].native) return false;
    *width = tiles->levels[level].width;
    *height = tiles->levels[level].height;
    return true;
}

cn_err cn_tiles_page(cn_tiles *tiles, int32_t level, uint64_t first, void *out, size_t size, size_t *len)
{
    uint32_t width, height;
    const void *tables = NULL;
    if (!cn_tiles_native(tiles, level, &width, &height)) return CN_ERR_UNSUPPORTED;
    const tiles_level *of = &tiles->levels[level];
    if (first >= of->tiles) return CN_ERR_NOTFOUND;
    if (!TIFFSetDirectory(tiles->tif, of->dir)) return CN_ERR_CORRUPT;
    cn_tilepage_head head = {.tiles = of->tiles, .first = first, .adobe = of->adobe};
    head.tables_n = (uint32_t)tables_of(tiles->tif, &tables);
    uint64_t room = (size - sizeof(head) - head.tables_n) / sizeof(uint64_t), left = of->tiles - first;
    head.n = (uint32_t)(left < room ? left : room);
    memcpy(out, &head, sizeof(head));
    uint8_t *at = (uint8_t *)out + sizeof(head);
    for (uint32_t i = 0; i < head.n; i++, at += sizeof(uint64_t)) {
        uint64_t place = place_of(tiles, (uint32_t)first + i);
        memcpy(at, &place, sizeof(place));
    }
    if (head.tables_n) memcpy(at, tables, head.tables_n);
    *len = sizeof(head) + head.n * sizeof(uint64_t) + head.tables_n;
    return CN_OK;
}
