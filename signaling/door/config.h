/* What the door is made with. */
#ifndef CN_SIGNALING_DOOR_CONFIG_H
#define CN_SIGNALING_DOOR_CONFIG_H

#include "base/err.h"
#include "base/jobs.h"
#include "signaling/http/http.h"
#include "signaling/http/proxy.h"
#include "signaling/http/statics.h"

typedef struct cn_door cn_door;
typedef struct cn_ws cn_ws; /* ws.h */

/** What the live protocol hooks into the door. All on its thread. */
typedef struct cn_ws_hooks {
    /** 0, or the status to refuse a handshake with that token from that address with. */
    unsigned (*judge)(void *ctx, const char *token, const char *address);
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
    const char *tls_ciphers;        /* OpenSSL's list for TLS 1.2; TLS 1.3 has forward secrecy by itself */
    const char *cors_origins;       /* http/cors.h */
    const cn_proxies *proxies;      /* NULL: none is trusted */
    const char *management_listen;
    int management_port; /* 0: a free one, -1: none */
    const cn_route *const *routes;
    const cn_route *const *management_routes;
    cn_jobs *db_jobs, *tile_jobs, *picture_jobs;
    const cn_statics *statics; /* NULL: none */
    cn_app *app;
    /** Job thread: fills the actor, or an error (UNAUTH, FORBIDDEN). */
    cn_err (*authenticate)(cn_http *http, cn_actor *actor);
    /** Door's thread: the same from memory, for a route that changes nothing; false: not without waiting. */
    bool (*recall)(cn_http *http, cn_actor *actor);
    const cn_ws_hooks *ws;
    void *ws_ctx;
} cn_door_config;

#endif
