/* The table of methods. */
#ifndef CN_SIGNALING_LIVE_METHODS_H
#define CN_SIGNALING_LIVE_METHODS_H

#include "signaling/live/state.h"

/** Runs one message of a client that is logged in. */
void cn_live_dispatch(cn_client *client, const char *text, size_t len);

#endif
