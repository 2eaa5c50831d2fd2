/* The ECG on A4, to scale: 25 mm/s, 10 mm/mV. */
#ifndef CN_VIEWER_ECG_PAPER_H
#define CN_VIEWER_ECG_PAPER_H

#include "viewer/ecg/reader/record.h"

/** A new PDF: ten seconds a sheet, six sheets at most. Twelve leads stand in four columns with II below, others under each other, eight a sheet.
 * Says nothing of the patient. CN_ERR_IO. */
cn_err cn_ecg_paper(const char *path, const cn_ecg *ecg);

#endif
