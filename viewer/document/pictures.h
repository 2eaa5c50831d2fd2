/* Thumbnails of images and PDFs, made in limited child processes, cached in memory. Thread-safe; blocks (tile jobs
 * only). */
#ifndef CN_VIEWER_PICTURES_H
#define CN_VIEWER_PICTURES_H

#include "viewer/slide/tilecache.h"

typedef struct cn_pictures cn_pictures;

/** `scratch`: an existing folder for temporary files. */
cn_err cn_pictures_new(cn_pictures **out, const char *scratch, size_t cache_bytes);
void cn_pictures_free(cn_pictures *pictures);

/** A JPEG or PNG inside size × size pixels of the PDF's first page or the picture (JPEG, PNG, GIF, BMP, WebP) at `path`. CN_ERR_UNSUPPORTED for
 * another type. What failed fails for ten minutes without being tried again, in any size. `id` names it in the cache. */
cn_err cn_picture_thumbnail(cn_pictures *pictures, const char *id, const char *path, const char *type, unsigned size,
                            cn_tile **out);

#endif
