#include "consult/request/lineup.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "consult/request/query.h"

#define LONGEST_MS (720 * 60000LL) /* of a consultation: so far back one can begin that is not over */

cn_err cn_lineup_load(cn_conn *conn, const char *request, cn_lineup *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT u.id, u.display_name, e.lead FROM request_experts e JOIN users u ON u.id = e.user_id "
                       "WHERE e.request_id = $1 ORDER BY e.lead DESC, u.id",
                       cn_text(request)));
    out->n = 0;
    while (out->n < CN_EXPERTS_MAX && cn_rows_next(rows)) {
        cn_strcpy(out->who[out->n].id, sizeof out->who[0].id, cn_rows_text(rows, 0));
        cn_strcpy(out->who[out->n].name, sizeof out->who[0].name, cn_rows_text(rows, 1));
        out->who[out->n++].lead = cn_rows_int(rows, 2) != 0;
    }
    return CN_OK;
}

static bool holds(const cn_lineup *lineup, const char *id, bool as_lead)
{
    for (size_t i = 0; i < lineup->n; i++)
        if (strcmp(lineup->who[i].id, id) == 0) return lineup->who[i].lead || !as_lead;
    return false;
}

static void note(const cn_lineup *of, size_t i, const char *sign, cn_buf *names, cn_buf *ids)
{
    cn_buf_fmt(names, "%s%s %s", names->n ? ", " : "", sign, of->who[i].name);
    cn_buf_fmt(ids, "%s%s %s", ids->n ? ", " : "", sign, of->who[i].id);
}

void cn_lineup_changes(const cn_lineup *before, const cn_lineup *after, cn_buf *names, cn_buf *ids)
{
    for (size_t i = 0; i < after->n; i++) {
        bool leads = after->who[i].lead && !holds(before, after->who[i].id, true);
        if (leads)
            note(after, i, "★", names, ids);
        else if (!holds(before, after->who[i].id, false))
            note(after, i, "+", names, ids);
    }
    for (size_t i = 0; i < before->n; i++)
        if (!holds(after, before->who[i].id, false)) note(before, i, "−", names, ids);
}

void cn_lineup_gone(const cn_lineup *before, const cn_lineup *after, cn_lineup *gone)
{
    gone->n = 0;
    for (size_t i = 0; i < before->n; i++)
        if (!holds(after, before->who[i].id, false)) gone->who[gone->n++] = before->who[i];
}

cn_err cn_lineup_booked(cn_conn *conn, const char *request, bool *booked)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(
        conn, &rows,
        "SELECT 1 FROM requests me JOIN request_experts mine ON mine.request_id = me.id "
        "JOIN request_experts e ON e.user_id = mine.user_id AND e.request_id <> me.id "
        "JOIN requests q ON q.id = e.request_id WHERE me.id = $1 AND q.state IN ('SCHEDULED', 'IN_SESSION') "
        "AND q.scheduled_ms / 60000 < me.scheduled_ms / 60000 + me.scheduled_minutes "
        "AND q.scheduled_ms / 60000 + q.scheduled_minutes > me.scheduled_ms / 60000 LIMIT 1",
        cn_text(request)));
    *booked = cn_rows_next(rows);
    return CN_OK;
}

/* Who was taken off stands in the audit row of the change, which no program can alter (cn_lineup_changes). */
static cn_err was_taken_off(cn_conn *conn, const cn_actor *actor, const char *id, bool *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    char object[48], gone[CN_ID_TEXT + 16];
    cn_fmt(object, sizeof object, "request:%.26s", id);
    cn_fmt(gone, sizeof gone, "%%− %s%%", actor->user);
    CN_TRY(
        cn_db_query(conn, &rows,
                    "SELECT 1 FROM audit_log WHERE object = $1 AND action = 'request.experts' AND outcome = 'ok' AND "
                    "detail LIKE $2 LIMIT 1",
                    cn_text(object), cn_text(gone)));
    *out = cn_rows_next(rows);
    return CN_OK;
}

cn_err cn_request_parted(cn_consult *consult, const cn_actor *actor, const char *id, cn_problem *problem)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    bool parted = false;
    if (!cn_id_valid(id) || !cn_id_valid(actor->user)) return CN_ERR_NOTFOUND;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(was_taken_off(conn, actor, id, &parted));
    if (!parted) return CN_ERR_NOTFOUND;
    cn_problem_set(problem, CN_ERR_NOTFOUND, "", "other experts were chosen for this request");
    return cn_problem_say(problem, CN_ERR_NOTFOUND, CN_WRONG_PARTED, 0, 0);
}

/* " AND e.user_id IN ($1, …)"; the ids stay in `ids`. */
static cn_err where_experts(cn_query *query, const char *experts, char ids[CN_EXPERTS_MAX][CN_ID_TEXT],
                            cn_problem *problem)
{
    size_t n = 0;
    cn_buf_str(&query->text, " AND e.user_id IN (");
    for (const char *at = experts; *at;) {
        size_t len = strcspn(at, ",");
        if (n == CN_EXPERTS_MAX || !cn_fmt(ids[n], CN_ID_TEXT, "%.*s", (int)len, at) || !cn_id_valid(ids[n]))
            return cn_problem_field(problem, CN_WRONG_FORMAT, "experts", "ids between commas, at most 30");
        cn_buf_fmt(&query->text, "%s$%zu", n ? ", " : "", cn_query_bind(query, cn_text(ids[n])));
        n++;
        at += len + (at[len] == ',');
    }
    if (n == 0) return cn_problem_field(problem, CN_WRONG_MISSING, "experts", "is missing");
    cn_buf_str(&query->text, ")");
    return CN_OK;
}

static json_t *busy_json(const cn_rows *rows)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:b, s:s}", "expert", cn_rows_text(rows, 0), "name",
                     cn_rows_text(rows, 1), "request", cn_rows_text(rows, 2), "number", cn_rows_text(rows, 3), "at",
                     (json_int_t)cn_rows_int(rows, 4), "minutes", (json_int_t)cn_rows_int(rows, 5), "state",
                     cn_rows_text(rows, 6), "lead", (int)cn_rows_int(rows, 7), "hospital", cn_rows_text(rows, 8));
}

static cn_err read_busy(cn_query *query, cn_consult *consult, json_t *items)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_query_run(query, conn, &rows));
    while (cn_rows_next(rows)) json_array_append_new(items, busy_json(rows));
    return CN_OK;
}

cn_err cn_request_busy(cn_consult *consult, const cn_actor *actor, const char *experts, int64_t from_ms, int64_t to_ms,
                       const char *but, json_t **out, cn_problem *problem)
{
    cn_query query = {0};
    char ids[CN_EXPERTS_MAX][CN_ID_TEXT];
    if (!cn_actor_may(actor, CN_RIGHT_REQUEST_REVIEW))
        return cn_problem_set(problem, CN_ERR_FORBIDDEN, "", "whoever schedules may see this");
    if (from_ms <= LONGEST_MS || to_ms <= from_ms)
        return cn_problem_field(problem, CN_WRONG_FORMAT, "to", "is after from");
    cn_buf_str(&query.text,
               "SELECT e.user_id, u.display_name, q.id, q.number, q.scheduled_ms, q.scheduled_minutes, q.state, "
               "e.lead, h.name FROM requests q JOIN request_experts e ON e.request_id = q.id "
               "JOIN users u ON u.id = e.user_id JOIN hospitals h ON h.id = q.hospital_id "
               "WHERE q.state IN ('SCHEDULED', 'IN_SESSION')");
    cn_buf_fmt(&query.text, " AND q.id <> $%zu", cn_query_bind(&query, cn_text(but)));
    cn_buf_fmt(&query.text, " AND q.scheduled_ms > $%zu", cn_query_bind(&query, cn_int(from_ms - LONGEST_MS)));
    cn_buf_fmt(&query.text, " AND q.scheduled_ms < $%zu", cn_query_bind(&query, cn_int(to_ms)));
    cn_buf_fmt(&query.text, " AND q.scheduled_ms + q.scheduled_minutes * 60000 > $%zu",
               cn_query_bind(&query, cn_int(from_ms)));
    cn_err err = where_experts(&query, experts, ids, problem);
    if (err != CN_OK) {
        cn_buf_free(&query.text);
        return err;
    }
    cn_buf_str(&query.text, " ORDER BY q.scheduled_ms, q.id, e.user_id LIMIT 200");
    json_t *items = json_array();
    err = read_busy(&query, consult, items);
    cn_buf_free(&query.text);
    *out = json_pack("{s:o}", "items", items);
    if (err == CN_OK) return *out ? CN_OK : CN_ERR_NOMEM;
    json_decref(*out);
    *out = NULL;
    return err;
}
