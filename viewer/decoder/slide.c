#include "viewer/decoder/slide.h"

#include <openslide.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/slide/deepzoom.h"

#define QUALITY 80
#define REGION_MAX 4096

struct cn_dslide {
    openslide_t *osr;
    cn_decode_info info;
};

/* ---- opening ---- */

static double property_real(openslide_t *osr, const char *name)
{
    const char *text = openslide_get_property_value(osr, name);
    return text ? strtod(text, NULL) : 0.0;
}

/* Plain TIFFs say their resolution in the baseline tags only; OpenSlide leaves those to its caller. */
static double mpp(openslide_t *osr, const char *name, const char *tiff_name)
{
    double stated = property_real(osr, name), per_unit = property_real(osr, tiff_name);
    const char *unit = openslide_get_property_value(osr, "tiff.ResolutionUnit");
    if (stated > 0 || per_unit <= 0 || !unit) return stated;
    if (strcmp(unit, "centimeter") == 0) return 10000.0 / per_unit;
    return strcmp(unit, "inch") == 0 && per_unit > 1000 ? 25400.0 / per_unit
                                                        : 0.0; /* below: a screen's or printer's value */
}

static cn_err read_info(openslide_t *osr, cn_decode_info *info)
{
    openslide_get_level0_dimensions(osr, &info->width, &info->height);
    int levels = openslide_get_level_count(osr);
    if (levels < 1 || info->width < 1 || info->height < 1) return CN_ERR_CORRUPT;
    info->levels = levels > CN_DECODE_LEVELS ? CN_DECODE_LEVELS : (uint32_t)levels;
    for (uint32_t i = 0; i < info->levels; i++) {
        openslide_get_level_dimensions(osr, (int32_t)i, &info->level_width[i], &info->level_height[i]);
        info->level_downsample[i] = openslide_get_level_downsample(osr, (int32_t)i);
    }
    info->mpp_x = mpp(osr, OPENSLIDE_PROPERTY_NAME_MPP_X, "tiff.XResolution");
    info->mpp_y = mpp(osr, OPENSLIDE_PROPERTY_NAME_MPP_Y, "tiff.YResolution");
    info->objective = property_real(osr, OPENSLIDE_PROPERTY_NAME_OBJECTIVE_POWER);
    const char *background = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_BACKGROUND_COLOR);
    info->background = background ? (uint32_t)strtoul(background, NULL, 16) & 0xffffffu : 0xffffffu;
    const char *vendor = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_VENDOR);
    cn_strcpy(info->vendor, sizeof(info->vendor), vendor ? vendor : "");
    return CN_OK;
}

cn_err cn_dslide_open(cn_dslide **out, const char *path)
{
    openslide_t *osr = openslide_open(path);
    if (!osr) return CN_ERR_UNSUPPORTED;
    cn_dslide *slide = CN_NEW(cn_dslide);
    if (!slide) {
        openslide_close(osr);
        return CN_ERR_NOMEM;
    }
    slide->osr = osr;
    cn_err err = openslide_get_error(osr) ? CN_ERR_CORRUPT : read_info(osr, &slide->info);
    if (err != CN_OK) {
        cn_dslide_close(slide);
        return err;
    }
    *out = slide;
    return CN_OK;
}

void cn_dslide_close(cn_dslide *slide)
{
    if (!slide) return;
    openslide_close(slide->osr);
    free(slide);
}

/* ---- pixels ---- */

/* Premultiplied ARGB over the slide's background colour, to RGB in place of a buffer of its own. */
static void flatten(const uint32_t *argb, size_t count, uint32_t background, uint8_t *rgb)
{
    unsigned br = background >> 16 & 255, bg = background >> 8 & 255, bb = background & 255;
    for (size_t i = 0; i < count; i++) {
        unsigned a = argb[i] >> 24, rest = 255 - a;
        rgb[3 * i] = (uint8_t)((argb[i] >> 16 & 255) + br * rest / 255);
        rgb[3 * i + 1] = (uint8_t)((argb[i] >> 8 & 255) + bg * rest / 255);
        rgb[3 * i + 2] = (uint8_t)((argb[i] & 255) + bb * rest / 255);
    }
}

/* Area average of one output pixel over the source rectangle [x0, x1) × [y0, y1), edges weighted by their share. */
static void average(const uint8_t *src, int64_t sw, int64_t sh, double x0, double y0, double x1, double y1,
                    uint8_t *out)
{
    double sum[3] = {0, 0, 0}, weight = 0;
    for (int64_t y = (int64_t)y0; y < sh && (double)y < y1; y++) {
        double wy = ((double)(y + 1) < y1 ? (double)(y + 1) : y1) - ((double)y > y0 ? (double)y : y0);
        for (int64_t x = (int64_t)x0; x < sw && (double)x < x1; x++) {
            double w = wy * (((double)(x + 1) < x1 ? (double)(x + 1) : x1) - ((double)x > x0 ? (double)x : x0));
            const uint8_t *p = src + 3 * (y * sw + x);
            for (int c = 0; c < 3; c++) sum[c] += w * p[c];
            weight += w;
        }
    }
    for (int c = 0; c < 3; c++) out[c] = (uint8_t)(weight > 0 ? sum[c] / weight + 0.5 : 255);
}

static void shrink(const uint8_t *src, int64_t sw, int64_t sh, uint8_t *dst, int64_t dw, int64_t dh, double factor_x,
                   double factor_y)
{
    for (int64_t y = 0; y < dh; y++)
        for (int64_t x = 0; x < dw; x++)
            average(src, sw, sh, (double)x * factor_x, (double)y * factor_y, (double)(x + 1) * factor_x,
                    (double)(y + 1) * factor_y, dst + 3 * (y * dw + x));
}

/* `width` × `height` pixels of slide level `level` from (x, y) in level-0 pixels, flattened to RGB. Caller frees. */
static cn_err read_rgb(cn_dslide *slide, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                       uint8_t **out)
{
    size_t pixels = (size_t)width * (size_t)height;
    CN_AUTO_FREE uint32_t *argb = cn_calloc(pixels, 4);
    uint8_t *rgb = cn_calloc(pixels, 3);
    if (!argb || !rgb) {
        free(rgb);
        return CN_ERR_NOMEM;
    }
    openslide_read_region(slide->osr, argb, x, y, level, width, height);
    if (openslide_get_error(slide->osr)) {
        free(rgb);
        return CN_ERR_CORRUPT;
    }
    flatten(argb, pixels, slide->info.background, rgb);
    *out = rgb;
    return CN_OK;
}

/* ---- JPEG ---- */

typedef struct jpeg_failure {
    struct jpeg_error_mgr mgr;
    jmp_buf back;
} jpeg_failure;

static void jpeg_fail(j_common_ptr jpeg)
{
    jpeg_failure *failure = (jpeg_failure *)(void *)jpeg->err;
    longjmp(failure->back, 1);
}

static cn_err encode_jpeg(const uint8_t *rgb, int64_t width, int64_t height, void *out, size_t size, size_t *len)
{
    struct jpeg_compress_struct jpeg;
    jpeg_failure failure;
    unsigned char *volatile buffer = NULL;
    unsigned char *bytes = NULL;
    unsigned long length = 0;
    jpeg.err = jpeg_std_error(&failure.mgr);
    failure.mgr.error_exit = jpeg_fail;
    if (setjmp(failure.back)) {
        jpeg_destroy_compress(&jpeg);
        free(buffer);
        return CN_ERR_CORRUPT;
    }
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &length);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW line = (JSAMPROW)(uintptr_t)(rgb + (size_t)jpeg.next_scanline * (size_t)width * 3);
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    buffer = bytes;
    jpeg_destroy_compress(&jpeg);
    cn_err err = length <= size ? CN_OK : CN_ERR_TOOBIG;
    if (err == CN_OK) {
        memcpy(out, bytes, length);
        *len = length;
    }
    free(bytes);
    return err;
}

/* ---- the questions ---- */

/* A picture of dw × dh pixels whose corner is (x, y) in level-0 pixels, `scale` level-0 pixels per picture pixel. */
static cn_err render(cn_dslide *slide, double x, double y, double scale_x, double scale_y, int64_t dw, int64_t dh,
                     void *out, size_t size, size_t *len)
{
    double scale = scale_x < scale_y ? scale_x : scale_y;
    int32_t level = openslide_get_best_level_for_downsample(slide->osr, scale * 1.0001);
    if (level < 0) return CN_ERR_CORRUPT;
    double down = openslide_get_level_downsample(slide->osr, level);
    double fx = scale_x / down, fy = scale_y / down;
    int64_t sw = (int64_t)((double)dw * fx + 0.999), sh = (int64_t)((double)dh * fy + 0.999);
    if (sw < 1) sw = 1;
    if (sh < 1) sh = 1;
    if (sw > 4 * REGION_MAX || sh > 4 * REGION_MAX || sw * sh > (int64_t)64 << 20) return CN_ERR_TOOBIG;
    CN_AUTO_FREE uint8_t *rgb = NULL;
    CN_TRY(read_rgb(slide, level, (int64_t)x, (int64_t)y, sw, sh, &rgb));
    if (sw == dw && sh == dh) return encode_jpeg(rgb, dw, dh, out, size, len);
    CN_AUTO_FREE uint8_t *small = cn_calloc((size_t)dw * (size_t)dh, 3);
    if (!small) return CN_ERR_NOMEM;
    shrink(rgb, sw, sh, small, dw, dh, fx, fy);
    return encode_jpeg(small, dw, dh, out, size, len);
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
    return render(slide, (double)rect.x * rect.scale, (double)rect.y * rect.scale, rect.scale, rect.scale, rect.width,
                  rect.height, out, size, len);
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
    return render(slide, 0, 0, (double)slide->info.width / (double)w, (double)slide->info.height / (double)h, w, h, out,
                  size, len);
}

static cn_err answer_region(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    if (ask->level >= slide->info.levels) return CN_ERR_NOTFOUND;
    if (ask->width < 1 || ask->height < 1 || ask->width > REGION_MAX || ask->height > REGION_MAX) return CN_ERR_INVALID;
    CN_AUTO_FREE uint8_t *rgb = NULL;
    CN_TRY(read_rgb(slide, (int32_t)ask->level, ask->column, ask->row, ask->width, ask->height, &rgb));
    return encode_jpeg(rgb, ask->width, ask->height, out, size, len);
}

static const struct {
    uint32_t op;
    cn_err (*fn)(cn_dslide *, const cn_decode_ask *, void *, size_t, size_t *);
} questions[] = {
    {CN_DECODE_INFO, answer_info},
    {CN_DECODE_TILE, answer_tile},
    {CN_DECODE_THUMB, answer_thumb},
    {CN_DECODE_REGION, answer_region},
};

cn_err cn_dslide_answer(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len)
{
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        if (questions[i].op == ask->op) return questions[i].fn(slide, ask, out, size, len);
    return CN_ERR_UNSUPPORTED;
}
