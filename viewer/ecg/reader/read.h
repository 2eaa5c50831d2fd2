/* An ECG out of the bytes of a file: which format it is, and its reader. Pure. */
#ifndef CN_VIEWER_ECG_READ_H
#define CN_VIEWER_ECG_READ_H

#include "viewer/ecg/reader/record.h"

/**
 * `ecg` as cn_ecg_init left it; whatever the answer is, cn_ecg_clear ends it. At least one lead. CN_ERR_UNSUPPORTED: no format that is read, or a way of
 * writing it that is not; CN_ERR_CORRUPT: lengths, counts or factors that cannot be; CN_ERR_TOOBIG. `why`: of an error, what is wrong in plain words, never
 * what the file holds; a literal.
 */
cn_err cn_ecg_read(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why);

#endif
