/* One open slide through OpenSlide, inside a locked worker. */
#ifndef CN_VIEWER_DECODER_SLIDE_H
#define CN_VIEWER_DECODER_SLIDE_H

#include <stddef.h>

#include "base/err.h"
#include "viewer/decode_proto.h"
#include "viewer/slide/pyramid.h"

typedef struct cn_dslide cn_dslide;

/** CN_ERR_UNSUPPORTED when no reader knows the file, CN_ERR_CORRUPT when its reader refuses it. */
cn_err cn_dslide_open(cn_dslide **out, const char *path);
void cn_dslide_close(cn_dslide *slide);

/** What is read from now on is of the plane and the channel that `ask` names. CN_ERR_NOTFOUND: there is none such. */
cn_err cn_dslide_plane(cn_dslide *slide, const cn_decode_ask *ask);
/** Answers one question into `out` (at most `size` bytes). CN_ERR_NOTFOUND outside the grid, CN_ERR_CORRUPT when pixels
 * cannot be read. */
cn_err cn_dslide_answer(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len);

/** `width` × `height` pixels of the file's level `level` from (x, y) in level-0 pixels, as RGB over the background.
 * Caller frees. */
cn_err cn_dslide_read(cn_dslide *slide, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                      uint8_t **out);

/** A picture of `width` × `height` pixels whose corner is (x, y) in pictured pixels of full size, `scale` of those per pixel; RGB, caller frees. */
cn_err cn_dslide_picture(cn_dslide *slide, double x, double y, double scale_x, double scale_y, int64_t width,
                         int64_t height, uint8_t **out);
/** How many lines of such a picture may be asked for at once. */
uint32_t cn_dslide_lines(cn_dslide *slide, double scale_x, double scale_y, int64_t width);

/** The levels that the file itself lacks, made or not. */
const cn_pyramid *cn_dslide_missing(const cn_dslide *slide);

#endif
