/* A file written anew as Part 10, Explicit VR Little Endian, element by element: whole, or with some of them changed. */
#ifndef CN_VIEWER_DICOM_DECODER_REWRITE_H
#define CN_VIEWER_DICOM_DECODER_REWRITE_H

#include "base/str.h"
#include "viewer/dicom/decoder/pixels.h"

typedef enum cn_edit { CN_EDIT_KEEP, CN_EDIT_DROP, CN_EDIT_REPLACE } cn_edit;

/** A text that the new file has, whatever the old one said there. */
typedef struct cn_extra {
    uint32_t tag;
    char vr[3];
    const char *text;
} cn_extra;

typedef struct cn_rewriting {
    bool decode; /* pixels become native; otherwise they stay as they are compressed, and so does the transfer syntax */
    const char *instance; /* (0002,0003), NULL: the file's own */
    void *user;
    /** What becomes of an element; for CN_EDIT_REPLACE `value` gets the new one, little endian. NULL: all stay. */
    cn_edit (*edit)(void *user, const cn_element *element, cn_buf *value);
    const cn_extra *extra; /* by tag */
    size_t extras;
    /** Looks at a decoded frame before it is written. NULL: not wanted. */
    void (*frame)(void *user, uint32_t index, uint8_t *pixels, size_t n);
} cn_rewriting;

/** Writes to `fd` from where it stands. CN_ERR_IO, CN_ERR_NOSPACE; those of cn_pixels_frame; `dataset.why` says it. */
cn_err cn_rewrite_file(cn_opened *file, const cn_rewriting *how, int fd);

#endif
