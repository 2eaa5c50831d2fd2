/* A folder for one conversion, removed with all that is in it. */
#ifndef CN_VIEWER_SCRATCH_H
#define CN_VIEWER_SCRATCH_H

#include <stddef.h>

#include "base/err.h"

/** Makes PARENT/convert-XXXXXX (absolute). */
cn_err cn_scratch_make(const char *parent, char *out, size_t size);
void cn_scratch_remove(const char *dir);
/** Removes what processes that were killed left in `parent`; what is younger than a day may be another node's. */
void cn_scratch_sweep(const char *parent);

#endif
