/* Pixels as PNG. */
#ifndef CN_VIEWER_DECODER_PNG_H
#define CN_VIEWER_DECODER_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** RGB, `width` × `height`, into at most `size` bytes; CN_ERR_TOOBIG when they are too few. */
cn_err cn_png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, void *out, size_t size, size_t *len);

#endif
