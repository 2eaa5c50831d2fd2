/* A plain picture as a pyramid. */
#ifndef CN_VIEWER_PAINTER_PICTURE_H
#define CN_VIEWER_PAINTER_PICTURE_H

#include "base/err.h"

/** JPEG, PNG, TIFF, JPEG 2000, HEIC or BMP at `from`, told by its first bytes, as a pyramid (pyramid.h) at `to`, upright. `said`: a new file that says how
 * far it is. Errors of the readers (source.h); CN_ERR_NOSPACE, CN_ERR_IO when it could not be written. */
cn_err cn_painter_pyramid(const char *from, const char *to, const char *said);

#endif
