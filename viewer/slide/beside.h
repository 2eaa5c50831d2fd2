/* What is made of a slide and stands beside it, in its folder. */
#ifndef CN_VIEWER_BESIDE_H
#define CN_VIEWER_BESIDE_H

#include <stddef.h>

#include "base/err.h"

/** The path of `name` in the folder of the slide at `path`. CN_ERR_INVALID, CN_ERR_TOOBIG. */
cn_err cn_beside(const char *path, const char *name, char *out, size_t size);
/** Puts what a helper left at `made`, on the same file system, there: whole or not at all. Of a plain file of at most `max` bytes only
 * (cn_scratch_check). */
cn_err cn_beside_publish(const char *made, size_t max, const char *path, const char *name);

#endif
