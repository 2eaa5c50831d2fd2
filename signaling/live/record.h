/* How well it was, for the administrator. */
#ifndef CN_SIGNALING_LIVE_RECORD_H
#define CN_SIGNALING_LIVE_RECORD_H

#include "signaling/live/state.h"

/** Its last measurement, made just now. */
void cn_record_stats(cn_member *member);
/** It is about to be freed. */
void cn_record_left(cn_member *member);
/** Every minute: forgets rooms that ended a while ago. */
void cn_record_forget(void *live);
void cn_record_free(cn_live *live);

#endif
