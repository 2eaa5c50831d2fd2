#include "viewer/painter/bmp.h"

#include <string.h>

/* Windows GDI, BITMAPFILEHEADER and the headers behind it: BITMAPCOREHEADER (12 bytes), BITMAPINFOHEADER (40) and its
 * successors, which begin with the same fields. */
#define FILE_HEAD 14
#define CORE 12
#define INFO 40
#define RGB 0
#define BITFIELDS 3
#define ALPHABITFIELDS 6
#define SIDE ((int64_t)1 << 20)

static uint32_t u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static uint32_t u16(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8;
}

static void read_size(const uint8_t *info, bool core, cn_bmp *out)
{
    out->width = core ? (int64_t)u16(info + 4) : (int64_t)(int32_t)u32(info + 4);
    out->height = core ? (int64_t)u16(info + 6) : (int64_t)(int32_t)u32(info + 8);
    out->bits = u16(info + (core ? 10 : 14));
    out->upward = out->height > 0;
    if (out->height < 0) out->height = -out->height;
}

/* Masks stand behind a head of 40 bytes, and inside a longer one at the same place. */
static cn_err read_masks(const uint8_t *info, size_t left, uint32_t compression, cn_bmp *out)
{
    static const uint32_t usual[2][3] = {{0x7c00, 0x3e0, 0x1f}, {0xff0000, 0xff00, 0xff}};
    memcpy(out->mask, usual[out->bits == 32], sizeof(out->mask));
    if (compression == RGB) return CN_OK;
    if (left < INFO + 12) return CN_ERR_CORRUPT;
    for (size_t c = 0; c < 3; c++) out->mask[c] = u32(info + INFO + 4 * c);
    return out->mask[0] && out->mask[1] && out->mask[2] ? CN_OK : CN_ERR_CORRUPT;
}

static cn_err read_map(const uint8_t *info, size_t left, bool core, cn_bmp *out)
{
    size_t head = u32(info), step = core ? 3 : 4, said = core ? 0 : u32(info + 32), n = (size_t)1 << out->bits;
    if (said && said < n) n = said;
    if (head > left || (left - head) / step < n) return CN_ERR_CORRUPT;
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < 3; c++) out->map[i][c] = info[head + i * step + 2 - c];
    return CN_OK;
}

cn_err cn_bmp_head(const void *bytes, size_t len, cn_bmp *out)
{
    const uint8_t *file = bytes, *info = file + FILE_HEAD;
    *out = (cn_bmp){.width = 0};
    if (len < FILE_HEAD + CORE || memcmp(file, "BM", 2) != 0) return CN_ERR_CORRUPT;
    size_t left = len - FILE_HEAD;
    bool core = u32(info) == CORE;
    if (!core && (u32(info) < INFO || left < INFO)) return CN_ERR_CORRUPT;
    read_size(info, core, out);
    uint32_t compression = core ? RGB : u32(info + 16);
    if (compression != RGB && compression != BITFIELDS && compression != ALPHABITFIELDS) return CN_ERR_UNSUPPORTED;
    if (out->width < 1 || out->height < 1) return CN_ERR_CORRUPT;
    if (out->width > SIDE || out->height > SIDE) return CN_ERR_TOOBIG;
    out->pixels = u32(file + 10);
    out->stride = ((size_t)out->width * out->bits + 31) / 32 * 4;
    switch (out->bits) {
    case 1:
    case 4:
    case 8: return read_map(info, left, core, out);
    case 16:
    case 32: return read_masks(info, left, compression, out);
    case 24: return CN_OK;
    default: return CN_ERR_CORRUPT;
    }
}

/* The bits under a mask, as 0…255. */
static uint8_t masked(uint32_t value, uint32_t mask)
{
    unsigned low = (unsigned)__builtin_ctz(mask);
    uint64_t most = mask >> low;
    return (uint8_t)((((uint64_t)(value & mask) >> low) * 255 + most / 2) / most);
}

static unsigned entry(const cn_bmp *file, const uint8_t *stored, int64_t x)
{
    unsigned in_byte = 8 / file->bits, place = (unsigned)(x % in_byte), byte = stored[x / in_byte];
    return byte >> (8 - file->bits * (place + 1)) & ((1u << file->bits) - 1);
}

void cn_bmp_line(const cn_bmp *file, const uint8_t *stored, uint8_t *rgb)
{
    for (int64_t x = 0; x < file->width; x++, rgb += 3) {
        if (file->bits <= 8) {
            memcpy(rgb, file->map[entry(file, stored, x)], 3);
        } else if (file->bits == 24) {
            for (int c = 0; c < 3; c++) rgb[c] = stored[3 * x + 2 - c];
        } else {
            uint32_t value = file->bits == 16 ? u16(stored + 2 * x) : u32(stored + 4 * x);
            for (int c = 0; c < 3; c++) rgb[c] = masked(value, file->mask[c]);
        }
    }
}
