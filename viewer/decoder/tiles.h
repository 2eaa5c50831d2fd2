/*
 * A TIFF's own JPEG tiles as they can be sent: which levels have them, and where they lie. Only of formats whose tiles OpenSlide
 * puts side by side as they are; a level and a directory are the same when their sizes are.
 */
#ifndef CN_VIEWER_DECODER_TILES_H
#define CN_VIEWER_DECODER_TILES_H

#include <openslide.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

typedef struct cn_tiles cn_tiles;

/** NULL in *out: no level has any. `osr` is the same file. */
cn_err cn_tiles_open(cn_tiles **out, const char *path, openslide_t *osr);
void cn_tiles_close(cn_tiles *tiles);

/** Whether a level of `osr` has tiles that can be sent, and how large they are. `tiles`: NULL allowed. */
bool cn_tiles_native(const cn_tiles *tiles, int32_t level, uint32_t *width, uint32_t *height);

/** A page of such a level's table (slide/tiletable.h) from tile `first` on, in at most `size` bytes. */
cn_err cn_tiles_page(cn_tiles *tiles, int32_t level, uint64_t first, void *out, size_t size, size_t *len);

#endif
