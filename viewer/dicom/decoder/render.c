#include "viewer/dicom/decoder/render.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "viewer/dicom/decoder/codecs.h"
#include "viewer/dicom/decoder/jpegfail.h"
#include "viewer/dicom/decoder/shade.h"

/* A picture of 8 bits, 1 or 3 samples beside each other. */
typedef struct canvas {
    uint8_t *pixel;
    size_t width, height, samples;
} canvas;

/* ---- grey ---- */

static cn_err paint_grey(cn_opened *file, cn_shade *shade, const uint8_t *pixels, canvas *out)
{
    const cn_picture *picture = &file->model.picture;
    size_t n = out->width * out->height;
    cn_shade_stretch(shade, file, pixels, n);
    unsigned bits = picture->bits_stored;
    if (bits > 16) {
        for (size_t at = 0; at < n; at++)
            out->pixel[at] = cn_shade_grey(shade, file, cn_shade_stored(file, pixels, at));
        return CN_OK;
    }
    int64_t least = picture->is_signed ? -((int64_t)1 << (bits - 1)) : 0;
    CN_AUTO_FREE uint8_t *table = malloc((size_t)1 << bits);
    if (!table) return CN_ERR_NOMEM;
    for (size_t i = 0; i < (size_t)1 << bits; i++) table[i] = cn_shade_grey(shade, file, least + (int64_t)i);
    for (size_t at = 0; at < n; at++) out->pixel[at] = table[cn_shade_stored(file, pixels, at) - least];
    return CN_OK;
}

/* Floating point pixels (PS3.3 C.7.6.24): between the smallest and the largest. */
static void paint_float(const cn_opened *file, const uint8_t *pixels, canvas *out)
{
    bool twice = file->model.picture.bits_allocated == 64;
    double low = 1e300, high = -1e300;
    for (int pass = 0; pass < 2; pass++)
        for (size_t at = 0; at < out->width * out->height; at++) {
            float single;
            double value;
            memcpy(&single, pixels + 4 * at, sizeof(single));
            if (twice)
                memcpy(&value, pixels + 8 * at, sizeof(value));
            else
                value = (double)single;
            bool usable = value >= -1e300 && value <= 1e300;
            if (pass == 0 && usable) {
                low = value < low ? value : low;
                high = value > high ? value : high;
            } else if (pass == 1)
                out->pixel[at] = usable && high > low ? (uint8_t)((value - low) / (high - low) * 255 + 0.5) : 0;
        }
}

/* ---- colours ---- */

/* The highest 8 bits of a sample. */
static uint8_t eight(const cn_opened *file, const uint8_t *pixels, size_t at)
{
    unsigned bits = file->model.picture.bits_stored;
    int64_t value = cn_shade_stored(file, pixels, at);
    if (value < 0) value += (int64_t)1 << (bits - 1);
    return (uint8_t)(bits > 8 ? value >> (bits - 8) : value);
}

static void paint_colour(const cn_opened *file, const uint8_t *pixels, canvas *out)
{
    size_t n = out->width * out->height;
    const char *photometric = cn_pixels_photometric(file);
    bool planar = cn_pixels_planar(file), ybr = strncmp(photometric, "YBR", 3) == 0;
    bool halved = strcmp(photometric, "YBR_FULL_422") == 0 && !file->model.picture.pixels.undefined;
    for (size_t at = 0; at < n; at++) {
        uint8_t *part = out->pixel + 3 * at;
        for (size_t c = 0; c < 3; c++) {
            /* two pixels are Y Y Cb Cr */
            size_t from = halved ? at / 2 * 4 + (c == 0 ? at % 2 : c + 1) : planar ? c * n + at : 3 * at + c;
            part[c] = eight(file, pixels, from);
        }
        if (ybr) cn_ybr_to_rgb(part);
    }
}

static cn_err paint_palette(cn_opened *file, const cn_shade *shade, const uint8_t *pixels, canvas *out)
{
    const cn_lut *lut = shade->palette;
    if (!lut[0].entries || !lut[1].entries || !lut[2].entries)
        return cn_dataset_refuse(&file->dataset, CN_ERR_UNSUPPORTED, 0x00281101, "this palette cannot be used.");
    for (size_t at = 0; at < out->width * out->height; at++) {
        int64_t stored = cn_shade_stored(file, pixels, at);
        for (int c = 0; c < 3; c++) {
            bool wide =
                lut[c].data.vr[1] != 'B' && lut[c].data.length >= 2 * (uint64_t)lut[c].entries && lut[c].bits > 8;
            uint32_t value = cn_lut_at(file, &lut[c], stored);
            out->pixel[3 * at + (size_t)c] = (uint8_t)(wide ? value >> 8 : value);
        }
    }
    return CN_OK;
}

static cn_err paint(cn_opened *file, const cn_dicom_ask *ask, const uint8_t *pixels, canvas *out)
{
    const cn_picture *picture = &file->model.picture;
    cn_shade shade;
    CN_TRY(cn_shade_read(&shade, file, ask->frame));
    if (ask->windowed) {
        shade.windowed = true;
        shade.center = ask->center;
        shade.width = ask->width;
    }
    if (picture->samples == 3) {
        if (picture->bits_allocated < 8 || picture->bits_allocated > 32)
            return cn_dataset_refuse(&file->dataset, CN_ERR_UNSUPPORTED, 0x00280100, "such colours are not shown.");
        paint_colour(file, pixels, out);
    } else if (strncmp(picture->photometric, "PALETTE", 7) == 0) {
        return paint_palette(file, &shade, pixels, out);
    } else if (picture->pixels.tag != 0x7fe00010) {
        paint_float(file, pixels, out);
    } else {
        return paint_grey(file, &shade, pixels, out);
    }
    return CN_OK;
}

/* ---- smaller, and JPEG ---- */

/* Each new pixel is the mean of those that it covers; never larger than it was. */
static cn_err shrink(canvas *of, uint32_t size)
{
    size_t longest = of->width > of->height ? of->width : of->height;
    if (longest <= size) return CN_OK;
    size_t width = of->width * size / longest, height = of->height * size / longest;
    width = width ? width : 1;
    height = height ? height : 1;
    uint8_t *out = cn_calloc(width * height, of->samples);
    if (!out) return CN_ERR_NOMEM;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            size_t x0 = x * of->width / width, x1 = (x + 1) * of->width / width;
            size_t y0 = y * of->height / height, y1 = (y + 1) * of->height / height;
            size_t sum[3] = {0}, n = (x1 - x0) * (y1 - y0);
            for (size_t line = y0; line < y1; line++)
                for (size_t at = (line * of->width + x0) * of->samples, i = 0; i < (x1 - x0) * of->samples; i++)
                    sum[i % of->samples] += of->pixel[at + i];
            for (size_t c = 0; c < of->samples; c++)
                out[(y * width + x) * of->samples + c] = (uint8_t)((sum[c] + n / 2) / n);
        }
    free(of->pixel);
    of->pixel = out;
    of->width = width;
    of->height = height;
    return CN_OK;
}

static cn_err encode(const canvas *from, int quality, unsigned char **bytes, unsigned long *n)
{
    struct jpeg_compress_struct jpeg;
    cn_jpegfail of;
    jpeg.err = cn_jpegfail_manager(&of);
    if (setjmp(of.back)) {
        jpeg_destroy_compress(&jpeg);
        return CN_ERR_NOMEM;
    }
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, bytes, n);
    jpeg.image_width = (JDIMENSION)from->width;
    jpeg.image_height = (JDIMENSION)from->height;
    jpeg.input_components = (int)from->samples;
    jpeg.in_color_space = from->samples == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW line = from->pixel + (size_t)jpeg.next_scanline * from->width * from->samples;
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return CN_OK;
}

static cn_err finish(canvas *of, const cn_dicom_ask *ask, void *out, size_t size, size_t *n)
{
    unsigned char *bytes = NULL;
    unsigned long length = 0;
    CN_TRY(shrink(of, ask->size));
    cn_err err = encode(of, (int)ask->quality, &bytes, &length);
    if (err == CN_OK && length > size) err = CN_ERR_TOOBIG;
    if (err == CN_OK) {
        memcpy(out, bytes, length);
        *n = length;
    }
    free(bytes);
    return err;
}

cn_err cn_render_jpeg(cn_opened *file, const cn_dicom_ask *ask, void *out, size_t size, size_t *n)
{
    const cn_picture *picture = &file->model.picture;
    size_t bytes = cn_pixels_bytes(file);
    if (!picture->frames)
        return cn_dataset_refuse(&file->dataset, CN_ERR_UNSUPPORTED, 0x7fe00010, "there is no picture in this file.");
    if (!bytes) return cn_dataset_refuse(&file->dataset, CN_ERR_TOOBIG, 0x7fe00010, "a frame is too large.");
    canvas of = {.width = picture->columns, .height = picture->rows, .samples = picture->samples == 3 ? 3 : 1};
    if (strncmp(picture->photometric, "PALETTE", 7) == 0) of.samples = 3;
    if (picture->samples == 2 || picture->samples > 3)
        return cn_dataset_refuse(&file->dataset, CN_ERR_UNSUPPORTED, 0x00280002, "%u samples are not shown.",
                                 picture->samples);
    CN_AUTO_FREE uint8_t *pixels = malloc(bytes);
    of.pixel = cn_calloc(of.width * of.height, of.samples);
    cn_err err = pixels && of.pixel ? cn_pixels_frame(file, ask->frame, pixels) : CN_ERR_NOMEM;
    if (err == CN_OK) err = paint(file, ask, pixels, &of);
    if (err == CN_OK) err = finish(&of, ask, out, size, n);
    free(of.pixel);
    return err;
}
