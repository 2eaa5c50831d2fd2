/* A plain picture (JPEG, PNG, TIFF, JPEG 2000, HEIC, BMP) as a pyramid that is opened in its place. */
#ifndef CN_VIEWER_PLAIN_H
#define CN_VIEWER_PLAIN_H

#include "base/err.h"

#define CN_PYRAMID_NAME "pyramid.tif" /* beside the picture */

/**
 * Has consilium-painter make it, beside the picture at `path`; `id` is what cn_progress_of knows it by. `scratch`: an existing folder on the same file system. Blocks: minutes.
 * CN_ERR_CLOSED at once when `stop_fd` can be read; CN_ERR_CORRUPT, CN_ERR_TOOBIG, CN_ERR_TIMEOUT; CN_ERR_UNSUPPORTED also for a TIFF
 * that is a scan (black and white, or of several pages).
 */
cn_err cn_plain_make(const char *id, const char *path, const char *scratch, int stop_fd);

#endif
