/* One frame as native pixels (PS3.5 §8.1), whatever it was compressed with. */
#ifndef CN_VIEWER_DICOM_DECODER_PIXELS_H
#define CN_VIEWER_DICOM_DECODER_PIXELS_H

#include "viewer/dicom/decoder/dataset.h"
#include "viewer/dicom/decoder/frames.h"
#include "viewer/dicom/decoder/model.h"

/** A file that is open for its pixels. */
typedef struct cn_opened {
    cn_dataset dataset;
    cn_model model;
    cn_frames frames;
    /** Called between frames where a whole file is written; NULL: nobody wants to know. */
    void (*alive)(void *user);
    void *alive_user;
} cn_opened;

/** Close it in any case; `dataset.why` says what is wrong. */
cn_err cn_opened_open(cn_opened *out, const uint8_t *bytes, uint64_t len);
void cn_opened_close(cn_opened *file);

/** What decoded pixels are called: codecs undo what they did to colours (PS3.5 §8.2). */
const char *cn_pixels_photometric(const cn_opened *file);
/** Samples one plane after the other: native pixels may be, decoded ones never are. */
bool cn_pixels_planar(const cn_opened *file);
/** Bytes of a frame as given here; 0: more than CN_DICOM_SHARED. */
size_t cn_pixels_bytes(const cn_opened *file);

/** Writes frame `index` (0-based) to `out`, cn_pixels_bytes of it. Frames of single bits begin with a byte of their own. CN_ERR_NOTFOUND, CN_ERR_UNSUPPORTED
 * (video, private codecs), CN_ERR_CORRUPT. */
cn_err cn_pixels_frame(cn_opened *file, uint32_t index, uint8_t *out);

/** Frame `index` as it is compressed, its fragments joined, into `out`. CN_ERR_UNSUPPORTED: native pixels. */
cn_err cn_pixels_stored(cn_opened *file, uint32_t index, uint8_t *out, size_t size, size_t *n);

#endif
