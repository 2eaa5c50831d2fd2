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

static size_t bind(sql *q, cn_val v)
{
    if (q->n == PARAMS)
        q->err = CN_ERR_TOOBIG;
    else
        q->values[q->n++] = v;
    return q->n;
}

/* The same as parts_of in request.c says of one request. */
static void where_scope(sql *q, const cn_actor *a)
{
    if (cn_actor_may(a, CN_RIGHT_REQUEST_READ_ALL) || cn_actor_may(a, CN_RIGHT_REQUEST_REVIEW)) return;
    if (!cn_actor_may(a, CN_RIGHT_REQUEST_CREATE) && !cn_actor_may(a, CN_RIGHT_REPORT_WRITE)) {
        cn_buf_str(&q->text, " AND 1 = 0");
        return;
    }
    size_t me = bind(q, cn_text(a->user));
    cn_buf_str(&q->text, " AND (1 = 0");
    if (cn_actor_may(a, CN_RIGHT_REQUEST_CREATE)) cn_buf_fmt(&q->text, " OR q.referrer_id = $%zu", me);
    if (cn_actor_may(a, CN_RIGHT_REPORT_WRITE))
        cn_buf_fmt(&q->text,
                   " OR q.id IN (SELECT request_id FROM request_experts WHERE user_id = $%zu)"
                   " OR (q.urgent = 1 AND q.state IN ('UPLOADING', 'PENDING_REVIEW'))",
                   me);
    cn_buf_str(&q->text, ")");
}

/* Tokens of the name that is searched for; those past the bound only make the search wider. */
typedef struct name_tokens {
    size_t n;
    char token[TOKENS][33];
} name_tokens;

static void take_token(void *arg, const char *token)
{
    name_tokens *t = arg;
    if (t->n < TOKENS) memcpy(t->token[t->n++], token, sizeof(t->token[0]));
}

static void where_name(sql *q, cn_consult *c, const char *name, name_tokens *t)
{
    t->n = 0;
    cn_vault_search_tokens(c->vault, "patient.name", name, take_token, t);
    for (size_t i = 0; i < t->n; i++)
        cn_buf_fmt(&q->text, " AND q.id IN (SELECT request_id FROM request_name_tokens WHERE token = $%zu)",
                   bind(q, cn_text(t->token[i])));
}

static void where_filter(sql *q, cn_consult *c, const cn_request_filter *f, name_tokens *tokens)
{
    if (f->from_ms) cn_buf_fmt(&q->text, " AND q.created_ms >= $%zu", bind(q, cn_int(f->from_ms)));
    if (f->to_ms) cn_buf_fmt(&q->text, " AND q.created_ms < $%zu", bind(q, cn_int(f->to_ms)));
    if (f->name && f->name[0]) where_name(q, c, f->name, tokens);
}

static void where_tab(sql *q, const char *tab)
{
    uint32_t states = cn_state_tab(tab);
    const char *comma = "";
    cn_buf_str(&q->text, " AND q.state IN (");
    for (unsigned i = 0; i < CN_STATE_COUNT; i++)
        if (states >> i & 1u) {
            cn_buf_fmt(&q->text, "%s'%s'", comma, cn_state_name((cn_state)i));
            comma = ", ";
        }
    cn_buf_str(&q->text, ")");
}

static cn_err run(sql *q, cn_conn *conn, cn_rows **out)
{
    if (q->err != CN_OK) return q->err;
    if (q->text.err != CN_OK) return q->text.err;
    return cn_db_query_v(conn, out, q->text.p, q->values, q->n);
}

/* How many requests of each tab the filter leaves; *total of the asked tab. */
static cn_err count(cn_consult *c, cn_conn *conn, const cn_actor *a, const cn_request_filter *f, json_t **counts,
                    int64_t *total)
{
    static const char *const tabs[] = {"uploading", "pending", "completed"};
    sql q = {0};
    name_tokens tokens;
    int64_t sums[3] = {0, 0, 0};
    cn_buf_str(&q.text, "SELECT q.state, COUNT(*) FROM requests q WHERE 1 = 1");
    where_scope(&q, a);
    where_filter(&q, c, f, &tokens);
    cn_buf_str(&q.text, " GROUP BY q.state");
    CN_AUTO_ROWS cn_rows *r = NULL;
    cn_err err = run(&q, conn, &r);
    cn_buf_free(&q.text);
    CN_TRY(err);
    *total = 0;
    while (cn_rows_next(r)) {
        cn_state s;
        if (!cn_state_parse(cn_rows_text(r, 0), &s)) continue;
        for (size_t i = 0; i < 3; i++)
            if (cn_state_tab(tabs[i]) >> s & 1u) sums[i] += cn_rows_int(r, 1);
    }
    for (size_t i = 0; i < 3; i++)
        if (!f->tab || strcmp(f->tab, tabs[i]) == 0) *total += sums[i];
    *counts = json_pack("{s:I, s:I, s:I}", tabs[0], (json_int_t)sums[0], tabs[1], (json_int_t)sums[1], tabs[2],
                        (json_int_t)sums[2]);
    return *counts ? CN_OK : CN_ERR_NOMEM;
}

static cn_err item_json(cn_consult *c, const cn_rows *r, json_t **out)
{
    json_t *patient = NULL;
    const char *id = cn_rows_text(r, 0);
    CN_TRY(cn_request_patient_brief(c, r, id, 5, 6, 7, &patient));
    const char *lead = cn_rows_text(r, 16), *room = cn_rows_text(r, 18);
    *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:I, s:I, s:I, s:s}", "id", id,
                     "number", cn_rows_text(r, 1), "kind", cn_rows_text(r, 2), "urgency",
                     cn_rows_int(r, 3) ? "urgent" : "ordinary", "state", cn_rows_text(r, 4), "patient", patient,
                     "diagnosis", cn_rows_text(r, 8), "hospital", "id", cn_rows_text(r, 9), "name", cn_rows_text(r, 10),
                     "referrer", "id", cn_rows_text(r, 11), "name", cn_rows_text(r, 12), "scheduled_at",
                     (json_int_t)cn_rows_int(r, 13), "scheduled_minutes", (json_int_t)cn_rows_int(r, 14), "created_at",
                     (json_int_t)cn_rows_int(r, 15), "reason", cn_rows_text(r, 19));
    if (!*out) return CN_ERR_NOMEM;
    json_object_set_new(*out, "lead",
                        lead ? json_pack("{s:s, s:s}", "id", lead, "name", cn_rows_text(r, 17)) : json_null());
    json_object_set_new(*out, "room", room ? json_string(room) : json_null());
    return CN_OK;
}

static cn_err fetch(cn_consult *c, cn_conn *conn, const cn_actor *a, const cn_request_filter *f, json_t *items)
{
    sql q = {0};
    name_tokens tokens;
    cn_buf_str(
        &q.text,
        "SELECT q.id, q.number, q.kind, q.urgent, q.state, q.patient_name_sealed, q.patient_sex, q.patient_birth_date, "
        "q.diagnosis, "
        "q.hospital_id, h.name, q.referrer_id, u.display_name, q.scheduled_ms, q.scheduled_minutes, q.created_ms, "
        "e.user_id, l.display_name, "
        "m.id, q.reason FROM requests q JOIN hospitals h ON h.id = q.hospital_id JOIN users u ON u.id = q.referrer_id "
        "LEFT JOIN request_experts e ON e.request_id = q.id AND e.lead = 1 LEFT JOIN users l ON l.id = e.user_id "
        "LEFT JOIN rooms m ON m.request_id = q.id AND m.closed_ms = 0 WHERE 1 = 1");
    where_scope(&q, a);
    where_filter(&q, c, f, &tokens);
    if (f->tab) where_tab(&q, f->tab);
    cn_buf_fmt(&q.text, " ORDER BY q.created_ms DESC, q.id DESC LIMIT %u OFFSET %u", f->size, (f->page - 1) * f->size);
    CN_AUTO_ROWS cn_rows *r = NULL;
    cn_err err = run(&q, conn, &r);
    cn_buf_free(&q.text);
    CN_TRY(err);
    while (cn_rows_next(r)) {
        json_t *item = NULL;
        CN_TRY(item_json(c, r, &item));
        json_array_append_new(items, item);
    }
    return CN_OK;
}

cn_err cn_request_list(cn_consult *c, const cn_actor *a, const cn_request_filter *f, json_t **out, cn_problem *p)
{
    if (f->tab && !cn_state_tab(f->tab))
        return cn_problem_set(p, CN_ERR_INVALID, "tab", "must be uploading, pending or completed");
    if (f->page < 1 || f->page > 100000 || f->size < 1 || f->size > 200)
        return cn_problem_set(p, CN_ERR_INVALID, "page", "page is from 1, size 1 to 200");
    if (f->name && strlen(f->name) > 180) return cn_problem_set(p, CN_ERR_TOOBIG, "name", "at most 60 characters");
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    json_t *counts = NULL, *items = json_array();
    int64_t total = 0;
    cn_err err = count(c, conn, a, f, &counts, &total);
    if (err == CN_OK) err = fetch(c, conn, a, f, items);
    if (err != CN_OK) {
        json_decref(counts);
        json_decref(items);
        return err;
    }
    *out = json_pack("{s:o, s:I, s:o}", "items", items, "total", (json_int_t)total, "counts", counts);
    return *out ? CN_OK : CN_ERR_NOMEM;
}
