/* urgent.watch: experts and the centre hear of urgent requests that wait, wherever in the app they are. */
#ifndef CN_SIGNALING_LIVE_URGENT_H
#define CN_SIGNALING_LIVE_URGENT_H

#include "signaling/live/state.h"

cn_err cn_do_urgent(cn_method_call *call, json_t **result);
/** Tells every expert who waits for such that there may be others now: each asks again. */
void cn_urgent_changed(cn_live *live);
/** Somebody has come into the room of a request: his own pages ask again, for it waits for him no longer. */
void cn_urgent_came(const cn_member *member);

#endif
