/* A folder for one conversion, removed with all that is in it. */
#ifndef CN_VIEWER_SCRATCH_H
#define CN_VIEWER_SCRATCH_H

#include <stddef.h>

#include "base/err.h"

/** Makes PARENT/convert-XXXXXX (absolute). */
cn_err cn_scratch_make(const char *parent, char *out, size_t size);
void cn_scratch_remove(const char *dir);

#endif
