#include "viewer/dicom/decoder/model.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INLINE_BINARY 1024       /* bytes; longer values stand by reference */
#define INLINE_NUMBERS 65536     /* bytes of DS, IS, AT and the like */
#define SWELLS ((size_t)8 << 20) /* of JSON; from here on whatever is over INLINE_BINARY stands by reference */
#define SPECIFIC_CHARACTER_SET 0x00080005u

typedef struct writer {
    cn_model *model;
    cn_dataset *dataset;
    cn_buf *json;
    cn_charset charset[CN_DATASET_DEPTH + 2]; /* of each nesting: an item may say another */
    uint32_t last[CN_DATASET_DEPTH + 2];      /* tag */
    bool began[CN_DATASET_DEPTH + 2];         /* something stands in this object */
    bool item_began[CN_DATASET_DEPTH + 2];    /* something stands in this array */
    unsigned depth;
} writer;

/* ---- JSON ---- */

static void put_text(cn_buf *json, const char *text, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;
    cn_buf_add(json, "\"", 1);
    for (size_t at = 0; at < n; at++) {
        unsigned char byte = (unsigned char)text[at];
        if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f) continue;
        char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
        cn_buf_add(json, text + from, at - from);
        cn_buf_add(json, escape, 6);
        from = at + 1;
    }
    cn_buf_add(json, text + from, n - from);
    cn_buf_add(json, "\"", 1);
}

static void put_base64(cn_buf *json, const uint8_t *byte, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < n; at += 3) {
        size_t have = n - at < 3 ? n - at : 3;
        uint32_t bits = (uint32_t)byte[at] << 16 | (have > 1 ? (uint32_t)byte[at + 1] << 8 : 0) |
                        (have > 2 ? (uint32_t)byte[at + 2] : 0);
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63], have > 1 ? digits[bits >> 6 & 63] : '=',
                        have > 2 ? digits[bits & 63] : '='};
        cn_buf_add(json, four, 4);
    }
}

/* What is no number, or none that JSON has, stands as text. */
static void put_number(cn_buf *json, const char *text, size_t n)
{
    char copy[40], *end = copy;
    if (n == 0 || n >= sizeof(copy) || strspn(text, "0123456789+-.eE") < n) {
        put_text(json, text, n);
        return;
    }
    memcpy(copy, text, n);
    copy[n] = 0;
    double value = strtod(copy, &end);
    const char *digits = copy + (*copy == '-');
    bool plain = isdigit((unsigned char)*digits) && (*digits != '0' || !isdigit((unsigned char)digits[1])) &&
                 strspn(digits, "0123456789") <= 18 && copy[n - 1] != '.' && !strstr(copy, ".e") && !strstr(copy, ".E");
    if (*end || !isfinite(value) || fabs(value) > 1e300)
        put_text(json, text, n);
    else if (plain)
        cn_buf_add(json, copy, n);
    else
        cn_buf_fmt(json, "%.17g", value);
}

static void put_real(cn_buf *json, double value, int digits)
{
    if (isfinite(value))
        cn_buf_fmt(json, "%.*g", digits, value);
    else
        cn_buf_str(json, isnan(value) ? "\"NaN\"" : value < 0 ? "\"-inf\"" : "\"inf\"");
}

/* ---- texts ---- */

static const char *trim(const char *text, size_t *n, bool both)
{
    while (*n && (text[*n - 1] == ' ' || !text[*n - 1])) (*n)--;
    while (both && *n && *text == ' ') text++, (*n)--;
    return text;
}

/* PS3.18 F.2.2: groups of a person's name. */
static void put_person(cn_buf *json, const char *text, size_t n)
{
    static const char *const names[] = {"Alphabetic", "Ideographic", "Phonetic"};
    bool any = false;
    cn_buf_add(json, "{", 1);
    for (int group = 0; group < 3 && n; group++) {
        const char *end = memchr(text, '=', n);
        size_t all = end ? (size_t)(end - text) : n, len = all;
        const char *from = trim(text, &len, false);
        if (len) {
            cn_buf_fmt(json, "%s\"%s\":", any ? "," : "", names[group]);
            put_text(json, from, len);
            any = true;
        }
        text += all + (end != NULL);
        n -= all + (end != NULL);
    }
    cn_buf_add(json, "}", 1);
}

typedef enum as { AS_TEXT, AS_NUMBER, AS_PERSON } as;

static void put_one(cn_buf *json, as how, const char *text, size_t n)
{
    if (!n)
        cn_buf_str(json, "null");
    else if (how == AS_NUMBER)
        put_number(json, text, n);
    else if (how == AS_PERSON)
        put_person(json, text, n);
    else
        put_text(json, text, n);
}

/* Values between backslashes. */
static void put_values(cn_buf *json, as how, bool both_ends, const char *text, size_t n)
{
    const char *at = text, *stop = text + n;
    for (;;) {
        const char *end = memchr(at, '\\', (size_t)(stop - at));
        size_t len = (size_t)((end ? end : stop) - at);
        const char *from = trim(at, &len, both_ends);
        put_one(json, how, from, len);
        if (!end) return;
        cn_buf_add(json, ",", 1);
        at = end + 1;
    }
}

static bool is_one_of(const char *vr, const char *list)
{
    for (; *list; list += 3)
        if (list[0] == vr[0] && list[1] == vr[1]) return true;
    return false;
}

static void put_string(writer *of, const cn_element *element)
{
    const char *bytes = (const char *)of->dataset->bytes + element->value, *vr = element->vr;
    bool lines = is_one_of(vr, "ST LT UT "), person = strcmp(vr, "PN") == 0, texts = is_one_of(vr, "LO SH UC ");
    static const cn_charset ascii = {.kind = CN_CHARSET_ISO};
    const cn_charset *charset = lines || person || texts ? &of->charset[of->depth] : &ascii;
    cn_charset_use use = lines ? CN_CHARSET_LINES : person ? CN_CHARSET_PERSON : CN_CHARSET_VALUES;
    cn_buf text = {.max = CN_DICOM_JSON};
    if (!cn_charset_text(charset, use, bytes, (size_t)element->length, &text)) of->model->odd_charset = true;
    size_t n = text.n;
    if (text.err != CN_OK) of->json->err = text.err;
    const char *utf8 = trim(text.p ? text.p : "", &n, false);
    if (lines || strcmp(vr, "UR") == 0)
        put_one(of->json, AS_TEXT, utf8, n);
    else
        put_values(of->json,
                   is_one_of(vr, "DS IS ") ? AS_NUMBER
                   : person                ? AS_PERSON
                                           : AS_TEXT,
                   !texts && !person, utf8, n);
    cn_buf_free(&text);
}

/* ---- numbers and bytes ---- */

static uint64_t number_of(const uint8_t *at, unsigned bytes, bool big)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) value |= (uint64_t)at[big ? bytes - 1 - i : i] << (8 * i);
    return value;
}

static void put_binary_number(cn_buf *json, const char *vr, uint64_t bits)
{
    float single;
    double twice;
    uint32_t low = (uint32_t)bits;
    memcpy(&single, &low, sizeof(single));
    memcpy(&twice, &bits, sizeof(twice));
    if (strcmp(vr, "FL") == 0)
        put_real(json, (double)single, 9);
    else if (strcmp(vr, "FD") == 0)
        put_real(json, twice, 17);
    else if (strcmp(vr, "AT") == 0)
        cn_buf_fmt(json, "\"%04X%04X\"", low & 0xffff, low >> 16);
    else if (strcmp(vr, "SS") == 0)
        cn_buf_fmt(json, "%d", (int16_t)(uint16_t)bits);
    else if (strcmp(vr, "SL") == 0)
        cn_buf_fmt(json, "%" PRId32, (int32_t)low);
    else if (strcmp(vr, "SV") == 0)
        cn_buf_fmt(json, "%" PRId64, (int64_t)bits);
    else if (bits > INT64_MAX)
        cn_buf_fmt(json, "\"%" PRIu64 "\"", bits);
    else
        cn_buf_fmt(json, "%" PRIu64, bits);
}

/* Bytes of one value of a VR of numbers, 0: it is none. */
static unsigned size_of(const char *vr)
{
    return is_one_of(vr, "SS US ") ? 2 : is_one_of(vr, "AT FL SL UL ") ? 4 : is_one_of(vr, "FD SV UV ") ? 8 : 0;
}

/* Bytes that are swapped together in one of OW, OF, …. */
static unsigned word_of(const char *vr)
{
    return vr[1] == 'W' ? 2 : vr[1] == 'F' || vr[1] == 'L' ? 4 : vr[1] == 'D' || vr[1] == 'V' ? 8 : 1;
}

static void put_numbers(writer *of, const cn_element *element)
{
    unsigned size = size_of(element->vr);
    const uint8_t *at = of->dataset->bytes + element->value;
    for (uint64_t i = 0; i + size <= element->length; i += size) {
        if (i) cn_buf_add(of->json, ",", 1);
        if (strcmp(element->vr, "AT") == 0) /* two numbers */
            put_binary_number(of->json, "AT",
                              cn_dicom_u16(at + i, element->big) | (uint64_t)cn_dicom_u16(at + i + 2, element->big)
                                                                       << 16);
        else
            put_binary_number(of->json, element->vr, number_of(at + i, size, element->big));
    }
}

static void put_inline(writer *of, const cn_element *element)
{
    const uint8_t *at = of->dataset->bytes + element->value;
    size_t n = (size_t)element->length;
    unsigned word = element->big ? word_of(element->vr) : 1;
    uint8_t *swapped = word > 1 ? malloc(n) : NULL;
    if (word > 1 && !swapped) of->json->err = CN_ERR_NOMEM;
    for (size_t i = 0; swapped && i < n; i++)
        swapped[i] = at[i / word * word + word > n ? i : i / word * word + word - 1 - i % word];
    cn_buf_str(of->json, ",\"InlineBinary\":\"");
    put_base64(of->json, swapped ? swapped : at, n);
    cn_buf_add(of->json, "\"", 1);
    free(swapped);
}

/* ---- elements ---- */

static bool by_reference(const writer *of, const cn_element *element)
{
    bool swells = of->json->n > SWELLS, binary = element->vr[0] == 'O' || strcmp(element->vr, "UN") == 0;
    if (element->undefined || element->tag >> 16 == 0x7fe0) return true;
    /* what would have to be swapped cannot be pointed to */
    if (element->big && (binary || size_of(element->vr)) && !swells) return false;
    if (binary || swells) return element->length > INLINE_BINARY;
    return element->length > INLINE_NUMBERS && (size_of(element->vr) || is_one_of(element->vr, "DS IS "));
}

static void put_value(writer *of, const cn_element *element)
{
    if (by_reference(of, element)) {
        cn_buf_fmt(of->json, ",\"BulkDataURI\":\"%" PRIu64 "/%" PRIu64 "\"", element->value, element->length);
    } else if (!element->length) {
        return;
    } else if (element->vr[0] == 'O' || strcmp(element->vr, "UN") == 0) {
        put_inline(of, element);
    } else {
        cn_buf_str(of->json, ",\"Value\":[");
        if (element->tag == SPECIFIC_CHARACTER_SET)
            cn_buf_str(of->json, "\"ISO_IR 192\"");
        else if (size_of(element->vr))
            put_numbers(of, element);
        else
            put_string(of, element);
        cn_buf_str(of->json, "]");
    }
}

static void begin_element(writer *of, const cn_element *element)
{
    if (element->tag <= of->last[of->depth] && of->began[of->depth]) of->model->odd_order = true;
    of->last[of->depth] = element->tag;
    cn_buf_fmt(of->json, "%s\"%08X\":{\"vr\":\"%s\"", of->began[of->depth] ? "," : "", element->tag, element->vr);
    of->began[of->depth] = true;
}

/* ---- what describes the picture ---- */

static uint32_t short_of(const writer *of, const cn_element *element)
{
    return element->length >= 2 ? cn_dicom_u16(of->dataset->bytes + element->value, element->big) : 0;
}

static cn_err take_frames(writer *of, const cn_element *element)
{
    char text[24] = "", *end = text;
    size_t n = (size_t)element->length;
    const char *from = trim((const char *)of->dataset->bytes + element->value, &n, true);
    if (!n) return CN_OK;
    if (n < sizeof(text)) memcpy(text, from, n);
    long frames = strtol(text, &end, 10);
    if (!*text || *end || frames < 1 || frames > (long)CN_DICOM_FRAMES)
        return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, element->tag, "is no number of frames.");
    of->model->picture.frames = (uint32_t)frames;
    return CN_OK;
}

static cn_err take_uid(writer *of, const cn_element *element, char out[65])
{
    if (cn_dicom_uid(out, of->dataset->bytes + element->value, element->length)) return CN_OK;
    return cn_dataset_refuse(of->dataset, CN_ERR_CORRUPT, element->tag,
                             "this UID holds other characters than digits and dots, or too many.");
}

static void take_word(const writer *of, const cn_element *element, char *out, size_t size)
{
    size_t n = (size_t)element->length;
    const char *from = trim((const char *)of->dataset->bytes + element->value, &n, true);
    if (n >= size) n = size - 1;
    for (size_t i = 0; i < n; i++) out[i] = (char)(isprint((unsigned char)from[i]) ? from[i] : '?');
    out[n] = 0;
}

static cn_err take_fact(writer *of, const cn_element *element)
{
    cn_picture *picture = &of->model->picture;
    switch (element->tag) {
    case 0x00080016: return take_uid(of, element, of->model->sop_class);
    case 0x00080018: return take_uid(of, element, of->model->instance);
    case 0x0020000d: return take_uid(of, element, of->model->study);
    case 0x0020000e: return take_uid(of, element, of->model->series);
    case 0x00280002: picture->samples = short_of(of, element); break;
    case 0x00280004: take_word(of, element, picture->photometric, sizeof(picture->photometric)); break;
    case 0x00280006: picture->planar = short_of(of, element) == 1; break;
    case 0x00280008: return take_frames(of, element);
    case 0x00280010: picture->rows = short_of(of, element); break;
    case 0x00280011: picture->columns = short_of(of, element); break;
    case 0x00280100: picture->bits_allocated = short_of(of, element); break;
    case 0x00280101: picture->bits_stored = short_of(of, element); break;
    case 0x00280102: picture->high_bit = short_of(of, element); break;
    case 0x00280103: picture->is_signed = short_of(of, element) & 1; break;
    case 0x7fe00001: picture->offsets = *element; break;
    case 0x7fe00002: picture->lengths = *element; break;
    case 0x7fe00008:
    case 0x7fe00009:
    case 0x7fe00010:
        picture->pixels = *element;
        picture->has_pixels = element->length > 0;
        break;
    default: break;
    }
    return CN_OK;
}

/* ---- the walk ---- */

static void take_charset(writer *of, const cn_element *element)
{
    const char *bytes = (const char *)of->dataset->bytes + element->value;
    if (!cn_charset_read(&of->charset[of->depth], bytes, (size_t)element->length)) of->model->odd_charset = true;
}

static cn_err on_element(void *user, const cn_element *element)
{
    writer *of = user;
    if ((element->tag & 0xffff) == 0 || element->tag >> 16 <= 2) return CN_OK; /* group lengths, meta information */
    if (element->tag == SPECIFIC_CHARACTER_SET) take_charset(of, element);
    if (element->depth == 0) CN_TRY(take_fact(of, element));
    begin_element(of, element);
    put_value(of, element);
    cn_buf_add(of->json, "}", 1);
    if (of->json->err == CN_ERR_TOOBIG)
        return cn_dataset_refuse(of->dataset, CN_ERR_TOOBIG, element->tag, "up to here the file has too much text.");
    return of->json->err;
}

static cn_err on_sequence(void *user, const cn_element *element, bool begins)
{
    writer *of = user;
    if (begins) {
        begin_element(of, element);
        cn_buf_str(of->json, ",\"Value\":[");
        of->item_began[of->depth] = false;
    } else
        cn_buf_str(of->json, "]}");
    return of->json->err;
}

static cn_err on_item(void *user, bool begins)
{
    writer *of = user;
    if (begins) {
        cn_buf_str(of->json, of->item_began[of->depth] ? ",{" : "{");
        of->item_began[of->depth] = true;
        of->charset[of->depth + 1] = of->charset[of->depth];
        of->depth++;
        of->began[of->depth] = false;
    } else {
        cn_buf_add(of->json, "}", 1);
        of->depth--;
    }
    return of->json->err;
}

/* What a picture must have to be one (PS3.3 C.7.6.3.1). */
static cn_err check_picture(cn_dataset *dataset, cn_picture *picture)
{
    if (!picture->has_pixels) {
        picture->frames = 0;
        return CN_OK;
    }
    if (!picture->frames) picture->frames = 1;
    if (!picture->samples) picture->samples = 1;
    if (!picture->bits_allocated && picture->pixels.tag != 0x7fe00010)
        picture->bits_allocated = picture->pixels.tag == 0x7fe00008 ? 32 : 64;
    if (!picture->bits_stored) picture->bits_stored = picture->bits_allocated;
    uint32_t bits = picture->bits_allocated;
    if (bits != 1 && (bits % 8 || bits < 8 || bits > 64))
        return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, 0x00280100, "%u bits cannot be.", bits);
    if (picture->bits_stored > bits)
        return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, 0x00280101, "%u bits of %u cannot be.", picture->bits_stored,
                                 bits);
    if (picture->samples > 4)
        return cn_dataset_refuse(dataset, CN_ERR_CORRUPT, 0x00280002, "%u samples cannot be.", picture->samples);
    return CN_OK;
}

cn_err cn_model_read(cn_model *out, cn_dataset *dataset)
{
    *out = (cn_model){.json = {.max = CN_DICOM_JSON}};
    writer *of = calloc(1, sizeof(*of));
    if (!of) return CN_ERR_NOMEM;
    of->model = out;
    of->dataset = dataset;
    of->json = &out->json;
    cn_buf_add(of->json, "{", 1);
    const cn_walker walker = {.user = of, .element = on_element, .sequence = on_sequence, .item = on_item};
    cn_err err = cn_dataset_walk(dataset, &walker);
    cn_buf_add(of->json, "}", 1);
    if (err == CN_OK) err = out->json.err;
    free(of);
    CN_TRY(err);
    if (!out->instance[0]) memcpy(out->instance, dataset->instance, sizeof(out->instance));
    if (!out->sop_class[0]) memcpy(out->sop_class, dataset->sop_class, sizeof(out->sop_class));
    out->odd_uid = !out->study[0] || !out->series[0] || !out->instance[0] || !out->sop_class[0];
    return check_picture(dataset, &out->picture);
}

void cn_model_clear(cn_model *model)
{
    cn_buf_free(&model->json);
}
