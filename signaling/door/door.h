/*
 * The door: one libwebsockets context with its own thread. Plain or TLS, HTTP/1.1 only. Parses, finds the route, hands
 * handlers to job threads, sends. Everything of the live protocol (ws.h, rooms) runs on its thread, without locks.
 */
#ifndef CN_SIGNALING_DOOR_H
#define CN_SIGNALING_DOOR_H

#include "signaling/door/calls.h"

/** Binds; nothing is served before cn_door_start. CN_ERR_IO when an address is taken, CN_ERR_INVALID for TLS files. */
cn_err cn_door_new(cn_door **out, const cn_door_config *config);
cn_err cn_door_start(cn_door *door);
uint16_t cn_door_port(const cn_door *door);
uint16_t cn_door_management_port(const cn_door *door); /* 0: none */

/** Calls fn(arg) every `ms` on the door's thread until the door ends; at most 16 of them, before cn_door_start. */
cn_err cn_door_every(cn_door *door, unsigned ms, void (*fn)(void *arg), void *arg);
/** The same for what is done when there is reason to: once, so long after cn_door_wake. */
cn_err cn_door_on_wake(cn_door *door, void (*fn)(void *arg), void *arg);
/** Calls `fn` of cn_door_on_wake in `ms`, unless it is going to be called before. The door's thread. */
void cn_door_wake(cn_door *door, void (*fn)(void *arg), unsigned ms);

typedef struct cn_door_stats {
    uint64_t requests, answers_2xx, answers_4xx, answers_5xx, ws_messages_in, ws_messages_out;
    uint32_t websockets, working;
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
