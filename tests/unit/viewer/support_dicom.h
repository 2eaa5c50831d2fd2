/* Writes DICOM files that no collection has, element by element, Explicit VR Little Endian. */
#ifndef CN_TESTS_SUPPORT_DICOM_H
#define CN_TESTS_SUPPORT_DICOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "viewer/dicom/reader.h"

#define DICOM_SHARED CN_SOURCE_DIR "/../shared/data/"

/** Readers with two places and one of them open, for a group of tests. */
extern cn_dicom_readers *readers;
extern cn_dicom_reader *reader;
int dicom_setup(void **state);
int dicom_teardown(void **state);
/** Says that the test is skipped where the collection is not there. */
bool have_shared(void);

/** Preamble and meta information with this transfer syntax. */
void dicom_begin(cn_buf *file, const char *syntax);
/** A tag, its VR and length, without the value; `length` 0xffffffff: undefined. */
void dicom_head(cn_buf *file, uint32_t tag, const char *vr, uint32_t length);
/** With its value, padded. */
void dicom_bytes(cn_buf *file, uint32_t tag, const char *vr, const void *bytes, size_t n);
void dicom_text(cn_buf *file, uint32_t tag, const char *vr, const char *text);
void dicom_us(cn_buf *file, uint32_t tag, unsigned value);
/** Item, or a delimiter. */
void dicom_item(cn_buf *file, uint32_t tag, uint32_t length);
/** The UIDs and, of a picture of 8 bits, what describes it, in the order of tags; `name` is the patient's, `charset` may be NULL. */
void dicom_image(cn_buf *file, const char *charset, const char *name, unsigned rows, unsigned columns, unsigned frames);
/** An unnamed file with the bytes, which are freed. */
int dicom_open(cn_buf *file);

#endif
