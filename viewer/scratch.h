/* A folder for one conversion, removed with all that is in it. */
#ifndef CN_VIEWER_SCRATCH_H
#define CN_VIEWER_SCRATCH_H

#include <stddef.h>

#include "base/err.h"

/** Makes PARENT/convert-XXXXXX (absolute). */
cn_err cn_scratch_make(const char *parent, char *out, size_t size);
void cn_scratch_remove(const char *dir);
/** A copy for a helper that must not reach the original. */
cn_err cn_scratch_copy(const char *from, const char *to);
/** Whether what a helper left at `made` is a plain file of its own, at most `max` bytes: it might have put a link to
 * another file there. CN_ERR_CORRUPT, CN_ERR_TOOBIG, CN_ERR_NOTFOUND. */
cn_err cn_scratch_check(const char *made, size_t max);
/** Removes what processes that were killed left in `parent`; what is younger than a day may be another node's. */
void cn_scratch_sweep(const char *parent);

#endif
