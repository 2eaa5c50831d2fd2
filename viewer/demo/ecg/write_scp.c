/* SCP-ECG (EN 1064): eight leads, all recorded at once. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/demo/ecg/heart.h"

#define SECTIONS 12
#define SECTION_HEAD 16
#define R_IN_MEDIAN 200

static void put(cn_buf *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) cn_buf_add(out, &(uint8_t){(uint8_t)(value >> 8 * i)}, 1);
}

static unsigned crc_of(const uint8_t *p, size_t n)
{
    unsigned crc = 0xffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned)p[i] << 8;
        for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1 & 0xffff;
    }
    return crc;
}

/* ---- codes ---- */

typedef struct bit_writer {
    cn_buf *out;
    unsigned n;
    uint8_t byte;
} bit_writer;

static void put_bits(bit_writer *to, uint32_t value, unsigned bits)
{
    while (bits--) {
        to->byte = (uint8_t)((unsigned)to->byte << 1 | (value >> bits & 1));
        if (++to->n % 8 == 0) cn_buf_add(to->out, &to->byte, 1);
    }
}

static void finish(bit_writer *to)
{
    while (to->n % 8) put_bits(to, 0, 1);
}

/* Table C.1 of the standard. */
static void put_standard(bit_writer *to, int value)
{
    unsigned high = (unsigned)abs(value);
    if (value == 0)
        put_bits(to, 0, 1);
    else if (high <= 8) {
        for (unsigned i = 0; i < high; i++) put_bits(to, 1, 1);
        put_bits(to, value > 0 ? 0 : 1, 2);
    } else if (value >= -128 && value <= 127) {
        put_bits(to, 0x3fe, 10);
        put_bits(to, (uint8_t)value, 8);
    } else {
        put_bits(to, 0x3ff, 10);
        put_bits(to, (uint16_t)value, 16);
    }
}

/* Two tables: 1 has short codes and one that changes to 2, which has 16 bits and one that changes back. */
static void put_table_code(cn_buf *out, unsigned prefix, unsigned bits, bool switches, int value, unsigned code)
{
    put(out, prefix, 1);
    put(out, bits, 1);
    put(out, switches ? 0 : 1, 1);
    put(out, (uint16_t)value, 2);
    put(out, code, 4);
}

static void put_own_tables(cn_buf *out)
{
    put(out, 2, 2);
    put(out, 4, 2);
    put_table_code(out, 1, 1, false, 0, 0);
    put_table_code(out, 3, 3, false, 1, 1);  /* 100 */
    put_table_code(out, 3, 3, false, -1, 5); /* 101 */
    put_table_code(out, 2, 2, true, 2, 3);   /* 11 */
    put(out, 2, 2);
    put_table_code(out, 1, 17, false, 0, 0);
    put_table_code(out, 1, 1, true, 1, 1);
}

static void put_own(bit_writer *to, unsigned *table, int value)
{
    bool small = value >= -1 && value <= 1;
    if (*table == 1 && !small) {
        put_bits(to, 3, 2);
        *table = 2;
    } else if (*table == 2 && small) {
        put_bits(to, 1, 1);
        *table = 1;
    }
    if (*table == 2) {
        put_bits(to, 0, 1);
        put_bits(to, (uint16_t)value, 16);
    } else if (value == 0)
        put_bits(to, 0, 1);
    else
        put_bits(to, value > 0 ? 4 : 5, 3);
}

static void encode(cn_buf *out, const int16_t *samples, size_t n, unsigned differences, cn_heart_scp_way way)
{
    bit_writer to = {.out = out};
    unsigned table = 1;
    for (size_t i = 0; i < n; i++) {
        int value = samples[i];
        if (differences == 1 && i > 0) value -= samples[i - 1];
        if (differences == 2 && i > 1) value -= 2 * samples[i - 1] - samples[i - 2];
        if (way == CN_HEART_SCP_PLAIN)
            put(out, (uint16_t)value, 2);
        else if (way == CN_HEART_SCP_TABLES)
            put_own(&to, &table, value);
        else
            put_standard(&to, value);
    }
    finish(&to);
}

static unsigned differences_of(cn_heart_scp_way way)
{
    return way == CN_HEART_SCP_PLAIN ? 0 : way == CN_HEART_SCP_TABLES ? 1 : 2;
}

/* ---- sections ---- */

static void about(cn_buf *out)
{
    uint8_t device[37] = {0};
    put(out, 25, 1), put(out, 4, 2), put(out, 2026, 2), put(out, 11, 1), put(out, 30, 1);
    put(out, 26, 1), put(out, 3, 2), put(out, 8, 1), put(out, 15, 1), put(out, 0, 1);
    memcpy(device + 8, "Demo", 4);
    put(out, 14, 1), put(out, sizeof(device), 2), cn_buf_add(out, device, sizeof(device));
    put(out, 27, 1), put(out, 2, 2), put(out, 5, 2);
    put(out, 28, 1), put(out, 2, 2), put(out, 150, 2);
    put(out, 255, 1), put(out, 0, 2);
}

static void lead_table(cn_buf *out, size_t n, cn_heart_scp_way way)
{
    put(out, CN_HEART_LEADS, 1);
    put(out, (way == CN_HEART_SCP_RESIDUES ? 1u : 0u) | 4 | CN_HEART_LEADS << 3, 1);
    for (unsigned lead = 0; lead < CN_HEART_LEADS; lead++) put(out, 1, 4), put(out, n, 4), put(out, lead + 1, 1);
}

/* The reference beat reaches 200 samples to both sides of each R. */
static void beat_table(cn_buf *out, size_t n)
{
    unsigned beats = (unsigned)((n + 200) / 400);
    put(out, CN_HEART_MEDIAN * 1000 / CN_HEART_RATE, 2);
    put(out, R_IN_MEDIAN + 1, 2);
    put(out, beats, 2);
    for (unsigned i = 0; i < beats; i++) {
        unsigned r = i * 400 + 200;
        put(out, 0, 2), put(out, r - 200 + 1, 4), put(out, r + 1, 4), put(out, r + 199 + 1, 4);
    }
    for (unsigned i = 0; i < beats; i++) put(out, 1, 4), put(out, 2, 4);
}

static cn_err signals(cn_buf *out, double seconds, size_t n, bool median, cn_heart_scp_way way)
{
    cn_buf data = {.max = 0};
    int16_t beat[CN_HEART_MEDIAN];
    CN_AUTO_FREE int16_t *samples = cn_calloc(n, sizeof(*samples));
    if (!samples) return CN_ERR_NOMEM;
    put(out, (uint64_t)(CN_HEART_STEP * 1000), 2);
    put(out, 1000000 / CN_HEART_RATE, 2);
    put(out, differences_of(way), 1);
    put(out, 0, 1);
    for (unsigned lead = 0; lead < CN_HEART_LEADS; lead++) {
        size_t before = data.n;
        cn_heart_median(lead, beat);
        if (median)
            memcpy(samples, beat, sizeof(beat));
        else
            cn_heart_samples(lead, seconds, n, samples);
        for (size_t i = 0; i < n && way == CN_HEART_SCP_RESIDUES && !median; i++)
            samples[i] = (int16_t)(samples[i] - beat[i % CN_HEART_MEDIAN]);
        encode(&data, samples, n, differences_of(way), way);
        if (data.n % 2) put(&data, 0, 1);
        put(out, data.n - before, 2);
    }
    cn_buf_add(out, data.p, data.n);
    if (data.err != CN_OK) out->err = data.err;
    cn_buf_free(&data);
    return CN_OK;
}

static void measured(cn_buf *out)
{
    put(out, 1, 1), put(out, 0, 1), put(out, 800, 2), put(out, 800, 2);
    for (const int *v = (const int[]){200, 300, 360, 450, 720, 40, 53, 50, -1}; *v >= 0; v++) put(out, (uint64_t)*v, 2);
}

static void statement(cn_buf *out)
{
    put(out, 0, 1), put(out, 2026, 2), put(out, 11, 1), put(out, 30, 1), put(out, 8, 1), put(out, 15, 1),
        put(out, 0, 1);
    put(out, 1, 1), put(out, 1, 1), put(out, 13, 2), cn_buf_add(out, "Sinus rhythm", 13);
}

/* ---- the file ---- */

/* Check sum, number, length, versions and six bytes that are free; what is odd gets a byte more. */
static void put_section(cn_buf *file, unsigned id, cn_buf *data)
{
    cn_buf section = {.max = 0};
    if (data->n % 2) put(data, 0, 1);
    put(&section, id, 2);
    put(&section, data->n + SECTION_HEAD, 4);
    put(&section, 13, 1), put(&section, 13, 1);
    cn_buf_add(&section, id == 0 ? "SCPECG" : "\0\0\0\0\0\0", 6);
    cn_buf_add(&section, data->p, data->n);
    put(file, crc_of((const uint8_t *)section.p, section.n), 2);
    cn_buf_add(file, section.p, section.n);
    if (section.err != CN_OK || data->err != CN_OK) file->err = CN_ERR_NOMEM;
    cn_buf_free(&section);
}

static void put_pointers(cn_buf *file, cn_buf *data)
{
    cn_buf pointers = {.max = 0};
    size_t at = 6 + SECTION_HEAD + SECTIONS * 10 + 1;
    for (unsigned id = 0; id < SECTIONS; id++) {
        size_t length = id == 0      ? SECTION_HEAD + SECTIONS * 10
                        : data[id].n ? data[id].n + data[id].n % 2 + SECTION_HEAD
                                     : 0;
        put(&pointers, id, 2), put(&pointers, length, 4), put(&pointers, id == 0 ? 7 : length ? at : 0, 4);
        if (id) at += length;
    }
    put_section(file, 0, &pointers);
    cn_buf_free(&pointers);
}

static cn_err write_sections(cn_buf *data, double seconds, cn_heart_scp_way way)
{
    size_t n = (size_t)(seconds * CN_HEART_RATE);
    about(&data[1]);
    if (way == CN_HEART_SCP_TABLES)
        put_own_tables(&data[2]);
    else if (way != CN_HEART_SCP_PLAIN)
        put(&data[2], 19999, 2);
    lead_table(&data[3], n, way);
    beat_table(&data[4], n);
    CN_TRY(signals(&data[5], seconds, CN_HEART_MEDIAN, true, way));
    CN_TRY(signals(&data[6], seconds, n, false, way));
    measured(&data[7]);
    statement(&data[8]);
    return CN_OK;
}

static cn_err write_file(const char *path, cn_buf *data)
{
    cn_buf file = {.max = 0}, whole = {.max = 0};
    put_pointers(&file, data);
    for (unsigned id = 1; id < SECTIONS; id++)
        if (data[id].n) put_section(&file, id, &data[id]);
    cn_buf sized = {.max = 0};
    put(&sized, file.n + 6, 4);
    cn_buf_add(&sized, file.p, file.n);
    put(&whole, crc_of((const uint8_t *)sized.p, sized.n), 2);
    cn_buf_add(&whole, sized.p, sized.n);
    cn_err err = file.err != CN_OK ? file.err : whole.err;
    if (err == CN_OK) err = cn_file_write_durable(path, whole.p, whole.n, 0600);
    cn_buf_free(&file);
    cn_buf_free(&sized);
    cn_buf_free(&whole);
    return err;
}

cn_err cn_heart_scp(const char *path, double seconds, cn_heart_scp_way way)
{
    cn_buf data[SECTIONS] = {{.max = 0}};
    cn_err err = write_sections(data, seconds, way);
    if (err == CN_OK) err = write_file(path, data);
    for (unsigned id = 0; id < SECTIONS; id++) cn_buf_free(&data[id]);
    return err;
}
