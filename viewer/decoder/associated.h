/* The pictures that a scanner takes beside the tissue: the label that is glued on the glass, and the whole glass. */
#ifndef CN_VIEWER_DECODER_ASSOCIATED_H
#define CN_VIEWER_DECODER_ASSOCIATED_H

#include <openslide.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** Whether the file has this one: CN_DECODE_LABEL or CN_DECODE_MACRO, of a size that could be shown. */
bool cn_associated_has(openslide_t *osr, uint32_t which);

/** A JPEG of it, over `background` (0xRRGGBB), at most CN_DECODE_ASSOCIATED_SIDE pixels a side. CN_ERR_NOTFOUND: there is
 * none; CN_ERR_CORRUPT: it cannot be decoded, the slide itself may. */
cn_err cn_associated_jpeg(openslide_t *osr, uint32_t which, uint32_t background, void *out, size_t size, size_t *len);

#endif
