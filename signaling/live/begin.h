/* A scheduled consultation begins by who is in its room (consult/request/begin.h has the rule). */
#ifndef CN_SIGNALING_LIVE_BEGIN_H
#define CN_SIGNALING_LIVE_BEGIN_H

#include "signaling/live/state.h"

/** Somebody came, or the request made a step: asks whether it begins, where it waits to and a side is there. */
void cn_begin_look(cn_hall *hall);
/** Time passes: who came early may be in time by now. */
void cn_begin_tick(void *live);

#endif
