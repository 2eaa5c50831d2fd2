#include "viewer/decoder/slide.h"

#include <math.h>
#include <openslide.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/decoder/associated.h"
#include "viewer/decoder/colour.h"
#include "viewer/decoder/jpeg.h"
#include "viewer/decoder/ome.h"
#include "viewer/decoder/pixels.h"
#include "viewer/decoder/sparse.h"
#include "viewer/decoder/tiles.h"
#include "viewer/slide/deepzoom.h"
#include "viewer/slide/scale.h"

#define REGION_MAX CN_DECODE_PICTURE
#define NEAR 1e-6 /* of a pixel, that is none */
#define PICTURE_PIXELS ((int64_t)64 << 20)
#define PART_PIXELS ((int64_t)8 << 20)

/* Where the pixels of a picture come from. */
typedef struct source {
    int32_t level; /* of the file, or of what was made */
    bool made;
    double downsample;
} source;

/* Who reads the file. `open` fills `info` and what the slide lacks; CN_ERR_UNSUPPORTED: another one may know it. `read`:
 * ARGB of the file's own level, from (x, y) in level-0 pixels, of the plane and channel that are asked for. */
typedef struct slide_reader {
    cn_err (*open)(cn_dslide *slide, const char *path);
    cn_err (*read)(cn_dslide *slide, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                   uint32_t *argb);
} slide_reader;

struct cn_dslide {
    const slide_reader *reader;
    openslide_t *osr;    /* NULL: another reader's */
    cn_ome *ome;         /* NULL: OpenSlide's */
    uint32_t z, channel; /* of the question that is being answered, as in cn_decode_ask */
    cn_sparse *sparse;   /* NULL: no tile is empty */
    cn_colour *colour;   /* NULL: no colour profile */
    cn_decode_info info;
    double stretch_x, stretch_y;   /* pictured pixels per pixel of level 0 */
    cn_pyramid missing;            /* what the file lacks … */
    openslide_t *made;             /* … as it was made beside it, NULL when it was not */
    cn_tiles *tiles, *made_tiles;  /* those that can be sent as they are; NULL: none */
    source from[CN_DECODE_LEVELS]; /* of the levels of `info` */
};

/* ---- opening ---- */

/* A number of the file; 0 for what is none. */
static double objective_of(openslide_t *osr)
{
    const char *text = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_OBJECTIVE_POWER);
    double power = text ? strtod(text, NULL) : 0;
    return power >= 0.1 && power <= 1000 ? power : 0;
}

static void take_scale(cn_dslide *slide, const cn_scale_texts *texts)
{
    cn_scale scale;
    cn_decode_info *info = &slide->info;
    cn_scale_of(texts, info->width, info->height, &scale);
    slide->stretch_x = scale.stretch_x;
    slide->stretch_y = scale.stretch_y;
    info->mpp_x = scale.mpp_x;
    info->mpp_y = scale.mpp_y;
    info->width = scale.width;
    info->height = scale.height;
    for (uint32_t i = 0; i < info->levels; i++) {
        info->level_width[i] = (int64_t)((double)info->level_width[i] * scale.stretch_x + 0.5);
        info->level_height[i] = (int64_t)((double)info->level_height[i] * scale.stretch_y + 0.5);
    }
}

static void read_scale(cn_dslide *slide)
{
    openslide_t *osr = slide->osr;
    /* plain TIFFs say their resolution in the baseline tags only; OpenSlide leaves those to its caller */
    const cn_scale_texts texts = {.mpp_x = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_MPP_X),
                                  .mpp_y = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_MPP_Y),
                                  .per_unit_x = openslide_get_property_value(osr, "tiff.XResolution"),
                                  .per_unit_y = openslide_get_property_value(osr, "tiff.YResolution"),
                                  .unit = openslide_get_property_value(osr, "tiff.ResolutionUnit")};
    take_scale(slide, &texts);
}

static cn_err read_info(cn_dslide *slide)
{
    openslide_t *osr = slide->osr;
    cn_decode_info *info = &slide->info;
    openslide_get_level0_dimensions(osr, &info->width, &info->height);
    int levels = openslide_get_level_count(osr);
    if (levels < 1 || info->width < 1 || info->height < 1) return CN_ERR_CORRUPT;
    info->levels = levels > CN_DECODE_LEVELS ? CN_DECODE_LEVELS : (uint32_t)levels;
    for (uint32_t i = 0; i < info->levels; i++) {
        openslide_get_level_dimensions(osr, (int32_t)i, &info->level_width[i], &info->level_height[i]);
        info->level_downsample[i] = openslide_get_level_downsample(osr, (int32_t)i);
    }
    cn_pyramid_missing(info->level_width, info->level_height, info->level_downsample, info->levels, &slide->missing);
    read_scale(slide);
    info->objective = objective_of(osr);
    info->label = cn_associated_has(osr, CN_DECODE_LABEL);
    info->macro = cn_associated_has(osr, CN_DECODE_MACRO);
    const char *background = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_BACKGROUND_COLOR);
    info->background = background ? (uint32_t)strtoul(background, NULL, 16) & 0xffffffu : 0xffffffu;
    const char *vendor = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_VENDOR);
    cn_strcpy(info->vendor, sizeof(info->vendor), vendor ? vendor : "");
    for (uint32_t i = 0; i < info->levels; i++) info->tile_width[i] = info->tile_height[i] = CN_DECODE_CELL_SIDE;
    return cn_decode_info_read(info, sizeof(*info), &(cn_decode_info){0}) ? CN_OK : CN_ERR_CORRUPT;
}

static bool made_of_this(openslide_t *made, const cn_pyramid *missing)
{
    if (!made || openslide_get_error(made) || openslide_get_level_count(made) != (int32_t)missing->n) return false;
    for (uint32_t i = 0; i < missing->n; i++) {
        int64_t width = 0, height = 0;
        openslide_get_level_dimensions(made, (int32_t)i, &width, &height);
        if (width != missing->width[i] || height != missing->height[i]) return false;
    }
    return true;
}

/* What was made stands beside the slide; an empty file says that it cannot be made. */
static cn_err open_made(cn_dslide *slide, const char *path)
{
    char beside[CN_DECODE_PATH];
    struct stat st;
    const char *slash = strrchr(path, '/');
    if (!slide->missing.n || !slash) return CN_OK;
    if (!cn_fmt(beside, sizeof(beside), "%.*s/" CN_LEVELS_NAME, (int)(slash - path), path)) return CN_OK;
    bool there = stat(beside, &st) == 0;
    if (there && st.st_size > 0) slide->made = openslide_open(beside);
    if (slide->made && !made_of_this(slide->made, &slide->missing)) {
        openslide_close(slide->made);
        slide->made = NULL;
    }
    slide->info.lacks_levels = !slide->made && !(there && st.st_size == 0);
    return slide->made ? cn_tiles_open(&slide->made_tiles, beside, slide->made) : CN_OK;
}

/* A level that was made takes its place among the file's own, the largest first. */
static void insert_made(cn_dslide *slide, uint32_t made)
{
    cn_decode_info *info = &slide->info;
    double down = slide->missing.downsample[made];
    if (info->levels == CN_DECODE_LEVELS) return;
    uint32_t at = info->levels++;
    for (; at > 1 && info->level_downsample[at - 1] > down; at--) {
        info->level_width[at] = info->level_width[at - 1];
        info->level_height[at] = info->level_height[at - 1];
        info->level_downsample[at] = info->level_downsample[at - 1];
        slide->from[at] = slide->from[at - 1];
    }
    info->level_width[at] = (int64_t)((double)slide->missing.width[made] * slide->stretch_x + 0.5);
    info->level_height[at] = (int64_t)((double)slide->missing.height[made] * slide->stretch_y + 0.5);
    info->level_downsample[at] = down;
    slide->from[at] = (source){.level = (int32_t)made, .made = true, .downsample = down};
}

/* What is pictured larger than it is stored has no tiles of its own. */
static bool native_level(const cn_dslide *slide, uint32_t i, uint32_t *width, uint32_t *height)
{
    const source *from = &slide->from[i];
    return slide->stretch_x == 1 && slide->stretch_y == 1 &&
           cn_tiles_native(from->made ? slide->made_tiles : slide->tiles, from->level, width, height);
}

static void list_levels(cn_dslide *slide)
{
    cn_decode_info *info = &slide->info;
    for (uint32_t i = 0; i < info->levels; i++)
        slide->from[i] = (source){.level = (int32_t)i, .downsample = info->level_downsample[i]};
    for (uint32_t i = 0; slide->made && i < slide->missing.n; i++) insert_made(slide, i);
    for (uint32_t i = 0; i < info->levels; i++) {
        info->tile_width[i] = info->tile_height[i] = CN_DECODE_CELL_SIDE;
        info->native[i] = CN_NATIVE_NO;
        if (native_level(slide, i, &info->tile_width[i], &info->tile_height[i]))
            info->native[i] = slide->from[i].made ? CN_NATIVE_MADE : CN_NATIVE_SLIDE;
    }
}

static cn_err open_openslide(cn_dslide *slide, const char *path)
{
    slide->osr = openslide_open(path);
    if (!slide->osr) return CN_ERR_UNSUPPORTED;
    if (openslide_get_error(slide->osr)) return CN_ERR_CORRUPT;
    CN_TRY(read_info(slide));
    CN_TRY(cn_sparse_open(&slide->sparse, path, slide->osr));
    return cn_tiles_open(&slide->tiles, path, slide->osr);
}

/* Levels are made of one picture: not where there are planes and channels to choose from. */
static cn_err open_ome(cn_dslide *slide, const char *path)
{
    char mpp_x[32], mpp_y[32];
    cn_decode_info *info = &slide->info;
    CN_TRY(cn_ome_open(&slide->ome, path, info));
    if (!info->z_planes && !info->channels)
        cn_pyramid_missing(info->level_width, info->level_height, info->level_downsample, info->levels,
                           &slide->missing);
    cn_fmt(mpp_x, sizeof(mpp_x), "%.9g", info->mpp_x);
    cn_fmt(mpp_y, sizeof(mpp_y), "%.9g", info->mpp_y);
    take_scale(slide, &(cn_scale_texts){.mpp_x = mpp_x, .mpp_y = mpp_y});
    for (uint32_t i = 0; i < info->levels; i++) info->tile_width[i] = info->tile_height[i] = CN_DECODE_CELL_SIDE;
    return cn_decode_info_read(info, sizeof(*info), &(cn_decode_info){0}) ? CN_OK : CN_ERR_CORRUPT;
}

static cn_err read_argb(cn_dslide *slide, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                        uint32_t *argb);
static cn_err read_ome(cn_dslide *slide, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                       uint32_t *argb);

/* In the order in which they are asked: OpenSlide takes an OME-TIFF for a plain one, and sees a corner of it. */
static const slide_reader readers[] = {{open_ome, read_ome}, {open_openslide, read_argb}};

cn_err cn_dslide_open(cn_dslide **out, const char *path)
{
    cn_dslide *slide = CN_NEW(cn_dslide);
    if (!slide) return CN_ERR_NOMEM;
    cn_err err = CN_ERR_UNSUPPORTED;
    for (size_t i = 0; err == CN_ERR_UNSUPPORTED && i < sizeof(readers) / sizeof(readers[0]); i++) {
        slide->reader = &readers[i];
        err = readers[i].open(slide, path);
    }
    if (err == CN_OK) err = open_made(slide, path);
    if (err == CN_OK) err = cn_colour_open(&slide->colour, path);
    if (err != CN_OK) {
        cn_dslide_close(slide);
        return err;
    }
    list_levels(slide);
    slide->info.icc_bytes = cn_colour_bytes(slide->colour);
    slide->info.icc_usable = cn_colour_is_usable(slide->colour);
    *out = slide;
    return CN_OK;
}

void cn_dslide_close(cn_dslide *slide)
{
    if (!slide) return;
    cn_sparse_close(slide->sparse);
    cn_tiles_close(slide->tiles);
    cn_tiles_close(slide->made_tiles);
    cn_colour_close(slide->colour);
    if (slide->made) openslide_close(slide->made);
    if (slide->osr) openslide_close(slide->osr);
    cn_ome_close(slide->ome);
    free(slide);
}

/* ---- pixels ---- */

static cn_err read_argb(cn_dslide *slide, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                        uint32_t *argb)
{
    double down = openslide_get_level_downsample(slide->osr, level);
    int64_t level_x = (int64_t)((double)x / down + 0.5), level_y = (int64_t)((double)y / down + 0.5);
    if (cn_sparse_touches(slide->sparse, level, level_x, level_y, width, height))
        return cn_sparse_read(slide->sparse, level, level_x, level_y, width, height, argb);
    openslide_read_region(slide->osr, argb, x, y, level, width, height);
    return openslide_get_error(slide->osr) ? CN_ERR_CORRUPT : CN_OK;
}

/* Of the file's own level: made ones may stand between them. */
static double own_downsample(const cn_dslide *slide, int32_t level)
{
    for (uint32_t i = 0; i < slide->info.levels; i++)
        if (!slide->from[i].made && slide->from[i].level == level) return slide->from[i].downsample;
    return 1;
}

static cn_err read_ome(cn_dslide *slide, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                       uint32_t *argb)
{
    double down = own_downsample(slide, level);
    uint32_t z = slide->z ? slide->z - 1 : slide->info.z_first;
    return cn_ome_read(slide->ome, (uint32_t)level, llround((double)x / down), llround((double)y / down), width, height,
                       z, slide->channel, argb);
}

/* The same of what was made. Its file's sizes are rounded up, and so is what OpenSlide takes for its downsample: the
 * place is reckoned in the level, whose downsample is known exactly. */
static cn_err read_made(cn_dslide *slide, const source *from, int64_t x, int64_t y, int64_t width, int64_t height,
                        uint32_t *argb)
{
    double down = openslide_get_level_downsample(slide->made, from->level);
    openslide_read_region(slide->made, argb, llround((double)x / from->downsample * down),
                          llround((double)y / from->downsample * down), from->level, width, height);
    return openslide_get_error(slide->made) ? CN_ERR_CORRUPT : CN_OK;
}

/* `width` × `height` pixels from (x, y) in level-0 pixels, flattened to RGB. Caller frees. */
static cn_err read_rgb(cn_dslide *slide, const source *from, int64_t x, int64_t y, int64_t width, int64_t height,
                       uint8_t **out)
{
    size_t pixels = (size_t)width * (size_t)height;
    CN_AUTO_FREE uint32_t *argb = cn_calloc(pixels, 4);
    if (!argb) return CN_ERR_NOMEM;
    CN_TRY(from->made ? read_made(slide, from, x, y, width, height, argb)
                      : slide->reader->read(slide, from->level, x, y, width, height, argb));
    uint8_t *rgb = cn_calloc(pixels, 3);
    if (!rgb) return CN_ERR_NOMEM;
    cn_pixels_flatten(argb, pixels, slide->info.background, rgb);
    *out = rgb;
    return CN_OK;
}

cn_err cn_dslide_read(cn_dslide *slide, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                      uint8_t **out)
{
    return read_rgb(slide, &(source){.level = level}, x, y, width, height, out);
}

const cn_pyramid *cn_dslide_missing(const cn_dslide *slide)
{
    return &slide->missing;
}

/* The smallest level from which a picture with `scale` level-0 pixels per pixel can be made without loss. */
static source source_for(cn_dslide *slide, double scale)
{
    source best = slide->from[0];
    for (uint32_t i = 1; i < slide->info.levels; i++)
        if (slide->from[i].downsample <= scale * 1.0001 && slide->from[i].downsample > best.downsample)
            best = slide->from[i];
    return best;
}

/* ---- any part in any size ---- */

/* A corner may lie inside a pixel of the level that it is made of. */
cn_err cn_dslide_picture(cn_dslide *slide, double x, double y, double scale_x, double scale_y, int64_t width,
                         int64_t height, uint8_t **out)
{
    double wide = scale_x / slide->stretch_x, high = scale_y / slide->stretch_y;
    source from = source_for(slide, wide < high ? wide : high);
    double down = from.downsample;
    if (!(down > 0)) return CN_ERR_CORRUPT;
    double left = x / slide->stretch_x / down, top = y / slide->stretch_y / down;
    cn_pixel_grid grid = {.x = left - floor(left), .y = top - floor(top), .width = wide / down, .height = high / down};
    int64_t sw = (int64_t)ceil(grid.x + (double)width * grid.width - NEAR);
    int64_t sh = (int64_t)ceil(grid.y + (double)height * grid.height - NEAR);
    if (sw < 1) sw = 1;
    if (sh < 1) sh = 1;
    if (sw > PICTURE_PIXELS / sh) return CN_ERR_TOOBIG;
    CN_AUTO_FREE uint8_t *rgb = NULL;
    CN_TRY(read_rgb(slide, &from, llround(floor(left) * down), llround(floor(top) * down), sw, sh, &rgb));
    uint8_t *picture = cn_calloc((size_t)(width * height), 3);
    if (!picture) return CN_ERR_NOMEM;
    cn_pixels_shrink(rgb, sw, sh, picture, width, height, &grid);
    *out = picture;
    return CN_OK;
}

uint32_t cn_dslide_lines(cn_dslide *slide, double scale_x, double scale_y, int64_t width)
{
    double wide = scale_x / slide->stretch_x, high = scale_y / slide->stretch_y;
    double down = source_for(slide, wide < high ? wide : high).downsample;
    double lines = (double)PART_PIXELS / ((double)width * wide / down + 2) / (high / down) - 2;
    return lines >= 1 ? lines < CN_DECODE_PICTURE ? (uint32_t)lines : CN_DECODE_PICTURE : 1;
}

/* ---- the questions ---- */

/* A picture of dw × dh pixels whose corner is (x, y) in level-0 pixels, `scale` level-0 pixels per picture pixel. */
static cn_err render(cn_dslide *slide, double x, double y, double scale_x, double scale_y, int64_t dw, int64_t dh,
                     void *out, size_t size, size_t *len)
{
    source from = source_for(slide, scale_x < scale_y ? scale_x : scale_y);
    double down = from.downsample;
    if (!(down > 0)) return CN_ERR_CORRUPT;
    cn_pixel_grid grid = {.width = scale_x / down, .height = scale_y / down};
    if (slide->stretch_x > 1 || slide->stretch_y > 1) { /* a corner may lie inside a pixel of the file */
        grid.x = x / down - floor(x / down);
        grid.y = y / down - floor(y / down);
        x = ceil(floor(x / down) * down);
        y = ceil(floor(y / down) * down);
    }
    int64_t sw = (int64_t)(grid.x + (double)dw * grid.width + 0.999);
    int64_t sh = (int64_t)(grid.y + (double)dh * grid.height + 0.999);
    if (sw < 1) sw = 1;
    if (sh < 1) sh = 1;
    if (sw > 4 * REGION_MAX || sh > 4 * REGION_MAX || sw * sh > (int64_t)64 << 20) return CN_ERR_TOOBIG;
    CN_AUTO_FREE uint8_t *rgb = NULL;
    CN_TRY(read_rgb(slide, &from, (int64_t)x, (int64_t)y, sw, sh, &rgb));
    if (sw == dw && sh == dh) return cn_jpeg_encode(rgb, dw, dh, out, size, len);
    CN_AUTO_FREE uint8_t *small = cn_calloc((size_t)dw * (size_t)dh, 3);
    if (!small) return CN_ERR_NOMEM;
    cn_pixels_shrink(rgb, sw, sh, small, dw, dh, &grid);
    return cn_jpeg_encode(small, dw, dh, out, size, len);
}

static cn_err answer_info(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    (void)ask;
    if (size < sizeof(slide->info)) return CN_ERR_TOOBIG;
    memcpy(out, &slide->info, sizeof(slide->info));
    *len = sizeof(slide->info);
    return CN_OK;
}

static cn_err answer_tile(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    cn_dz_rect rect;
    CN_TRY(cn_dz_tile_rect(slide->info.width, slide->info.height, ask->level, ask->column, ask->row, &rect));
    double scale_x = rect.scale / slide->stretch_x, scale_y = rect.scale / slide->stretch_y;
    return render(slide, (double)rect.x * scale_x, (double)rect.y * scale_y, scale_x, scale_y, rect.width, rect.height,
                  out, size, len);
}

static cn_err answer_thumb(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    if (ask->size < 1 || ask->size > REGION_MAX) return CN_ERR_INVALID;
    int64_t side = slide->info.width > slide->info.height ? slide->info.width : slide->info.height;
    double scale = (double)side / (double)ask->size;
    if (scale < 1) scale = 1;
    int64_t w = (int64_t)((double)slide->info.width / scale), h = (int64_t)((double)slide->info.height / scale);
    if (w < 1) w = 1;
    if (h < 1) h = 1;
    return render(slide, 0, 0, (double)slide->info.width / (double)w / slide->stretch_x,
                  (double)slide->info.height / (double)h / slide->stretch_y, w, h, out, size, len);
}

static cn_err answer_region(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    if (ask->level >= slide->info.levels) return CN_ERR_NOTFOUND;
    if (ask->width < 1 || ask->height < 1 || ask->width > REGION_MAX || ask->height > REGION_MAX) return CN_ERR_INVALID;
    CN_AUTO_FREE uint8_t *rgb = NULL;
    CN_TRY(read_rgb(slide, &slide->from[ask->level], ask->column, ask->row, ask->width, ask->height, &rgb));
    return cn_jpeg_encode(rgb, ask->width, ask->height, out, size, len);
}

/* Whoever asks may know a list of levels from before some were made. */
static bool has_level(const cn_dslide *slide, const cn_decode_ask *ask)
{
    return ask->size == slide->info.levels && ask->level < slide->info.levels;
}

static cn_err answer_table(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    if (!has_level(slide, ask) || !slide->info.native[ask->level]) return CN_ERR_NOTFOUND;
    const source *from = &slide->from[ask->level];
    return cn_tiles_page(from->made ? slide->made_tiles : slide->tiles, from->level, (uint64_t)ask->column, out, size,
                         len);
}

/* In a grid of the file's own a tile is whole also at the edge, as those that are sent as they are. */
static cn_err answer_cell(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    const cn_decode_info *info = &slide->info;
    uint32_t i = ask->level;
    if (!has_level(slide, ask)) return CN_ERR_NOTFOUND;
    int64_t width = info->tile_width[i], height = info->tile_height[i];
    int64_t left = info->level_width[i] - ask->column * width, top = info->level_height[i] - ask->row * height;
    if (left <= 0 || top <= 0) return CN_ERR_NOTFOUND;
    if (!info->native[i]) {
        if (left < width) width = left;
        if (top < height) height = top;
    }
    double down = slide->from[i].downsample;
    double x = (double)(ask->column * info->tile_width[i]) * down / slide->stretch_x;
    double y = (double)(ask->row * info->tile_height[i]) * down / slide->stretch_y;
    if (slide->stretch_x != 1 || slide->stretch_y != 1)
        return render(slide, x, y, down / slide->stretch_x, down / slide->stretch_y, width, height, out, size, len);
    CN_AUTO_FREE uint8_t *rgb = NULL;
    CN_TRY(read_rgb(slide, &slide->from[i], llround(x), llround(y), width, height, &rgb));
    return cn_jpeg_encode(rgb, width, height, out, size, len);
}

static cn_err answer_associated(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    if (!slide->osr) return CN_ERR_NOTFOUND;
    return cn_associated_jpeg(slide->osr, ask->level, slide->info.background, out, size, len);
}

static cn_err answer_colour(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    (void)ask;
    return cn_colour_answer(slide->colour, out, size, len);
}

static const struct {
    uint32_t op;
    cn_err (*fn)(cn_dslide *, const cn_decode_ask *, void *, size_t, size_t *);
} questions[] = {
    {CN_DECODE_INFO, answer_info},
    {CN_DECODE_TILE, answer_tile},
    {CN_DECODE_THUMB, answer_thumb},
    {CN_DECODE_REGION, answer_region},
    {CN_DECODE_TABLE, answer_table},
    {CN_DECODE_CELL, answer_cell},
    {CN_DECODE_ASSOCIATED, answer_associated},
    {CN_DECODE_COLOUR, answer_colour},
};

cn_err cn_dslide_plane(cn_dslide *slide, const cn_decode_ask *ask)
{
    if (ask->z > (slide->info.z_planes ? slide->info.z_planes : 1) || ask->channel > slide->info.channels)
        return CN_ERR_NOTFOUND;
    slide->z = ask->z;
    slide->channel = ask->channel;
    return CN_OK;
}

cn_err cn_dslide_answer(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    CN_TRY(cn_dslide_plane(slide, ask));
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        if (questions[i].op == ask->op) return questions[i].fn(slide, ask, out, size, len);
    return CN_ERR_UNSUPPORTED;
}
