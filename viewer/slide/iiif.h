/* IIIF Image API 3.0: what the parameters of a request ask for. Pure. */
#ifndef CN_VIEWER_IIIF_H
#define CN_VIEWER_IIIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_IIIF_SIDE 4096                   /* pixels a side of an answer at most: maxWidth */
#define CN_IIIF_AREA ((int64_t)2048 * 2048) /* pixels of it at most: maxArea */
#define CN_IIIF_CANONICAL 128

typedef enum cn_iiif_quality { CN_IIIF_DEFAULT, CN_IIIF_COLOR, CN_IIIF_GRAY, CN_IIIF_BITONAL } cn_iiif_quality;
typedef enum cn_iiif_format { CN_IIIF_JPG, CN_IIIF_PNG } cn_iiif_format;

/** As they stand in the path, decoded. */
typedef struct cn_iiif_texts {
    const char *region, *size, *rotation, *quality, *format;
} cn_iiif_texts;

typedef struct cn_iiif_ask {
    int64_t x, y, width, height;    /* of the whole picture, inside it */
    uint32_t out_width, out_height; /* before it is turned */
    unsigned quarters;              /* clockwise, 0…3, after it was mirrored left to right */
    bool mirror;
    cn_iiif_quality quality;
    cn_iiif_format format;
    uint32_t z; /* as in cn_decode_ask; the standard has no word for planes */
} cn_iiif_ask;

/**
 * Of a picture of `width` × `height` pixels. CN_ERR_PARSE: what the standard calls a bad request, and what is not done
 * (making larger, turning by other than quarters); `wrong`, then, is the name of the parameter. CN_ERR_UNSUPPORTED: another format.
 */
cn_err cn_iiif_parse(const cn_iiif_texts *texts, int64_t width, int64_t height, cn_iiif_ask *out, const char **wrong);

/** The one of the equal ways to write it that 4.7 names canonical: "region/size/rotation/quality.format". */
void cn_iiif_canonical(const cn_iiif_ask *ask, int64_t width, int64_t height, char out[CN_IIIF_CANONICAL]);

/** How large a picture of `width` × `height` pixels is answered at most ("max"). */
void cn_iiif_most(int64_t width, int64_t height, uint32_t *out_width, uint32_t *out_height);

#endif
