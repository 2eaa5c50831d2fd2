/* The shared view. */
#ifndef CN_SIGNALING_LIVE_VIEW_H
#define CN_SIGNALING_LIVE_VIEW_H

#include "signaling/live/state.h"

/** Whoever presents has gone. */
void cn_hall_presenter_left(cn_hall *hall, const cn_member *member);
cn_err cn_do_view_open(cn_method_call *call, json_t **result);
cn_err cn_do_view_present(cn_method_call *call, json_t **result);
cn_err cn_do_view_state(cn_method_call *call, json_t **result);
cn_err cn_do_view_pointer(cn_method_call *call, json_t **result);

#endif
