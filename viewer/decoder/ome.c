#include "viewer/decoder/ome.h"

#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/decoder/omexml.h"

#define DIRS_MAX 16384
#define PART_BYTES ((tmsize_t)256 << 20)
#define PARTS_MAX (1u << 24)
#define OVERVIEW 2048 /* pixels a side at most, of which a window is made */
#define SAMPLES 65536
#define DARK 0.01 /* of its pixels are darker than the window … */
#define LIGHT 0.998

/* What all planes have in common at a level. A part is a tile or a strip. */
typedef struct geometry {
    uint32_t width, height, part_width, part_height, across;
    uint16_t bits, format, samples, planar, photometric;
    bool tiled;
} geometry;

typedef struct window {
    bool known;
    double low, high;
} window;

struct cn_ome {
    TIFF *tif;
    cn_ome_plan plan;
    uint64_t *dirs; /* where the file's directories are */
    uint32_t dir_count, levels;
    geometry level[CN_DECODE_LEVELS];
    uint32_t plane_set, level_set; /* the directory that libtiff stands at */
    window windows[CN_DECODE_CHANNELS];
};

/* ---- directories ---- */

static bool read_geometry(TIFF *tif, geometry *out)
{
    *out = (geometry){.tiled = TIFFIsTiled(tif)};
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &out->width);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &out->height);
    TIFFGetFieldDefaulted(tif, TIFFTAG_BITSPERSAMPLE, &out->bits);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLEFORMAT, &out->format);
    TIFFGetFieldDefaulted(tif, TIFFTAG_SAMPLESPERPIXEL, &out->samples);
    TIFFGetFieldDefaulted(tif, TIFFTAG_PLANARCONFIG, &out->planar);
    TIFFGetField(tif, TIFFTAG_PHOTOMETRIC, &out->photometric);
    uint16_t compression = 0;
    TIFFGetField(tif, TIFFTAG_COMPRESSION, &compression);
    if (compression == COMPRESSION_JPEG && out->photometric == PHOTOMETRIC_YCBCR) {
        TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        out->photometric = PHOTOMETRIC_RGB;
    }
    out->part_width = out->width;
    if (out->tiled) {
        TIFFGetField(tif, TIFFTAG_TILEWIDTH, &out->part_width);
        TIFFGetField(tif, TIFFTAG_TILELENGTH, &out->part_height);
    } else {
        TIFFGetFieldDefaulted(tif, TIFFTAG_ROWSPERSTRIP, &out->part_height);
        if (out->part_height > out->height) out->part_height = out->height;
    }
    if (!out->width || !out->height || !out->part_width || !out->part_height) return false;
    out->across = (out->width - 1) / out->part_width + 1;
    uint64_t parts = (uint64_t)out->across * ((out->height - 1) / out->part_height + 1);
    tmsize_t bytes = out->tiled ? TIFFTileSize(tif) : TIFFStripSize(tif);
    return parts <= PARTS_MAX && bytes > 0 && bytes <= PART_BYTES && TIFFIsCODECConfigured(compression);
}

static bool is_readable(const geometry *of, uint32_t samples)
{
    bool number = of->format == SAMPLEFORMAT_UINT || of->format == SAMPLEFORMAT_INT
                      ? of->bits == 8 || of->bits == 16 || of->bits == 32
                      : of->format == SAMPLEFORMAT_IEEEFP && (of->bits == 32 || of->bits == 64);
    if (of->samples == 1 && samples == 1)
        return of->photometric == PHOTOMETRIC_PALETTE
                   ? of->bits == 8 && of->format == SAMPLEFORMAT_UINT
                   : number && (of->photometric == PHOTOMETRIC_MINISBLACK || of->photometric == PHOTOMETRIC_MINISWHITE);
    return samples == 3 && (of->samples == 3 || of->samples == 4) && of->photometric == PHOTOMETRIC_RGB &&
           of->bits == 8 && of->format == SAMPLEFORMAT_UINT;
}

static bool same_geometry(const geometry *one, const geometry *other)
{
    return one->width == other->width && one->height == other->height && one->bits == other->bits &&
           one->format == other->format && one->samples == other->samples && one->part_width == other->part_width &&
           one->part_height == other->part_height && one->planar == other->planar &&
           one->photometric == other->photometric && one->tiled == other->tiled;
}

/* Leads libtiff to a level of a plane: level 0 is its directory, the others those below it. */
static bool go_to(cn_ome *ome, uint32_t plane, uint32_t level)
{
    uint16_t below = 0;
    uint64_t *offsets = NULL;
    uint32_t dir = ome->plan.dirs[plane];
    if (dir >= ome->dir_count || !TIFFSetSubDirectory(ome->tif, ome->dirs[dir])) return false;
    if (level == 0) return true;
    return TIFFGetField(ome->tif, TIFFTAG_SUBIFD, &below, &offsets) && level <= below &&
           TIFFSetSubDirectory(ome->tif, offsets[level - 1]);
}

static cn_err stand_at(cn_ome *ome, uint32_t plane, uint32_t level)
{
    geometry found;
    if (ome->plane_set == plane && ome->level_set == level) return CN_OK;
    ome->plane_set = ome->level_set = UINT32_MAX;
    if (!go_to(ome, plane, level) || !read_geometry(ome->tif, &found) || !same_geometry(&found, &ome->level[level]))
        return CN_ERR_CORRUPT;
    ome->plane_set = plane;
    ome->level_set = level;
    return CN_OK;
}

static cn_err list_dirs(cn_ome *ome)
{
    ome->dirs = cn_calloc(DIRS_MAX, sizeof(*ome->dirs));
    if (!ome->dirs) return CN_ERR_NOMEM;
    do ome->dirs[ome->dir_count++] = TIFFCurrentDirOffset(ome->tif);
    while (ome->dir_count < DIRS_MAX && TIFFReadDirectory(ome->tif));
    return CN_OK;
}

/* The levels of the first plane; each smaller than the one before. */
static cn_err list_levels(cn_ome *ome)
{
    for (uint32_t i = 0; i < CN_DECODE_LEVELS && go_to(ome, 0, i); i++) {
        geometry *level = &ome->level[i];
        bool good = read_geometry(ome->tif, level) && is_readable(level, ome->plan.samples);
        if (i == 0 && !good) return CN_ERR_UNSUPPORTED;
        if (!good || (i > 0 && (level->width >= level[-1].width || level->height > level[-1].height))) break;
        ome->levels++;
    }
    if (ome->levels == 0) return CN_ERR_CORRUPT;
    return ome->level[0].width == ome->plan.width && ome->level[0].height == ome->plan.height ? CN_OK : CN_ERR_CORRUPT;
}

/* ---- opening ---- */

static bool begins_as_tiff(const char *path)
{
    uint8_t head[4];
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, head, sizeof(head)) == sizeof(head) &&
           (memcmp(head, "II*\0", 4) == 0 || memcmp(head, "MM\0*", 4) == 0 || memcmp(head, "II+\0", 4) == 0 ||
            memcmp(head, "MM\0+", 4) == 0);
}

static bool is_coloured(const cn_ome *ome)
{
    return ome->plan.samples == 3 || ome->level[0].photometric == PHOTOMETRIC_PALETTE;
}

static void tell(const cn_ome *ome, cn_decode_info *info)
{
    const cn_ome_plan *plan = &ome->plan;
    *info = (cn_decode_info){.width = plan->width,
                             .height = plan->height,
                             .mpp_x = plan->mpp_x,
                             .mpp_y = plan->mpp_y,
                             .objective = plan->objective,
                             .levels = ome->levels,
                             .background = is_coloured(ome) ? 0xffffff : 0};
    for (uint32_t i = 0; i < ome->levels; i++) {
        info->level_width[i] = ome->level[i].width;
        info->level_height[i] = ome->level[i].height;
        info->level_downsample[i] =
            i ? ((double)plan->width / ome->level[i].width + (double)plan->height / ome->level[i].height) / 2 : 1;
    }
    if (plan->z_planes > 1) {
        info->z_planes = plan->z_planes;
        info->z_first = plan->z_planes / 2;
        info->z_spacing = plan->z_spacing;
    }
    if (plan->channels > 1) {
        info->channels = plan->channels;
        memcpy(info->channel, plan->channel, sizeof(info->channel));
    }
    cn_strcpy(info->vendor, sizeof(info->vendor), "ome-tiff");
}

/* A channel with a palette has its brightest colour. */
static void colours_of_palettes(cn_ome *ome)
{
    uint16_t *red = NULL, *green = NULL, *blue = NULL;
    for (uint32_t i = 0; i < ome->plan.channels && ome->level[0].photometric == PHOTOMETRIC_PALETTE; i++)
        if (go_to(ome, i, 0) && TIFFGetField(ome->tif, TIFFTAG_COLORMAP, &red, &green, &blue))
            ome->plan.channel[i].colour =
                (uint32_t)(red[255] >> 8) << 16 | (uint32_t)(green[255] >> 8) << 8 | blue[255] >> 8;
}

static cn_err read_file(cn_ome *ome)
{
    char *text = NULL;
    if (!TIFFGetField(ome->tif, TIFFTAG_IMAGEDESCRIPTION, &text) || !text || !strstr(text, "<OME"))
        return CN_ERR_UNSUPPORTED;
    CN_TRY(cn_ome_read_xml(text, strlen(text), &ome->plan));
    CN_TRY(list_dirs(ome));
    CN_TRY(list_levels(ome));
    colours_of_palettes(ome);
    return CN_OK;
}

cn_err cn_ome_open(cn_ome **out, const char *path, cn_decode_info *info)
{
    if (!begins_as_tiff(path)) return CN_ERR_UNSUPPORTED;
    cn_ome *ome = CN_NEW(cn_ome);
    if (!ome) return CN_ERR_NOMEM;
    ome->plane_set = ome->level_set = UINT32_MAX;
    ome->tif = TIFFOpen(path, "rm"); /* not mapped: a slide is larger than what a worker may address */
    cn_err err = ome->tif ? read_file(ome) : CN_ERR_UNSUPPORTED;
    if (err != CN_OK) {
        cn_ome_close(ome);
        return err;
    }
    tell(ome, info);
    *out = ome;
    return CN_OK;
}

void cn_ome_close(cn_ome *ome)
{
    if (!ome) return;
    if (ome->tif) TIFFClose(ome->tif);
    free(ome->dirs);
    free(ome);
}

/* ---- parts ---- */

/* Of the part with its sample `sample` apart, or all samples together. Its bytes into `buffer`; *empty: never written. */
static cn_err read_part(cn_ome *ome, const geometry *of, uint32_t x, uint32_t y, uint16_t sample, uint8_t *buffer,
                        tmsize_t size, bool *empty)
{
    int unread = 0;
    uint32_t nth = of->tiled ? TIFFComputeTile(ome->tif, x, y, 0, sample) : TIFFComputeStrip(ome->tif, y, sample);
    *empty = TIFFGetStrileByteCountWithErr(ome->tif, nth, &unread) == 0 && !unread;
    if (*empty) return CN_OK;
    memset(buffer, 0, (size_t)size);
    tmsize_t got = of->tiled ? TIFFReadEncodedTile(ome->tif, nth, buffer, size)
                             : TIFFReadEncodedStrip(ome->tif, nth, buffer, size);
    return got > 0 ? CN_OK : CN_ERR_CORRUPT;
}

static double value_at(const uint8_t *buffer, size_t i, const geometry *of)
{
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        float f;
        double d;
    } value = {0};
    bool whole = of->format == SAMPLEFORMAT_INT, real = of->format == SAMPLEFORMAT_IEEEFP;
    memcpy(&value, buffer + i * (of->bits / 8), of->bits / 8);
    switch (of->bits) {
    case 8: return whole ? (double)value.i8 : (double)value.u8;
    case 16: return whole ? (double)value.i16 : (double)value.u16;
    case 32: return real ? (double)value.f : whole ? (double)value.i32 : (double)value.u32;
    default: return value.d;
    }
}

/* ---- pixels ---- */

typedef struct ome_area {
    int64_t x, y, width, height;
} ome_area;

/* What is done with a part whose upper left corner is (x, y), where it and the ome_area meet. */
typedef struct visitor visitor;
struct visitor {
    void (*part)(const visitor *how, const geometry *of, const uint8_t *buffer, uint16_t sample, int64_t x, int64_t y,
                 const ome_area *meet);
    const ome_area *all;
    cn_ome *ome;
    uint32_t channel;
    uint32_t *argb; /* of `all` */
    double *values; /* … or some of them */
    size_t *count;
};

static int64_t lesser(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static ome_area meeting(const ome_area *one, const ome_area *other)
{
    int64_t x = one->x > other->x ? one->x : other->x, y = one->y > other->y ? one->y : other->y;
    return (ome_area){x, y, lesser(one->x + one->width, other->x + other->width) - x,
                      lesser(one->y + one->height, other->y + other->height) - y};
}

static cn_err visit_part(const visitor *how, const geometry *of, int64_t x, int64_t y, uint8_t *buffer, tmsize_t size)
{
    const ome_area image = {0, 0, of->width, of->height}, part = {x, y, of->part_width, of->part_height};
    ome_area meet = meeting(&part, &image);
    meet = meeting(&meet, how->all);
    uint16_t apart = of->planar == PLANARCONFIG_SEPARATE ? (uint16_t)lesser(of->samples, 3) : 1;
    for (uint16_t sample = 0; sample < apart; sample++) {
        bool empty = false;
        CN_TRY(read_part(how->ome, of, (uint32_t)x, (uint32_t)y, sample, buffer, size, &empty));
        if (!empty) how->part(how, of, buffer, sample, x, y, &meet);
    }
    return CN_OK;
}

static cn_err visit(const visitor *how, uint32_t plane, uint32_t level)
{
    const geometry *of = &how->ome->level[level];
    const ome_area *all = how->all, image = {0, 0, of->width, of->height};
    ome_area meet = meeting(&image, all);
    if (meet.width <= 0 || meet.height <= 0) return CN_OK;
    CN_TRY(stand_at(how->ome, plane, level));
    tmsize_t size = of->tiled ? TIFFTileSize(how->ome->tif) : TIFFStripSize(how->ome->tif);
    if (size < (tmsize_t)of->part_width * of->part_height * (of->bits / 8)) return CN_ERR_CORRUPT;
    CN_AUTO_FREE uint8_t *buffer = cn_calloc(1, (size_t)size);
    if (!buffer) return CN_ERR_NOMEM;
    int64_t pw = of->part_width, ph = of->part_height;
    for (int64_t y = meet.y / ph * ph; y < meet.y + meet.height; y += ph)
        for (int64_t x = meet.x / pw * pw; x < meet.x + meet.width; x += pw)
            CN_TRY(visit_part(how, of, x, y, buffer, size));
    return CN_OK;
}

/* ---- windows ---- */

static void collect(const visitor *how, const geometry *of, const uint8_t *buffer, uint16_t sample, int64_t x,
                    int64_t y, const ome_area *meet)
{
    (void)sample;
    int64_t pixels = how->all->width * how->all->height, every = pixels / SAMPLES + 1;
    for (int64_t j = meet->y; j < meet->y + meet->height; j++)
        for (int64_t i = meet->x; i < meet->x + meet->width; i++) {
            if (((j - how->all->y) * how->all->width + i - how->all->x) % every) continue;
            double value = value_at(buffer, (size_t)((j - y) * of->part_width + i - x), of);
            if (isfinite(value) && *how->count < SAMPLES) how->values[(*how->count)++] = value;
        }
}

static int by_value(const void *one, const void *other)
{
    double first = *(const double *)one, second = *(const double *)other;
    return first < second ? -1 : first > second;
}

/* Eight bits of one channel are a picture as they stand. */
static bool is_picture(const cn_ome *ome)
{
    const geometry *of = &ome->level[0];
    return of->bits == 8 && of->format == SAMPLEFORMAT_UINT && ome->plan.channels == 1;
}

static cn_err find_window(cn_ome *ome, uint32_t channel)
{
    window *found = &ome->windows[channel];
    const geometry *of = &ome->level[ome->levels - 1];
    if (found->known) return CN_OK;
    *found = (window){.known = true, .low = 0, .high = 255};
    if (is_picture(ome)) return CN_OK;
    ome_area middle = {.width = lesser(of->width, OVERVIEW), .height = lesser(of->height, OVERVIEW)};
    middle.x = (of->width - middle.width) / 2;
    middle.y = (of->height - middle.height) / 2;
    CN_AUTO_FREE double *values = cn_calloc(SAMPLES, sizeof(*values));
    if (!values) return CN_ERR_NOMEM;
    size_t count = 0;
    const visitor how = {.part = collect, .all = &middle, .ome = ome, .values = values, .count = &count};
    CN_TRY(visit(&how, ome->plan.z_planes / 2 * ome->plan.channels + channel, ome->levels - 1));
    if (!count) return CN_OK;
    qsort(values, count, sizeof(*values), by_value);
    found->low = values[(size_t)((double)(count - 1) * DARK)];
    found->high = values[(size_t)((double)(count - 1) * LIGHT)];
    if (found->high <= found->low) found->high = values[count - 1];
    if (found->high <= found->low) found->high = found->low + 1;
    return CN_OK;
}

/* ---- pictures ---- */

static uint32_t add(uint32_t had, uint32_t more)
{
    return had + more > 255 ? 255 : had + more;
}

static void add_grey(const visitor *how, const geometry *of, const uint8_t *buffer, uint16_t sample, int64_t x,
                     int64_t y, const ome_area *meet)
{
    (void)sample;
    const window *seen = &how->ome->windows[how->channel];
    uint32_t colour = how->ome->plan.channel[how->channel].colour;
    double red = colour >> 16 & 255, green = colour >> 8 & 255, blue = colour & 255;
    for (int64_t j = meet->y; j < meet->y + meet->height; j++)
        for (int64_t i = meet->x; i < meet->x + meet->width; i++) {
            uint32_t *to = how->argb + (j - how->all->y) * how->all->width + i - how->all->x;
            double part = (value_at(buffer, (size_t)((j - y) * of->part_width + i - x), of) - seen->low) /
                          (seen->high - seen->low);
            part = part > 0 ? part < 1 ? part : 1 : 0; /* nothing of what is no number */
            if (of->photometric == PHOTOMETRIC_MINISWHITE) part = 1 - part;
            *to = 0xff000000u | add(*to >> 16 & 255, (uint32_t)(red * part + 0.5)) << 16 |
                  add(*to >> 8 & 255, (uint32_t)(green * part + 0.5)) << 8 |
                  add(*to & 255, (uint32_t)(blue * part + 0.5));
        }
}

/* Of RGB with its samples together or apart. */
static void put_rgb(const visitor *how, const geometry *of, const uint8_t *buffer, uint16_t sample, int64_t x,
                    int64_t y, const ome_area *meet)
{
    bool apart = of->planar == PLANARCONFIG_SEPARATE;
    for (int64_t j = meet->y; j < meet->y + meet->height; j++)
        for (int64_t i = meet->x; i < meet->x + meet->width; i++) {
            uint32_t *to = how->argb + (j - how->all->y) * how->all->width + i - how->all->x;
            size_t at = (size_t)((j - y) * of->part_width + i - x);
            const uint8_t *from = buffer + at * of->samples;
            if (apart)
                *to |= 0xff000000u | (uint32_t)buffer[at] << (16 - 8 * sample);
            else
                *to = 0xff000000u | (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
        }
}

static void put_palette(const visitor *how, const geometry *of, const uint8_t *buffer, uint16_t sample, int64_t x,
                        int64_t y, const ome_area *meet)
{
    (void)sample;
    uint16_t *red = NULL, *green = NULL, *blue = NULL;
    if (!TIFFGetField(how->ome->tif, TIFFTAG_COLORMAP, &red, &green, &blue)) return;
    for (int64_t j = meet->y; j < meet->y + meet->height; j++)
        for (int64_t i = meet->x; i < meet->x + meet->width; i++) {
            uint8_t index = buffer[(j - y) * of->part_width + i - x];
            uint32_t *to = how->argb + (j - how->all->y) * how->all->width + i - how->all->x;
            *to = 0xff000000u | add(*to >> 16 & 255, red[index] >> 8) << 16 |
                  add(*to >> 8 & 255, green[index] >> 8) << 8 | add(*to & 255, blue[index] >> 8);
        }
}

cn_err cn_ome_read(cn_ome *ome, uint32_t level, int64_t x, int64_t y, int64_t width, int64_t height, uint32_t z,
                   uint32_t channel, uint32_t *argb)
{
    const cn_ome_plan *plan = &ome->plan;
    const ome_area all = {x, y, width, height};
    visitor how = {.part = plan->samples == 3 ? put_rgb : add_grey, .all = &all, .ome = ome, .argb = argb};
    bool coloured = is_coloured(ome);
    if (level >= ome->levels || z >= plan->z_planes || channel > plan->channels) return CN_ERR_NOTFOUND;
    if (coloured && plan->samples == 1) how.part = put_palette;
    memset(argb, 0, (size_t)(width * height) * sizeof(*argb));
    for (uint32_t i = 0; i < plan->channels; i++) {
        if (channel && i != channel - 1) continue;
        how.channel = i;
        if (!coloured) CN_TRY(find_window(ome, i));
        CN_TRY(visit(&how, z * plan->channels + i, level));
    }
    return CN_OK;
}
