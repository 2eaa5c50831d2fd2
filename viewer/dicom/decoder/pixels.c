#include "viewer/dicom/decoder/pixels.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "viewer/dicom/decoder/codecs.h"

cn_err cn_opened_open(cn_opened *out, const uint8_t *bytes, uint64_t len)
{
    memset(out, 0, sizeof(*out));
    CN_TRY(cn_dataset_open(&out->dataset, bytes, len));
    CN_TRY(cn_model_read(&out->model, &out->dataset));
    return cn_frames_find(&out->dataset, &out->model.picture, &out->frames);
}

void cn_opened_close(cn_opened *file)
{
    cn_frames_clear(&file->frames);
    cn_model_clear(&file->model);
    cn_dataset_close(&file->dataset);
}

static bool becomes_rgb(const cn_opened *file)
{
    const cn_picture *picture = &file->model.picture;
    cn_dicom_codec codec = file->dataset.codec;
    bool undoes = codec == CN_CODEC_JPEG || codec == CN_CODEC_J2K || codec == CN_CODEC_HTJ2K;
    return picture->pixels.undefined && undoes && picture->samples == 3 && strncmp(picture->photometric, "YBR", 3) == 0;
}

const char *cn_pixels_photometric(const cn_opened *file)
{
    return becomes_rgb(file) ? "RGB" : file->model.picture.photometric;
}

bool cn_pixels_planar(const cn_opened *file)
{
    const cn_picture *picture = &file->model.picture;
    return !picture->pixels.undefined && picture->planar && picture->samples > 1;
}

size_t cn_pixels_bytes(const cn_opened *file)
{
    const cn_picture *picture = &file->model.picture;
    uint64_t n = (uint64_t)picture->rows * picture->columns * picture->samples * picture->bits_allocated;
    if (!picture->pixels.undefined) n = cn_frame_bytes(picture) * 8;
    return n / 8 < CN_DICOM_SHARED ? (size_t)((n + 7) / 8) : 0;
}

/* ---- native ---- */

static void swap(uint8_t *bytes, size_t n, unsigned word)
{
    for (size_t at = 0; at + word <= n; at += word)
        for (unsigned i = 0; i < word / 2; i++) {
            uint8_t one = bytes[at + i];
            bytes[at + i] = bytes[at + word - 1 - i];
            bytes[at + word - 1 - i] = one;
        }
}

/* Frames of single bits follow each other without a gap (PS3.5 §8.1.1); the lowest bit comes first. */
static void copy_bits(const uint8_t *from, uint64_t bit, uint64_t bits, uint8_t *out)
{
    memset(out, 0, (size_t)((bits + 7) / 8));
    for (uint64_t i = 0; i < bits; i++, bit++)
        if (from[bit / 8] >> (bit % 8) & 1) out[i / 8] = (uint8_t)(out[i / 8] | 1u << (i % 8));
}

/* In big endian, words of OW hold two bytes of 8-bit pixels the other way round (PS3.5 §8.1.1, Annex D). */
static void copy_words(const cn_dataset *dataset, const cn_element *pixels, uint64_t at, size_t n, uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t from = (at + i) ^ 1;
        out[i] = from < pixels->length ? dataset->bytes[pixels->value + from] : 0;
    }
}

static cn_err frame_native(const cn_opened *file, uint32_t index, uint8_t *out)
{
    const cn_picture *picture = &file->model.picture;
    const cn_element *pixels = &picture->pixels;
    const uint8_t *from = file->dataset.bytes + pixels->value;
    size_t n = cn_pixels_bytes(file);
    bool words = pixels->big && pixels->vr[1] == 'W' && picture->bits_allocated <= 8;
    if (picture->bits_allocated == 1) {
        uint64_t bits = (uint64_t)picture->rows * picture->columns * picture->samples;
        if (words) {
            uint64_t first = bits * index / 8;
            size_t span = (size_t)((bits * (index + 1) + 7) / 8 - first);
            CN_AUTO_FREE uint8_t *turned = malloc(span);
            if (!turned) return CN_ERR_NOMEM;
            copy_words(&file->dataset, pixels, first, span, turned);
            copy_bits(turned, bits * index - 8 * first, bits, out);
        } else
            copy_bits(from, bits * index, bits, out);
    } else if (words) {
        copy_words(&file->dataset, pixels, (uint64_t)n * index, n, out);
    } else {
        memcpy(out, from + (uint64_t)n * index, n);
        if (pixels->big) swap(out, n, picture->bits_allocated / 8);
    }
    return CN_OK;
}

/* ---- compressed ---- */

/* The frame's fragments as one; `*own` is to be freed where there are several. */
static cn_err gather(const cn_opened *file, uint32_t index, const uint8_t **bytes, size_t *len, uint8_t **own)
{
    const cn_frames *frames = &file->frames;
    uint32_t from = frames->first[index], to = frames->first[index + 1];
    uint64_t all = 0;
    for (uint32_t i = from; i < to; i++) all += frames->fragment[i].length;
    *len = (size_t)all;
    *bytes = file->dataset.bytes + frames->fragment[from].offset;
    if (to - from == 1) return CN_OK;
    uint8_t *at = *own = malloc(all ? (size_t)all : 1);
    if (!at) return CN_ERR_NOMEM;
    for (uint32_t i = from; i < to; i++) {
        memcpy(at, file->dataset.bytes + frames->fragment[i].offset, (size_t)frames->fragment[i].length);
        at += frames->fragment[i].length;
    }
    *bytes = *own;
    return CN_OK;
}

static cn_frame_codec *codec_of(cn_dicom_codec codec)
{
    switch (codec) {
    case CN_CODEC_JPEG: return cn_codec_jpeg;
    case CN_CODEC_JPEGLS: return cn_codec_jpegls;
    case CN_CODEC_J2K: return cn_codec_j2k;
    case CN_CODEC_HTJ2K: return cn_codec_htj2k;
    case CN_CODEC_RLE: return cn_codec_rle;
    case CN_CODEC_DEFLATED: return cn_codec_deflated;
    default: return NULL;
    }
}

/* Single bits that were compressed as bytes (PS3.5 §8.2) are packed again. */
static void pack(const uint8_t *from, size_t n, uint8_t *out)
{
    memset(out, 0, (n + 7) / 8);
    for (size_t i = 0; i < n; i++)
        if (from[i]) out[i / 8] = (uint8_t)(out[i / 8] | 1u << (i % 8));
}

static cn_err decode(cn_opened *file, uint32_t index, const uint8_t *bytes, size_t len, uint8_t *out)
{
    const cn_picture *picture = &file->model.picture;
    bool bit = picture->bits_allocated == 1;
    size_t pixels = (size_t)picture->rows * picture->columns * picture->samples;
    cn_target to = {.out = out,
                    .rows = picture->rows,
                    .columns = picture->columns,
                    .samples = picture->samples,
                    .bytes = bit ? 1 : picture->bits_allocated / 8,
                    .ybr = becomes_rgb(file),
                    .is_signed = picture->is_signed};
    cn_frame_codec *codec = codec_of(file->dataset.codec);
    if (!codec || to.bytes > 4)
        return cn_dataset_refuse(&file->dataset, CN_ERR_UNSUPPORTED, picture->pixels.tag,
                                 "pictures of the transfer syntax %s are not decoded here.", file->dataset.syntax);
    /* a native frame inside */
    bool packed = bit && (file->dataset.codec == CN_CODEC_DEFLATED || file->dataset.codec == CN_CODEC_RLE);
    CN_AUTO_FREE uint8_t *spread = bit ? calloc(1, pixels + 1) : NULL;
    if (bit && !spread) return CN_ERR_NOMEM;
    if (packed) {
        to.columns = (uint32_t)((pixels + 7) / 8);
        to.rows = to.samples = 1;
    } else if (bit)
        to.out = spread;
    cn_err err = codec(bytes, len, &to);
    if (err == CN_OK && bit && !packed) pack(spread, pixels, out);
    if (err == CN_OK) return CN_OK;
    return cn_dataset_refuse(&file->dataset, err, picture->pixels.tag, "frame %u: %s.", index + 1,
                             to.why ? to.why : cn_err_text(err));
}

cn_err cn_pixels_frame(cn_opened *file, uint32_t index, uint8_t *out)
{
    const cn_picture *picture = &file->model.picture;
    if (index >= picture->frames)
        return cn_dataset_refuse(&file->dataset, CN_ERR_NOTFOUND, 0x00280008, "there is no frame %u.", index + 1);
    if (!cn_pixels_bytes(file))
        return cn_dataset_refuse(&file->dataset, CN_ERR_TOOBIG, picture->pixels.tag, "a frame is too large.");
    if (!picture->pixels.undefined) return frame_native(file, index, out);
    const uint8_t *bytes = NULL;
    size_t len = 0;
    CN_AUTO_FREE uint8_t *own = NULL;
    if (file->frames.first[index] == file->frames.first[index + 1] || file->dataset.codec == CN_CODEC_VIDEO)
        return cn_dataset_refuse(&file->dataset, CN_ERR_UNSUPPORTED, picture->pixels.tag,
                                 "a film has no frames of its own.");
    CN_TRY(gather(file, index, &bytes, &len, &own));
    return decode(file, index, bytes, len, out);
}

cn_err cn_pixels_stored(cn_opened *file, uint32_t index, uint8_t *out, size_t size, size_t *n)
{
    const cn_picture *picture = &file->model.picture;
    if (index >= picture->frames)
        return cn_dataset_refuse(&file->dataset, CN_ERR_NOTFOUND, 0x00280008, "there is no frame %u.", index + 1);
    if (!picture->pixels.undefined || file->dataset.codec == CN_CODEC_VIDEO)
        return cn_dataset_refuse(&file->dataset, CN_ERR_UNSUPPORTED, picture->pixels.tag,
                                 "its frames are not compressed one by one.");
    const uint8_t *bytes = NULL;
    CN_AUTO_FREE uint8_t *own = NULL;
    CN_TRY(gather(file, index, &bytes, n, &own));
    if (*n > size)
        return cn_dataset_refuse(&file->dataset, CN_ERR_TOOBIG, picture->pixels.tag, "a frame is too large.");
    memcpy(out, bytes, *n);
    return CN_OK;
}
