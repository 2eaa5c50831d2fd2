// A colour profile out of a slide: refused, or a table; by itself and as the tag of a small tiled TIFF.
// covers: viewer/decoder/colour.c
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "viewer/decode_proto.h"
#include "viewer/decoder/colour.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENTRIES 9
#define HEAD (8 + 2 + 12 * ENTRIES + 4)

static uint8_t table[CN_DECODE_COLOUR_BYTES];

/* TIFF 6.0: one directory of a tile of grey that nobody wrote, and the profile behind it. */
static int slide_with(const uint8_t *profile, uint32_t n)
{
    const uint32_t entries[ENTRIES][4] = {{256, 4, 1, 16},   {257, 4, 1, 16},  {258, 3, 1, 8},
                                          {262, 3, 1, 1},    {322, 4, 1, 16},  {323, 4, 1, 16},
                                          {324, 4, 1, HEAD}, {325, 4, 1, 256}, {34675, 7, n, HEAD}};
    uint8_t head[HEAD] = {'I', 'I', 42, 0, 8, 0, 0, 0, ENTRIES, 0};
    for (size_t i = 0; i < ENTRIES; i++) {
        const uint16_t tag[2] = {(uint16_t)entries[i][0], (uint16_t)entries[i][1]};
        memcpy(head + 10 + 12 * i, tag, sizeof(tag));
        memcpy(head + 14 + 12 * i, &entries[i][2], 8);
    }
    int fd = memfd_create("slide", MFD_CLOEXEC);
    if (fd < 0 || write(fd, head, sizeof(head)) != (ssize_t)sizeof(head) || write(fd, profile, n) != (ssize_t)n)
        __builtin_trap();
    return fd;
}

static void through_its_file(const uint8_t *data, size_t size)
{
    char path[40];
    cn_colour *colour = NULL;
    size_t len = 0;
    int fd = slide_with(data, (uint32_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    cn_err err = cn_colour_open(&colour, path);
    if (err == CN_OK && cn_colour_is_usable(colour)) {
        if (cn_colour_bytes(colour) != size) __builtin_trap();
        err = cn_colour_answer(colour, table, sizeof(table), &len);
        if (err == CN_OK && len != sizeof(table)) __builtin_trap();
    }
    cn_colour_close(colour);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_err err = cn_colour_table(data, size, table);
    if (err != CN_OK && err != CN_ERR_UNSUPPORTED && err != CN_ERR_NOMEM) __builtin_trap();
    if (err == CN_OK && !cn_colour_is_rgb_profile(data, size)) __builtin_trap();
    through_its_file(data, size);
    return 0;
}
