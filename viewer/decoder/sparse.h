/*
 * Tiles that were never written: place and length 0 in the TIFF. Scanners leave out what is only glass. OpenSlide 3.4.1
 * takes such a tile for damage (and stays in error), so levels that have any are read by libtiff here, with nothing in
 * their place. So are levels that are smaller than their tiles, which libtiff misreads for OpenSlide. A tile that is there and cannot be decoded stays an error: background would hide tissue.
 */
#ifndef CN_VIEWER_DECODER_SPARSE_H
#define CN_VIEWER_DECODER_SPARSE_H

#include <openslide.h>
#include <stdbool.h>

#include "base/err.h"

typedef struct cn_sparse cn_sparse;

/** NULL in *out: every tile of the levels that OpenSlide opened is there, or the format is one whose empty tiles
 * OpenSlide knows. */
cn_err cn_sparse_open(cn_sparse **out, const char *path, openslide_t *osr);
void cn_sparse_close(cn_sparse *sparse);

/** Whether an empty tile lies in or at the edge of a rectangle of a level, in its pixels. `sparse`: NULL allowed. */
bool cn_sparse_touches(const cn_sparse *sparse, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height);

/** Into premultiplied ARGB, zeroed by the caller: transparent where nothing was written and past the level's edge. */
cn_err cn_sparse_read(cn_sparse *sparse, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height,
                      uint32_t *argb);

#endif
