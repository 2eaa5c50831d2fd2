/* Samples of a TIFF as 8-bit RGB. Pure. */
#ifndef CN_VIEWER_PAINTER_SAMPLES_H
#define CN_VIEWER_PAINTER_SAMPLES_H

#include <stdint.h>

typedef enum cn_samples_kind {
    CN_SAMPLES_OTHER,
    CN_SAMPLES_GREY,
    CN_SAMPLES_WHITE, /* grey, 0 is white */
    CN_SAMPLES_RGB,
    CN_SAMPLES_CMYK,
    CN_SAMPLES_PALETTE
} cn_samples_kind;

typedef enum cn_alpha { CN_ALPHA_NONE, CN_ALPHA_MULTIPLIED, CN_ALPHA_APART } cn_alpha;

typedef struct cn_samples {
    cn_samples_kind kind;
    cn_alpha alpha;         /* what the sample behind the colours is */
    uint16_t bits, parts;   /* 8 or 16; samples of a pixel, more than the colours or as many */
    uint16_t most;          /* 16 bits: the largest so far */
    const uint16_t *map[3]; /* palette: 256 entries each */
} cn_samples;

/** Looks how large 16-bit samples become: cameras of 10, 12 or 14 bits store theirs so, and would be black. */
void cn_samples_look(cn_samples *samples, const uint8_t *line, int64_t width);
/** One line, over white where it is transparent. */
void cn_samples_rgb(const cn_samples *samples, const uint8_t *line, int64_t width, uint8_t *rgb);

#endif
