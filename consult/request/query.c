#include "consult/request/query.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

size_t cn_query_bind(cn_query *query, cn_val value)
{
    if (query->n == CN_QUERY_PARAMS)
        query->err = CN_ERR_TOOBIG;
    else
        query->values[query->n++] = value;
    return query->n;
}

void cn_query_rows(cn_query *query, const cn_actor *actor)
{
    cn_buf_fmt(
        &query->text,
        "SELECT q.id, q.number, q.kind, q.urgent, q.state, q.patient_name_sealed, q.patient_sex, q.patient_birth_date, "
        "q.diagnosis, q.hospital_id, h.name, q.referrer_id, u.display_name, q.scheduled_ms, q.scheduled_minutes, "
        "q.created_ms, e.user_id, l.display_name, m.id, q.reason, p.lead, CASE WHEN q.record = '' THEN 0 ELSE 1 "
        "END, " CN_EXPERT_GONE ", CASE WHEN l.active = 0 AND q.state IN ('SCHEDULED', 'IN_SESSION', 'AWAITING_REPORT') "
        "THEN 1 ELSE 0 END, q.requested_ms, q.report_unread "
        "FROM requests q JOIN hospitals h ON h.id = q.hospital_id JOIN users u ON u.id = q.referrer_id "
        "LEFT JOIN request_experts e ON e.request_id = q.id AND e.lead = 1 LEFT JOIN users l ON l.id = e.user_id "
        "LEFT JOIN request_experts p ON p.request_id = q.id AND p.user_id = $%zu "
        "LEFT JOIN rooms m ON m.request_id = q.id AND m.closed_ms = 0 WHERE q.id IN (SELECT q.id FROM requests q WHERE "
        "1 = 1",
        cn_query_bind(query, cn_text(actor->user)));
}

void cn_query_page(cn_query *query, const char *order, unsigned size, unsigned offset)
{
    cn_buf_fmt(&query->text, " ORDER BY %s LIMIT %u OFFSET %u) ORDER BY %s", order, size, offset, order);
}

void cn_query_scope(cn_query *query, const cn_actor *actor)
{
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_READ_ALL) || cn_actor_may(actor, CN_RIGHT_REQUEST_REVIEW)) return;
    if (!cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE) && !cn_actor_may(actor, CN_RIGHT_REPORT_WRITE)) {
        cn_buf_str(&query->text, " AND 1 = 0");
        return;
    }
    size_t me = cn_query_bind(query, cn_text(actor->user));
    cn_buf_str(&query->text, " AND (1 = 0");
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE)) cn_buf_fmt(&query->text, " OR q.referrer_id = $%zu", me);
    if (cn_actor_may(actor, CN_RIGHT_REPORT_WRITE))
        cn_buf_fmt(&query->text,
                   " OR q.id IN (SELECT request_id FROM request_experts WHERE user_id = $%zu)"
                   " OR (q.urgent = 1 AND q.state IN ('UPLOADING', 'PENDING_REVIEW'))",
                   me);
    cn_buf_str(&query->text, ")");
}

cn_err cn_query_run(cn_query *query, cn_conn *conn, cn_rows **out)
{
    cn_err err = query->err != CN_OK ? query->err : query->text.err;
    if (err == CN_OK) err = cn_db_query_v(conn, out, query->text.p, query->values, query->n);
    cn_buf_free(&query->text);
    return err;
}

const char *cn_request_todo(const cn_actor *actor, const cn_todo_case *of)
{
    bool mine = of->mine && cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE);
    bool writes = cn_actor_may(actor, CN_RIGHT_REPORT_WRITE);
    bool reviews = cn_actor_may(actor, CN_RIGHT_REQUEST_REVIEW);
    switch (of->state) {
    case CN_STATE_UPLOADING: return mine ? "fill" : !of->urgent ? "" : writes ? "accept" : reviews ? "assign" : "";
    case CN_STATE_RETURNED: return mine ? "mend" : "";
    case CN_STATE_PENDING_REVIEW:
        return of->urgent && writes ? "accept" : !reviews ? "" : of->urgent ? "assign" : "review";
    case CN_STATE_SCHEDULED: return !reviews ? "" : of->gone ? "replace" : of->past ? "overdue" : "";
    case CN_STATE_IN_SESSION: return mine || (of->expert && writes) ? "enter" : of->gone && reviews ? "replace" : "";
    case CN_STATE_AWAITING_REPORT: return of->lead && writes ? "write" : of->gone && reviews ? "replace" : "";
    case CN_STATE_REPORTED: return !mine ? "" : of->unread ? "read" : of->recorded ? "close" : "record";
    case CN_STATE_CLOSED: return mine && of->unread ? "read" : "";
    default: return "";
    }
}

static const char *todo_of(const cn_rows *rows, const cn_actor *actor)
{
    cn_todo_case of = {.urgent = cn_rows_int(rows, 3) != 0,
                       .recorded = cn_rows_int(rows, 21) != 0,
                       .unread = cn_rows_int(rows, 25) != 0,
                       .mine = strcmp(cn_rows_text(rows, 11), actor->user) == 0,
                       .expert = !cn_rows_null(rows, 20),
                       .lead = !cn_rows_null(rows, 20) && cn_rows_int(rows, 20) != 0,
                       .gone = cn_rows_int(rows, 22) != 0};
    of.past = cn_rows_int(rows, 13) + cn_rows_int(rows, 14) * 60000 < cn_wall_ms();
    return cn_state_parse(cn_rows_text(rows, 4), &of.state) ? cn_request_todo(actor, &of) : "";
}

static cn_err item_json(cn_consult *consult, const cn_rows *rows, const cn_actor *actor, json_t **out)
{
    json_t *patient = NULL;
    const char *id = cn_rows_text(rows, 0);
    CN_TRY(cn_request_patient_brief(consult, rows, id, 5, 6, 7, &patient));
    const char *lead = cn_rows_text(rows, 16), *room = cn_rows_text(rows, 18);
    *out = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:I, s:I, s:I, s:I, s:I, s:s, s:s}", "id", id,
        "number", cn_rows_text(rows, 1), "kind", cn_rows_text(rows, 2), "urgency",
        cn_rows_int(rows, 3) ? "urgent" : "ordinary", "state", cn_rows_text(rows, 4), "patient", patient, "diagnosis",
        cn_rows_text(rows, 8), "hospital", "id", cn_rows_text(rows, 9), "name", cn_rows_text(rows, 10), "referrer",
        "id", cn_rows_text(rows, 11), "name", cn_rows_text(rows, 12), "scheduled_at", (json_int_t)cn_rows_int(rows, 13),
        "scheduled_minutes", (json_int_t)cn_rows_int(rows, 14), "created_at", (json_int_t)cn_rows_int(rows, 15),
        "requested_at", (json_int_t)cn_rows_int(rows, 24), "report_unread", (json_int_t)cn_rows_int(rows, 25), "reason",
        cn_rows_text(rows, 19), "todo", todo_of(rows, actor));
    if (!*out) return CN_ERR_NOMEM;
    json_object_set_new(*out, "lead",
                        lead ? json_pack("{s:s, s:s, s:b}", "id", lead, "name", cn_rows_text(rows, 17), "disabled",
                                         cn_rows_int(rows, 23) != 0)
                             : json_null());
    json_object_set_new(*out, "room", room ? json_string(room) : json_null());
    return CN_OK;
}

cn_err cn_query_items(cn_query *query, cn_consult *consult, cn_conn *conn, const cn_actor *actor, json_t *items)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_query_run(query, conn, &rows));
    while (cn_rows_next(rows)) {
        json_t *item = NULL;
        CN_TRY(item_json(consult, rows, actor, &item));
        json_array_append_new(items, item);
    }
    return CN_OK;
}
