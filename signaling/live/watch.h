/* request.watch: requests that a page outside a room shows. */
#ifndef CN_SIGNALING_LIVE_WATCH_H
#define CN_SIGNALING_LIVE_WATCH_H

#include "consult/state.h"
#include "signaling/live/state.h"

#define CN_WATCH_MAX 200 /* a whole page of the list */

cn_err cn_do_watch(cn_method_call *call, json_t **result);
/** Tells every client that watches this request and is not in its room, where he hears of it anyway. */
void cn_watch_changed(cn_live *live, const char *request, cn_state state);
/** `user` takes no part in the request any more: he is told no more of it. */
void cn_watch_drop(cn_live *live, const char *request, const char *user);
/** The client goes. */
void cn_watch_forget(cn_client *client);

#endif
