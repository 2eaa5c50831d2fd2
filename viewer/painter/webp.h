/* A WebP picture, smaller. */
#ifndef CN_VIEWER_PAINTER_WEBP_H
#define CN_VIEWER_PAINTER_WEBP_H

#include "base/err.h"

/** The first picture of the WebP as a PNG inside size × size pixels, never larger than it is. CN_ERR_CORRUPT,
 * CN_ERR_TOOBIG beyond 256 MiB, CN_ERR_IO. */
cn_err cn_painter_webp(const char *from, const char *to, int size);

#endif
