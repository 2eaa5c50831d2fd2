/*
 * What the files of the door and its users share: calls on its thread, exchanges that are lent to job threads.
 */
#ifndef CN_SIGNALING_CALLS_H
#define CN_SIGNALING_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "signaling/door/config.h"
#include "signaling/http/call.h"

struct lws;
struct lws_context;

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
/** Adds to the bytes of WebSocket messages whose end has not come; returns those of all clients. */
int64_t cn_door_unfinished(cn_door *door, int64_t bytes);
void cn_door_count(cn_door *door, int64_t messages_in, int64_t messages_out, int websockets);

#endif
