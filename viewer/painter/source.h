/* What the readers of plain pictures share: what one says of a picture, and where its lines go. */
#ifndef CN_VIEWER_PAINTER_SOURCE_H
#define CN_VIEWER_PAINTER_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct cn_picture_head {
    int64_t width, height;     /* as stored, before it is turned */
    unsigned orientation;      /* 1…8 as TIFF 6.0 counts, 0 for 1: how it is to be turned to be seen upright */
    const void *icc;           /* profile of its RGB, NULL: none; borrowed for the call */
    size_t icc_bytes;          /* 0: none */
    double x_per_cm, y_per_cm; /* pixels of a centimetre of what is pictured, 0: not said */
} cn_picture_head;

/** A reader calls `begin` once, then `lines` with whole lines of RGB from the top down. An error ends it and is what the
 * reader returns. */
typedef struct cn_picture_sink {
    void *ctx;
    cn_err (*begin)(void *ctx, const cn_picture_head *head);
    cn_err (*lines)(void *ctx, const uint8_t *rgb, int64_t n);
} cn_picture_sink;

#define CN_PICTURE_SIDE 300000         /* pixels; a band of so wide a picture just fits into memory */
#define CN_PICTURE_PIXELS 4300000000LL /* 65,535 × 65,535 and a little more */

/* The readers. CN_ERR_UNSUPPORTED: no such file, or a kind of it that is not read; CN_ERR_CORRUPT: damaged or cut short;
 * CN_ERR_TOOBIG: beyond the bounds above or the memory. */
cn_err cn_read_jpeg(const char *path, const cn_picture_sink *sink);
cn_err cn_read_png(const char *path, const cn_picture_sink *sink);
/** The first picture of the file. CN_ERR_UNSUPPORTED also for black and white and for several pages: scans. */
cn_err cn_read_tiff(const char *path, const cn_picture_sink *sink);
cn_err cn_read_jp2(const char *path, const cn_picture_sink *sink);
cn_err cn_read_heif(const char *path, const cn_picture_sink *sink);
cn_err cn_read_bmp(const char *path, const cn_picture_sink *sink);

#endif
