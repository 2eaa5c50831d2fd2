/* room.join, room.offer, room.leave. */
#ifndef CN_SIGNALING_LIVE_JOIN_H
#define CN_SIGNALING_LIVE_JOIN_H

#include "signaling/live/state.h"

cn_err cn_do_join(cn_method_call *call, json_t **result);
cn_err cn_do_offer(cn_method_call *call, json_t **result);
cn_err cn_do_leave(cn_method_call *call, json_t **result);

#endif
