/*
 * Consultation requests: form, list, life. Every call checks the actor at the record; a request that the actor may not
 * see answers CN_ERR_NOTFOUND. Blocking: job threads only. JSON shapes are those of docs/protocol.md.
 */
#ifndef CN_CONSULT_REQUEST_H
#define CN_CONSULT_REQUEST_H

#include "consult/consult.h"
#include "consult/state.h"

/** What is needed to judge an actor's part in a request. */
typedef struct cn_request_scope {
    char id[CN_ID_TEXT];
    char number[24];
    char referrer[CN_ID_TEXT];
    char hospital[CN_ID_TEXT];
    cn_state state;
    bool urgent;
    int64_t revision;
    uint32_t parts; /* CN_PART_ bits of the actor */
} cn_request_scope;

/** Loads it and the actor's part; CN_ERR_NOTFOUND when there is none or the actor has no part. */
cn_err cn_request_scope_get(cn_conn *conn, const cn_actor *actor, const char *id, cn_request_scope *out);

/**
 * Checks `action` against the table (state.h), writes the new state, revision and history. Inside the caller's
 * transaction. CN_ERR_CONFLICT when somebody changed the request meanwhile.
 */
cn_err cn_request_step(cn_conn *conn, const cn_actor *actor, cn_request_scope *scope, const char *action,
                       const char *reason, cn_problem *problem);

/** Tells whoever listens (after the commit). */
void cn_request_announce(cn_consult *consult, const cn_request_scope *scope);

/* Acts: `answer` may be NULL. */
cn_err cn_request_create(cn_consult *consult, const cn_actor *actor, const json_t *body, char id[CN_ID_TEXT],
                         cn_answer *answer, cn_problem *problem);
cn_err cn_request_update(cn_consult *consult, const cn_actor *actor, const char *id, const json_t *body,
                         cn_answer *answer, cn_problem *problem);
/** The whole request as JSON as the actor may see it, new reference; not logged: what acts answer with (cn_answer). */
cn_err cn_request_view(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *id, json_t **out);
/** The same on a connection of its own, written to the audit log as a read. */
cn_err cn_request_get(cn_consult *consult, const cn_actor *actor, const char *id, json_t **out);

typedef struct cn_request_filter {
    const char *tab;        /* "uploading", "pending", "completed"; NULL: all */
    const char *name;       /* patient's name or part of it, NULL: any */
    int64_t from_ms, to_ms; /* creation, [from, to); 0: open */
    unsigned page, size;    /* from 1; 1…200 */
} cn_request_filter;
cn_err cn_request_list(cn_consult *consult, const cn_actor *actor, const cn_request_filter *filter, json_t **out,
                       cn_problem *problem);

/** Acts of docs/protocol.md: "submit", "return", "reject", "schedule", "reschedule", "accept", "cancel", "finish",
 * "no_show", "close". CN_ERR_NOTFOUND for another word. */
cn_err cn_request_act(cn_consult *consult, const cn_actor *actor, const char *id, const char *action,
                      const json_t *body, cn_answer *answer, cn_problem *problem);

/** Opens (or gives) the room of a request. */
cn_err cn_request_room(cn_consult *consult, const cn_actor *actor, const char *id, char room[CN_ID_TEXT],
                       cn_problem *problem);

#endif
