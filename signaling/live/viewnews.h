/* What is new on the shared picture, told to everybody together: no more often than a large room's server can bear. */
#ifndef CN_SIGNALING_LIVE_VIEWNEWS_H
#define CN_SIGNALING_LIVE_VIEWNEWS_H

#include "signaling/live/state.h"

/** How long to wait between two messages to so many receivers (ms). */
unsigned cn_view_pause_ms(size_t receivers);
/** The place or the pointers changed: told soon. */
void cn_hall_view_moved(cn_hall *hall);
/** Points were drawn (cn_board_drawn_json, taken over): told soon. */
void cn_hall_view_drawn(cn_hall *hall, json_t *stroke);
/** Tells now what waits, before something that must not overtake it. */
void cn_hall_view_tell(cn_hall *hall);
/** What waits is part of something else that is being told. */
void cn_hall_view_told(cn_hall *hall);
/** cn_door_on_wake's; `live` is a cn_live. */
void cn_view_wake(void *live);

#endif
