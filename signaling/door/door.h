/*
 * The door: one libwebsockets context with its own thread. Plain or TLS, HTTP/1.1 only. Parses, finds the route, hands
 * handlers to job threads, sends. Everything of the live protocol (ws.h, rooms) runs on its thread, without locks.
 */
#ifndef CN_SIGNALING_DOOR_H
#define CN_SIGNALING_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/jobs.h"
#include "signaling/http/http.h"
#include "signaling/http/statics.h"

typedef struct cn_door cn_door;

/** Something to be called on the door's thread. Zeroed once it was called. */
typedef struct cn_door_call {
    struct cn_door_call *next;
    void (*fn)(void *arg);
    void *arg;
} cn_door_call;

typedef struct cn_ws cn_ws; /* ws.h */

/** What the live protocol hooks into the door. All on its thread. */
typedef struct cn_ws_hooks {
    /** After a handshake for /ws with an acceptable Origin and some session token. */
    void (*opened)(void *ctx, cn_ws *ws, const char *token, const char *address);
    /** One text message, zero-terminated. */
    void (*message)(void *ctx, cn_ws *ws, const char *text, size_t len);
    void (*closed)(void *ctx, cn_ws *ws);
} cn_ws_hooks;

typedef struct cn_door_config {
    const char *listen;
    int port;                       /* 0: a free one */
    const char *tls_cert, *tls_key; /* "": plain */
    const char *management_listen;
    int management_port; /* 0: a free one, -1: none */
    const cn_route *const *routes;
    const cn_route *const *management_routes;
    cn_jobs *db_jobs, *tile_jobs;
    const cn_statics *statics; /* NULL: none */
    cn_app *app;
    /** Job thread: fills the actor, or an error (UNAUTH, FORBIDDEN). */
    cn_err (*authenticate)(cn_http *http, cn_actor *actor);
    const cn_ws_hooks *ws;
    void *ws_ctx;
} cn_door_config;

/** Binds; nothing is served before cn_door_start. CN_ERR_IO when an address is taken, CN_ERR_INVALID for TLS files. */
cn_err cn_door_new(cn_door **out, const cn_door_config *config);
cn_err cn_door_start(cn_door *door);
cn_app *cn_door_app(const cn_door *door);
uint16_t cn_door_port(const cn_door *door);
uint16_t cn_door_management_port(const cn_door *door); /* 0: none */

/** Calls fn(arg) on the door's thread. Any thread. `call` must stay until it was called and not be posted twice
 * meanwhile: cannot fail. */
void cn_door_post(cn_door *door, cn_door_call *call);
/** The same with memory of its own, bounded (65,536 waiting): CN_ERR_FULL, CN_ERR_NOMEM. */
cn_err cn_door_call_new(cn_door *door, void (*fn)(void *arg), void *arg);
/** True on the door's thread. */
bool cn_door_mine(const cn_door *door);
/** Calls fn(arg) every `ms` on the door's thread until the door ends; at most 8 of them, before cn_door_start. */
cn_err cn_door_every(cn_door *door, unsigned ms, void (*fn)(void *arg), void *arg);

typedef struct cn_door_stats {
    uint64_t requests, answers_2xx, answers_4xx, answers_5xx, ws_messages_in, ws_messages_out;
    uint32_t connections, websockets, working;
} cn_door_stats;
/** Any thread. */
void cn_door_stats_get(const cn_door *door, cn_door_stats *out);

/** From now on every new request is answered 503; waits (at most 3 s) until those under way are answered. Not on the
 * door's thread. */
void cn_door_quiesce(cn_door *door);
/** Stops listening and serving, joins the thread. What jobs still finish is dropped. Then cn_door_free, once the job
 * pools have ended. */
void cn_door_stop(cn_door *door);
/** NULL allowed. */
void cn_door_free(cn_door *door);

#endif
