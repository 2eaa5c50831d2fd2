/* Clients: WebSockets, the logins behind them, what comes in and goes out. */

#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "signaling/door/door.h"
#include "signaling/door/errand.h"
#include "signaling/live/begin.h"
#include "signaling/live/client.h"
#include "signaling/live/events.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"
#include "signaling/live/live.h"
#include "signaling/live/methods.h"
#include "signaling/live/minutes.h"
#include "signaling/live/quality.h"
#include "signaling/live/recheck.h"
#include "signaling/live/record.h"
#include "signaling/live/rpc.h"
#include "signaling/live/viewnews.h"
#include "signaling/live/watch.h"

#define CHECK_MS 2500 /* a login that ended closes its WebSocket within so long */
#define HELD_MAX 8
#define ASKING_MAX 64      /* WebSockets whose login is being looked up */
#define ASKING_HERE_MAX 48 /* of one address */
#define ASKING_MS 5000     /* the database is away: the client comes again */
#define BEGIN_MS 5000      /* who came early is seen to be in time within so long */

/* ---- who it is: asked on a job thread, at first and then every few seconds ---- */

typedef struct login_question {
    uint64_t serial;
    char token[CN_SESSION_TOKEN], address[48];
    cn_login_sign sign;
    cn_err err;
    cn_actor actor;
} login_question;

typedef struct inquiry {
    cn_errand errand;
    cn_live *live;
    size_t n;
    bool all; /* the regular round over all clients */
    login_question questions[];
} inquiry;

static void settle(cn_client *client, cn_client_state state)
{
    if (client->state == CN_CLIENT_ASKING) client->live->asking--;
    client->state = state;
}

static void refuse_client(cn_client *client)
{
    settle(client, CN_CLIENT_REFUSED);
    if (client->member) cn_media_leave(client->live->media, client->member->id, CN_LEAVE_REMOVED);
    cn_member *member = client->member;
    if (member) {
        member->leaving = true;
        cn_member_detach(member);
    }
}

/* The calls of who is refused get their error before the connection ends. */
static void answer_refused(cn_client *client, const char *text, size_t len)
{
    cn_rpc call;
    if (cn_rpc_parse(text, len, &call) == 0) cn_client_refuse(client, call.id, CN_ERR_UNAUTH, NULL);
    cn_rpc_free(&call);
}

static void release_held(cn_client *client)
{
    json_t *held = client->held, *text;
    size_t i;
    uint64_t serial = client->serial;
    cn_live *live = client->live;
    client->held = NULL;
    cn_ws_read(client->ws, true);
    json_array_foreach(held, i, text)
    {
        if (!cn_client_find(live, serial)) break;
        if (client->state == CN_CLIENT_REFUSED)
            answer_refused(client, json_string_value(text), json_string_length(text));
        else
            cn_live_dispatch(client, json_string_value(text), json_string_length(text));
    }
    json_decref(held);
}

static void take_answer(cn_live *live, const login_question *asked)
{
    cn_client *client = cn_client_find(live, asked->serial);
    if (!client || client->state == CN_CLIENT_REFUSED) return;
    bool first = client->state == CN_CLIENT_ASKING;
    if (asked->err == CN_OK) {
        client->actor = asked->actor;
        settle(client, CN_CLIENT_KNOWN);
    } else if (asked->err == CN_ERR_UNAUTH) {
        refuse_client(client);
        if (first) release_held(client);
        cn_ws_close(client->ws, CN_WS_CLOSE_SESSION, "unauthorized");
        return;
    } else if (first) {
        cn_ws_close(client->ws, CN_WS_CLOSE_SLOW, "try again later"); /* the database is away */
        return;
    }
    if (first) release_held(client);
}

static void answered(cn_errand *errand)
{
    inquiry *asked = (inquiry *)errand;
    if (!asked->live->closing)
        for (size_t i = 0; i < asked->n; i++) take_answer(asked->live, &asked->questions[i]);
    if (asked->all) asked->live->checking = false;
    cn_free_secret(asked, sizeof *asked + asked->n * sizeof(login_question));
}

/* Job thread. */
static void ask(cn_errand *errand)
{
    inquiry *asked = (inquiry *)errand;
    for (size_t i = 0; i < asked->n; i++) {
        login_question *one = &asked->questions[i];
        cn_session_found found;
        const cn_session_ask question = {
            .token = one->token, .address = one->address, .limits = asked->live->config.login, .sign = one->sign};
        one->err = cn_session_resolve(asked->live->config.consult, &question, &found);
        if (one->err == CN_OK) one->actor = found.actor;
    }
}

static inquiry *inquiry_new(cn_live *live, size_t count)
{
    inquiry *asked = cn_calloc(1, sizeof *asked + count * sizeof(login_question));
    if (asked) asked->live = live;
    return asked;
}

static cn_err send_inquiry(inquiry *asked)
{
    return cn_errand_go(&asked->errand, asked->live->door, asked->live->config.jobs, ask, answered);
}

/* A connection alone says nothing: its page may have been left alone hours ago. Whoever is in a room is there, however
 * long nobody could look (the database was away, the machine slept), and so is who waits at its door to be let in. */
static cn_login_sign sign_of(const cn_client *client)
{
    return client->member || client->joining || client->knock ? CN_LOGIN_ROOM : CN_LOGIN_NONE;
}

static void put_question(inquiry *asked, const cn_client *client)
{
    login_question *one = &asked->questions[asked->n++];
    one->serial = client->serial;
    one->sign = sign_of(client);
    cn_strcpy(one->token, sizeof one->token, client->token);
    cn_strcpy(one->address, sizeof one->address, client->address);
}

static void check_sessions(void *live)
{
    cn_live *parent = live;
    size_t n = 0;
    for (cn_client *client = parent->clients; client; client = client->next)
        if (client->state == CN_CLIENT_KNOWN) n++;
    if (!n || parent->checking || parent->closing) return;
    inquiry *asked = inquiry_new(parent, n);
    if (!asked) return;
    asked->all = true;
    for (cn_client *client = parent->clients; client; client = client->next)
        if (client->state == CN_CLIENT_KNOWN) put_question(asked, client);
    parent->checking = true;
    if (send_inquiry(asked) != CN_OK) {
        parent->checking = false;
        cn_free_secret(asked, sizeof *asked + n * sizeof(login_question));
    }
}

/* ---- the door's hooks ---- */

/* As cn_token_new makes them for a login: 256 bits. */
static bool formed(const char *token)
{
    unsigned char bytes[32];
    size_t n;
    return cn_unb64(token, strlen(token), bytes, sizeof bytes, &n) && n == sizeof bytes;
}

/* Whoever shows no login can hold a few places for a moment, and none of those who are known. */
static unsigned judge(void *ctx, const char *token, const char *address)
{
    const cn_live *live = ctx;
    unsigned here = 0;
    if (!formed(token)) return 401;
    if (live->asking >= ASKING_MAX) return 503;
    for (const cn_client *client = live->clients; client; client = client->next)
        here += client->state == CN_CLIENT_ASKING && strcmp(client->address, address) == 0;
    return here >= ASKING_HERE_MAX ? 503 : 0;
}

static void opened(void *ctx, cn_ws *ws, const char *token, const char *address)
{
    cn_live *live = ctx;
    cn_client *client = CN_NEW(cn_client);
    inquiry *asked = inquiry_new(live, 1);
    if (!client || !asked || !cn_strcpy(client->token, sizeof client->token, token) || live->closing) {
        free(client);
        free(asked);
        cn_ws_close(ws, CN_WS_CLOSE_SESSION, "unauthorized");
        return;
    }
    client->live = live;
    client->ws = ws;
    client->serial = ++live->serials;
    client->since_ms = cn_mono_ms();
    live->asking++;
    cn_strcpy(client->address, sizeof client->address, address);
    client->next = live->clients;
    client->at = &live->clients;
    if (client->next) client->next->at = &client->next;
    live->clients = client;
    cn_ws_own(ws, client);
    cn_ws_read(ws, false); /* until it is known who this is */
    put_question(asked, client);
    if (send_inquiry(asked) != CN_OK) {
        cn_free_secret(asked, sizeof *asked + sizeof(login_question));
        cn_ws_close(ws, CN_WS_CLOSE_SLOW, "try again later");
    }
}

static void message(void *ctx, cn_ws *ws, const char *text, size_t len)
{
    cn_client *client = cn_ws_owned(ws);
    (void)ctx;
    if (!client) return;
    if (client->state == CN_CLIENT_KNOWN) {
        cn_live_dispatch(client, text, len);
    } else if (client->state == CN_CLIENT_ASKING) {
        if (!client->held) client->held = json_array();
        if (json_array_size(client->held) >= HELD_MAX)
            cn_ws_close(ws, CN_WS_CLOSE_SLOW, "too fast");
        else
            json_array_append_new(client->held, json_stringn_nocheck(text, len));
    }
}

static void closed(void *ctx, cn_ws *ws)
{
    cn_client *client = cn_ws_owned(ws);
    (void)ctx;
    if (!client) return;
    settle(client, CN_CLIENT_REFUSED);
    cn_ws_own(ws, NULL);
    if (client->member) cn_member_detach(client->member);
    cn_gate_forget(client);
    cn_watch_forget(client);
    *client->at = client->next;
    if (client->next) client->next->at = client->at;
    json_decref(client->held);
    cn_free_secret(client, sizeof *client);
}

const cn_ws_hooks cn_live_hooks = {.judge = judge, .opened = opened, .message = message, .closed = closed};

/* ---- life ---- */

cn_err cn_live_new(cn_live **out, const cn_live_config *config)
{
    cn_live *live = CN_NEW(cn_live);
    if (!live) return CN_ERR_NOMEM;
    live->config = *config;
    *out = live;
    return CN_OK;
}

/* Reads again from who was slowed, and ends what waits for a database in vain. */
static void tidy(void *ctx)
{
    cn_live *live = ctx;
    uint64_t now = cn_mono_ms();
    for (cn_client *client = live->clients; client; client = client->next) {
        if (client->state == CN_CLIENT_ASKING && now - client->since_ms > ASKING_MS)
            cn_ws_close(client->ws, CN_WS_CLOSE_SLOW, "try again later");
        if (client->rates.slow_until_ms && now >= client->rates.slow_until_ms) {
            client->rates.slow_until_ms = 0;
            cn_ws_read(client->ws, true);
        }
    }
}

static void give_back(void *arg)
{
    (void)arg;
    cn_mem_trim();
}

/* Where many were, arenas of every thread keep what they needed. */
static void after_the_peak(void *live)
{
    cn_live *parent = live;
    size_t peers = 0;
    for (unsigned i = 0; parent->media && i < cn_media_workers(parent->media); i++) {
        cn_media_worker worker;
        cn_media_worker_get(parent->media, i, &worker);
        peers += worker.peers;
    }
    if (cn_mem_ebb(&parent->peers_peak, peers)) (void)cn_jobs_add(parent->config.jobs, give_back, NULL);
}

void cn_live_attach(cn_live *live, cn_door *door, cn_media *media)
{
    live->door = door;
    live->media = media;
    cn_door_every(door, CHECK_MS, check_sessions, live);
    cn_door_every(door, CN_RECHECK_MS, cn_recheck_tick, live);
    cn_door_every(door, 1000, cn_live_housekeeping, live);
    cn_door_every(door, 500, tidy, live);
    cn_door_every(door, BEGIN_MS, cn_begin_tick, live);
    cn_door_every(door, 2000, cn_live_quality, live);
    cn_door_every(door, 60000, cn_minutes_checkpoint, live);
    cn_door_every(door, 60000, cn_record_forget, live);
    cn_door_every(door, 20000, after_the_peak, live);
    cn_door_every(door, 1000, cn_minutes_flush, live);
    cn_door_on_wake(door, cn_view_wake, live);
}

typedef struct barrier {
    cn_live *live;
    cn_door_call call;
    sem_t done;
} barrier;

static void wait_for(cn_live *live, void (*fn)(void *arg))
{
    barrier gate = {.live = live, .call = {.fn = fn}};
    gate.call.arg = &gate;
    sem_init(&gate.done, 0, 0);
    cn_door_post(live->door, &gate.call);
    while (sem_wait(&gate.done) < 0) {
    }
    sem_destroy(&gate.done);
}

static void close_all(void *arg)
{
    barrier *gate = arg;
    cn_live *live = gate->live;
    live->closing = true;
    for (cn_hall *hall = live->halls; hall; hall = hall->next)
        cn_hall_notice(hall, NULL, "room.closed", json_pack("{s:s}", "reason", "shutdown"), NULL);
    live->media = NULL;
    sem_post(&gate->done);
}

static void drained(void *arg)
{
    barrier *gate = arg;
    cn_minutes_flush(gate->live);
    sem_post(&gate->done);
}

void cn_live_close(cn_live *live)
{
    if (live->door) wait_for(live, close_all);
}

void cn_live_drain(cn_live *live)
{
    if (!live->door) return;
    /* bounded: a database that is away must not keep the server from ending */
    for (unsigned i = 0; i < 500; i++) {
        wait_for(live, drained);
        if (!atomic_load(&live->ledger_waiting)) return;
        usleep(10 * 1000);
    }
    cn_error("signaling.minutes", "%u rows could not be written to the ledger", atomic_load(&live->ledger_waiting));
}

void cn_live_free(cn_live *live)
{
    if (!live) return;
    while (live->halls) {
        cn_hall *hall = live->halls;
        while (hall->members && hall->members->next) cn_member_free(hall->members);
        if (hall->members) cn_member_free(hall->members);
    }
    cn_minutes_free(live);
    cn_record_free(live);
    cn_gate_free(live);
    free(live);
}
