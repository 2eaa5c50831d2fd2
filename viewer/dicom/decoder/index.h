/* What a file holds, as the server is told it. */
#ifndef CN_VIEWER_DICOM_DECODER_INDEX_H
#define CN_VIEWER_DICOM_DECODER_INDEX_H

#include "viewer/dicom/decoder/dataset.h"

/** Writes the head, the table and the JSON (dicomproto.h) to `out`. With an error `why` (CN_DICOM_WHY) says it in words. */
cn_err cn_dicom_index_make(const uint8_t *bytes, uint64_t len, void *out, size_t size, size_t *n, char *why);

#endif
