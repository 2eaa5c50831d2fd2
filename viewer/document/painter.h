/* Where consilium-painter is and what it may use: what documents.c and pictures.c share. */
#ifndef CN_VIEWER_PAINTER_H
#define CN_VIEWER_PAINTER_H

#include <stddef.h>

#include "base/err.h"

/* a sanitizer's shadow alone is larger than any limit */
#ifdef __SANITIZE_ADDRESS__
#define CN_PAINTER_MEMORY ((size_t)0)
#else
#define CN_PAINTER_MEMORY ((size_t)2 << 30)
#endif

/** Beside the running program. CN_ERR_TOOBIG. */
cn_err cn_painter_path(char *out, size_t size);

#endif
