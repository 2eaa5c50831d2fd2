/* What media says and what time brings. */
#ifndef CN_SIGNALING_LIVE_EVENTS_H
#define CN_SIGNALING_LIVE_EVENTS_H

#include "signaling/live/state.h"

void cn_live_housekeeping(void *live); /* every second */

#endif
