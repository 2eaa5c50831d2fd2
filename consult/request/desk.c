#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "consult/request/query.h"

#define MINE_MAX 50
#define DAYS_MAX 200
#define DAYS_MS (8 * 86400000LL)

/* The same as cn_request_todo says of one row; test_desk compares the two. */
static void where_mine(cn_query *query, const cn_actor *actor)
{
    cn_buf *text = &query->text;
    cn_buf_str(text, " AND ((q.state IN ('UPLOADING', 'RETURNED', 'PENDING_REVIEW', 'SCHEDULED', 'IN_SESSION', "
                     "'AWAITING_REPORT', 'REPORTED') AND (1 = 0");
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE))
        cn_buf_fmt(text,
                   " OR (q.referrer_id = $%zu AND q.state IN ('UPLOADING', 'RETURNED', 'IN_SESSION', 'REPORTED'))",
                   cn_query_bind(query, cn_text(actor->user)));
    if (cn_actor_may(actor, CN_RIGHT_REPORT_WRITE)) {
        size_t me = cn_query_bind(query, cn_text(actor->user));
        cn_buf_fmt(text,
                   " OR (q.urgent = 1 AND q.state IN ('UPLOADING', 'PENDING_REVIEW')) OR (q.state = 'IN_SESSION' AND "
                   "q.id IN (SELECT request_id FROM request_experts WHERE user_id = $%zu)) OR (q.state = "
                   "'AWAITING_REPORT' AND q.id IN (SELECT request_id FROM request_experts WHERE user_id = $%zu AND "
                   "lead = 1))",
                   me, me);
    }
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_REVIEW))
        cn_buf_fmt(text,
                   " OR q.state = 'PENDING_REVIEW' OR (q.urgent = 1 AND q.state = 'UPLOADING') OR " CN_EXPERT_GONE
                   " = 1"
                   " OR (q.state = 'SCHEDULED' AND q.scheduled_ms + q.scheduled_minutes * 60000 < $%zu)",
                   cn_query_bind(query, cn_int(cn_wall_ms())));
    cn_buf_str(text, "))");
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE))
        cn_buf_fmt(text,
                   " OR q.id IN (SELECT id FROM requests WHERE referrer_id = $%zu AND report_unread > 0 AND state IN "
                   "('REPORTED', 'CLOSED'))",
                   cn_query_bind(query, cn_text(actor->user)));
    cn_buf_str(text, ")");
}

/* Urgent first; then who sits in the room; drafts, of which nobody but oneself waits, last. Else who waits longest. */
static cn_err add_mine(cn_consult *consult, cn_conn *conn, const cn_actor *actor, json_t *items)
{
    cn_query query = {0};
    cn_query_rows(&query, actor);
    where_mine(&query, actor);
    cn_query_page(&query,
                  "q.urgent DESC, CASE q.state WHEN 'IN_SESSION' THEN 0 WHEN 'UPLOADING' THEN 2 ELSE 1 END, "
                  "q.updated_ms, q.id",
                  MINE_MAX, 0);
    return cn_query_items(&query, consult, conn, actor, items);
}

static cn_err add_days(cn_consult *consult, cn_conn *conn, const cn_actor *actor, int64_t from, int64_t to,
                       json_t *items)
{
    cn_query query = {0};
    cn_query_rows(&query, actor);
    cn_query_scope(&query, actor);
    cn_buf_fmt(&query.text, " AND q.scheduled_ms >= $%zu", cn_query_bind(&query, cn_int(from)));
    cn_buf_fmt(&query.text, " AND q.scheduled_ms < $%zu AND q.state NOT IN ('CANCELLED', 'REJECTED')",
               cn_query_bind(&query, cn_int(to)));
    cn_query_page(&query, "q.urgent DESC, q.scheduled_ms, q.id", DAYS_MAX, 0);
    return cn_query_items(&query, consult, conn, actor, items);
}

cn_err cn_request_desk(cn_consult *consult, const cn_actor *actor, int64_t from_ms, int64_t to_ms, json_t **out,
                       cn_problem *problem)
{
    if (from_ms <= 0 || to_ms <= from_ms || to_ms - from_ms > DAYS_MS)
        return cn_problem_field(problem, CN_WRONG_FORMAT, "to", "is after from, by eight days at most");
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_AUTO_JSON json_t *object = json_object();
    json_t *mine = json_array(), *days = json_array();
    json_object_set_new(object, "mine", mine);
    json_object_set_new(object, "days", days);
    CN_TRY(add_mine(consult, conn, actor, mine));
    CN_TRY(add_days(consult, conn, actor, from_ms, to_ms, days));
    *out = json_incref(object);
    return CN_OK;
}
