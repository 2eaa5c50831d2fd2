/* Rooms as the domain knows them: who may enter which, and what they belong to. The live side is in signaling/ and
 * media/. */
#ifndef CN_CONSULT_ROOM_H
#define CN_CONSULT_ROOM_H

#include "consult/consult.h"
#include "consult/state.h"

typedef struct cn_room_info {
    char id[64];
    char request[CN_ID_TEXT]; /* "" for a room made on the command line */
    char title[64];
    bool urgent;
    bool open;
    uint32_t parts; /* CN_PART_ bits of the actor in the request */
} cn_room_info;

/** CN_ERR_NOTFOUND when the room does not exist or the actor has no part in it. CN_PART_READER alone may not enter; the
 * caller decides by `parts`. */
cn_err cn_room_get(cn_consult *c, const cn_actor *a, const char *room, cn_room_info *out);

/** A room without a request (`consilium room token`): made when it does not exist. `room` is 1…63 letters, digits, '-'
 * or '_'. */
cn_err cn_room_make(cn_consult *c, const cn_actor *a, const char *room);

/** Closes a room for good: nobody can join any more. */
cn_err cn_room_close(cn_consult *c, const cn_actor *a, const char *room);

#endif
