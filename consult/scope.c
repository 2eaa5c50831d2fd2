#include "consult/scope.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

static uint32_t parts_of(const cn_actor *actor, const cn_rows *rows, const cn_request_scope *scope)
{
    uint32_t parts = 0;
    if (strcmp(actor->user, scope->referrer) == 0 && cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE))
        parts |= CN_PART_REFERRER;
    if (!cn_rows_null(rows, 5) && cn_actor_may(actor, CN_RIGHT_REPORT_WRITE))
        parts |= CN_PART_EXPERT | (cn_rows_int(rows, 5) ? CN_PART_LEAD : 0u);
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_REVIEW)) parts |= CN_PART_REVIEWER;
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_READ_ALL)) parts |= CN_PART_READER;
    bool open = scope->state == CN_STATE_UPLOADING || scope->state == CN_STATE_PENDING_REVIEW;
    if (scope->urgent && open && cn_actor_may(actor, CN_RIGHT_REPORT_WRITE)) parts |= CN_PART_ON_DUTY;
    return parts;
}

cn_err cn_request_scope_get(cn_conn *conn, const cn_actor *actor, const char *id, cn_request_scope *out)
{
    if (!cn_id_valid(id)) return CN_ERR_NOTFOUND;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT q.number, q.referrer_id, q.state, q.urgent, q.revision, e.lead FROM requests q "
                       "LEFT JOIN request_experts e ON e.request_id = q.id AND e.user_id = $2 WHERE q.id = $1",
                       cn_text(id), cn_text(actor->user)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    cn_request_scope scope = {.urgent = cn_rows_int(rows, 3) != 0, .revision = cn_rows_int(rows, 4)};
    cn_strcpy(scope.id, sizeof(scope.id), id);
    cn_strcpy(scope.number, sizeof(scope.number), cn_rows_text(rows, 0));
    cn_strcpy(scope.referrer, sizeof(scope.referrer), cn_rows_text(rows, 1));
    if (!cn_state_parse(cn_rows_text(rows, 2), &scope.state)) return CN_ERR_CORRUPT;
    scope.parts = parts_of(actor, rows, &scope);
    if (!scope.parts) return CN_ERR_NOTFOUND;
    *out = scope;
    return CN_OK;
}

cn_err cn_request_history(cn_conn *conn, const cn_actor *actor, const cn_request_scope *scope, const char *action,
                          cn_state from, const char *reason)
{
    return cn_db_exec(
        conn, NULL,
        "INSERT INTO request_history (request_id, step, at_ms, actor_id, action, from_state, to_state, reason) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        cn_text(scope->id), cn_int(scope->revision), cn_int(cn_wall_ms()), cn_text(actor->user), cn_text(action),
        cn_text(cn_state_name(from)), cn_text(cn_state_name(scope->state)), cn_text(reason ? reason : ""));
}

cn_err cn_request_may(const cn_request_scope *scope, const char *action, cn_state *next, cn_problem *problem)
{
    cn_err err = cn_state_next(action, scope->state, scope->urgent, scope->parts, next);
    if (err == CN_ERR_STATE)
        return cn_problem_set(problem, err, "state", "'%s' is not possible while the request is %s", action,
                              cn_state_name(scope->state));
    if (err == CN_ERR_FORBIDDEN)
        return cn_problem_set(problem, err, "", "'%s' is not yours to do for this request", action);
    return err;
}

cn_err cn_request_step(cn_conn *conn, const cn_actor *actor, cn_request_scope *scope, const char *action,
                       const char *reason, cn_problem *problem)
{
    cn_state from = scope->state, next = from;
    CN_TRY(cn_request_may(scope, action, &next, problem));
    int64_t changed = 0;
    CN_TRY(cn_db_exec(
        conn, &changed,
        "UPDATE requests SET state = $1, revision = revision + 1, updated_ms = $2 WHERE id = $3 AND revision = $4",
        cn_text(cn_state_name(next)), cn_int(cn_wall_ms()), cn_text(scope->id), cn_int(scope->revision)));
    if (changed != 1)
        return cn_problem_set(problem, CN_ERR_CONFLICT, "state",
                              "somebody else changed the request just now; load it again");
    scope->revision++;
    scope->state = next;
    return cn_request_history(conn, actor, scope, action, from, reason);
}

void cn_request_announce(cn_consult *consult, const cn_request_scope *scope)
{
    if (consult->changed) consult->changed(consult->ctx, scope->id, cn_state_name(scope->state), scope->urgent);
    if (scope->ends && consult->room_ends) consult->room_ends(consult->ctx, scope->id, scope->ends);
}
