/*
 * What the page is sent of an ECG (web/src/ecg/store.ts), little-endian:
 *   0  "CNECG001"
 *   8  u32 length of the head, even; u32 0
 *   16 the head, JSON, blanks at its end: rate, leads [{name, first, count, step}], median {rate, leads}, acquired, device, filters,
 *      statements, measured {rate, pr, qrs, qt, qtc, axis}, calibrated, trend [[second, beats a minute]]
 *      then the samples, i16, lead after lead, those of the median beats last; -32768: none
 */
#ifndef CN_VIEWER_ECG_FORM_H
#define CN_VIEWER_ECG_FORM_H

#include "viewer/ecg/reader/record.h"

/** Into a new file. CN_ERR_IO, CN_ERR_NOSPACE. */
cn_err cn_ecg_form_write(const char *path, const cn_ecg *ecg);

#endif
