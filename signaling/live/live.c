/* Clients: WebSockets, the logins behind them, what comes in and goes out. */
#include "signaling/live/live_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define CHECK_MS 3000 /* a login that ended closes its WebSocket within so long */
#define HELD_MAX 8

/* ---- what a client is sent ---- */

cn_client *cn_client_find(cn_live *l, uint64_t serial)
{
    for (cn_client *c = l->clients; c; c = c->next)
        if (c->serial == serial) return c;
    return NULL;
}

void cn_client_send(cn_client *c, json_t *message)
{
    if (c && message) cn_ws_send(c->ws, message, NULL);
    json_decref(message);
}

void cn_client_notice(cn_client *c, const char *method, json_t *params)
{
    cn_client_send(c, cn_rpc_notice(method, params));
}

void cn_client_answer(cn_client *c, json_t *id, json_t *result)
{
    if (id)
        cn_client_send(c, cn_rpc_result(id, result));
    else
        json_decref(result);
}

void cn_client_refuse(cn_client *c, json_t *id, cn_err err, const cn_problem *p)
{
    if (id) cn_client_send(c, cn_rpc_problem(id, err, p));
}

/* ---- who it is: asked on a job thread, at first and then every few seconds ---- */

typedef struct question {
    uint64_t serial;
    char token[CN_SESSION_TOKEN], address[48];
    cn_err err;
    cn_actor actor;
} question;

typedef struct inquiry {
    cn_live *live;
    cn_door_call call;
    size_t n;
    bool all; /* the regular round over all clients */
    question questions[];
} inquiry;

static void refuse_client(cn_client *c)
{
    c->state = CN_CLIENT_REFUSED;
    if (c->member) cn_media_leave(c->live->media, c->member->id, CN_LEAVE_REMOVED);
    cn_member *m = c->member;
    if (m) {
        m->leaving = true;
        cn_member_detach(m);
    }
}

/* Calls get their error, then the connection ends. */
static void answer_refused(cn_client *c, const char *text, size_t n)
{
    cn_rpc call;
    if (cn_rpc_parse(text, n, &call) == 0) cn_client_refuse(c, call.id, CN_ERR_UNAUTH, NULL);
    cn_rpc_free(&call);
    cn_ws_close(c->ws, CN_WS_CLOSE_SESSION, "unauthorized");
}

static void release_held(cn_client *c)
{
    json_t *held = c->held, *text;
    size_t i;
    uint64_t serial = c->serial;
    cn_live *l = c->live;
    c->held = NULL;
    cn_ws_read(c->ws, true);
    json_array_foreach(held, i, text)
    {
        if (!cn_client_find(l, serial)) break;
        if (c->state == CN_CLIENT_REFUSED)
            answer_refused(c, json_string_value(text), json_string_length(text));
        else
            cn_live_dispatch(c, json_string_value(text), json_string_length(text));
    }
    json_decref(held);
}

static void take_answer(cn_live *l, const question *q)
{
    cn_client *c = cn_client_find(l, q->serial);
    if (!c || c->state == CN_CLIENT_REFUSED) return;
    bool first = c->state == CN_CLIENT_ASKING;
    if (q->err == CN_OK) {
        c->actor = q->actor;
        c->state = CN_CLIENT_KNOWN;
    } else if (q->err == CN_ERR_UNAUTH) {
        refuse_client(c);
        if (!first) cn_ws_close(c->ws, CN_WS_CLOSE_SESSION, "unauthorized");
    } else if (first) {
        cn_ws_close(c->ws, CN_WS_CLOSE_SLOW, "try again later"); /* the database is away */
        return;
    }
    if (first) release_held(c);
}

static void answered(void *arg)
{
    inquiry *q = arg;
    if (!q->live->closing)
        for (size_t i = 0; i < q->n; i++) take_answer(q->live, &q->questions[i]);
    if (q->all) q->live->checking = false;
    cn_free_secret(q, sizeof *q + q->n * sizeof(question));
}

static void ask(void *arg)
{
    inquiry *q = arg;
    char csrf[CN_SESSION_TOKEN];
    cn_app *app = q->live->app;
    for (size_t i = 0; i < q->n; i++) {
        question *one = &q->questions[i];
        one->err = cn_session_resolve(&app->consult, one->token, one->address, cn_app_idle_ms(app), &one->actor, csrf);
    }
    q->call = (cn_door_call){.fn = answered, .arg = q};
    cn_door_post(q->live->door, &q->call);
}

static inquiry *inquiry_new(cn_live *l, size_t n)
{
    inquiry *q = cn_calloc(1, sizeof *q + n * sizeof(question));
    if (q) q->live = l;
    return q;
}

static void put_question(inquiry *q, const cn_client *c)
{
    question *one = &q->questions[q->n++];
    one->serial = c->serial;
    cn_strcpy(one->token, sizeof one->token, c->token);
    cn_strcpy(one->address, sizeof one->address, c->address);
}

static void check_sessions(void *live)
{
    cn_live *l = live;
    size_t n = 0;
    for (cn_client *c = l->clients; c; c = c->next)
        if (c->state == CN_CLIENT_KNOWN) n++;
    if (!n || l->checking || l->closing) return;
    inquiry *q = inquiry_new(l, n);
    if (!q) return;
    q->all = true;
    for (cn_client *c = l->clients; c; c = c->next)
        if (c->state == CN_CLIENT_KNOWN) put_question(q, c);
    l->checking = true;
    if (cn_jobs_add(l->app->db_jobs, ask, q) != CN_OK) {
        l->checking = false;
        cn_free_secret(q, sizeof *q + n * sizeof(question));
    }
}

/* ---- the door's hooks ---- */

static void opened(void *ctx, cn_ws *ws, const char *token, const char *address)
{
    cn_live *l = ctx;
    cn_client *c = CN_NEW(cn_client);
    inquiry *q = inquiry_new(l, 1);
    if (!c || !q || !cn_strcpy(c->token, sizeof c->token, token) || l->closing) {
        free(c);
        free(q);
        cn_ws_close(ws, CN_WS_CLOSE_SESSION, "unauthorized");
        return;
    }
    c->live = l;
    c->ws = ws;
    c->serial = ++l->serials;
    cn_strcpy(c->address, sizeof c->address, address);
    c->next = l->clients;
    c->at = &l->clients;
    if (c->next) c->next->at = &c->next;
    l->clients = c;
    cn_ws_own(ws, c);
    cn_ws_read(ws, false); /* until it is known who this is */
    put_question(q, c);
    if (cn_jobs_add(l->app->db_jobs, ask, q) != CN_OK) {
        cn_free_secret(q, sizeof *q + sizeof(question));
        cn_ws_close(ws, CN_WS_CLOSE_SLOW, "try again later");
    }
}

static void message(void *ctx, cn_ws *ws, const char *text, size_t n)
{
    cn_client *c = cn_ws_owned(ws);
    (void)ctx;
    if (!c) return;
    if (c->state == CN_CLIENT_KNOWN) {
        cn_live_dispatch(c, text, n);
    } else if (c->state == CN_CLIENT_REFUSED) {
        answer_refused(c, text, n);
    } else {
        if (!c->held) c->held = json_array();
        if (json_array_size(c->held) >= HELD_MAX)
            cn_ws_close(ws, CN_WS_CLOSE_SLOW, "too fast");
        else
            json_array_append_new(c->held, json_stringn_nocheck(text, n));
    }
}

static void closed(void *ctx, cn_ws *ws)
{
    cn_client *c = cn_ws_owned(ws);
    (void)ctx;
    if (!c) return;
    cn_ws_own(ws, NULL);
    if (c->member) cn_member_detach(c->member);
    cn_gate_forget(c);
    *c->at = c->next;
    if (c->next) c->next->at = c->at;
    json_decref(c->held);
    cn_free_secret(c, sizeof *c);
}

const cn_ws_hooks cn_live_hooks = {.opened = opened, .message = message, .closed = closed};

/* ---- life ---- */

cn_err cn_live_new(cn_live **out, cn_app *app)
{
    cn_live *l = CN_NEW(cn_live);
    if (!l) return CN_ERR_NOMEM;
    l->app = app;
    *out = l;
    return CN_OK;
}

static void give_back(void *arg)
{
    (void)arg;
    cn_mem_trim();
}

/* Where many were, arenas of every thread keep what they needed. */
static void after_the_peak(void *live)
{
    cn_live *l = live;
    size_t peers = 0;
    for (unsigned i = 0; l->media && i < cn_media_workers(l->media); i++) {
        cn_media_worker w;
        cn_media_worker_get(l->media, i, &w);
        peers += w.peers;
    }
    if (cn_mem_ebb(&l->peers_peak, peers)) (void)cn_jobs_add(l->app->db_jobs, give_back, NULL);
}

void cn_live_attach(cn_live *l, cn_door *door, cn_media *media)
{
    l->door = door;
    l->media = media;
    cn_door_every(door, CHECK_MS, check_sessions, l);
    cn_door_every(door, 1000, cn_live_housekeeping, l);
    cn_door_every(door, 2000, cn_live_quality, l);
    cn_door_every(door, 60000, cn_minutes_checkpoint, l);
    cn_door_every(door, 60000, cn_record_forget, l);
    cn_door_every(door, 20000, after_the_peak, l);
    cn_door_every(door, 1000, cn_minutes_flush, l);
}

typedef struct barrier {
    cn_live *live;
    cn_door_call call;
    sem_t done;
} barrier;

static void wait_for(cn_live *l, void (*fn)(void *arg))
{
    barrier b = {.live = l, .call = {.fn = fn}};
    b.call.arg = &b;
    sem_init(&b.done, 0, 0);
    cn_door_post(l->door, &b.call);
    while (sem_wait(&b.done) < 0) {
    }
    sem_destroy(&b.done);
}

static void close_all(void *arg)
{
    barrier *b = arg;
    cn_live *l = b->live;
    l->closing = true;
    for (cn_hall *h = l->halls; h; h = h->next)
        cn_hall_notice(h, NULL, "room.closed", json_pack("{s:s}", "reason", "shutdown"), NULL);
    l->media = NULL;
    sem_post(&b->done);
}

static void drained(void *arg)
{
    barrier *b = arg;
    cn_minutes_flush(b->live);
    sem_post(&b->done);
}

void cn_live_close(cn_live *l)
{
    if (l->door) wait_for(l, close_all);
}

void cn_live_drain(cn_live *l)
{
    if (!l->door) return;
    /* bounded: a database that is away must not keep the server from ending */
    for (unsigned i = 0; i < 500; i++) {
        wait_for(l, drained);
        if (!atomic_load(&l->ledger_waiting)) return;
        usleep(10 * 1000);
    }
    cn_error("signaling.minutes", "%u rows could not be written to the ledger", atomic_load(&l->ledger_waiting));
}

void cn_live_free(cn_live *l)
{
    if (!l) return;
    while (l->halls) {
        cn_hall *h = l->halls;
        while (h->members && h->members->next) cn_member_free(h->members);
        if (h->members) cn_member_free(h->members);
    }
    cn_minutes_free(l);
    cn_record_free(l);
    cn_gate_free(l);
    free(l);
}
