/*
 * Short-lived credentials for a TURN relay (coturn's REST secret, draft-uberti-behave-turn-rest-00): user name
 * "expiry:id", password base64(HMAC-SHA1(secret, user name)). Browsers behind networks that block UDP reach the media
 * ports through it. Read-only after opening: any thread.
 */
#ifndef CN_SIGNALING_TURN_H
#define CN_SIGNALING_TURN_H

#include <jansson.h>

#include "base/config.h"
#include "base/err.h"

typedef struct cn_turn cn_turn;

/** Reads `[turn]`. No urls: *out is NULL and that is fine. An error is logged with the key that is wrong. */
cn_err cn_turn_open(cn_turn **out, const cn_config *config);
/** NULL allowed. */
void cn_turn_close(cn_turn *turn);

/** `[{urls: […], username, credential}]` as RTCPeerConnection takes it, valid for the configured time from `now_s`
 * (Unix seconds); empty without a relay. `id`: opaque, ends up in the relay's log: never a name. */
json_t *cn_turn_servers(const cn_turn *turn, const char *id, int64_t now_s);

#endif
