#include "viewer/slide/jpeghead.h"

#include <string.h>

enum { SOF0 = 0xc0, SOF2 = 0xc2, DHT = 0xc4, JPG = 0xc8, DAC = 0xcc, SOF15 = 0xcf, SOI = 0xd8, EOI = 0xd9, SOS = 0xda };
enum { APP0 = 0xe0, APP14 = 0xee };

static bool is_frame(uint8_t marker)
{
    return marker >= SOF0 && marker <= SOF15 && marker != DHT && marker != JPG && marker != DAC;
}

/* As libjpeg does (jdapimin.c, default_decompress_parms): JFIF first, then Adobe, then the components' names. */
static int colours_of(const cn_jpeghead *head)
{
    if (head->components == 1) return CN_JPEG_GREY;
    if (head->components != 3) return CN_JPEG_UNKNOWN;
    if (head->jfif) return CN_JPEG_YCBCR;
    if (head->adobe) return head->transform == 0 ? CN_JPEG_RGB : CN_JPEG_YCBCR;
    return memcmp(head->ids, "RGB", 3) == 0 ? CN_JPEG_RGB : CN_JPEG_YCBCR;
}

/* `part`: behind the segment's length. */
static bool read_frame(uint8_t marker, const uint8_t *part, size_t len, cn_jpeghead *out)
{
    if (marker > SOF2 || len < 6 || part[0] != 8 || out->components) return false;
    out->height = (uint32_t)part[1] << 8 | part[2];
    out->width = (uint32_t)part[3] << 8 | part[4];
    out->components = part[5];
    if (out->components < 1 || len != 6 + 3 * (size_t)out->components) return false;
    for (unsigned i = 0; i < 3 && i < out->components; i++) out->ids[i] = part[6 + 3 * i];
    return true;
}

static void read_application(uint8_t marker, const uint8_t *part, size_t len, cn_jpeghead *out)
{
    if (marker == APP0 && len >= 14 && memcmp(part, "JFIF", 5) == 0) out->jfif = true;
    if (marker == APP14 && len >= 12 && memcmp(part, "Adobe", 5) == 0) {
        out->adobe = true;
        out->transform = part[11];
    }
    out->says = out->jfif || out->adobe;
}

bool cn_jpeghead_read(const uint8_t *bytes, size_t len, cn_jpeghead *out)
{
    if (len < 4 || bytes[0] != 0xff || bytes[1] != SOI) return false;
    size_t at = 2;
    while (at + 2 <= len) {
        uint8_t marker = bytes[at + 1];
        if (bytes[at] != 0xff || marker == 0) return false;
        if (marker == 0xff) { /* fill byte */
            at++;
            continue;
        }
        if (marker == EOI || marker == SOS) {
            out->colours = colours_of(out);
            return true;
        }
        if (marker < SOF0 || (marker >= 0xd0 && marker <= SOI) || at + 4 > len) return false;
        size_t n = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (n < 2 || n > len - at - 2) return false;
        if (is_frame(marker) && !read_frame(marker, bytes + at + 4, n - 2, out)) return false;
        read_application(marker, bytes + at + 4, n - 2, out);
        at += 2 + n;
    }
    return false;
}
