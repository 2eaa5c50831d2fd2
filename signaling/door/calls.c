/* Calls on the door's thread, and exchanges on their way to job threads and back. */
#include "signaling/door/calls.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "signaling/door/door_impl.h"
#include "signaling/http/exchange_state.h"
#include "signaling/http/proxy.h"

#define CALLS_MAX 65536

typedef struct own_call {
    cn_door_call call;
    cn_door *door;
    void (*fn)(void *arg);
    void *arg;
} own_call;

/* ---- calls from other threads ---- */

void cn_door_post(cn_door *door, cn_door_call *call)
{
    call->next = NULL;
    pthread_mutex_lock(&door->lock);
    bool wake = !door->first;
    if (door->last)
        door->last->next = call;
    else
        door->first = call;
    door->last = call;
    /* under the lock: the context ends only after the last call was taken or the door is dead */
    if (wake && door->ctx) lws_cancel_service(door->ctx);
    pthread_mutex_unlock(&door->lock);
}

static void run_own(void *arg)
{
    own_call *call = arg;
    atomic_fetch_sub(&call->door->own_calls, 1);
    if (!call->door->dead) call->fn(call->arg);
    free(call);
}

cn_err cn_door_call_new(cn_door *door, void (*fn)(void *arg), void *arg)
{
    own_call *call = CN_NEW(own_call);
    if (!call) return CN_ERR_NOMEM;
    if (atomic_fetch_add(&door->own_calls, 1) >= CALLS_MAX) {
        atomic_fetch_sub(&door->own_calls, 1);
        free(call);
        return CN_ERR_FULL;
    }
    *call = (own_call){.call = {.fn = run_own, .arg = call}, .door = door, .fn = fn, .arg = arg};
    cn_door_post(door, &call->call);
    return CN_OK;
}

void cn_door_run_calls(cn_door *door)
{
    pthread_mutex_lock(&door->lock);
    cn_door_call *call = door->first;
    door->first = door->last = NULL;
    pthread_mutex_unlock(&door->lock);
    while (call) {
        cn_door_call *next = call->next;
        call->fn(call->arg);
        call = next;
    }
}

/* ---- exchanges on their way ---- */

/* Whoever comes through a proxy of ours is its client. */
static void see_through(const cn_door *door, cn_http *http)
{
    const cn_proxies *proxies = door->config.proxies;
    if (!proxies || http->management) return;
    const cn_proxy_said said = {.for_list = cn_http_header(http, "x-forwarded-for"),
                                .proto = cn_http_header(http, "x-forwarded-proto"),
                                .forwarded = cn_http_header(http, "forwarded")};
    cn_proxy_client(proxies, &said, http->actor.address, &http->secure);
}

cn_err cn_door_exchange(cn_http **out, cn_door *door, struct lws *wsi)
{
    cn_err err = cn_exchange_new(out, door->config.app, wsi, lws_get_vhost(wsi) == door->management);
    if (*out) (*out)->door = door;
    if (*out && err == CN_OK) see_through(door, *out);
    return err;
}

static cn_jobs *pool_of(const cn_door *door, cn_job_class class)
{
    return class == CN_RUN_TILE      ? door->config.tile_jobs
           : class == CN_RUN_PICTURE ? door->config.picture_jobs
                                     : door->config.db_jobs;
}

/* Whose turn it is: the login's, which the job has yet to look up. Who has none comes no further than that. */
static uint64_t owner_of(const cn_http *http)
{
    const char *cookie = cn_http_header(http, "cookie");
    return cookie ? cn_hash(cookie) : 0;
}

cn_err cn_door_lend(cn_http *http, cn_job_fn fn)
{
    cn_door *door = http->door;
    cn_ref(http);
    http->working = true;
    atomic_fetch_add(&door->working, 1);
    cn_jobs *pool = pool_of(door, http->route ? http->route->job : CN_RUN_DB);
    cn_err err = cn_jobs_add_for(pool, owner_of(http), fn, http);
    if (err == CN_OK) return CN_OK;
    cn_door_returned(http);
    cn_unref(http);
    return CN_ERR_FULL;
}

void cn_door_give_back(cn_http *http, void (*back)(void *exchange))
{
    http->call.fn = back;
    http->call.arg = http;
    cn_door_post(http->door, &http->call);
}

void cn_door_returned(cn_http *http)
{
    if (http->working) atomic_fetch_sub(&http->door->working, 1);
    http->working = false;
}

void cn_door_refuse(cn_http *http, cn_err err, int status)
{
    http->status = status;
    cn_exchange_compose(http, err);
    http->dispatched = true;
    lws_callback_on_writable(http->wsi);
}

/* ---- what the files of the door ask ---- */

bool cn_door_dead(const cn_door *door)
{
    return door->dead;
}

struct lws_context *cn_door_lws(const cn_door *door)
{
    return door->ctx;
}

const cn_door_config *cn_door_config_of(const cn_door *door)
{
    return &door->config;
}

int64_t cn_door_unfinished(cn_door *door, int64_t bytes)
{
    return door->unfinished += bytes;
}

void cn_door_count(cn_door *door, int64_t messages_in, int64_t messages_out, int websockets)
{
    atomic_fetch_add(&door->ws_in, (uint64_t)messages_in);
    atomic_fetch_add(&door->ws_out, (uint64_t)messages_out);
    atomic_fetch_add(&door->websockets, websockets);
}
