/* What hosts may do with those in their room; hands, places with video, ceilings. */
#ifndef CN_SIGNALING_LIVE_HOST_H
#define CN_SIGNALING_LIVE_HOST_H

#include "signaling/live/state.h"

/** Tells everybody when other members are hosts than before. */
void cn_hall_hosts(cn_hall *hall);
cn_err cn_do_hand(cn_method_call *call, json_t **result);
cn_err cn_do_mute(cn_method_call *call, json_t **result);
cn_err cn_do_ask(cn_method_call *call, json_t **result);
cn_err cn_do_remove(cn_method_call *call, json_t **result);
cn_err cn_do_limit(cn_method_call *call, json_t **result);
cn_err cn_do_video(cn_method_call *call, json_t **result);

#endif
