/*
 * What a DICOM file holds, and how that is kept beside the file, so that a file is read through by a worker once. What is kept can be made anew at any
 * time; it is believed as little as a worker.
 */
#ifndef CN_VIEWER_DICOM_RECORD_H
#define CN_VIEWER_DICOM_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "viewer/dicom/dicomproto.h"

typedef struct cn_dicom_index {
    char study[65], series[65], instance[65], sop_class[65], syntax[65];  /* "": the file does not say */
    uint32_t rows, columns, frames, samples, bits_allocated, bits_stored; /* 0 where there is no picture */
    char photometric[20];
    char plain_photometric
        [20]; /* of what cn_dicom_reader_frame and _plain give: "RGB" for most of what is compressed as YBR */
    /** DICOM JSON model (PS3.18 Annex F), UTF-8, every element but group 2 and group lengths; (0008,0005) says ISO_IR 192. Binary values over 1 KiB,
     * pixel data and what no longer fits have BulkDataURI "offset/length" in bytes of the file (of the inflated data set in a deflated file). */
    json_t *tags;
    /** Where each frame's bytes lie in the file, `frames` of them, NULL unless `as_stored`. */
    cn_dicom_span *frame;
    bool as_stored; /* frames can leave as stored: not big-endian, deflated, bit-packed, several fragments a frame */
    uint64_t pixel_offset,
        pixel_length; /* of the value of the pixel data: of a native one its bytes, else from the first item on; 0 without */
    void *packed; /* all of this as the worker told it, for cn_dicom_record_save */
    size_t packed_n;
    char note[64]; /* what was doubtful, words with blanks between: "charset" "uid" "order" "offsets" "meta"; or "" */
} cn_dicom_index;

void cn_dicom_index_clear(cn_dicom_index *index);

/** A worker's answer about a file of `file_bytes`; without `tags` those stay NULL. CN_ERR_CORRUPT: it makes no sense. Pure. */
cn_err cn_dicom_index_read(const void *bytes, size_t len, uint64_t file_bytes, bool tags, cn_dicom_index *out);

/** The same of what was kept. CN_ERR_CORRUPT also for what another edition of this program kept. Pure. */
cn_err cn_dicom_record_read(const void *bytes, size_t len, uint64_t file_bytes, bool tags, cn_dicom_index *out);
/** Reads the file at `path`. CN_ERR_NOTFOUND, CN_ERR_CORRUPT: it has to be made anew. */
cn_err cn_dicom_record_load(const char *path, uint64_t file_bytes, bool tags, cn_dicom_index *out);
/** Keeps an index that a worker gave: all of it or nothing; not durable. */
cn_err cn_dicom_record_save(const char *path, const cn_dicom_index *index);

#endif
