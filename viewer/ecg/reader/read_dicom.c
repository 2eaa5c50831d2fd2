/*
 * DICOM waveforms (PS3.3 C.10.9): 12-lead, general and ambulatory ECG in Implicit or Explicit VR Little Endian. A reader of its own for the few elements
 * that are needed: it copies nothing, and no sequence is opened that is not looked into.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/ecg/reader/readers.h"

#define DEPTH 16
#define UNDEFINED 0xffffffffu
#define ITEM 0xfffee000u
#define ITEM_END 0xfffee00du
#define SEQUENCE_END 0xfffee0ddu

typedef struct data_part {
    const uint8_t *p;
    size_t n;
    bool explicit_vr;
} data_part;

typedef struct data_element {
    uint32_t tag;
    data_part value;
} data_element;

static unsigned u16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}
static uint32_t u32(const uint8_t *p)
{
    return u16(p) | (uint32_t)u16(p + 2) << 16;
}
static data_part beyond(data_part of, size_t n)
{
    return (data_part){of.p + n, of.n - n, of.explicit_vr};
}

/* Those whose length has 32 bits (PS3.5 7.1.2). */
static bool has_long_length(const uint8_t *vr)
{
    static const char names[] = "OB OD OF OL OV OW SQ SV UC UN UR UT UV";
    for (const char *name = names;; name += 3) {
        if (vr[0] == (uint8_t)name[0] && vr[1] == (uint8_t)name[1]) return true;
        if (!name[2]) return false;
    }
}

/* Tag and length; how many bytes they take, 0: there are not so many. */
static size_t front_of(data_part in, uint32_t *tag, uint32_t *length, bool *unknown)
{
    if (in.n < 8) return 0;
    *tag = u16(in.p) << 16 | u16(in.p + 2);
    *unknown = false;
    bool bare = *tag >> 16 == 0xfffe;
    if (!in.explicit_vr || bare) {
        *length = u32(in.p + 4);
        return 8;
    }
    *unknown = memcmp(in.p + 4, "UN", 2) == 0;
    if (!has_long_length(in.p + 4)) {
        *length = u16(in.p + 6);
        return 8;
    }
    if (in.n < 12) return 0;
    *length = u32(in.p + 8);
    return 12;
}

static bool next(data_part *in, data_element *out, unsigned depth);

/* How long a sequence, or an item, of undefined length is without its end mark, which is passed as well. */
static bool measure(data_part in, uint32_t end, unsigned depth, size_t *inside, size_t *whole)
{
    data_part rest = in;
    while (rest.n >= 8) {
        uint32_t tag = u16(rest.p) << 16 | u16(rest.p + 2);
        data_element skipped;
        if (tag == end) {
            *inside = in.n - rest.n;
            *whole = *inside + 8;
            return true;
        }
        if (!next(&rest, &skipped, depth + 1)) return false;
    }
    return false;
}

static bool next(data_part *in, data_element *out, unsigned depth)
{
    uint32_t length = 0;
    bool unknown = false;
    size_t front = front_of(*in, &out->tag, &length, &unknown), inside = length, whole = length;
    if (!front || depth > DEPTH) return false;
    data_part rest = beyond(*in, front);
    /* what an explicit file does not know is implicit inside (PS3.5 6.2.2) */
    if (unknown && length == UNDEFINED) rest.explicit_vr = false;
    if (length == UNDEFINED && !measure(rest, out->tag == ITEM ? ITEM_END : SEQUENCE_END, depth, &inside, &whole))
        return false;
    if (whole > rest.n) return false;
    out->value = (data_part){rest.p, inside, rest.explicit_vr};
    *in = (data_part){rest.p + whole, rest.n - whole, in->explicit_vr};
    return true;
}

static bool find(data_part in, uint32_t tag, data_part *out)
{
    data_element element;
    while (next(&in, &element, 0)) {
        if (element.tag == tag) {
            *out = element.value;
            return true;
        }
    }
    return false;
}

/* The next item of a sequence. */
static bool next_item(data_part *sequence, data_part *item)
{
    data_element element;
    if (!next(sequence, &element, 0) || element.tag != ITEM) return false;
    *item = element.value;
    return true;
}

static bool first_item(data_part in, uint32_t tag, data_part *item)
{
    data_part sequence;
    return find(in, tag, &sequence) && next_item(&sequence, item);
}

static void text_of(data_part in, uint32_t tag, char *out, size_t size)
{
    data_part value;
    *out = 0;
    if (find(in, tag, &value)) cn_ecg_text(out, size, value.p, strnlen((const char *)value.p, value.n));
}

static double number_of(data_part in, uint32_t tag, double otherwise)
{
    char text[32], *end = NULL;
    text_of(in, tag, text, sizeof(text));
    double value = strtod(text, &end);
    return end != text && isfinite(value) ? value : otherwise;
}

static uint32_t integer_of(data_part in, uint32_t tag)
{
    data_part value;
    if (!find(in, tag, &value)) return 0;
    return value.n >= 4 ? u32(value.p) : value.n >= 2 ? u16(value.p) : 0;
}

/* ---- channels ---- */

typedef struct channel_set {
    data_part item, channels, data;
    uint32_t n, samples;
    unsigned bytes;
    bool is_signed;
    double rate;
    bool has_absent;
    int32_t absent;
} channel_set;

static int32_t value_at(const channel_set *group, size_t at)
{
    const uint8_t *p = group->data.p + at * group->bytes;
    if (group->bytes == 1) return group->is_signed ? (int8_t)*p : *p;
    return group->is_signed ? (int16_t)u16(p) : (int32_t)u16(p);
}

static cn_err read_padding(channel_set *group)
{
    data_part padding;
    if (!find(group->item, 0x5400100a, &padding) || padding.n < group->bytes) return CN_OK;
    channel_set one = *group;
    one.data = padding;
    group->has_absent = true;
    group->absent = value_at(&one, 0);
    return CN_OK;
}

static cn_err read_group(data_part item, channel_set *out, const char **why)
{
    char kind[16];
    *out = (channel_set){.item = item};
    text_of(item, 0x54001006, kind, sizeof(kind));
    unsigned allocated = integer_of(item, 0x54001004);
    out->bytes = allocated / 8;
    out->is_signed = kind[0] == 'S';
    *why = "its samples are of a kind that is not read: signed or unsigned, 8 or 16 bits are";
    if ((allocated != 8 && allocated != 16) || (kind[0] != 'S' && kind[0] != 'U') ||
        kind[1] != (allocated == 8 ? 'B' : 'S'))
        return CN_ERR_UNSUPPORTED;
    *why = "the waveform's counts and its data contradict each other";
    out->n = integer_of(item, 0x003a0005);
    out->samples = integer_of(item, 0x003a0010);
    out->rate = number_of(item, 0x003a001a, 0);
    if (!find(item, 0x54001010, &out->data) || !find(item, 0x003a0200, &out->channels)) return CN_ERR_CORRUPT;
    if (out->n > CN_ECG_LEADS || out->samples > CN_ECG_SAMPLES) return CN_ERR_TOOBIG;
    if (out->n == 0 || out->samples == 0 || !(out->rate > 0) ||
        (uint64_t)out->n * out->samples * out->bytes > out->data.n)
        return CN_ERR_CORRUPT;
    return read_padding(out);
}

static void name_of(data_part channel, char *out, size_t size)
{
    data_part source;
    char code[32] = "", meaning[64] = "";
    int64_t number = 0;
    if (first_item(channel, 0x003a0208, &source)) {
        text_of(source, 0x00080100, code, sizeof(code));
        text_of(source, 0x00080104, meaning, sizeof(meaning));
    }
    /* MDC's "2:1" and SCP-ECG's "5.6.3-9-1" number leads alike */
    const char *digits = strncmp(code, "2:", 2) == 0 ? code + 2 : strncmp(code, "5.6.3-9-", 8) == 0 ? code + 8 : "";
    if (cn_parse_i64(digits, 1, 255, &number) && cn_ecg_lead_numbered((unsigned)number)) {
        cn_strcpy(out, size, cn_ecg_lead_numbered((unsigned)number));
        return;
    }
    if (!meaning[0]) text_of(channel, 0x003a0203, meaning, sizeof(meaning));
    cn_ecg_lead_name(out, size, meaning);
}

/* Microvolts of the sensitivity's unit; 0: none that is one of voltage. */
static double unit_of(data_part channel)
{
    static const struct {
        const char *name;
        double microvolts;
    } units[] = {{"uV", 1}, {"mV", 1e3}, {"V", 1e6}, {"nV", 1e-3}};
    data_part item;
    char code[16] = "";
    if (first_item(channel, 0x003a0211, &item)) text_of(item, 0x00080100, code, sizeof(code));
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(code, units[i].name) == 0) return units[i].microvolts;
    return 0;
}

static void say_filters(data_part channel, cn_ecg *ecg)
{
    static const struct {
        uint32_t tag;
        const char *words;
    } kinds[] = {{0x003a0220, "%g Hz high-pass"}, {0x003a0221, "%g Hz low-pass"}, {0x003a0222, "%g Hz notch"}};
    char words[64];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        double hertz = number_of(channel, kinds[i].tag, 0);
        if (!(hertz > 0) || hertz > 1e5) continue;
        cn_fmt(words, sizeof(words), i == 0 ? "%g Hz high-pass" : i == 1 ? "%g Hz low-pass" : "%g Hz notch", hertz);
        cn_ecg_filter(ecg, words);
    }
}

/* sample × sensitivity × correction + baseline, in the sensitivity's unit (C.10.9.1.4.1). */
static cn_err read_channel(const channel_set *group, data_part channel, uint32_t place, cn_ecg *ecg,
                           cn_ecg_leads *leads)
{
    char name[32];
    double unit = unit_of(channel);
    double step = number_of(channel, 0x003a0210, 0) * number_of(channel, 0x003a0212, 1);
    double baseline = number_of(channel, 0x003a0213, 0);
    bool turned = step < 0;
    bool known = unit > 0 && step != 0;
    if (!known) ecg->calibrated = false;
    double of_unit = known ? fabs(step) : 1;
    double offset = known ? baseline / of_unit : 0;
    if (!(fabs(offset) < 1e6)) return CN_ERR_CORRUPT;
    CN_AUTO_FREE int32_t *values = cn_calloc(group->samples, sizeof(*values));
    if (!values) return CN_ERR_NOMEM;
    for (size_t i = 0; i < group->samples; i++) {
        int32_t value = value_at(group, i * group->n + place);
        bool absent = group->has_absent && value == group->absent;
        values[i] = absent ? INT32_MAX : (turned ? -value : value) + (int32_t)lround(offset);
    }
    name_of(channel, name, sizeof(name));
    CN_TRY(cn_ecg_add(ecg, leads, name, values, group->samples, of_unit * (known ? unit : 1), INT32_MAX));
    double skew = number_of(channel, 0x003a0215, number_of(channel, 0x003a0214, 0) * group->rate);
    if (skew >= 0.5 && skew < 1e6) leads->lead[leads->n - 1].first = (size_t)lround(skew);
    return CN_OK;
}

static cn_err read_channels(const channel_set *group, cn_ecg *ecg, cn_ecg_leads *leads)
{
    data_part rest = group->channels, channel;
    leads->rate = group->rate;
    for (uint32_t i = 0; i < group->n; i++) {
        if (!next_item(&rest, &channel)) return CN_ERR_CORRUPT;
        if (i == 0 && leads == &ecg->rhythm && leads->n == 0) say_filters(channel, ecg);
        CN_TRY(read_channel(group, channel, i, ecg, leads));
    }
    return CN_OK;
}

/* The rhythm is what was recorded; what is derived are median beats. Of several groups those of the first one's rate are shown. */
static cn_err read_groups(data_part set, cn_ecg *ecg, const char **why)
{
    data_part rest, item;
    *why = "there is no waveform in it";
    if (!find(set, 0x54000100, &rest)) return CN_ERR_UNSUPPORTED;
    while (next_item(&rest, &item)) {
        channel_set group;
        char origin[16], label[32];
        CN_TRY(read_group(item, &group, why));
        text_of(item, 0x003a0004, origin, sizeof(origin));
        text_of(item, 0x003a0020, label, sizeof(label));
        bool median = strcmp(origin, "DERIVED") == 0 || strncasecmp(label, "median", 6) == 0;
        cn_ecg_leads *leads = median ? &ecg->median : &ecg->rhythm;
        if (leads->n && fabs(leads->rate - group.rate) > 1e-6) continue;
        CN_TRY(read_channels(&group, ecg, leads));
    }
    return CN_OK;
}

/* ---- what the device says ---- */

static void read_annotations(data_part set, cn_ecg *ecg)
{
    const struct {
        const char *meaning;
        double *to;
    } known[] = {{"QTc Interval", &ecg->measured.qtc}, {"QT Interval", &ecg->measured.qt},
                 {"PR Interval", &ecg->measured.pr},   {"QRS Duration", &ecg->measured.qrs},
                 {"QRS Axis", &ecg->measured.axis},    {"Ventricular Heart Rate", &ecg->measured.rate},
                 {"Heart Rate", &ecg->measured.rate}};
    data_part rest, item, concept;
    if (!find(set, 0x0040b020, &rest)) return;
    while (next_item(&rest, &item)) {
        char words[CN_ECG_TEXT], meaning[64] = "";
        text_of(item, 0x00700006, words, sizeof(words));
        if (words[0]) cn_ecg_state(ecg, words);
        if (first_item(item, 0x0040a043, &concept)) text_of(concept, 0x00080104, meaning, sizeof(meaning));
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if (strcasecmp(meaning, known[i].meaning) == 0 && isnan(*known[i].to))
                *known[i].to = number_of(item, 0x0040a30a, NAN);
    }
}

static void read_about(data_part set, cn_ecg *ecg)
{
    char maker[64], model[64], time[32];
    text_of(set, 0x00080070, maker, sizeof(maker));
    text_of(set, 0x00081090, model, sizeof(model));
    cn_fmt(ecg->device, sizeof(ecg->device), "%s%s%s", maker, *maker && *model ? " " : "", model);
    text_of(set, 0x0008002a, time, sizeof(time));
    if (strspn(time, "0123456789") >= 14)
        cn_fmt(ecg->acquired, sizeof(ecg->acquired), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s", time, time + 4, time + 6,
               time + 8, time + 10, time + 12);
}

cn_err cn_ecg_read_dicom(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why)
{
    data_part file = {bytes + 132, len - 132, true}, set;
    char syntax[65] = "";
    data_element element;
    *why = "the file is damaged";
    for (set = file; set.n >= 8 && u16(set.p) == 2;) {
        if (!next(&set, &element, 0)) return CN_ERR_CORRUPT;
        if (element.tag == 0x00020010)
            cn_ecg_text(syntax, sizeof(syntax), element.value.p,
                        strnlen((const char *)element.value.p, element.value.n));
    }
    *why = "its transfer syntax is not one that waveforms are read in: export it as Explicit VR Little Endian";
    if (strcmp(syntax, "1.2.840.10008.1.2.1") != 0 && strcmp(syntax, "1.2.840.10008.1.2") != 0)
        return CN_ERR_UNSUPPORTED;
    set.explicit_vr = strcmp(syntax, "1.2.840.10008.1.2") != 0;
    CN_TRY(read_groups(set, ecg, why));
    read_annotations(set, ecg);
    read_about(set, ecg);
    CN_TRY(cn_ecg_derive(ecg, &ecg->rhythm));
    return cn_ecg_derive(ecg, &ecg->median);
}
