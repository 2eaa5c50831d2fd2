/* /metrics, of the management listener. */
#ifndef CN_SIGNALING_METRICS_H
#define CN_SIGNALING_METRICS_H

#include "signaling/http/http.h"

extern const cn_route cn_metrics_routes[];

#endif
