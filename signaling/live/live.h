/*
 * The live side: clients (WebSockets that are logged in), rooms, who is in them and what they share. All state belongs
 * to the door's thread; media's events are posted there. Protocol: docs/protocol.md.
 */
#ifndef CN_SIGNALING_LIVE_H
#define CN_SIGNALING_LIVE_H

#include <jansson.h>

#include "base/str.h"
#include "consult/people/lifetime.h"
#include "consult/room/room.h"
#include "media/media.h"
#include "signaling/door/calls.h"
#include "signaling/live/turn.h"

typedef struct cn_live cn_live;

/** What the live side takes from the server; all that is pointed to outlives it. */
typedef struct cn_live_config {
    cn_consult *consult;
    cn_jobs *jobs;                /* threads for the database */
    const cn_turn *turn;          /* NULL: no relay */
    const char *codec;            /* what cameras are asked to send where a room does not say */
    int64_t video_max, voice_max; /* places of a room with video, without */
    uint64_t farewell_ms;         /* from the end of a request to that of its room */
    cn_login_limits login;        /* how long a login lasts */
} cn_live_config;

/** Before the door; cn_live_attach once door and media are there. */
cn_err cn_live_new(cn_live **out, const cn_live_config *config);
void cn_live_attach(cn_live *live, cn_door *door, cn_media *media);
extern const cn_ws_hooks cn_live_hooks;      /* ctx: the cn_live */
extern const cn_media_events cn_live_events; /* ctx: the cn_live */

/** A request is there or made a step: those in its room and those who watch it hear of it, and where it is an `urgent`
 * one, the experts who wait for such. Any thread. */
void cn_live_request_changed(cn_live *live, const char *request, const char *state, bool urgent);

/** A request's room was closed (cn_consult.room_ends): it says farewell. Any thread. */
void cn_live_room_ends(cn_live *live, const char *request, const char *reason);

/** Somebody takes no part in a request any more (cn_consult.part_ends): he leaves its room, and hears no more of it. Any
 * thread. */
void cn_live_part_ends(cn_live *live, const char *request, const char *user);

/**
 * Any thread but the door's: tells everybody that the server ends and lets go of media, which may then be freed; and,
 * once media has ended, waits until its last events were worked on and the minutes are in the ledger.
 */
void cn_live_close(cn_live *live);
void cn_live_drain(cn_live *live);
/** After the door has ended. NULL allowed. */
void cn_live_free(cn_live *live);

/**
 * The administrator's view of how well rooms run; door's thread. `names`: also who the participants are (user, name,
 * title, hospital) and what the room is called; otherwise ids alone.
 */
/** `{items, total}`: rooms in use, and with `recent` those that ended within the last minutes. */
json_t *cn_live_quality_rooms(cn_live *live, bool names, bool recent);
/** One room and its participants, also those who left; the points of the last `minutes` of one of them. NULL: not in
 * use, or no such participant. `participant` may be NULL. */
json_t *cn_live_quality_room(cn_live *live, const char *room, const char *participant, unsigned minutes, bool names);

/* ---- WHIP and WHEP (api/whip.c): door's thread ---- */

typedef struct cn_guest {
    const cn_room_info *room;
    bool publish; /* WHIP, otherwise WHEP */
    const char *offer;
    const char *only;       /* WHEP: participant or NULL */
    cn_source_kind source;  /* WHIP: what its video is */
    const char *token_hash; /* hex SHA-256 of the bearer token */
    int64_t sessions;       /* how many may use it at once */
} cn_guest;

/** The outcome; `answer` and `participant` are set when err is CN_OK. */
typedef void (*cn_guest_fn)(void *arg, cn_err err, const cn_problem *problem, const char *participant,
                            const char *answer);
void cn_live_guest_join(cn_live *live, const cn_guest *guest, cn_guest_fn fn, void *arg);
/** CN_ERR_NOTFOUND for an unknown participant, another room or another token. */
cn_err cn_live_guest_check(cn_live *live, const char *room, const char *participant, const char *token_hash);
/** What a PATCH is compared with: the session's entity tag and a hash of the client's ICE credentials. NULL: it left. */
typedef struct cn_guest_ice {
    char etag[32];
    uint64_t credentials;
} cn_guest_ice;
cn_guest_ice *cn_live_guest_ice(cn_live *live, const char *participant);
void cn_live_guest_restart(cn_live *live, const char *participant, const char *fragment, cn_guest_fn fn, void *arg);
void cn_live_guest_leave(cn_live *live, const char *participant);

/** What cameras of a room are asked to send: "vp8", "h264", "vp9" or "av1". Borrowed from `room` or the configuration.
 */
const char *cn_live_codec(const cn_live *live, const cn_room_info *room);

/** `[participant objects]` of a room, for GET /api/v1/rooms/{id}; an empty array when nobody is there. */
json_t *cn_live_participants(cn_live *live, const char *room);

#endif
