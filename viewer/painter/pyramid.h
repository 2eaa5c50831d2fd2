/* Lines of RGB as a pyramid: a tiled BigTIFF with JPEG tiles that are whole by themselves, each level half of the one
 * before. In memory there are two bands of tiles at most, however large the picture. */
#ifndef CN_VIEWER_PAINTER_PYRAMID_H
#define CN_VIEWER_PAINTER_PYRAMID_H

#include "viewer/painter/source.h"

#define CN_PYRAMID_TILE 512

typedef struct cn_pyramid_maker cn_pyramid_maker;

/** Begins a pyramid at `path`, which must not be there, and of the smaller levels' tiles at PATH.tiles, which goes. `said`: an open file whose first byte becomes how far it
 * is in hundredths, -1: none. CN_ERR_TOOBIG, CN_ERR_NOMEM, CN_ERR_IO. */
cn_err cn_pyramid_maker_new(cn_pyramid_maker **out, const char *path, const cn_picture_head *head, int said);
/** `n` more lines from the top down. */
cn_err cn_pyramid_maker_lines(cn_pyramid_maker *maker, const uint8_t *rgb, int64_t n);
/** After the last line: CN_ERR_CORRUPT when some are missing. */
cn_err cn_pyramid_maker_end(cn_pyramid_maker *maker);
void cn_pyramid_maker_free(cn_pyramid_maker *maker);

#endif
