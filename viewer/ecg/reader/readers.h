/* The readers, one a format; read.h says what each answers. */
#ifndef CN_VIEWER_ECG_READERS_H
#define CN_VIEWER_ECG_READERS_H

#include "viewer/ecg/reader/record.h"

cn_err cn_ecg_read_dicom(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why); /* PS3.3 C.10.9, A.34 */
cn_err cn_ecg_read_scp(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why);   /* EN 1064 */
cn_err cn_ecg_read_aecg(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why);  /* HL7 v3 Annotated ECG */
cn_err cn_ecg_read_muse(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why);  /* RestingECG XML */

#endif
