/* A file without identity: the Basic Application Level Confidentiality Profile (PS3.15 Annex E), with areas of the picture blackened. */
#ifndef CN_VIEWER_DICOM_DECODER_DEID_H
#define CN_VIEWER_DICOM_DECODER_DEID_H

#include "viewer/dicom/decoder/pixels.h"
#include "viewer/dicom/dicomproto.h"

/** Computes once what a locked worker may not load any more. */
void cn_deid_load(void);

/**
 * Writes it to `fd`. Elements of table E.1-1 are removed, emptied or replaced; of others those that only people fill in (names, dates, free
 * text), private ones and those of an unknown kind go too. UIDs become others under the key, the same from the same. CN_ERR_UNSUPPORTED: a document,
 * or a picture that cannot be decoded where there are boxes; others as cn_rewrite_file.
 */
cn_err cn_deid_file(cn_opened *file, const cn_dicom_ask *ask, int fd);

#endif
