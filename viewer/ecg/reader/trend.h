/* Where the beats of a recording are, roughly: for a trend of the rate. Nothing here is a finding. */
#ifndef CN_VIEWER_ECG_TREND_H
#define CN_VIEWER_ECG_TREND_H

#include "viewer/ecg/reader/record.h"

#define CN_ECG_TREND 600 /* points at most */

typedef struct cn_ecg_trend {
    size_t n;
    struct {
        double second, rate; /* the middle of the piece; beats a minute */
    } point[CN_ECG_TREND];
} cn_ecg_trend;

/** Of II, or of the first lead: a point for each piece of ten seconds, or longer ones so that they are CN_ECG_TREND at most, in which there are two intervals at
 * least. CN_ERR_NOMEM. */
cn_err cn_ecg_trend_make(const cn_ecg *ecg, cn_ecg_trend *out);

#endif
