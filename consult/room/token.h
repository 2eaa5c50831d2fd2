/* Bearer tokens for WHIP and WHEP: stored as a hash, end by themselves. Blocking: job threads only. */
#ifndef CN_CONSULT_ROOM_TOKEN_H
#define CN_CONSULT_ROOM_TOKEN_H

#include "consult/consult.h"

#define CN_ROOM_TOKEN 44 /* bytes of a token as text, its end included */

#define CN_ROOM_TOKEN_SESSIONS 1000 /* at most */

/** What a new token is good for. */
typedef struct cn_room_token_what {
    bool publish; /* otherwise to view */
    int64_t lives_ms;
    int64_t sessions; /* how many may use it at once */
} cn_room_token_what;

/** A token to publish to a room or to view it. Right room.moderate; the audit log gets the act. */
cn_err cn_room_token_new(cn_consult *consult, const cn_actor *actor, const char *room, const cn_room_token_what *what,
                         char token[CN_ROOM_TOKEN]);
/** CN_ERR_UNAUTH for an unknown or ended token or one of another room; CN_ERR_FORBIDDEN when it may not do this. */
cn_err cn_room_token_check(cn_consult *consult, const char *token, const char *room, bool publish, int64_t *sessions);
/** Whether a token by its hash (hex) is still good for the room: CN_OK, CN_ERR_UNAUTH. */
cn_err cn_room_token_alive(cn_consult *consult, const char *hash, const char *room);
/** `{items: [{id, publish, sessions, created, expires}]}`: the tokens of a room that are good. Right room.moderate. */
cn_err cn_room_token_list(cn_consult *consult, const cn_actor *actor, const char *room, json_t **out);
/** Revokes the token with that id, or all of the room (NULL): whoever uses it leaves within 5 s. Right room.moderate;
 * CN_ERR_NOTFOUND when there is none. */
cn_err cn_room_token_revoke(cn_consult *consult, const cn_actor *actor, const char *room, const char *id);

#endif
