/*
 * Whoever is in a room is asked again every few seconds whether he still may: his account, his part in the request by the
 * roles that he has now, a device's token. Whoever may not any more leaves within 5 s. The login behind a WebSocket is
 * live.c's. Door's thread.
 */
#ifndef CN_SIGNALING_LIVE_RECHECK_H
#define CN_SIGNALING_LIVE_RECHECK_H

#define CN_RECHECK_MS 2500

/** cn_door_every's; `live` is a cn_live. */
void cn_recheck_tick(void *live);

#endif
