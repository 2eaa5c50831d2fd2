/* Rooms as the domain knows them: who may enter which, and what they belong to. The live side is in signaling/ and
 * media/. */
#ifndef CN_CONSULT_ROOM_H
#define CN_CONSULT_ROOM_H

#include "consult/consult.h"
#include "consult/state.h"

/** What a host sets; kept with the room. The words are those of docs/protocol.md. */
typedef struct cn_room_settings {
    bool locked;       /* nobody new enters */
    bool lobby;        /* who is no host waits to be let in */
    char unmute[8];    /* "all", or "host": a microphone is switched on only by leave of a host */
    char tier_max[12]; /* ceiling of every picture: "sd", "hd", "super_hd", "2k", "4k" */
    char codec[8];     /* "vp8", "h264", "vp9", "av1"; "": [media] codec */
} cn_room_settings;

typedef struct cn_room_info {
    char id[64];
    char request[CN_ID_TEXT]; /* "" for a room made on the command line */
    char title[64];
    bool urgent;
    bool open;
    bool scheduled; /* its request waits to begin */
    uint32_t parts; /* CN_PART_ bits of the actor in the request */
    cn_room_settings settings;
} cn_room_info;

/** CN_ERR_NOTFOUND when the room does not exist or the actor has no part in it. CN_PART_READER alone may not enter; the
 * caller decides by `parts`. */
cn_err cn_room_get(cn_consult *consult, const cn_actor *actor, const char *room, cn_room_info *out);
/** The same on the caller's connection. */
cn_err cn_room_look(cn_conn *conn, const cn_actor *actor, const char *room, cn_room_info *out);

/** When the consultation of a request began (wall clock, ms), as consult/minutes/held knows it; 0: it has not. Asks for no
 * right: it is for who was let in by cn_room_get. */
cn_err cn_room_began(cn_consult *consult, const char *request, int64_t now_ms, int64_t *began_ms);

/** The settings of a new room. */
cn_room_settings cn_room_settings_default(void);
/** False names the member with a word that is not in the table: *field. */
bool cn_room_settings_valid(const cn_room_settings *settings, const char **field);

/**
 * Keeps a room's settings; audited. CN_ERR_FORBIDDEN for who is neither the lead expert nor the referrer nor an
 * administrator of the room's request (which of them is host now is the live side's to know), CN_ERR_NOTFOUND as
 * cn_room_get, CN_ERR_STATE for a closed room, CN_ERR_INVALID for an unknown word.
 */
cn_err cn_room_settings_set(cn_consult *consult, const cn_actor *actor, const char *room,
                            const cn_room_settings *settings);

/**
 * May this actor see how well rooms run: right room.moderate, or config.manage (who then sees no names).
 * CN_ERR_FORBIDDEN otherwise. Notes the look at `object` ("rooms", "room:ID") in the audit log when it is refused, or
 * `note`.
 */
cn_err cn_room_watch(cn_consult *consult, const cn_actor *actor, const char *object, bool note, cn_problem *problem);

/** The room that an administrator means: by its id or by its consultation's number. CN_ERR_NOTFOUND; CN_ERR_STATE: nobody has
 * entered that consultation yet. */
cn_err cn_room_find(cn_consult *consult, const char *said, char room[64], cn_problem *problem);
/** A room without a request (`consilium room token`): made when it does not exist. `room` is 1…63 letters, digits, '-'
 * or '_'. */
cn_err cn_room_make(cn_consult *consult, const cn_actor *actor, const char *room);

#endif
