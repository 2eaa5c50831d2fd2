/* What every part of the medical domain stands on: database, keys, files, the two append-only logs. Owned by main;
 * outlives all calls. */
#ifndef CN_CONSULT_CONSULT_H
#define CN_CONSULT_CONSULT_H

#include <jansson.h>

#include "base/err.h"
#include "consult/actor.h"
#include "storage/chain/chain.h"
#include "storage/db/db.h"
#include "storage/files/files.h"
#include "storage/vault/vault.h"

typedef struct cn_consult {
    cn_db *db;
    const cn_vault *vault;
    cn_files *files;
    cn_chain *audit;
    cn_chain *ledger;
    int zone_minutes; /* where days and months begin, minutes east of UTC */
    /* A request is there or made a step (any thread, after the commit); `urgent`: it is an urgent one, or was before. NULL:
     * nobody listens. */
    void (*changed)(void *ctx, const char *request, const char *state, bool urgent);
    /* A request's room was closed (as above): "finished", "closed" or "cancelled", static texts. NULL: nobody listens. */
    void (*room_ends)(void *ctx, const char *request, const char *reason);
    /* An expert takes no part in a request any more (as above, after `changed`): others were chosen. NULL: nobody listens. */
    void (*part_ends)(void *ctx, const char *request, const char *user);
    /* Looks into a file that arrived (job threads) before it is taken; CN_ERR_INVALID, and in `problem` what is wrong
     * with it, for whoever sent it. NULL: nobody looks further than at its type. */
    cn_err (*look)(void *ctx, const char *path, const char *type, cn_problem *problem);
    void *ctx;
} cn_consult;

/** Writes a denied or failed act to the audit log; errors are logged only, because the caller already has its own error
 * to tell. */
void cn_audit_note(cn_consult *consult, const cn_actor *actor, const char *action, const char *object,
                   const char *outcome, const char *detail);

/**
 * A transaction whose last statement is its audit row. Usage:
 *   CN_TRY(cn_act_begin(&act, c, a));  … cn_db_exec(act.conn, …) …  return cn_act_end(&act, err, "request.submit",
 * object, detail); cn_act_end commits when `err` is CN_OK (row with outcome "ok"), otherwise rolls back and notes
 * "denied" (FORBIDDEN, NOTFOUND) or "failed"; it returns the final error.
 */
typedef struct cn_act {
    cn_consult *c;
    const cn_actor *actor;
    cn_conn *conn;
} cn_act;
cn_err cn_act_begin(cn_act *act, cn_consult *consult, const cn_actor *actor);

/** What an act answers with: the request as the actor sees it after it. NULL where nobody asks. */
typedef struct cn_answer {
    cn_err (*read)(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *request, json_t **out);
    json_t *json; /* new reference; NULL: the act failed, or its actor has no part in the request any more */
} cn_answer;
/** Reads it inside the act's transaction, as its last look: no second transaction, and no second row in the audit log.
 * To be called with the act's error and before cn_act_end, which gets the result. */
cn_err cn_act_answer(cn_act *act, cn_err err, const char *request, cn_answer *answer);
cn_err cn_act_end(cn_act *act, cn_err err, const char *action, const char *object, const char *detail);

#endif
