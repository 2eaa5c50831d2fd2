/*
 * SCP-ECG (EN 1064:2005): sections of tables; samples as differences, in Huffman codes or plain. Residues of a reference beat are added to it. What is
 * written with bimodal compression (fewer samples outside of QRS) is not read.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/ecg/reader/readers.h"

#define SECTIONS 12
#define SECTION_HEAD 16
#define CODES 256
#define BEATS 2000
#define DEFAULT_TABLE 19999

typedef struct scp_bytes {
    const uint8_t *p;
    size_t n;
} scp_bytes;

static unsigned u8(scp_bytes from, size_t at)
{
    return at < from.n ? from.p[at] : 0;
}
static unsigned u16(scp_bytes from, size_t at)
{
    return u8(from, at) | u8(from, at + 1) << 8;
}
static uint32_t u32(scp_bytes from, size_t at)
{
    return u16(from, at) | (uint32_t)u16(from, at + 2) << 16;
}
static int s16(scp_bytes from, size_t at)
{
    return (int16_t)u16(from, at);
}
static scp_bytes part(scp_bytes of, size_t from, size_t n)
{
    if (from > of.n) return (scp_bytes){of.p, 0};
    return (scp_bytes){of.p + from, n < of.n - from ? n : of.n - from};
}

/* CRC-CCITT, begun with all ones (5.3.3). */
static unsigned crc_of(scp_bytes bytes)
{
    unsigned crc = 0xffff;
    for (size_t i = 0; i < bytes.n; i++) {
        crc ^= (unsigned)bytes.p[i] << 8;
        for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1 & 0xffff;
    }
    return crc;
}

/* ---- codes (section 2) ---- */

typedef struct code {
    unsigned prefix_bits, bits; /* of the prefix; with the value that follows it */
    bool switches;              /* no value: the table changes to number `value` */
    int value;
    uint32_t prefix; /* its first bit is the lowest */
} code;

typedef struct table {
    size_t n;
    code code[CODES];
} table;

typedef struct code_tables {
    size_t n; /* 0: samples stand as they are, 16 bits each */
    table *table;
} code_tables;

/* Table C.1: short codes for small values; then 8 and 16 bits as they are. */
static void default_table(table *out)
{
    uint32_t ones = 1;
    out->n = 0;
    out->code[out->n++] = (code){1, 1, false, 0, 0};
    for (unsigned bits = 3; bits <= 10; bits++, ones = ones << 1 | 1) {
        int value = (int)bits - 2;
        out->code[out->n++] = (code){bits, bits, false, value, ones};
        out->code[out->n++] = (code){bits, bits, false, -value, ones | (uint32_t)1 << (bits - 1)};
    }
    out->code[out->n++] = (code){10, 18, false, 0, 0x1ff};
    out->code[out->n++] = (code){10, 26, false, 0, 0x3ff};
}

static cn_err read_table(scp_bytes section, size_t *at, table *out)
{
    size_t n = u16(section, *at);
    *at += 2;
    if (n == 0 || n > CODES || *at + n * 9 > section.n) return CN_ERR_CORRUPT;
    for (size_t i = 0; i < n; i++, *at += 9) {
        out->code[i] = (code){.prefix_bits = u8(section, *at),
                              .bits = u8(section, *at + 1),
                              .switches = u8(section, *at + 2) == 0,
                              .value = s16(section, *at + 3),
                              .prefix = u32(section, *at + 5)};
        const code *one = &out->code[i];
        if (one->prefix_bits == 0 || one->prefix_bits > 32 || one->bits < one->prefix_bits ||
            one->bits - one->prefix_bits > 16)
            return CN_ERR_CORRUPT;
    }
    out->n = n;
    return CN_OK;
}

static cn_err read_tables(scp_bytes section, code_tables *out)
{
    size_t n = u16(section, 0), at = 2;
    if (section.n < 2 || n == 0) return CN_OK;
    bool standard = n == DEFAULT_TABLE;
    if (!standard && n > 32) return CN_ERR_CORRUPT;
    out->table = cn_calloc(standard ? 1 : n, sizeof(*out->table));
    if (!out->table) return CN_ERR_NOMEM;
    out->n = standard ? 1 : n;
    if (standard) default_table(out->table);
    for (size_t i = 0; i < n && !standard; i++) CN_TRY(read_table(section, &at, &out->table[i]));
    return CN_OK;
}

/* ---- samples ---- */

typedef struct bit_reader {
    scp_bytes from;
    size_t at; /* in bits */
} bit_reader;

static int next_bit(bit_reader *in)
{
    if (in->at / 8 >= in->from.n) return -1;
    int bit = in->from.p[in->at / 8] >> (7 - in->at % 8) & 1;
    in->at++;
    return bit;
}

/* A signed value of `n` bits, the highest first. */
static bool plain_value(bit_reader *in, unsigned n, int *out)
{
    uint32_t value = 0;
    if (in->at + n > in->from.n * 8) return false;
    for (unsigned i = 0; i < n; i++) value = value << 1 | (uint32_t)next_bit(in);
    *out = n && value >> (n - 1) ? (int)value - (1 << n) : (int)value;
    return true;
}

/* False: the bits are at their end, or are no code. */
static bool next_code(bit_reader *in, const table *codes, const code **found)
{
    uint32_t prefix = 0;
    for (unsigned n = 1; n <= 32; n++) {
        int bit = next_bit(in);
        if (bit < 0) return false;
        prefix |= (uint32_t)bit << (n - 1);
        for (size_t i = 0; i < codes->n; i++)
            if (codes->code[i].prefix_bits == n && codes->code[i].prefix == prefix) {
                *found = &codes->code[i];
                return true;
            }
    }
    return false;
}

static bool next_value(bit_reader *in, const code_tables *tables, size_t *current, int *out)
{
    const code *found = NULL;
    for (unsigned turns = 0; turns < 64; turns++) {
        if (!next_code(in, &tables->table[*current], &found)) return false;
        if (!found->switches) {
            *out = found->value;
            return found->bits == found->prefix_bits || plain_value(in, found->bits - found->prefix_bits, out);
        }
        if (found->value < 1 || (size_t)found->value > tables->n) return false;
        *current = (size_t)found->value - 1;
    }
    return false;
}

/* Up to `most` values of a lead; what is beyond 24 bits is no ECG. */
static cn_err read_values(scp_bytes bytes, const code_tables *tables, unsigned differences, int32_t *out, size_t most,
                          size_t *n)
{
    bit_reader in = {bytes, 0};
    size_t current = 0;
    for (*n = 0; *n < most; ++*n) {
        int value = 0;
        bool there = tables->n ? next_value(&in, tables, &current, &value) : *n * 2 + 1 < bytes.n;
        if (!there) break;
        int64_t sum = tables->n ? value : s16(bytes, *n * 2);
        if (differences == 1 && *n > 0) sum += out[*n - 1];
        if (differences == 2 && *n > 1) sum += 2 * (int64_t)out[*n - 1] - out[*n - 2];
        if (sum > (1 << 24) || sum < -(1 << 24)) return CN_ERR_CORRUPT;
        out[*n] = (int32_t)sum;
    }
    return CN_OK;
}

/* ---- the file ---- */

typedef struct scp {
    scp_bytes section[SECTIONS]; /* without their heads */
    code_tables tables;
    size_t leads;
    const char *name[CN_ECG_LEADS];
    char other[CN_ECG_LEADS][16];
    size_t samples[CN_ECG_LEADS];
    bool subtracted;
} scp;

static cn_err find_sections(scp_bytes file, scp *out, const char **why)
{
    scp_bytes pointers = part(file, 6 + SECTION_HEAD, u32(file, 6 + 4) - SECTION_HEAD);
    *why = "the file is damaged: a section does not lie in it, or its check sum is another";
    if (u32(file, 2) > file.n || u32(file, 2) < 6 || u32(file, 10) < SECTION_HEAD) return CN_ERR_CORRUPT;
    for (size_t at = 0; at + 10 <= pointers.n; at += 10) {
        unsigned id = u16(pointers, at);
        size_t length = u32(pointers, at + 2), index = u32(pointers, at + 6);
        if (id == 0 || id >= SECTIONS || length == 0) continue;
        if (index < 1 || length < SECTION_HEAD || index - 1 > file.n || length > file.n - (index - 1))
            return CN_ERR_CORRUPT;
        scp_bytes whole = part(file, index - 1, length);
        if (u16(whole, 2) != id || crc_of(part(whole, 2, length - 2)) != u16(whole, 0)) return CN_ERR_CORRUPT;
        out->section[id] = part(whole, SECTION_HEAD, length - SECTION_HEAD);
    }
    return CN_OK;
}

static void read_date(scp_bytes value, cn_ecg *ecg)
{
    char time[16] = "";
    cn_strcpy(time, sizeof(time), strchr(ecg->acquired, 'T') ? strchr(ecg->acquired, 'T') : "T00:00:00");
    if (value.n == 4 && u8(value, 2) >= 1 && u8(value, 2) <= 12 && u8(value, 3) >= 1 && u8(value, 3) <= 31)
        cn_fmt(ecg->acquired, sizeof(ecg->acquired), "%04u-%02u-%02u%s", u16(value, 0) % 10000, u8(value, 2),
               u8(value, 3), time);
}

static void read_time(scp_bytes value, cn_ecg *ecg)
{
    char *time = strchr(ecg->acquired, 'T');
    if (value.n == 3 && time && u8(value, 0) < 24 && u8(value, 1) < 60 && u8(value, 2) < 60)
        cn_fmt(time, sizeof(ecg->acquired) - (size_t)(time - ecg->acquired), "T%02u:%02u:%02u", u8(value, 0),
               u8(value, 1), u8(value, 2));
}

/* Section 1: tag, length, value. Of the patient nothing is taken. */
static void read_header(scp_bytes section, cn_ecg *ecg)
{
    char words[64];
    scp_bytes time = {NULL, 0};
    for (size_t at = 0; at + 3 <= section.n && u8(section, at) != 255; at += 3 + u16(section, at + 1)) {
        scp_bytes value = part(section, at + 3, u16(section, at + 1));
        switch (u8(section, at)) {
        case 14: /* machine: numbers up to byte 36, then texts that end with 0; its model stands at 8 */
            if (value.n > 14) cn_ecg_text(ecg->device, 7, value.p + 8, strnlen((const char *)value.p + 8, 6));
            break;
        case 25: read_date(value, ecg); break;
        case 26: time = value; break;
        case 27:
            cn_fmt(words, sizeof(words), "%.2f Hz high-pass", u16(value, 0) / 100.0);
            if (value.n >= 2 && u16(value, 0)) cn_ecg_filter(ecg, words);
            break;
        case 28:
            cn_fmt(words, sizeof(words), "%u Hz low-pass", u16(value, 0));
            if (value.n >= 2 && u16(value, 0)) cn_ecg_filter(ecg, words);
            break;
        case 29:
            if (u8(value, 0) & 1) cn_ecg_filter(ecg, "60 Hz notch");
            if (u8(value, 0) & 2) cn_ecg_filter(ecg, "50 Hz notch");
            break;
        default: break;
        }
    }
    if (time.n) read_time(time, ecg);
}

static cn_err read_leads(scp_bytes section, scp *file)
{
    file->leads = u8(section, 0);
    file->subtracted = u8(section, 1) & 1;
    if (file->leads == 0 || 2 + file->leads * 9 > section.n) return CN_ERR_CORRUPT;
    if (file->leads > CN_ECG_LEADS) return CN_ERR_TOOBIG;
    for (size_t i = 0; i < file->leads; i++) {
        uint32_t from = u32(section, 2 + i * 9), to = u32(section, 6 + i * 9);
        unsigned number = u8(section, 10 + i * 9);
        if (from < 1 || to < from || to - from >= CN_ECG_SAMPLES) return CN_ERR_CORRUPT;
        file->samples[i] = (size_t)(to - from) + 1;
        cn_fmt(file->other[i], sizeof(file->other[i]), "%u", number);
        file->name[i] = cn_ecg_lead_numbered(number) ? cn_ecg_lead_numbered(number) : file->other[i];
    }
    return CN_OK;
}

/* Where the reference beat was taken away (section 4). */
typedef struct beat_list {
    int fiducial; /* sample of the reference beat, from 0 */
    size_t n;
    struct beat {
        unsigned type;
        int64_t from, fiducial, to; /* samples of the rhythm, from 0 */
    } * beat;
} beat_list;

static cn_err read_beats(scp_bytes section, beat_list *out)
{
    out->fiducial = s16(section, 2) - 1;
    out->n = u16(section, 4);
    if (6 + out->n * 14 > section.n || out->n > BEATS) return CN_ERR_CORRUPT;
    out->beat = cn_calloc(out->n ? out->n : 1, sizeof(*out->beat));
    if (!out->beat) return CN_ERR_NOMEM;
    for (size_t i = 0; i < out->n; i++)
        out->beat[i] = (struct beat){.type = u16(section, 6 + i * 14),
                                     .from = (int64_t)u32(section, 8 + i * 14) - 1,
                                     .fiducial = (int64_t)u32(section, 12 + i * 14) - 1,
                                     .to = (int64_t)u32(section, 16 + i * 14) - 1};
    return CN_OK;
}

/* `scale`: of the reference beat's steps in the rhythm's. */
static void add_reference(int32_t *values, size_t n, const int32_t *reference, size_t reference_n, double scale,
                          const beat_list *beats)
{
    for (size_t i = 0; i < beats->n; i++) {
        const struct beat *beat = &beats->beat[i];
        if (beat->type != 0) continue; /* another kind of beat: it stands as it is */
        for (int64_t at = beat->from < 0 ? 0 : beat->from; at <= beat->to && at < (int64_t)n; at++) {
            int64_t place = beats->fiducial + at - beat->fiducial;
            if (place >= 0 && place < (int64_t)reference_n) values[at] += (int32_t)lround(scale * reference[place]);
        }
    }
}

/* The samples of section 5 or 6: steps of nV, µs between two. */
typedef struct wave_set {
    scp_bytes section;
    double step; /* µV */
    double rate;
    unsigned differences;
    int32_t *values[CN_ECG_LEADS];
    size_t n[CN_ECG_LEADS];
} wave_set;

static void free_waves(wave_set *waves)
{
    for (size_t i = 0; i < CN_ECG_LEADS; i++) free(waves->values[i]);
}

/* At most so many of each lead. */
static cn_err read_waves(scp_bytes section, const scp *file, const size_t *most, wave_set *out)
{
    out->section = section;
    out->step = u16(section, 0) / 1000.0;
    out->rate = u16(section, 2) ? 1e6 / u16(section, 2) : 0;
    out->differences = u8(section, 4);
    size_t at = 6 + file->leads * 2;
    if (section.n < at || out->step <= 0 || out->rate <= 0 || out->differences > 2) return CN_ERR_CORRUPT;
    for (size_t i = 0; i < file->leads; i++) {
        size_t length = u16(section, 6 + i * 2);
        scp_bytes bytes = part(section, at, length);
        size_t room = bytes.n * 8; /* a code has a bit at least */
        if (most[i] < room) room = most[i];
        out->values[i] = cn_calloc(room ? room : 1, sizeof(int32_t));
        if (!out->values[i]) return CN_ERR_NOMEM;
        CN_TRY(read_values(bytes, &file->tables, out->differences, out->values[i], room, &out->n[i]));
        at += length;
    }
    return CN_OK;
}

static cn_err keep(const scp *file, const wave_set *waves, cn_ecg *ecg, cn_ecg_leads *leads)
{
    leads->rate = waves->rate;
    for (size_t i = 0; i < file->leads; i++)
        if (waves->n[i])
            CN_TRY(cn_ecg_add(ecg, leads, file->name[i], waves->values[i], waves->n[i], waves->step, INT32_MAX));
    return CN_OK;
}

static cn_err restore(const scp *file, wave_set *rhythm, const wave_set *reference, const char **why)
{
    beat_list beats = {0};
    if (fabs(rhythm->rate - reference->rate) > 0.01) {
        *why = "the reference beat has another sampling rate than the rhythm";
        return CN_ERR_UNSUPPORTED;
    }
    cn_err err = read_beats(file->section[4], &beats);
    for (size_t i = 0; i < file->leads && err == CN_OK; i++)
        add_reference(rhythm->values[i], rhythm->n[i], reference->values[i], reference->n[i],
                      reference->step / rhythm->step, &beats);
    free(beats.beat);
    return err;
}

/* How long the reference beat is stands with the beats, in ms: the bits behind it are none of its values. */
static cn_err read_reference(const scp *file, wave_set *out)
{
    size_t most[CN_ECG_LEADS];
    unsigned ms = u16(file->section[4], 0), us = u16(file->section[5], 2);
    for (size_t i = 0; i < CN_ECG_LEADS; i++) most[i] = ms && us ? (size_t)ms * 1000 / us : SIZE_MAX;
    return read_waves(file->section[5], file, most, out);
}

static cn_err read_signals(scp *file, cn_ecg *ecg, const char **why)
{
    wave_set rhythm = {.step = 0}, reference = {.step = 0};
    cn_err err = CN_OK;
    if (u8(file->section[6], 5) != 0) {
        *why = "it is written with bimodal compression: have the device export it without compression, or as DICOM";
        return CN_ERR_UNSUPPORTED;
    }
    if (file->section[5].n) err = read_reference(file, &reference);
    if (err == CN_OK) err = read_waves(file->section[6], file, file->samples, &rhythm);
    if (err == CN_OK && file->subtracted && file->section[5].n) err = restore(file, &rhythm, &reference, why);
    if (err == CN_OK) err = keep(file, &rhythm, ecg, &ecg->rhythm);
    if (err == CN_OK && file->section[5].n) err = keep(file, &reference, ecg, &ecg->median);
    free_waves(&rhythm);
    free_waves(&reference);
    return err;
}

/* Section 7: 29999 says "not measured". */
static double said(int value)
{
    return value >= 29999 || value < -360 ? (double)NAN : value;
}

static void read_measured(scp_bytes section, cn_ecg *ecg)
{
    if (section.n < 2 + 4 + 16 || u8(section, 0) == 0) return;
    double rr = said((int)u16(section, 2));
    double p_on = said(s16(section, 6)), q_on = said(s16(section, 10)), q_off = said(s16(section, 12));
    double t_off = said(s16(section, 14)), axis = said(s16(section, 18));
    if (rr > 0) ecg->measured.rate = round(60000 / rr);
    if (q_on > p_on) ecg->measured.pr = q_on - p_on;
    if (q_off > q_on) ecg->measured.qrs = q_off - q_on;
    if (t_off > q_on) ecg->measured.qt = t_off - q_on;
    if (axis >= -180 && axis <= 180) ecg->measured.axis = axis;
}

/* Section 8: what the device, or a doctor there, wrote. */
static void read_statements(scp_bytes section, cn_ecg *ecg)
{
    unsigned n = u8(section, 8);
    size_t at = 9;
    for (unsigned i = 0; i < n && at + 3 <= section.n; i++) {
        scp_bytes text = part(section, at + 3, u16(section, at + 1));
        char words[CN_ECG_TEXT];
        cn_ecg_text(words, sizeof(words), text.p, strnlen((const char *)text.p, text.n));
        cn_ecg_state(ecg, words);
        at += 3 + (size_t)u16(section, at + 1);
    }
}

static cn_err read_file(scp_bytes bytes, scp *file, cn_ecg *ecg, const char **why)
{
    CN_TRY(find_sections(bytes, file, why));
    *why = "the file's tables contradict each other";
    if (!file->section[3].n || !file->section[6].n) return CN_ERR_CORRUPT;
    read_header(file->section[1], ecg);
    CN_TRY(read_tables(file->section[2], &file->tables));
    CN_TRY(read_leads(file->section[3], file));
    CN_TRY(read_signals(file, ecg, why));
    read_measured(file->section[7], ecg);
    read_statements(file->section[8], ecg);
    CN_TRY(cn_ecg_derive(ecg, &ecg->rhythm));
    return cn_ecg_derive(ecg, &ecg->median);
}

cn_err cn_ecg_read_scp(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why)
{
    scp file = {.leads = 0};
    cn_err err = read_file((scp_bytes){bytes, len}, &file, ecg, why);
    free(file.tables.table);
    return err;
}
