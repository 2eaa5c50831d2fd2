/* The same account in a room twice: who asks is told, and moves or stays out. */
#ifndef CN_SIGNALING_LIVE_ELSEWHERE_H
#define CN_SIGNALING_LIVE_ELSEWHERE_H

#include "signaling/live/state.h"

/** Whether the account is there with a page that is connected, another one than that which had `former` ("": none). Who
 * has lost his WebSocket is nowhere else: he comes back. */
bool cn_elsewhere_there(const cn_hall *hall, const char *user, const char *former);
/** Whatever else the account has in this room ends: its pages are told that they were replaced. The minutes end before
 * those of the new participant begin. */
void cn_elsewhere_give_up(cn_hall *hall, const char *user);

#endif
