/* A picture of a place on a slide: turned as it was seen, with marks and a scale bar. */
#ifndef CN_PRINTER_PICTURE_H
#define CN_PRINTER_PICTURE_H

#include <jansson.h>

#include "base/str.h"

/**
 * `figure`: `{png (base64url), width, height, matrix (of the PNG's pixels to the picture's, as cairo_matrix_t), background (0xRRGGBB), mpp (µm of a
 * pixel of the picture, 0: no bar), marks: [{kind, colour, text, points (of the picture), closed}]}`. Appends a JPEG (quality 90, 4:4:4).
 * CN_ERR_CORRUPT for a PNG that is none.
 */
cn_err cn_picture_jpeg(const json_t *figure, cn_buf *out);

#endif
