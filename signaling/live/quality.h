/* How well everybody is connected. */
#ifndef CN_SIGNALING_LIVE_QUALITY_H
#define CN_SIGNALING_LIVE_QUALITY_H

#include "signaling/live/state.h"

void cn_quality_stats(cn_member *member, const cn_media_stats *stats);
/** Media lost the member, or hears it again: the room is told at once. */
void cn_quality_lost(cn_member *member, bool lost);
void cn_live_quality(void *live); /* every 2 s */
cn_err cn_do_health(cn_method_call *call, json_t **result);

#endif
