/* Pixels as JPEG. */
#ifndef CN_VIEWER_DECODER_JPEG_H
#define CN_VIEWER_DECODER_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** RGB, quality 90 with colours in full resolution (4:4:4), `width` × `height`, into at most `size` bytes; CN_ERR_TOOBIG when they are too few. */
cn_err cn_jpeg_encode(const uint8_t *rgb, int64_t width, int64_t height, void *out, size_t size, size_t *len);

#endif
