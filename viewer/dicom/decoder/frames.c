#include "viewer/dicom/decoder/frames.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PIXEL_DATA 0x7fe00010u
#define NUMBER_OF_FRAMES 0x00280008u
#define ROWS 0x00280010u

static uint64_t frame_bits(const cn_picture *picture)
{
    uint64_t pixels = (uint64_t)picture->rows * picture->columns;
    /* PS3.3 C.7.6.3.1.2: two pixels share their colours */
    uint64_t samples =
        strcmp(picture->photometric, "YBR_FULL_422") == 0 && picture->samples == 3 ? 2 : picture->samples;
    return pixels * samples * picture->bits_allocated;
}

uint64_t cn_frame_bytes(const cn_picture *picture)
{
    return (frame_bits(picture) + 7) / 8;
}

static cn_err find_native(cn_dataset *dataset, const cn_picture *picture, cn_frames *out)
{
    uint64_t bits = frame_bits(picture), all = (bits * picture->frames + 7) / 8;
    if (picture->pixels.length < all)
        return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, picture->pixels.tag,
                                 "has %llu bytes, %u frames of %u rows and %u columns need %llu.",
                                 (unsigned long long)picture->pixels.length, picture->frames, picture->rows,
                                 picture->columns, (unsigned long long)all);
    out->frame_bytes = bits % 8 == 0 ? bits / 8 : 0;
    return CN_OK;
}

/* ---- encapsulated ---- */

static bool next_fragment(const cn_dataset *dataset, const cn_element *pixels, uint64_t *at, cn_dicom_span *out)
{
    if (*at + 8 > pixels->value + pixels->length) return false;
    *out = (cn_dicom_span){*at + 8, cn_dicom_u32(dataset->bytes + *at + 4, dataset->big)};
    *at += 8 + out->length; /* the walk has seen that they fit */
    return true;
}

/* All fragments; `*table`: the first item, which is the basic offset table. */
static cn_err list_fragments(cn_dataset *dataset, const cn_picture *picture, cn_dicom_span *table, cn_frames *out)
{
    cn_dicom_span span;
    uint64_t begin = picture->pixels.value, at;
    if (!next_fragment(dataset, &picture->pixels, &begin, table))
        return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, PIXEL_DATA, "has no offset table and no fragments.");
    uint32_t n = 0;
    for (at = begin; next_fragment(dataset, &picture->pixels, &at, &span); n++)
        if (n >= CN_DICOM_FRAMES)
            return cn_dataset_refuse(dataset, CN_ERR_TOOBIG, PIXEL_DATA, "has too many fragments.");
    if (!n) return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, PIXEL_DATA, "has no fragments.");
    out->fragment = cn_calloc(n, sizeof(*out->fragment));
    if (!out->fragment) return CN_ERR_NOMEM;
    for (at = begin; out->fragments < n; out->fragments++)
        next_fragment(dataset, &picture->pixels, &at, &out->fragment[out->fragments]);
    return CN_OK;
}

static uint64_t number_at(const cn_dataset *dataset, uint64_t at, unsigned bytes)
{
    uint64_t low = cn_dicom_u32(dataset->bytes + at, dataset->big);
    return bytes == 4 ? low : (uint64_t)cn_dicom_u32(dataset->bytes + at + 4, dataset->big) << 32 | low;
}

/* Offsets of `bytes` each count from the first byte behind the basic offset table to the item of a frame's first fragment. False: they do
 * not name fragments in order. */
static bool use_table(const cn_dataset *dataset, cn_dicom_span table, unsigned bytes, uint32_t frames, cn_frames *out)
{
    if (table.length != (uint64_t)frames * bytes) return false;
    uint64_t from = out->fragment[0].offset - 8;
    uint32_t at = 0;
    for (uint32_t i = 0; i < frames; i++) {
        uint64_t offset = number_at(dataset, table.offset + (uint64_t)i * bytes, bytes);
        while (at < out->fragments && out->fragment[at].offset - 8 - from < offset) at++;
        if (at >= out->fragments || out->fragment[at].offset - 8 - from != offset || (i && at == out->first[i - 1]))
            return false;
        out->first[i] = at;
    }
    out->first[frames] = out->fragments;
    return out->first[0] == 0;
}

/* A codestream begins here: JPEG and JPEG-LS, JPEG 2000 bare and as a file. */
static bool begins_picture(const cn_dataset *dataset, cn_dicom_span span)
{
    const uint8_t *byte = dataset->bytes + span.offset;
    if (span.length < 12) return false;
    return (byte[0] == 0xff && byte[1] == 0xd8) || memcmp(byte, "\xff\x4f\xff\x51", 4) == 0 ||
           memcmp(byte, "\0\0\0\x0cjP  ", 8) == 0;
}

static bool use_beginnings(const cn_dataset *dataset, uint32_t frames, cn_frames *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < out->fragments; i++) {
        if (i && !begins_picture(dataset, out->fragment[i])) continue;
        if (n >= frames) return false;
        out->first[n++] = i;
    }
    out->first[frames] = out->fragments;
    return n == frames;
}

static void use_each(uint32_t frames, cn_frames *out)
{
    for (uint32_t i = 0; i <= frames; i++) out->first[i] = i;
}

static cn_err share_out(cn_dataset *dataset, const cn_picture *picture, cn_dicom_span table, cn_frames *out)
{
    uint32_t frames = picture->frames;
    const cn_dicom_span extended = {picture->offsets.value, picture->offsets.length};
    bool video = dataset->codec == CN_CODEC_VIDEO;
    if (frames == 1 || video) {
        out->first[0] = 0;
        for (uint32_t i = 1; i <= frames; i++) out->first[i] = out->fragments;
        out->odd_table = table.length > 4 && !video;
        return CN_OK;
    }
    if (extended.length && use_table(dataset, extended, 8, frames, out)) return CN_OK;
    if (table.length && use_table(dataset, table, 4, frames, out)) return CN_OK;
    out->odd_table = extended.length || table.length;
    if (out->fragments == frames)
        use_each(frames, out);
    else if (out->fragments < frames)
        return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, NUMBER_OF_FRAMES, "says %u, the pixel data has %u fragments.",
                                 frames, out->fragments);
    else if (!use_beginnings(dataset, frames, out))
        return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, PIXEL_DATA,
                                 "which of its %u fragments belong to which of %u frames cannot be known.",
                                 out->fragments, frames);
    return CN_OK;
}

static cn_err find_encapsulated(cn_dataset *dataset, const cn_picture *picture, cn_frames *out)
{
    cn_dicom_span table = {0, 0};
    CN_TRY(list_fragments(dataset, picture, &table, out));
    out->first = cn_calloc((size_t)picture->frames + 1, sizeof(*out->first));
    if (!out->first) return CN_ERR_NOMEM;
    CN_TRY(share_out(dataset, picture, table, out));
    out->single = dataset->codec != CN_CODEC_VIDEO && out->fragments == picture->frames;
    for (uint32_t i = 0; out->single && i < picture->frames; i++) out->single = out->fragment[i].length > 0;
    return CN_OK;
}

cn_err cn_frames_find(cn_dataset *dataset, const cn_picture *picture, cn_frames *out)
{
    *out = (cn_frames){.fragment = NULL};
    if (!picture->has_pixels || !picture->frames) return CN_OK;
    if (!picture->rows || !picture->columns)
        return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, picture->rows ? ROWS + 1 : ROWS,
                                 "is 0 or missing, and there are pixels.");
    return picture->pixels.undefined ? find_encapsulated(dataset, picture, out) : find_native(dataset, picture, out);
}

void cn_frames_clear(cn_frames *frames)
{
    free(frames->fragment);
    free(frames->first);
    *frames = (cn_frames){.fragment = NULL};
}
