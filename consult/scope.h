/*
 * An actor's part in a request, and a step of the request's life: what everything that belongs to a request (its form,
 * files, report, room) asks before it reads or changes anything. Blocking: job threads only.
 */
#ifndef CN_CONSULT_SCOPE_H
#define CN_CONSULT_SCOPE_H

#include "consult/consult.h"
#include "consult/state.h"

/** What is needed to judge an actor's part in a request. */
typedef struct cn_request_scope {
    char id[CN_ID_TEXT];
    char number[24];
    char referrer[CN_ID_TEXT];
    cn_state state;
    bool urgent;
    int64_t revision;
    uint32_t parts;   /* CN_PART_ bits of the actor */
    const char *ends; /* set by an act that closed the room: why, as cn_consult.room_ends says; NULL otherwise */
} cn_request_scope;

/** Loads it and the actor's part; CN_ERR_NOTFOUND when there is none or the actor has no part. */
cn_err cn_request_scope_get(cn_conn *conn, const cn_actor *actor, const char *id, cn_request_scope *out);

/**
 * Checks `action` against the table (state.h), writes the new state, revision and history. Inside the caller's
 * transaction. CN_ERR_CONFLICT when somebody changed the request meanwhile.
 */
cn_err cn_request_step(cn_conn *conn, const cn_actor *actor, cn_request_scope *scope, const char *action,
                       const char *reason, cn_problem *problem);

/** The state after `action`, or why it is not possible; changes nothing. */
cn_err cn_request_may(const cn_request_scope *scope, const char *action, cn_state *next, cn_problem *problem);

/** The row of a step that was made: `scope` is as it is after it, `from` the state before (CN_STATE_COUNT: none). */
cn_err cn_request_history(cn_conn *conn, const cn_actor *actor, const cn_request_scope *scope, const char *action,
                          cn_state from, const char *reason);

/** Tells whoever listens (after the commit). */
void cn_request_announce(cn_consult *consult, const cn_request_scope *scope);

#endif
