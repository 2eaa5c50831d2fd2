/* BMP without compression: what its head says, and its lines as RGB. Pure. */
#ifndef CN_VIEWER_PAINTER_BMP_H
#define CN_VIEWER_PAINTER_BMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_BMP_HEAD 2048 /* bytes of a file that hold head, masks and palette, or fewer where the file is shorter */

typedef struct cn_bmp {
    int64_t width, height;
    bool upward; /* the lowest line is stored first */
    unsigned bits;
    size_t pixels;       /* where the lines begin in the file */
    size_t stride;       /* bytes of a line */
    uint32_t mask[3];    /* 16 and 32 bits: where red, green and blue are */
    uint8_t map[256][3]; /* up to 8 bits */
} cn_bmp;

/** CN_ERR_CORRUPT; CN_ERR_UNSUPPORTED where lines are compressed. */
cn_err cn_bmp_head(const void *bytes, size_t len, cn_bmp *out);
/** A stored line, `stride` bytes. */
void cn_bmp_line(const cn_bmp *file, const uint8_t *stored, uint8_t *rgb);

#endif
