#include "support_tiff.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/str.h"
#include "cn_test.h"

#define ENTRY 12
enum { X_RESOLUTION = 282, Y_RESOLUTION = 283, TILE_OFFSETS = 324, TILE_LENGTHS = 325, PRIVATE = 65000 };
enum { SHORT = 3, LONG = 4 };

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> (8 * i));
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

/* The first directory, its count of entries in front. */
static uint8_t *directory(uint8_t *bytes)
{
    assert_memory_equal(bytes, "II*\0", 4);
    return bytes + get32(bytes + 4);
}

static uint8_t *entry(uint8_t *bytes, uint16_t tag)
{
    uint8_t *dir = directory(bytes);
    for (uint16_t i = 0; i < get16(dir); i++)
        if (get16(dir + 2 + ENTRY * i) == tag) return dir + 2 + ENTRY * i;
    fail_msg("no tag %u", tag);
    return NULL;
}

void tiff_changed_copy(const char *from, const char *dir, const char *name, tiff_change change)
{
    char path[300], *text = NULL;
    size_t n = 0;
    mkdir(dir, 0700);
    assert_true(cn_fmt(path, sizeof(path), "%s/%s", dir, name));
    assert_ok(cn_file_read(from, 64 << 20, &text, &n));
    uint8_t *bytes = (uint8_t *)text;
    if (change) change(&bytes, &n);
    assert_ok(cn_file_write_durable(path, bytes, n, 0600));
    free(bytes);
}

void tiff_private_tag(uint8_t **bytes, size_t *len)
{
    uint8_t *dir = directory(*bytes);
    uint16_t entries = get16(dir);
    size_t size = 2u + (size_t)ENTRY * entries, start = (*len + 1) & ~(size_t)1;
    uint8_t *grown = calloc(1, start + size + ENTRY + 4);
    assert_non_null(grown);
    memcpy(grown, *bytes, *len);
    memcpy(grown + start, dir, size);
    put16(grown + start, (uint16_t)(entries + 1));
    uint8_t *added = grown + start + size;
    put16(added, PRIVATE);
    put16(added + 2, LONG);
    put32(added + 4, 1);
    put32(added + 8, 42);
    memcpy(added + ENTRY, dir + size, 4);
    put32(grown + 4, (uint32_t)start);
    free(*bytes);
    *bytes = grown;
    *len = start + size + ENTRY + 4;
}

void tiff_one_level(uint8_t **bytes, size_t *len)
{
    (void)len;
    uint8_t *dir = directory(*bytes);
    put32(dir + 2 + ENTRY * get16(dir), 0);
}

static void clear_value(uint8_t *bytes, uint16_t tag, uint32_t i)
{
    const uint8_t *row = entry(bytes, tag);
    uint32_t size = get16(row + 2) == SHORT ? 2 : 4;
    assert_true(get16(row + 2) == SHORT || get16(row + 2) == LONG);
    assert_true(get32(row + 4) * size > 4); /* the values stand apart */
    memset(bytes + get32(row + 8) + (size_t)size * i, 0, size);
}

void tiff_empty_tiles(uint8_t **bytes, size_t *len)
{
    (void)len;
    uint32_t tiles = get32(entry(*bytes, TILE_OFFSETS) + 4);
    for (uint32_t i = 0; i < tiles; i += 3) {
        clear_value(*bytes, TILE_OFFSETS, i);
        clear_value(*bytes, TILE_LENGTHS, i);
    }
}

static void set_resolution(uint8_t *bytes, uint16_t tag, uint32_t per_cm)
{
    uint8_t *value = bytes + get32(entry(bytes, tag) + 8);
    put32(value, per_cm);
    put32(value + 4, 1);
}

void tiff_screen_resolution(uint8_t **bytes, size_t *len)
{
    (void)len;
    set_resolution(*bytes, X_RESOLUTION, 10);
    set_resolution(*bytes, Y_RESOLUTION, 10);
}

void tiff_tall_pixels(uint8_t **bytes, size_t *len)
{
    (void)len;
    set_resolution(*bytes, X_RESOLUTION, 40000);
    set_resolution(*bytes, Y_RESOLUTION, 20000);
}
