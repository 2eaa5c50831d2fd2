/* The end of a room whose consultation was finished, closed or cancelled: a farewell, then everybody leaves and the
 * minutes stop. */
#ifndef CN_SIGNALING_LIVE_ENDING_H
#define CN_SIGNALING_LIVE_ENDING_H

#include "signaling/live/state.h"

/** The room of a request was closed: it has `farewell_ms` from now on. `reason`: static, as cn_consult.room_ends says. */
void cn_ending_request(cn_live *live, const char *request, const char *reason);
/** Whether somebody may enter who asked for this room: it is open, or says farewell. */
bool cn_ending_may_enter(cn_live *live, const cn_room_info *room);
/** Whether a room says farewell: who is judged closed out of it may enter still. */
bool cn_ending_farewell(cn_live *live, const char *room);
/** Tells somebody who has just come how long is left; nothing when the room does not end. */
void cn_ending_tell(const cn_member *member);
/** Every second. */
void cn_ending_tick(cn_live *live);

#endif
