#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/request/request_private.h"

#define PARAMS 24
#define TOKENS 16

/* A statement put together from constant pieces; values only as parameters. */
typedef struct sql {
    cn_buf text;
    cn_val values[PARAMS];
    size_t n;
    cn_err err;
} sql;

static size_t bind(sql *query, cn_val value)
{
    if (query->n == PARAMS)
        query->err = CN_ERR_TOOBIG;
    else
        query->values[query->n++] = value;
    return query->n;
}

/* The same as parts_of in scope.c says of one request. */
static void where_scope(sql *query, const cn_actor *actor)
{
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_READ_ALL) || cn_actor_may(actor, CN_RIGHT_REQUEST_REVIEW)) return;
    if (!cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE) && !cn_actor_may(actor, CN_RIGHT_REPORT_WRITE)) {
        cn_buf_str(&query->text, " AND 1 = 0");
        return;
    }
    size_t me = bind(query, cn_text(actor->user));
    cn_buf_str(&query->text, " AND (1 = 0");
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE)) cn_buf_fmt(&query->text, " OR q.referrer_id = $%zu", me);
    if (cn_actor_may(actor, CN_RIGHT_REPORT_WRITE))
        cn_buf_fmt(&query->text,
                   " OR q.id IN (SELECT request_id FROM request_experts WHERE user_id = $%zu)"
                   " OR (q.urgent = 1 AND q.state IN ('UPLOADING', 'PENDING_REVIEW'))",
                   me);
    cn_buf_str(&query->text, ")");
}

/* Tokens of the name that is searched for; those past the bound only make the search wider. */
typedef struct name_tokens {
    size_t n;
    char token[TOKENS][33];
} name_tokens;

static void take_token(void *arg, const char *token)
{
    name_tokens *tokens = arg;
    if (tokens->n < TOKENS) memcpy(tokens->token[tokens->n++], token, sizeof(tokens->token[0]));
}

static void where_name(sql *query, cn_consult *consult, const char *name, name_tokens *tokens)
{
    tokens->n = 0;
    cn_vault_search_tokens(consult->vault, "patient.name", name, take_token, tokens);
    for (size_t i = 0; i < tokens->n; i++)
        cn_buf_fmt(&query->text, " AND q.id IN (SELECT request_id FROM request_name_tokens WHERE token = $%zu)",
                   bind(query, cn_text(tokens->token[i])));
}

static void where_filter(sql *query, cn_consult *consult, const cn_request_filter *filter, name_tokens *tokens)
{
    if (filter->from_ms) cn_buf_fmt(&query->text, " AND q.created_ms >= $%zu", bind(query, cn_int(filter->from_ms)));
    if (filter->to_ms) cn_buf_fmt(&query->text, " AND q.created_ms < $%zu", bind(query, cn_int(filter->to_ms)));
    if (filter->name && filter->name[0]) where_name(query, consult, filter->name, tokens);
}

static void where_tab(sql *query, const char *tab)
{
    uint32_t states = cn_state_tab(tab);
    const char *comma = "";
    cn_buf_str(&query->text, " AND q.state IN (");
    for (unsigned i = 0; i < CN_STATE_COUNT; i++)
        if (states >> i & 1u) {
            cn_buf_fmt(&query->text, "%s'%s'", comma, cn_state_name((cn_state)i));
            comma = ", ";
        }
    cn_buf_str(&query->text, ")");
}

static cn_err run(sql *query, cn_conn *conn, cn_rows **out)
{
    if (query->err != CN_OK) return query->err;
    if (query->text.err != CN_OK) return query->text.err;
    return cn_db_query_v(conn, out, query->text.p, query->values, query->n);
}

/* How many requests of each tab the filter leaves; *total of the asked tab. */
static cn_err count(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const cn_request_filter *filter,
                    json_t **counts, int64_t *total)
{
    static const char *const tabs[] = {"uploading", "pending", "completed"};
    sql query = {0};
    name_tokens tokens;
    int64_t sums[3] = {0, 0, 0};
    cn_buf_str(&query.text, "SELECT q.state, COUNT(*) FROM requests q WHERE 1 = 1");
    where_scope(&query, actor);
    where_filter(&query, consult, filter, &tokens);
    cn_buf_str(&query.text, " GROUP BY q.state");
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_err err = run(&query, conn, &rows);
    cn_buf_free(&query.text);
    CN_TRY(err);
    *total = 0;
    while (cn_rows_next(rows)) {
        cn_state state;
        if (!cn_state_parse(cn_rows_text(rows, 0), &state)) continue;
        for (size_t i = 0; i < 3; i++)
            if (cn_state_tab(tabs[i]) >> state & 1u) sums[i] += cn_rows_int(rows, 1);
    }
    for (size_t i = 0; i < 3; i++)
        if (!filter->tab || strcmp(filter->tab, tabs[i]) == 0) *total += sums[i];
    *counts = json_pack("{s:I, s:I, s:I}", tabs[0], (json_int_t)sums[0], tabs[1], (json_int_t)sums[1], tabs[2],
                        (json_int_t)sums[2]);
    return *counts ? CN_OK : CN_ERR_NOMEM;
}

static cn_err item_json(cn_consult *consult, const cn_rows *rows, json_t **out)
{
    json_t *patient = NULL;
    const char *id = cn_rows_text(rows, 0);
    CN_TRY(cn_request_patient_brief(consult, rows, id, 5, 6, 7, &patient));
    const char *lead = cn_rows_text(rows, 16), *room = cn_rows_text(rows, 18);
    *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:I, s:I, s:I, s:s}", "id", id,
                     "number", cn_rows_text(rows, 1), "kind", cn_rows_text(rows, 2), "urgency",
                     cn_rows_int(rows, 3) ? "urgent" : "ordinary", "state", cn_rows_text(rows, 4), "patient", patient,
                     "diagnosis", cn_rows_text(rows, 8), "hospital", "id", cn_rows_text(rows, 9), "name",
                     cn_rows_text(rows, 10), "referrer", "id", cn_rows_text(rows, 11), "name", cn_rows_text(rows, 12),
                     "scheduled_at", (json_int_t)cn_rows_int(rows, 13), "scheduled_minutes",
                     (json_int_t)cn_rows_int(rows, 14), "created_at", (json_int_t)cn_rows_int(rows, 15), "reason",
                     cn_rows_text(rows, 19));
    if (!*out) return CN_ERR_NOMEM;
    json_object_set_new(*out, "lead",
                        lead ? json_pack("{s:s, s:s}", "id", lead, "name", cn_rows_text(rows, 17)) : json_null());
    json_object_set_new(*out, "room", room ? json_string(room) : json_null());
    return CN_OK;
}

static cn_err fetch(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const cn_request_filter *filter,
                    json_t *items)
{
    sql query = {0};
    name_tokens tokens;
    cn_buf_str(
        &query.text,
        "SELECT q.id, q.number, q.kind, q.urgent, q.state, q.patient_name_sealed, q.patient_sex, q.patient_birth_date, "
        "q.diagnosis, "
        "q.hospital_id, h.name, q.referrer_id, u.display_name, q.scheduled_ms, q.scheduled_minutes, q.created_ms, "
        "e.user_id, l.display_name, "
        "m.id, q.reason FROM requests q JOIN hospitals h ON h.id = q.hospital_id JOIN users u ON u.id = q.referrer_id "
        "LEFT JOIN request_experts e ON e.request_id = q.id AND e.lead = 1 LEFT JOIN users l ON l.id = e.user_id "
        "LEFT JOIN rooms m ON m.request_id = q.id AND m.closed_ms = 0 WHERE 1 = 1");
    where_scope(&query, actor);
    where_filter(&query, consult, filter, &tokens);
    if (filter->tab) where_tab(&query, filter->tab);
    cn_buf_fmt(&query.text, " ORDER BY q.created_ms DESC, q.id DESC LIMIT %u OFFSET %u", filter->size,
               (filter->page - 1) * filter->size);
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_err err = run(&query, conn, &rows);
    cn_buf_free(&query.text);
    CN_TRY(err);
    while (cn_rows_next(rows)) {
        json_t *item = NULL;
        CN_TRY(item_json(consult, rows, &item));
        json_array_append_new(items, item);
    }
    return CN_OK;
}

cn_err cn_request_list(cn_consult *consult, const cn_actor *actor, const cn_request_filter *filter, json_t **out,
                       cn_problem *problem)
{
    if (filter->tab && !cn_state_tab(filter->tab))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "tab", "must be uploading, pending or completed");
    if (filter->page < 1 || filter->page > 100000 || filter->size < 1 || filter->size > 200)
        return cn_problem_field(problem, CN_WRONG_FORMAT, "page", "page is from 1, size 1 to 200");
    if (filter->name && strlen(filter->name) > 180)
        return cn_problem_set(problem, CN_ERR_TOOBIG, "name", "at most 60 characters");
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    json_t *counts = NULL, *items = json_array();
    int64_t total = 0;
    cn_err err = count(consult, conn, actor, filter, &counts, &total);
    if (err == CN_OK) err = fetch(consult, conn, actor, filter, items);
    if (err != CN_OK) {
        json_decref(counts);
        json_decref(items);
        return err;
    }
    *out = json_pack("{s:o, s:I, s:o}", "items", items, "total", (json_int_t)total, "counts", counts);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

/* ---- urgent ones that wait for an expert ---- */

#define URGENT_MAX 50

cn_err cn_request_urgent(cn_conn *conn, const cn_actor *actor, json_t **out, cn_problem *problem)
{
    if (!cn_actor_may(actor, CN_RIGHT_REPORT_WRITE))
        return cn_problem_set(problem, CN_ERR_FORBIDDEN, "", "only experts accept urgent consultations");
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT q.id, q.number, q.created_ms, h.name FROM requests q JOIN hospitals h ON h.id = "
                       "q.hospital_id WHERE q.urgent = 1 AND q.state IN ('UPLOADING', 'PENDING_REVIEW') AND "
                       "q.referrer_id <> $1 ORDER BY q.created_ms, q.id LIMIT $2",
                       cn_text(actor->user), cn_int(URGENT_MAX)));
    json_t *list = json_array();
    while (cn_rows_next(rows))
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:s}", "id", cn_rows_text(rows, 0), "number",
                                              cn_rows_text(rows, 1), "created_at", (json_int_t)cn_rows_int(rows, 2),
                                              "hospital", cn_rows_text(rows, 3)));
    *out = list;
    return list ? CN_OK : CN_ERR_NOMEM;
}
