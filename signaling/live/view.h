/* The shared view. */
#ifndef CN_SIGNALING_LIVE_VIEW_H
#define CN_SIGNALING_LIVE_VIEW_H

#include "signaling/live/state.h"

/** He has gone: he presents and points no more. */
void cn_hall_presenter_left(cn_hall *hall, const cn_member *member);
/** Whoever presents goes, and may be back soon: nobody presents until then, or somebody else. */
void cn_hall_presenter_away(cn_hall *hall, const cn_member *member);
/** `member` has entered: he presents again what he did when he left, unless anybody has presented or closed it since. */
void cn_hall_presenter_back(cn_hall *hall, const cn_member *member);
cn_err cn_do_view_open(cn_method_call *call, json_t **result);
cn_err cn_do_view_present(cn_method_call *call, json_t **result);
cn_err cn_do_view_state(cn_method_call *call, json_t **result);
cn_err cn_do_view_pointer(cn_method_call *call, json_t **result);
cn_err cn_do_view_draw(cn_method_call *call, json_t **result);
cn_err cn_do_view_clear(cn_method_call *call, json_t **result);

#endif
