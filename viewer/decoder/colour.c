#include "viewer/decoder/colour.h"

#include <fcntl.h>
#include <lcms2.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>
#include <unistd.h>

#include "base/mem.h"
#include "viewer/decode_proto.h"

#define HEADER 128     /* ICC.1:2010 §7.2 */
#define DIRECTORIES 64 /* of a TIFF that are looked through */

struct cn_colour {
    uint32_t n;
    bool usable;
    uint8_t profile[]; /* empty when it is not usable */
};

/* ---- the profile in its file ---- */

static bool is_tiff(const char *path)
{
    uint8_t start[4] = {0};
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, start, sizeof(start)) != sizeof(start)) return false;
    return memcmp(start, "II*\0", 4) == 0 || memcmp(start, "MM\0*", 4) == 0 || memcmp(start, "II+\0", 4) == 0 ||
           memcmp(start, "MM\0+", 4) == 0;
}

/* Of the first tiled directory that has one: labels and overviews are in strips, and of another scanner's camera. */
static bool find_profile(TIFF *tif, const void **profile, uint32_t *n)
{
    for (int i = 0; i < DIRECTORIES; i++) {
        void *found = NULL;
        if (TIFFIsTiled(tif) && TIFFGetField(tif, TIFFTAG_ICCPROFILE, n, &found) && *n && found) {
            *profile = found;
            return true;
        }
        if (!TIFFReadDirectory(tif)) return false;
    }
    return false;
}

cn_err cn_colour_open(cn_colour **out, const char *path)
{
    *out = NULL;
    if (!is_tiff(path)) return CN_OK;
    TIFF *tif = TIFFOpen(path, "rmO"); /* not mapped; places of tiles, which can be millions, are not wanted */
    if (!tif) return CN_OK;
    const void *profile = NULL;
    uint32_t n = 0;
    cn_err err = CN_OK;
    if (find_profile(tif, &profile, &n)) {
        bool usable = n <= CN_DECODE_ICC_BYTES && cn_colour_is_rgb_profile(profile, n);
        size_t kept = usable ? n : 0;
        cn_colour *colour = cn_calloc(1, sizeof(cn_colour) + kept);
        if (colour) {
            colour->n = n;
            colour->usable = usable;
            memcpy(colour->profile, profile, kept);
            *out = colour;
        } else
            err = CN_ERR_NOMEM;
    }
    TIFFClose(tif);
    return err;
}

void cn_colour_close(cn_colour *colour)
{
    free(colour);
}

uint32_t cn_colour_bytes(const cn_colour *colour)
{
    return colour ? colour->n : 0;
}

bool cn_colour_is_usable(const cn_colour *colour)
{
    return colour && colour->usable;
}

cn_err cn_colour_answer(const cn_colour *colour, void *out, size_t size, size_t *len)
{
    if (!cn_colour_is_usable(colour)) return CN_ERR_NOTFOUND;
    if (size < CN_DECODE_COLOUR_BYTES) return CN_ERR_TOOBIG;
    CN_TRY(cn_colour_table(colour->profile, colour->n, out));
    *len = CN_DECODE_COLOUR_BYTES;
    return CN_OK;
}

/* ---- what it says ---- */

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

bool cn_colour_is_rgb_profile(const void *profile, size_t len)
{
    static const char classes[][5] = {"scnr", "mntr", "spac"};
    const uint8_t *header = profile;
    if (len <= HEADER || get32(header) > len || get32(header) <= HEADER) return false;
    if (memcmp(header + 36, "acsp", 4) != 0 || memcmp(header + 16, "RGB ", 4) != 0) return false;
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (memcmp(header + 12, classes[i], 4) == 0) return true;
    return false;
}

/* ---- the table ---- */

/* Half precision, rounded. Within what is left of them, -1 to 2, there is neither infinity nor anything without a number. */
static uint16_t half_of(float value)
{
    uint32_t bits;
    if (!(value > -1)) value = -1;
    if (value > 2) value = 2;
    memcpy(&bits, &value, sizeof(bits));
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    if (fabsf(value) < 0x1p-14f) return (uint16_t)(sign | (uint16_t)lrintf(fabsf(value) * 0x1p24f));
    uint32_t exponent = (bits >> 23 & 0xff) - 127 + 15;
    return (uint16_t)(sign | ((exponent << 10 | (bits >> 13 & 0x3ff)) + (bits >> 12 & 1)));
}

static void put_row(const float *row, uint8_t *out)
{
    for (int i = 0; i < CN_DECODE_COLOUR_SIDE * 3; i++) {
        uint16_t number = half_of(row[i]);
        out[2 * i] = (uint8_t)number;
        out[2 * i + 1] = (uint8_t)(number >> 8);
    }
}

static void fill(cmsHTRANSFORM transform, uint8_t *out)
{
    enum { side = CN_DECODE_COLOUR_SIDE };
    float from[side * 3], to[side * 3];
    for (int blue = 0; blue < side; blue++)
        for (int green = 0; green < side; green++) {
            for (int red = 0; red < side; red++) {
                from[3 * red] = (float)red / (side - 1);
                from[3 * red + 1] = (float)green / (side - 1);
                from[3 * red + 2] = (float)blue / (side - 1);
            }
            cmsDoTransform(transform, from, to, side);
            put_row(to, out);
            out += 2 * side * 3;
        }
}

cn_err cn_colour_table(const void *profile, size_t len, uint8_t *out)
{
    if (len > CN_DECODE_ICC_BYTES || !cn_colour_is_rgb_profile(profile, len)) return CN_ERR_UNSUPPORTED;
    cmsContext context = cmsCreateContext(NULL, NULL);
    if (!context) return CN_ERR_NOMEM;
    cmsHPROFILE from = cmsOpenProfileFromMemTHR(context, profile, (cmsUInt32Number)len);
    cmsHPROFILE srgb = cmsCreate_sRGBProfileTHR(context);
    cmsHTRANSFORM transform = NULL;
    /* lcms' own shortcuts are tables of 33 steps too */
    if (from && srgb)
        transform = cmsCreateTransformTHR(context, from, TYPE_RGB_FLT, srgb, TYPE_RGB_FLT, INTENT_RELATIVE_COLORIMETRIC,
                                          cmsFLAGS_BLACKPOINTCOMPENSATION | cmsFLAGS_NOOPTIMIZE | cmsFLAGS_NOCACHE);
    if (transform) fill(transform, out);
    if (transform) cmsDeleteTransform(transform);
    if (srgb) cmsCloseProfile(srgb);
    if (from) cmsCloseProfile(from);
    cmsDeleteContext(context);
    return transform ? CN_OK : CN_ERR_UNSUPPORTED;
}
