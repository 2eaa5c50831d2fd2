/* What people write in a room. */
#ifndef CN_SIGNALING_LIVE_SAY_H
#define CN_SIGNALING_LIVE_SAY_H

#include "signaling/live/state.h"

cn_err cn_do_say(cn_method_call *call, json_t **result);
cn_err cn_do_messages(cn_method_call *call, json_t **result);

#endif
