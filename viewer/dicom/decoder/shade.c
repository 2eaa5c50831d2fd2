#include "viewer/dicom/decoder/shade.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NESTED 4

/* ---- what the file says ---- */

typedef struct shade_reading {
    cn_shade *shade;
    const cn_opened *file;
    uint32_t frame;
    uint32_t sequence[NESTED]; /* tags that we are in */
    int64_t item[NESTED];      /* its number in each */
    unsigned depth;
    int64_t pad_value, pad_limit;
    bool has_pad, has_limit;
} shade_reading;

static double decimal(const shade_reading *of, const cn_element *element, double otherwise)
{
    char text[32] = "", *end = text;
    size_t n = element->length < sizeof(text) - 1 ? (size_t)element->length : sizeof(text) - 1;
    memcpy(text, of->file->dataset.bytes + element->value, n);
    double value = strtod(text, &end);
    return end != text && isfinite(value) ? value : otherwise;
}

static uint32_t word(const shade_reading *of, const cn_element *element, unsigned index)
{
    if (element->length < 2 * (uint64_t)index + 2) return 0;
    return cn_dicom_u16(of->file->dataset.bytes + element->value + 2 * (size_t)index, element->big);
}

static int64_t stored_word(const shade_reading *of, const cn_element *element)
{
    uint32_t value = word(of, element, 0);
    return of->file->model.picture.is_signed ? (int16_t)value : (int64_t)value;
}

/* PS3.3 C.11.1.1: how many (0: 65536), the first value, bits. */
static void take_descriptor(const shade_reading *of, const cn_element *element, cn_lut *lut)
{
    if (element->length < 6) return;
    uint32_t entries = word(of, element, 0), first = word(of, element, 1);
    bool is_signed = of->file->model.picture.is_signed && strcmp(element->vr, "US") != 0;
    lut->entries = entries ? entries : 65536;
    lut->first = is_signed ? (int16_t)first : (int32_t)first;
    lut->bits = word(of, element, 2);
}

static bool says(const cn_element *element, const char *text, const cn_opened *file)
{
    size_t n = strlen(text);
    return element->length >= n && memcmp(file->dataset.bytes + element->value, text, n) == 0;
}

static void take_window(shade_reading *of, const cn_element *element)
{
    cn_shade *shade = of->shade;
    if (element->tag == 0x00281050) {
        shade->center = decimal(of, element, 0);
        shade->windowed = element->length > 0;
    } else if (element->tag == 0x00281051)
        shade->width = decimal(of, element, 0);
    else if (element->tag == 0x00281056)
        shade->function = says(element, "SIGMOID", of->file)        ? CN_VOI_SIGMOID
                          : says(element, "LINEAR_EXACT", of->file) ? CN_VOI_EXACT
                                                                    : CN_VOI_LINEAR;
    else if (element->tag == 0x00281052)
        shade->intercept = decimal(of, element, 0);
    else if (element->tag == 0x00281053)
        shade->slope = decimal(of, element, 1);
}

static void take_root(shade_reading *of, const cn_element *element)
{
    cn_shade *shade = of->shade;
    uint32_t tag = element->tag;
    if (tag >= 0x00281101 && tag <= 0x00281103) take_descriptor(of, element, &shade->palette[tag - 0x00281101]);
    if (tag >= 0x00281201 && tag <= 0x00281203) shade->palette[tag - 0x00281201].data = *element;
    if (tag == 0x20500020) shade->inverse = says(element, "INVERSE", of->file);
    if (tag == 0x00280120) {
        of->pad_value = stored_word(of, element);
        of->has_pad = element->length >= 2;
    }
    if (tag == 0x00280121) {
        of->pad_limit = stored_word(of, element);
        of->has_limit = element->length >= 2;
    }
    take_window(of, element);
}

static void take_lut(shade_reading *of, const cn_element *element, cn_lut *lut)
{
    if (of->item[0]) return; /* the first of several */
    if (element->tag == 0x00283002) take_descriptor(of, element, lut);
    if (element->tag == 0x00283006) lut->data = *element;
}

/* Shared functional groups, or those of our frame: frame VOI LUT, pixel value transformation (PS3.3 C.7.6.16.2). */
static bool in_groups(const shade_reading *of)
{
    bool ours = of->sequence[0] == 0x52009229 || (of->sequence[0] == 0x52009230 && of->item[0] == (int64_t)of->frame);
    return of->depth == 2 && ours && (of->sequence[1] == 0x00289132 || of->sequence[1] == 0x00289145) && !of->item[1];
}

static cn_err on_element(void *user, const cn_element *element)
{
    shade_reading *of = user;
    if (of->depth == 0)
        take_root(of, element);
    else if (of->depth == 1 && of->sequence[0] == 0x00283000)
        take_lut(of, element, &of->shade->modality);
    else if (of->depth == 1 && of->sequence[0] == 0x00283010)
        take_lut(of, element, &of->shade->voi);
    else if (in_groups(of))
        take_window(of, element);
    return CN_OK;
}

static cn_err on_sequence(void *user, const cn_element *element, bool begins)
{
    shade_reading *of = user;
    if (!begins) {
        of->depth--;
        return CN_OK;
    }
    if (of->depth < NESTED) {
        of->sequence[of->depth] = element->tag;
        of->item[of->depth] = -1;
    }
    of->depth++;
    return CN_OK;
}

static cn_err on_item(void *user, bool begins)
{
    shade_reading *of = user;
    if (begins && of->depth <= NESTED) of->item[of->depth - 1]++;
    return CN_OK;
}

/* Tables whose data are not all there are none. */
static void check_lut(cn_lut *lut)
{
    unsigned bytes = lut->data.vr[1] == 'B' || lut->data.length < 2 * (uint64_t)lut->entries ? 1 : 2;
    if (lut->data.length < (uint64_t)lut->entries * bytes || lut->bits < 8 || lut->bits > 16) lut->entries = 0;
}

cn_err cn_shade_read(cn_shade *out, cn_opened *file, uint32_t frame)
{
    *out = (cn_shade){.slope = 1};
    shade_reading of = {.shade = out, .file = file, .frame = frame};
    const cn_walker walker = {.user = &of, .element = on_element, .sequence = on_sequence, .item = on_item};
    CN_TRY(cn_dataset_walk(&file->dataset, &walker));
    check_lut(&out->modality);
    check_lut(&out->voi);
    for (int i = 0; i < 3; i++) check_lut(&out->palette[i]);
    if (strcmp(file->model.picture.photometric, "MONOCHROME1") == 0) out->inverse = true;
    if (out->width < (out->function == CN_VOI_LINEAR ? 1 : 1e-9)) out->windowed = false;
    if (out->slope == 0) out->slope = 1;
    out->padded = of.has_pad;
    out->pad_low = of.has_limit && of.pad_limit < of.pad_value ? of.pad_limit : of.pad_value;
    out->pad_high = of.has_limit && of.pad_limit > of.pad_value ? of.pad_limit : of.pad_value;
    return CN_OK;
}

/* ---- values ---- */

uint32_t cn_lut_at(const cn_opened *file, const cn_lut *lut, int64_t value)
{
    int64_t at = value - lut->first;
    at = at < 0 ? 0 : at >= lut->entries ? (int64_t)lut->entries - 1 : at;
    const uint8_t *bytes = file->dataset.bytes + lut->data.value;
    bool narrow = lut->data.length < 2 * (uint64_t)lut->entries || lut->data.vr[1] == 'B';
    if (narrow && lut->data.big && lut->data.vr[1] == 'W') at ^= 1;
    return narrow ? bytes[at] : cn_dicom_u16(bytes + 2 * at, lut->data.big);
}

int64_t cn_shade_stored(const cn_opened *file, const uint8_t *pixels, size_t at)
{
    const cn_picture *picture = &file->model.picture;
    unsigned bytes = picture->bits_allocated / 8, bits = picture->bits_stored;
    if (!bytes) return pixels[at / 8] >> (at % 8) & 1;
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes && i < 8; i++) value |= (uint64_t)pixels[at * bytes + i] << (8 * i);
    unsigned high = picture->high_bit;
    unsigned shift = high + 1 > bits && high < picture->bits_allocated ? high + 1 - bits : 0;
    if (bits >= 64) return (int64_t)value;
    value = value >> shift & (((uint64_t)1 << bits) - 1);
    bool negative = picture->is_signed && value >> (bits - 1) & 1;
    return negative ? (int64_t)(value | ~(((uint64_t)1 << bits) - 1)) : (int64_t)value;
}

static double modality(const cn_shade *shade, const cn_opened *file, int64_t stored)
{
    if (shade->modality.entries) return cn_lut_at(file, &shade->modality, stored);
    return (double)stored * shade->slope + shade->intercept;
}

static bool is_padding(const cn_shade *shade, int64_t stored)
{
    return shade->padded && stored >= shade->pad_low && stored <= shade->pad_high;
}

void cn_shade_stretch(cn_shade *shade, const cn_opened *file, const uint8_t *pixels, size_t n)
{
    double low = INFINITY, high = -INFINITY;
    if (shade->windowed || shade->voi.entries) return;
    for (size_t at = 0; at < n; at++) {
        int64_t stored = cn_shade_stored(file, pixels, at);
        if (is_padding(shade, stored)) continue;
        double value = modality(shade, file, stored);
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    if (file->model.picture.bits_stored <= 8 && !shade->modality.entries) {
        double bottom = file->model.picture.is_signed ? -(double)(1u << (file->model.picture.bits_stored - 1)) : 0;
        low = bottom * shade->slope + shade->intercept;
        high = (bottom + (double)((1u << file->model.picture.bits_stored) - 1)) * shade->slope + shade->intercept;
    }
    shade->windowed = low <= high || low > high;
    shade->function = CN_VOI_EXACT;
    shade->center = isfinite(low) ? (low + high) / 2 : 0;
    shade->width = isfinite(low) && high != low ? fabs(high - low) : 1;
}

/* PS3.3 C.11.2.1.2 and C.11.2.1.3. */
static double through_window(const cn_shade *shade, double value)
{
    double center = shade->center, width = shade->width;
    if (shade->function == CN_VOI_SIGMOID) return 1 / (1 + exp(-4 * (value - center) / width));
    if (shade->function == CN_VOI_EXACT) return (value - center) / width + 0.5;
    if (width <= 1) return value > center - 0.5 ? 1 : 0;
    return (value - (center - 0.5)) / (width - 1) + 0.5;
}

uint8_t cn_shade_grey(const cn_shade *shade, const cn_opened *file, int64_t stored)
{
    double value = modality(shade, file, stored), shown;
    if (shade->voi.entries && !shade->windowed) {
        uint32_t most = shade->voi.bits >= 16 ? 65535 : (1u << shade->voi.bits) - 1;
        double at = floor(value + 0.5);
        shown = cn_lut_at(file, &shade->voi,
                          at < -1e9  ? -1000000000
                          : at > 1e9 ? 1000000000
                                     : (int64_t)at) /
                (double)most;
    } else
        shown = through_window(shade, value);
    shown = shown < 0 ? 0 : shown > 1 ? 1 : shown;
    if (shade->inverse) shown = 1 - shown;
    return (uint8_t)(shown * 255 + 0.5);
}
