/* JPEG 2000 by OpenJPEG, a part of a picture at a time. */
#ifndef CN_VIEWER_PAINTER_J2K_H
#define CN_VIEWER_PAINTER_J2K_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef enum cn_j2k_colours { CN_J2K_AS_IT_SAYS, CN_J2K_RGB, CN_J2K_YCC } cn_j2k_colours;

/** Where it is: a file, or bytes in memory when `path` is NULL. Borrowed. */
typedef struct cn_j2k {
    const char *path;
    const uint8_t *bytes;
    size_t len;
    cn_j2k_colours colours;
} cn_j2k;

typedef struct cn_j2k_size {
    int64_t width, height;
    int64_t step;  /* lines that are decoded together without waste */
    int64_t first; /* of the first of such steps */
} cn_j2k_size;

/** CN_ERR_CORRUPT, CN_ERR_UNSUPPORTED. `icc`: the profile, caller frees; may be NULL. */
cn_err cn_j2k_look(const cn_j2k *file, cn_j2k_size *out, void **icc, size_t *icc_bytes);
/** Lines [from, to) of a picture `width` wide, as RGB. Caller frees *out. */
cn_err cn_j2k_lines(const cn_j2k *file, int64_t width, int64_t from, int64_t to, uint8_t **out);

#endif
