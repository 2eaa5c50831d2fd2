/* From stored values to what is shown: modality LUT, VOI LUT or window, presentation LUT shape (PS3.3 C.11, PS3.4 N.2). */
#ifndef CN_VIEWER_DICOM_DECODER_SHADE_H
#define CN_VIEWER_DICOM_DECODER_SHADE_H

#include "viewer/dicom/decoder/pixels.h"

/** A look-up table of the file: 0 entries where there is none. */
typedef struct cn_lut {
    uint32_t entries, bits; /* bits of an entry */
    int32_t first;          /* stored value of the first */
    cn_element data;
} cn_lut;

typedef enum cn_voi { CN_VOI_LINEAR, CN_VOI_EXACT, CN_VOI_SIGMOID } cn_voi;

typedef struct cn_shade {
    double slope, intercept; /* 1 and 0 where nothing is said */
    bool windowed;           /* by the file, or by who asks */
    double center, width;
    cn_voi function;
    bool inverse; /* MONOCHROME1, or a presentation LUT shape that says so */
    cn_lut modality, voi, palette[3];
    bool padded; /* stored values from low to high are no picture */
    int64_t pad_low, pad_high;
} cn_shade;

/** What the file says of frame `frame`, functional groups included. */
cn_err cn_shade_read(cn_shade *out, cn_opened *file, uint32_t frame);

/** Entry for a stored value, those outside clamped. */
uint32_t cn_lut_at(const cn_opened *file, const cn_lut *lut, int64_t value);

/** Sets the window to what of `n` stored values there is, where the file has no window and no VOI LUT. */
void cn_shade_stretch(cn_shade *shade, const cn_opened *file, const uint8_t *pixels, size_t n);
/** 0 black … 255 white. */
uint8_t cn_shade_grey(const cn_shade *shade, const cn_opened *file, int64_t stored);
/** Stored value number `at` of a native frame. */
int64_t cn_shade_stored(const cn_opened *file, const uint8_t *pixels, size_t at);

#endif
