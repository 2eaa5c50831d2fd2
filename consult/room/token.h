/* Bearer tokens for WHIP and WHEP: stored as a hash, end by themselves. Blocking: job threads only. */
#ifndef CN_CONSULT_ROOM_TOKEN_H
#define CN_CONSULT_ROOM_TOKEN_H

#include "consult/consult.h"

#define CN_ROOM_TOKEN 44 /* bytes of a token as text, its end included */

/** A token to publish to a room or to view it, for `lives_ms`. Right room.moderate; the audit log gets the act. */
cn_err cn_room_token_new(cn_consult *consult, const cn_actor *actor, const char *room, bool publish, int64_t lives_ms,
                         char token[CN_ROOM_TOKEN]);
/** CN_ERR_UNAUTH for an unknown or ended token or one of another room; CN_ERR_FORBIDDEN when it may not do this. */
cn_err cn_room_token_check(cn_consult *consult, const char *token, const char *room, bool publish);

#endif
