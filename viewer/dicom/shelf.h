/*
 * Instances that are looked at: where their frames lie, their files kept open. Bounded; what had to make room is found again in a moment by what is kept
 * beside the file (viewer/dicom/record.h). Thread-safe.
 */
#ifndef CN_VIEWER_DICOM_SHELF_H
#define CN_VIEWER_DICOM_SHELF_H

#include "storage/files/files.h"
#include "viewer/dicom/reader.h"

typedef struct cn_dicom_shelf cn_dicom_shelf;

/** An open instance, reference-counted (cn_ref, cn_unref), never changed. */
typedef struct cn_dicom_opened {
    char sha256[65];
    int fd;
    uint64_t file_bytes;
    cn_dicom_index index; /* without its tags */
} cn_dicom_opened;

/** Both outlive it. */
cn_err cn_dicom_shelf_new(cn_dicom_shelf **out, cn_files *files, cn_dicom_readers *readers);
void cn_dicom_shelf_free(cn_dicom_shelf *shelf);

/** A new reference, NULL when it is not there. Does not wait. */
cn_dicom_opened *cn_dicom_shelf_find(cn_dicom_shelf *shelf, const char *sha256);
/** Opens the object if need be: a new reference. Blocking. Errors and `why` as cn_dicom_reader_index. */
cn_err cn_dicom_shelf_open(cn_dicom_shelf *shelf, const char *sha256, cn_dicom_opened **out, char *why,
                           size_t why_size);
/** What the object holds, with its tags. Blocking. The same errors. */
cn_err cn_dicom_shelf_tags(cn_dicom_shelf *shelf, const char *sha256, cn_dicom_index *out, char *why, size_t why_size);
/** Keeps what a reader said of an object that has just come, so that nobody has to ask again. */
void cn_dicom_shelf_keep(const cn_dicom_shelf *shelf, const char *sha256, const cn_dicom_index *index);

#endif
