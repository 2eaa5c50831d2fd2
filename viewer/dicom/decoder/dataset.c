#include "viewer/dicom/decoder/dataset.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/str.h"
#include "viewer/dicom/decoder/dictionary.h"

#define UNDEFINED 0xffffffffu
#define ITEM 0xfffee000u
#define ITEM_END 0xfffee00du
#define SEQUENCE_END 0xfffee0ddu
#define PIXEL_DATA 0x7fe00010u
#define PIXEL_REPRESENTATION 0x00280103u

/* ---- bytes ---- */

uint16_t cn_dicom_u16(const uint8_t *at, bool big)
{
    return (uint16_t)(big ? at[0] << 8 | at[1] : at[1] << 8 | at[0]);
}

uint32_t cn_dicom_u32(const uint8_t *at, bool big)
{
    uint32_t first = cn_dicom_u16(at, big), second = cn_dicom_u16(at + 2, big);
    return big ? first << 16 | second : second << 16 | first;
}

cn_err cn_dataset_refuse(cn_dataset *dataset, cn_err err, uint32_t tag, const char *fmt, ...)
{
    char text[160];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    const char *name = cn_dictionary_name(tag);
    snprintf(dataset->why, sizeof(dataset->why), "(%04X,%04X)%s%s: %s", tag >> 16, tag & 0xffff, *name ? " " : "", name,
             text);
    return err;
}

static cn_err refuse_file(cn_dataset *dataset, cn_err err, const char *why)
{
    cn_strcpy(dataset->why, sizeof(dataset->why), why);
    return err;
}

bool cn_dicom_uid(char out[65], const uint8_t *bytes, uint64_t len)
{
    while (len && (bytes[len - 1] == 0 || bytes[len - 1] == ' ')) len--;
    while (len && bytes[0] == ' ') bytes++, len--;
    out[0] = 0;
    if (len > 64) return false;
    for (uint64_t i = 0; i < len; i++)
        if (!isdigit(bytes[i]) && bytes[i] != '.') return false;
    memcpy(out, bytes, len);
    out[len] = 0;
    return true;
}

/* ---- one element's head ---- */

typedef struct walking {
    cn_dataset *dataset;
    const cn_walker *walker;
    bool implicit, big, is_signed;
    uint32_t elements;
} walking;

/* Explicit VRs with a length of four bytes (PS3.5 table 7.1-1), and whatever new one is made of letters. */
static bool is_long_vr(const char *vr)
{
    static const char shorts[] = "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US ";
    for (const char *at = shorts; *at; at += 3)
        if (at[0] == vr[0] && at[1] == vr[1]) return false;
    return true;
}

static bool is_vr(const uint8_t *at)
{
    return at[0] >= 'A' && at[0] <= 'Z' && at[1] >= 'A' && at[1] <= 'Z';
}

static bool is_known_vr(const uint8_t *at)
{
    static const char longs[] = "OB OD OF OL OV OW SQ SV UC UN UR UT UV ";
    if (!is_vr(at)) return false;
    for (const char *one = longs; *one; one += 3)
        if (one[0] == (char)at[0] && one[1] == (char)at[1]) return true;
    return !is_long_vr((const char *)at);
}

/* What an implicit element is, and one of UN whose tag is known (PS3.5 §6.2.2 note 2). */
static void vr_of(const walking *of, uint32_t tag, char vr[3])
{
    const char *known = cn_dictionary_vr(tag);
    if (!known)
        known = "UN";
    else if (strcmp(known, "xs") == 0)
        known = of->is_signed ? "SS" : "US";
    else if (strcmp(known, "ox") == 0 || strcmp(known, "px") == 0 || strcmp(known, "lt") == 0)
        known = "OW";
    else if (strcmp(known, "up") == 0)
        known = "UL";
    else if (!is_known_vr((const uint8_t *)known))
        known = "UN";
    memcpy(vr, known, 3);
}

static cn_err cut_off(const walking *of, uint32_t tag)
{
    return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, tag, "the file ends in the middle of this element.");
}

/* `*at` moves to the value. In `*implicit` how what is inside is encoded. */
static cn_err read_head(walking *of, uint64_t *at, uint64_t end, bool implicit, cn_element *out, uint32_t *length)
{
    const uint8_t *byte = of->dataset->bytes + *at;
    uint64_t left = end - *at;
    if (left < 8) return refuse_file(of->dataset, CN_ERR_CORRUPT, "The file ends in the middle of an element's tag.");
    out->head = *at;
    out->big = of->big;
    out->tag = (uint32_t)cn_dicom_u16(byte, of->big) << 16 | cn_dicom_u16(byte + 2, of->big);
    bool delimiter = out->tag >> 16 == 0xfffe;
    if (delimiter) memcpy(out->vr, "  ", 3);
    if (implicit || delimiter || !is_vr(byte + 4)) { /* devices leave single ones without a VR */
        *length = cn_dicom_u32(byte + 4, of->big);
        *at += 8;
        if (!delimiter) vr_of(of, out->tag, out->vr);
        return CN_OK;
    }
    memcpy(out->vr, byte + 4, 2);
    out->vr[2] = 0;
    bool is_long = is_long_vr(out->vr);
    if (is_long && left < 12) return cut_off(of, out->tag);
    *length = is_long ? cn_dicom_u32(byte + 8, of->big) : cn_dicom_u16(byte + 6, of->big);
    *at += is_long ? 12 : 8;
    if (is_long && !is_known_vr(byte + 4)) memcpy(out->vr, "UN", 3);
    return CN_OK;
}

/* ---- fragments ---- */

/* The items of encapsulated pixel data (PS3.5 §A.4) up to the delimiter, behind which `*at` stands then. */
static cn_err skip_fragments(walking *of, cn_element *element, uint64_t *at, uint64_t end)
{
    for (;;) {
        const uint8_t *byte = of->dataset->bytes + *at;
        if (end - *at < 8)
            return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, element->tag,
                                     "the file ends before the last fragment is complete.");
        uint32_t tag = (uint32_t)cn_dicom_u16(byte, of->big) << 16 | cn_dicom_u16(byte + 2, of->big);
        uint32_t length = cn_dicom_u32(byte + 4, of->big);
        if (tag == SEQUENCE_END) {
            element->length = *at - element->value;
            *at += 8;
            return CN_OK;
        }
        if (tag != ITEM)
            return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, element->tag,
                                     "between its fragments stands (%04X,%04X).", tag >> 16, tag & 0xffff);
        *at += 8;
        if (length > end - *at)
            return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, element->tag,
                                     "a fragment says it has %u bytes, %llu are left.", length,
                                     (unsigned long long)(end - *at));
        *at += length;
    }
}

/* ---- data sets and sequences ---- */

static cn_err walk_elements(walking *of, uint64_t *at, uint64_t end, bool implicit, bool open_end, unsigned depth);

static cn_err call_item(const walking *of, bool begins)
{
    return of->walker->item ? of->walker->item(of->walker->user, begins) : CN_OK;
}

static cn_err walk_item(walking *of, const cn_element *sequence, uint32_t length, uint64_t *at, uint64_t end,
                        bool implicit)
{
    bool open_end = length == UNDEFINED;
    if (!open_end && length > end - *at)
        return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, sequence->tag,
                                 "an item says it has %u bytes, %llu are left.", length,
                                 (unsigned long long)(end - *at));
    CN_TRY(call_item(of, true));
    CN_TRY(walk_elements(of, at, open_end ? end : *at + length, implicit, open_end, sequence->depth + 1));
    return call_item(of, false);
}

static cn_err walk_sequence(walking *of, const cn_element *sequence, uint64_t *at, uint64_t end, bool implicit)
{
    bool open_end = sequence->undefined;
    if (sequence->depth >= CN_DATASET_DEPTH)
        return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, sequence->tag, "sequences are nested more than %d deep.",
                                 CN_DATASET_DEPTH);
    while (*at < end || open_end) {
        cn_element item;
        uint32_t length = 0;
        if (end - *at < 8)
            return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, sequence->tag, "this sequence does not end.");
        CN_TRY(read_head(of, at, end, implicit, &item, &length));
        if (item.tag == SEQUENCE_END && open_end) return CN_OK;
        if (item.tag == SEQUENCE_END) continue; /* superfluous: some writers end both ways */
        if (item.tag != ITEM)
            return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, sequence->tag,
                                     "where an item should begin stands (%04X,%04X).", item.tag >> 16,
                                     item.tag & 0xffff);
        if (++of->elements > CN_DATASET_ELEMENTS)
            return cn_dataset_refuse(of->dataset, CN_ERR_TOOBIG, sequence->tag, "the file has too many elements.");
        CN_TRY(walk_item(of, sequence, length, at, end, implicit));
    }
    return CN_OK;
}

static cn_err take_sequence(walking *of, cn_element *element, uint64_t *at, uint64_t end, bool implicit)
{
    const cn_walker *walker = of->walker;
    uint64_t stop = element->undefined ? end : *at + element->length;
    if (walker->sequence) CN_TRY(walker->sequence(walker->user, element, true));
    CN_TRY(walk_sequence(of, element, at, stop, implicit));
    return walker->sequence ? walker->sequence(walker->user, element, false) : CN_OK;
}

static cn_err take_value(walking *of, cn_element *element, uint64_t *at)
{
    const cn_dataset *dataset = of->dataset;
    if (!element->undefined) *at += element->length;
    if (element->tag == PIXEL_REPRESENTATION && element->length >= 2)
        of->is_signed = cn_dicom_u16(dataset->bytes + element->value, element->big) & 1;
    return of->walker->element ? of->walker->element(of->walker->user, element) : CN_OK;
}

static bool is_pixels(const cn_element *element)
{
    bool other = element->vr[0] == 'O' && (element->vr[1] == 'B' || element->vr[1] == 'W');
    return element->tag == PIXEL_DATA || (other && element->undefined);
}

/* Whether what the dictionary calls a sequence is one: in older editions of the standard some tags were something else. */
static bool begins_item(const walking *of, const cn_element *element)
{
    const uint8_t *byte = of->dataset->bytes + element->value;
    if (element->length < 8) return element->length == 0;
    return cn_dicom_u16(byte, of->big) == 0xfffe;
}

static cn_err walk_element(walking *of, cn_element *element, uint32_t length, uint64_t *at, uint64_t end, bool implicit)
{
    element->value = *at;
    element->undefined = length == UNDEFINED;
    element->length = element->undefined ? 0 : length;
    if (!element->undefined && length > end - *at)
        return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, element->tag, "says it has %u bytes, %llu are left.",
                                 length, (unsigned long long)(end - *at));
    if (element->undefined && is_pixels(element)) {
        CN_TRY(skip_fragments(of, element, at, end));
        return take_value(of, element, at);
    }
    bool unknown = strcmp(element->vr, "UN") == 0;
    if (unknown && !element->undefined && length <= 0xfffe) {
        vr_of(of, element->tag, element->vr);
        if (strcmp(element->vr, "SQ") == 0) memcpy(element->vr, "UN", 3); /* who knows how it is encoded */
    }
    if (strcmp(element->vr, "SQ") == 0 && (!implicit || element->undefined || begins_item(of, element)))
        return take_sequence(of, element, at, end, implicit);
    if (strcmp(element->vr, "SQ") == 0) memcpy(element->vr, "UN", 3);
    if (element->undefined && !unknown)
        return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, element->tag,
                                 "a value of kind %s has no length of its own.", element->vr);
    if (element->undefined) { /* PS3.5 §6.2.2: a sequence, implicit inside */
        memcpy(element->vr, "SQ", 3);
        return take_sequence(of, element, at, end, true);
    }
    return take_value(of, element, at);
}

static cn_err walk_elements(walking *of, uint64_t *at, uint64_t end, bool implicit, bool open_end, unsigned depth)
{
    while (*at < end) {
        cn_element element = {.depth = depth};
        uint32_t length = 0;
        if (depth == 0 && end - *at < 8) return CN_OK; /* padding behind the last element */
        CN_TRY(read_head(of, at, end, implicit, &element, &length));
        if (element.tag == ITEM_END && open_end) return CN_OK;
        if (element.tag == ITEM_END || element.tag == SEQUENCE_END) {
            if (length) return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, element.tag, "stands where it may not.");
            continue;
        }
        if (element.tag == ITEM)
            return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, element.tag, "an item stands outside a sequence.");
        if (element.tag == 0 && length == 0 && depth == 0) { /* zeros fill the file up */
            *at = end;
            return CN_OK;
        }
        if (++of->elements > CN_DATASET_ELEMENTS)
            return cn_dataset_refuse(of->dataset, CN_ERR_TOOBIG, element.tag, "the file has too many elements.");
        CN_TRY(walk_element(of, &element, length, at, end, implicit));
    }
    if (open_end) return refuse_file(of->dataset, CN_ERR_CORRUPT, "The file ends within a sequence.");
    return CN_OK;
}

cn_err cn_dataset_walk(cn_dataset *dataset, const cn_walker *walker)
{
    walking of = {.dataset = dataset, .walker = walker, .big = dataset->big};
    uint64_t at = dataset->start;
    return walk_elements(&of, &at, dataset->len, dataset->implicit, false, 0);
}

/* ---- the file ---- */

static const struct {
    const char *uid;
    cn_dicom_codec codec;
} syntaxes[] = {
    {"1.2.840.10008.1.2", CN_CODEC_NATIVE},       {"1.2.840.10008.1.2.1", CN_CODEC_NATIVE},
    {"1.2.840.10008.1.2.1.99", CN_CODEC_NATIVE},  {"1.2.840.10008.1.2.2", CN_CODEC_NATIVE},
    {"1.2.840.10008.1.2.1.98", CN_CODEC_NATIVE},  {"1.2.840.10008.1.2.5", CN_CODEC_RLE},
    {"1.2.840.10008.1.2.8.1", CN_CODEC_DEFLATED}, {"1.2.840.10008.1.2.4.80", CN_CODEC_JPEGLS},
    {"1.2.840.10008.1.2.4.81", CN_CODEC_JPEGLS},  {"1.2.840.10008.1.2.4.90", CN_CODEC_J2K},
    {"1.2.840.10008.1.2.4.91", CN_CODEC_J2K},     {"1.2.840.10008.1.2.4.92", CN_CODEC_J2K},
    {"1.2.840.10008.1.2.4.93", CN_CODEC_J2K},     {"1.2.840.10008.1.2.4.201", CN_CODEC_HTJ2K},
    {"1.2.840.10008.1.2.4.202", CN_CODEC_HTJ2K},  {"1.2.840.10008.1.2.4.203", CN_CODEC_HTJ2K},
    {"1.2.840.10008.1.2.4.50", CN_CODEC_JPEG},    {"1.2.840.10008.1.2.4.51", CN_CODEC_JPEG},
    {"1.2.840.10008.1.2.4.57", CN_CODEC_JPEG},    {"1.2.840.10008.1.2.4.70", CN_CODEC_JPEG},
    {"1.2.840.10008.1.2.4.53", CN_CODEC_JPEG},    {"1.2.840.10008.1.2.4.55", CN_CODEC_JPEG},
};

static cn_dicom_codec codec_of(const char *syntax)
{
    for (size_t i = 0; i < sizeof(syntaxes) / sizeof(syntaxes[0]); i++)
        if (strcmp(syntax, syntaxes[i].uid) == 0) return syntaxes[i].codec;
    return strncmp(syntax, "1.2.840.10008.1.2.4.10", 22) == 0 ? CN_CODEC_VIDEO : CN_CODEC_OTHER;
}

/* How the first element at `at` is encoded, when it can be one at all: its group is small, its length fits. */
static bool looks_like(const cn_dataset *dataset, uint64_t at, bool implicit, bool big)
{
    const uint8_t *byte = dataset->bytes + at;
    if (dataset->len - at < 8) return false;
    uint32_t group = cn_dicom_u16(byte, big), length = cn_dicom_u32(byte + 4, big);
    if (group < 2 || group > 0x20) return false;
    if (!implicit) return is_known_vr(byte + 4);
    return !is_known_vr(byte + 4) && length <= dataset->len - at - 8;
}

/* As the data set really is, which is not always what its meta information says. */
static bool settle_encoding(cn_dataset *dataset)
{
    bool implicit = dataset->implicit, big = dataset->big;
    if (dataset->start >= dataset->len || looks_like(dataset, dataset->start, implicit, big)) return true;
    for (int guess = 0; guess < 3; guess++) {
        if (!looks_like(dataset, dataset->start, guess == 1, guess == 2)) continue;
        dataset->implicit = guess == 1;
        dataset->big = guess == 2;
        dataset->odd_meta = true;
        if (dataset->codec == CN_CODEC_NATIVE)
            cn_strcpy(dataset->syntax, sizeof(dataset->syntax),
                      guess == 0   ? "1.2.840.10008.1.2.1"
                      : guess == 1 ? "1.2.840.10008.1.2"
                                   : "1.2.840.10008.1.2.2");
        return true;
    }
    return dataset->syntax[0] != 0; /* an odd first element: the walk says what is wrong */
}

static cn_err inflate_rest(cn_dataset *dataset)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)(dataset->bytes + dataset->start)};
    size_t size = 1u << 20, n = 0;
    uint8_t *out = malloc(size);
    uint64_t left = dataset->len - dataset->start;
    if (!out || left > CN_DATASET_INFLATED || inflateInit2(&stream, -15) != Z_OK) {
        free(out);
        return refuse_file(dataset, CN_ERR_TOOBIG, "The deflated data set is too large.");
    }
    stream.avail_in = (uInt)left;
    int rc = Z_OK;
    while (rc == Z_OK) {
        if (n == size) {
            uint8_t *more = size < CN_DATASET_INFLATED ? reallocarray(out, 2, size) : NULL;
            if (!more) break;
            out = more;
            size *= 2;
        }
        stream.next_out = out + n;
        stream.avail_out = (uInt)(size - n);
        rc = inflate(&stream, Z_NO_FLUSH);
        n = size - stream.avail_out;
    }
    inflateEnd(&stream);
    dataset->inflated = out;
    if (rc == Z_OK) return refuse_file(dataset, CN_ERR_TOOBIG, "The deflated data set is too large.");
    if (rc != Z_STREAM_END) return refuse_file(dataset, CN_ERR_CORRUPT, "The deflated data set is damaged.");
    dataset->bytes = out;
    dataset->len = n;
    dataset->start = 0;
    dataset->deflated = true;
    return CN_OK;
}

/* Group 2 is explicit little endian, with a group length or without (PS3.10 §7.1). */
static cn_err read_meta(cn_dataset *dataset)
{
    walking of = {.dataset = dataset};
    uint64_t at = dataset->start;
    while (dataset->len - at >= 8 && cn_dicom_u16(dataset->bytes + at, false) == 2) {
        cn_element element = {.depth = 0};
        uint32_t length = 0;
        CN_TRY(read_head(&of, &at, dataset->len, false, &element, &length));
        if (length > dataset->len - at)
            return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, element.tag, "says it has %u bytes, %llu are left.",
                                     length, (unsigned long long)(dataset->len - at));
        char *into = element.tag == 0x00020010   ? dataset->syntax
                     : element.tag == 0x00020002 ? dataset->sop_class
                     : element.tag == 0x00020003 ? dataset->instance
                                                 : NULL;
        if (into && !cn_dicom_uid(into, dataset->bytes + at, length))
            return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, element.tag,
                                     "this UID holds other characters than digits and dots, or too many.");
        at += length;
    }
    dataset->start = at;
    return CN_OK;
}

static cn_err find_start(cn_dataset *dataset)
{
    dataset->start = 0;
    if (dataset->len >= 132 && memcmp(dataset->bytes + 128, "DICM", 4) == 0) {
        dataset->start = 132;
        return CN_OK;
    }
    dataset->odd_meta = true;
    if (looks_like(dataset, 0, false, false) || looks_like(dataset, 0, true, false) ||
        looks_like(dataset, 0, false, true))
        return CN_OK;
    return refuse_file(dataset, CN_ERR_UNSUPPORTED,
                       "This is no DICOM file: the letters DICM do not stand at byte 128.");
}

cn_err cn_dataset_open(cn_dataset *out, const uint8_t *bytes, uint64_t len)
{
    *out = (cn_dataset){.bytes = bytes, .len = len};
    CN_TRY(find_start(out));
    CN_TRY(read_meta(out));
    out->codec = out->syntax[0] ? codec_of(out->syntax) : CN_CODEC_NATIVE;
    out->implicit = strcmp(out->syntax, "1.2.840.10008.1.2") == 0;
    out->big = strcmp(out->syntax, "1.2.840.10008.1.2.2") == 0;
    if (!out->syntax[0]) out->odd_meta = true;
    if (strcmp(out->syntax, "1.2.840.10008.1.2.1.99") == 0) CN_TRY(inflate_rest(out));
    if (out->start >= out->len) return refuse_file(out, CN_ERR_CORRUPT, "The file ends before its data set.");
    if (!settle_encoding(out))
        return refuse_file(out, CN_ERR_UNSUPPORTED, "This is no DICOM file: it has no data set.");
    if (!out->syntax[0])
        cn_strcpy(out->syntax, sizeof(out->syntax),
                  out->big        ? "1.2.840.10008.1.2.2"
                  : out->implicit ? "1.2.840.10008.1.2"
                                  : "1.2.840.10008.1.2.1");
    return CN_OK;
}

void cn_dataset_close(cn_dataset *dataset)
{
    free(dataset->inflated);
    dataset->inflated = NULL;
}
