#include "viewer/demo/dicom/part10.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST ((size_t)1 << 30)
#define EXPLICIT_LITTLE "1.2.840.10008.1.2.1"
#define IMPLEMENTATION "2.25.299054826174093826458720315702646102"

static void put_le(cn_buf *out, uint64_t value, unsigned bytes)
{
    uint8_t raw[8];
    for (unsigned i = 0; i < bytes; i++) raw[i] = (uint8_t)(value >> 8 * i);
    cn_buf_add(out, raw, bytes);
}

/* PS3.5 table 7.1-1: these have two reserved bytes and a length of 32 bits */
static bool is_long(const char *vr)
{
    return strcmp(vr, "OB") == 0 || strcmp(vr, "OW") == 0 || strcmp(vr, "SQ") == 0 || strcmp(vr, "UT") == 0;
}

static void put_head(cn_buf *out, uint32_t tag, const char *vr, size_t len)
{
    put_le(out, tag >> 16, 2);
    put_le(out, tag & 0xffff, 2);
    cn_buf_add(out, vr, 2);
    if (is_long(vr)) put_le(out, 0, 2);
    put_le(out, len, is_long(vr) ? 4 : 2);
}

/* A new element with its head written, or NULL. */
static cn_buf *begin(cn_set *set, uint32_t tag, const char *vr, size_t len)
{
    if (set->count == CN_SET_MAX) set->err = CN_ERR_FULL;
    if (set->err != CN_OK) return NULL;
    cn_buf *out = &set->element[set->count].bytes;
    out->max = LARGEST;
    set->element[set->count++].tag = tag;
    put_head(out, tag, vr, len);
    return out;
}

void cn_set_text(cn_set *set, uint32_t tag, const char *vr, const char *value)
{
    size_t len = strlen(value);
    cn_buf *out = begin(set, tag, vr, len + len % 2);
    if (!out) return;
    cn_buf_add(out, value, len);
    if (len % 2) cn_buf_add(out, strcmp(vr, "UI") == 0 ? "" : " ", 1);
}

void cn_set_number(cn_set *set, uint32_t tag, const char *vr, double value)
{
    char text[32];
    if (!cn_fmt(text, sizeof(text), "%.10g", value) || strlen(text) > 16) set->err = CN_ERR_INVALID;
    cn_set_text(set, tag, vr, text);
}

void cn_set_us(cn_set *set, uint32_t tag, uint16_t value)
{
    cn_buf *out = begin(set, tag, "US", 2);
    if (out) put_le(out, value, 2);
}

void cn_set_ul(cn_set *set, uint32_t tag, uint32_t value)
{
    cn_buf *out = begin(set, tag, "UL", 4);
    if (out) put_le(out, value, 4);
}

void cn_set_fd(cn_set *set, uint32_t tag, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    cn_buf *out = begin(set, tag, "FD", 8);
    if (out) put_le(out, bits, 8);
}

void cn_set_at(cn_set *set, uint32_t tag, uint32_t value)
{
    cn_buf *out = begin(set, tag, "AT", 4);
    if (!out) return;
    put_le(out, value >> 16, 2);
    put_le(out, value & 0xffff, 2);
}

void cn_set_bytes(cn_set *set, uint32_t tag, const char *vr, const void *bytes, size_t len)
{
    cn_buf *out = begin(set, tag, vr, len);
    if (out) cn_buf_add(out, bytes, len);
}

static int by_tag(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* The elements in ascending order (PS3.5 §7.1). */
static void put_set(cn_set *set, cn_buf *out)
{
    if (set->err != CN_OK) out->err = set->err;
    qsort(set->element, set->count, sizeof(set->element[0]), by_tag);
    for (unsigned i = 0; i < set->count; i++) {
        if (set->element[i].bytes.err != CN_OK) out->err = set->element[i].bytes.err;
        cn_buf_add(out, set->element[i].bytes.p, set->element[i].bytes.n);
    }
}

/* The sequence of that tag, now so many bytes longer; NULL: there is none yet. */
static cn_buf *grown(cn_set *set, uint32_t tag, size_t by)
{
    for (unsigned i = 0; i < set->count; i++) {
        cn_buf *bytes = &set->element[i].bytes;
        if (set->element[i].tag != tag || bytes->n < 12) continue;
        size_t length = bytes->n - 12 + by;
        for (unsigned k = 0; k < 4; k++) bytes->p[8 + k] = (char)(uint8_t)(length >> 8 * k);
        return bytes;
    }
    return NULL;
}

void cn_set_item(cn_set *set, uint32_t tag, cn_set *item)
{
    cn_buf bytes = {.max = LARGEST};
    if (item) {
        put_set(item, &bytes);
        cn_set_clear(item);
    }
    if (bytes.err != CN_OK) set->err = bytes.err;
    cn_buf *out = item ? grown(set, tag, bytes.n + 8) : NULL;
    if (!out) out = begin(set, tag, "SQ", item ? bytes.n + 8 : 0);
    if (out && item) {
        put_le(out, 0xfffe, 2);
        put_le(out, 0xe000, 2);
        put_le(out, bytes.n, 4);
        cn_buf_add(out, bytes.p, bytes.n);
    }
    cn_buf_free(&bytes);
}

static void put_meta(cn_buf *out, const char *sop_class, const char *instance)
{
    cn_set meta = {.count = 0};
    cn_buf bytes = {.max = LARGEST};
    cn_set_bytes(&meta, 0x00020001, "OB", "\0\1", 2);
    cn_set_text(&meta, 0x00020002, "UI", sop_class);
    cn_set_text(&meta, 0x00020003, "UI", instance);
    cn_set_text(&meta, 0x00020010, "UI", EXPLICIT_LITTLE);
    cn_set_text(&meta, 0x00020012, "UI", IMPLEMENTATION);
    cn_set_text(&meta, 0x00020013, "SH", "CONSILIUM_DEMO");
    put_set(&meta, &bytes);
    for (int i = 0; i < 128; i++) cn_buf_add(out, "", 1);
    cn_buf_str(out, "DICM");
    put_head(out, 0x00020000, "UL", 4);
    put_le(out, bytes.n, 4);
    cn_buf_add(out, bytes.p, bytes.n);
    if (bytes.err != CN_OK) out->err = bytes.err;
    cn_buf_free(&bytes);
    cn_set_clear(&meta);
}

cn_err cn_set_write(cn_set *set, const char *path, const char *sop_class, const char *instance)
{
    cn_buf out = {.max = (size_t)1 << 30};
    put_meta(&out, sop_class, instance);
    put_set(set, &out);
    cn_err err = out.err;
    FILE *file = err == CN_OK ? fopen(path, "wbe") : NULL;
    if (err == CN_OK && (!file || fwrite(out.p, 1, out.n, file) != out.n)) err = CN_ERR_IO;
    if (file && fclose(file) != 0) err = CN_ERR_IO;
    cn_buf_free(&out);
    return err;
}

void cn_set_clear(cn_set *set)
{
    for (unsigned i = 0; i < set->count; i++) cn_buf_free(&set->element[i].bytes);
    set->count = 0;
    set->err = CN_OK;
}
