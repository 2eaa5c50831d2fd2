/*
 * The structure of a DICOM file, found without reading a value (PS3.5 §7, PS3.10 §7). Pure: bytes in, calls out. Every length is
 * checked against what is left and nesting is bounded, so that whoever looks at the elements afterwards cannot be led astray.
 */
#ifndef CN_VIEWER_DICOM_DECODER_DATASET_H
#define CN_VIEWER_DICOM_DECODER_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "viewer/dicom/dicomproto.h"

#define CN_DATASET_DEPTH 64              /* sequences in sequences; real ones have a dozen */
#define CN_DATASET_ELEMENTS (2u << 20)   /* of one file */
#define CN_DATASET_INFLATED (256u << 20) /* bytes of a deflated data set */

typedef enum cn_dicom_codec {
    CN_CODEC_NATIVE,
    CN_CODEC_JPEG, /* baseline, extended, lossless */
    CN_CODEC_JPEGLS,
    CN_CODEC_J2K,
    CN_CODEC_HTJ2K,
    CN_CODEC_RLE,
    CN_CODEC_DEFLATED, /* each frame deflated: 1.2.840.10008.1.2.8.1 */
    CN_CODEC_VIDEO,    /* MPEG-2, H.264, H.265: one stream, no frames of its own */
    CN_CODEC_OTHER,    /* encapsulated in a way that is not known here */
} cn_dicom_codec;

typedef struct cn_dataset {
    const uint8_t *bytes; /* that element offsets count in: the file, or what was inflated of it */
    uint64_t len;
    uint64_t start;                               /* of the data set */
    char syntax[65], sop_class[65], instance[65]; /* of the meta information; the syntax as it really is */
    cn_dicom_codec codec;
    bool implicit, big, deflated;
    bool odd_meta;  /* preamble, meta information or syntax had to be guessed */
    void *inflated; /* ours */
    char why[CN_DICOM_WHY];
} cn_dataset;

typedef struct cn_element {
    uint32_t tag;
    char vr[3];
    uint64_t head;   /* where the tag stands */
    uint64_t value;  /* where the value stands … */
    uint64_t length; /* … and its bytes, also of one of undefined length, without the delimiter */
    bool undefined;  /* pixel data so: fragments */
    bool big;        /* byte order of the value */
    unsigned depth;  /* 0: of the data set itself */
} cn_element;

/** What is called in the file's order; an error ends the walk and is its result. NULL: not wanted. */
typedef struct cn_walker {
    void *user;
    cn_err (*element)(void *user, const cn_element *element); /* all but sequences */
    cn_err (*sequence)(void *user, const cn_element *element, bool begins);
    cn_err (*item)(void *user, bool begins);
} cn_walker;

/** Reads preamble and meta information. CN_ERR_UNSUPPORTED: no DICOM; CN_ERR_CORRUPT; `why` is set. Borrowed bytes outlive it. */
cn_err cn_dataset_open(cn_dataset *out, const uint8_t *bytes, uint64_t len);
void cn_dataset_close(cn_dataset *dataset);

/** Walks the data set. `dataset->why` says what was wrong. */
cn_err cn_dataset_walk(cn_dataset *dataset, const cn_walker *walker);

/** Sets `why` to "(gggg,eeee) Name: " and the sentence; returns `err`. */
cn_err cn_dataset_refuse(cn_dataset *dataset, cn_err err, uint32_t tag, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

uint16_t cn_dicom_u16(const uint8_t *at, bool big);
uint32_t cn_dicom_u32(const uint8_t *at, bool big);

/** Copies a UID without its padding; false: holds something else than digits and dots, or is too long. */
bool cn_dicom_uid(char out[65], const uint8_t *bytes, uint64_t len);

#endif
