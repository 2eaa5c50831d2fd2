/* What /metrics says of rooms and participants. */
#ifndef CN_SIGNALING_ROOMS_H
#define CN_SIGNALING_ROOMS_H

#include "base/str.h"
#include "signaling/live/live.h"

/** Rooms and participants in Prometheus' text format. Door's thread. */
void cn_live_metrics(const cn_live *live, cn_buf *buf);

#endif
