#include "viewer/painter/samples.h"

#include <stdbool.h>
#include <string.h>

static unsigned colours(cn_samples_kind kind)
{
    return kind == CN_SAMPLES_CMYK ? 4 : kind == CN_SAMPLES_RGB ? 3 : 1;
}

static uint16_t sample16(const uint8_t *line, int64_t i)
{
    uint16_t value;
    memcpy(&value, line + 2 * i, 2);
    return value;
}

void cn_samples_look(cn_samples *samples, const uint8_t *line, int64_t width)
{
    int64_t parts = samples->parts, wanted = colours(samples->kind);
    for (int64_t x = 0; x < width; x++)
        for (int64_t c = 0; c < wanted; c++) {
            uint16_t value = sample16(line, x * parts + c);
            if (value > samples->most) samples->most = value;
        }
}

/* What white is: 10, 12, 14 or 16 bits of ones. */
static unsigned full(const cn_samples *samples)
{
    if (samples->bits == 8) return 255;
    if (samples->kind == CN_SAMPLES_CMYK) return 65535;
    unsigned bits = 10;
    while (bits < 16 && samples->most >= 1u << bits) bits += 2;
    return (1u << bits) - 1;
}

static unsigned eight(const cn_samples *samples, const uint8_t *line, int64_t i, unsigned most)
{
    if (samples->bits == 8) return line[i];
    unsigned value = (sample16(line, i) * 255u + most / 2) / most;
    return value > 255 ? 255 : value;
}

static void pixel(const cn_samples *samples, const unsigned part[4], const uint8_t *at, uint8_t *rgb)
{
    for (int c = 0; c < 3; c++) {
        switch (samples->kind) {
        case CN_SAMPLES_RGB: rgb[c] = (uint8_t)part[c]; break;
        case CN_SAMPLES_CMYK: rgb[c] = (uint8_t)(((255 - part[c]) * (255 - part[3]) + 127) / 255); break;
        case CN_SAMPLES_PALETTE: rgb[c] = (uint8_t)(samples->map[c][*at] >> 8); break;
        case CN_SAMPLES_WHITE: rgb[c] = (uint8_t)(255 - part[0]); break;
        default: rgb[c] = (uint8_t)part[0]; break;
        }
    }
}

static void over_white(cn_alpha alpha, unsigned opaque, uint8_t *rgb)
{
    for (int c = 0; c < 3; c++) {
        unsigned own = alpha == CN_ALPHA_MULTIPLIED ? rgb[c] : (rgb[c] * opaque + 127) / 255, sum = own + 255 - opaque;
        rgb[c] = (uint8_t)(sum > 255 ? 255 : sum);
    }
}

void cn_samples_rgb(const cn_samples *samples, const uint8_t *line, int64_t width, uint8_t *rgb)
{
    unsigned wanted = colours(samples->kind), most = full(samples);
    bool clear = samples->alpha != CN_ALPHA_NONE && samples->parts > wanted;
    for (int64_t x = 0; x < width; x++, rgb += 3) {
        int64_t at = x * samples->parts;
        unsigned part[4] = {0};
        for (unsigned c = 0; c < wanted; c++) part[c] = eight(samples, line, at + c, most);
        pixel(samples, part, line + at, rgb);
        if (clear) over_white(samples->alpha, eight(samples, line, at + wanted, samples->bits == 8 ? 255 : 65535), rgb);
    }
}
