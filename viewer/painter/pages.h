/* A TIFF as a PDF, page by page. */
#ifndef CN_VIEWER_PAINTER_PAGES_H
#define CN_VIEWER_PAINTER_PAGES_H

#include "base/err.h"

/** Black and white stays sharp (an image mask), everything else becomes JPEG; the size on paper is the TIFF's, A4's
 * width where it says none. CN_ERR_CORRUPT, CN_ERR_TOOBIG beyond 120 megapixels a page or 1,000 pages, CN_ERR_IO. */
cn_err cn_painter_pages(const char *from, const char *to);

#endif
