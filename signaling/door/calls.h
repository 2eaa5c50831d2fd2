/*
 * What the files of the door and its users share: its configuration, calls on its thread, exchanges that are lent to
 * job threads.
 */
#ifndef CN_SIGNALING_CALLS_H
#define CN_SIGNALING_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/jobs.h"
#include "signaling/http/call.h"
#include "signaling/http/http.h"
#include "signaling/http/statics.h"

typedef struct cn_door cn_door;
typedef struct cn_ws cn_ws; /* ws.h */
struct lws;
struct lws_context;

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

/** Calls fn(arg) on the door's thread. Any thread. `call` must stay until it is called and not be posted twice
 * meanwhile: cannot fail. */
void cn_door_post(cn_door *door, cn_door_call *call);
/** The same with memory of its own, bounded (65,536 waiting): CN_ERR_FULL, CN_ERR_NOMEM. */
cn_err cn_door_call_new(cn_door *door, void (*fn)(void *arg), void *arg);

/* ---- for the files of the door; on its thread but where it says otherwise ---- */

const cn_door_config *cn_door_config_of(const cn_door *door);
/** Runs what was posted. */
void cn_door_run_calls(cn_door *door);
/** Gives the exchange to a job thread; CN_ERR_FULL when the pool's line is full (nothing has changed then). */
cn_err cn_door_lend(cn_http *http, cn_job_fn fn);
/** Job thread: gives it back; `back` runs on the door and must call cn_door_returned first. */
void cn_door_give_back(cn_http *http, void (*back)(void *exchange));
/** The door has it again (the job's reference stays with the caller, who drops it). */
void cn_door_returned(cn_http *http);
/** Composes and sends a refusal from the door itself; `status` 0: that of the error. */
void cn_door_refuse(cn_http *http, cn_err err, int status);
/** An exchange of this connection, which belongs to this door; as cn_exchange_new. */
cn_err cn_door_exchange(cn_http **out, cn_door *door, struct lws *wsi);
bool cn_door_dead(const cn_door *door);
struct lws_context *cn_door_lws(const cn_door *door);
void cn_door_count(cn_door *door, int64_t messages_in, int64_t messages_out, int websockets);

#endif
