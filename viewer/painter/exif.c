#include "viewer/painter/exif.h"

#include <stdbool.h>
#include <string.h>

#define ORIENTATION 274
#define SHORT 3
#define LONG 4

typedef struct exif_view {
    const uint8_t *bytes;
    size_t len;
    bool little;
} exif_view;

static uint32_t number(const exif_view *exif, size_t at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint32_t)exif->bytes[at + i] << 8 * (exif->little ? i : bytes - 1 - i);
    return value;
}

/* TIFF 6.0: an entry of 12 bytes, whose value of one SHORT or LONG stands in its last four. */
static unsigned of_entry(const exif_view *exif, size_t at)
{
    uint32_t type = number(exif, at + 2, 2);
    if (number(exif, at, 2) != ORIENTATION || number(exif, at + 4, 4) != 1) return 0;
    uint32_t value = type == SHORT ? number(exif, at + 8, 2) : type == LONG ? number(exif, at + 8, 4) : 0;
    return value <= 8 ? value : 0;
}

unsigned cn_exif_orientation(const void *bytes, size_t len)
{
    exif_view exif = {.bytes = bytes, .len = len};
    if (len >= 6 && memcmp(bytes, "Exif\0\0", 6) == 0) {
        exif.bytes += 6;
        exif.len -= 6;
    }
    if (exif.len < 8 || (memcmp(exif.bytes, "II", 2) != 0 && memcmp(exif.bytes, "MM", 2) != 0)) return 1;
    exif.little = exif.bytes[0] == 'I';
    if (number(&exif, 2, 2) != 42) return 1;
    size_t at = number(&exif, 4, 4);
    if (at > exif.len - 2) return 1;
    size_t entries = number(&exif, at, 2);
    at += 2;
    for (size_t i = 0; i < entries && exif.len - at >= 12; i++, at += 12) {
        unsigned found = of_entry(&exif, at);
        if (found) return found;
    }
    return 1;
}
