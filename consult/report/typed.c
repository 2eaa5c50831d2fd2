#include "consult/report/typed.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define TEXT_MAX 20000 /* as of what is sent */

typedef struct typed_row {
    int64_t revision, updated_ms;
    char *text; /* NULL: none; wiped by release */
} typed_row;

static bool place_of(const cn_actor *actor, const char *request, const char *kind, char out[128])
{
    return cn_fmt(out, 128, "text_drafts.text:%s:%s:%s", actor->user, request, kind);
}

static void release(typed_row *row)
{
    if (row->text) cn_free_secret(row->text, strlen(row->text));
    row->text = NULL;
}

/* Who may send it may keep it; he reads it as long as he has his part. */
static cn_err may_keep(cn_conn *conn, const cn_actor *actor, const char *request, const char *kind, bool writes,
                       cn_problem *problem)
{
    cn_request_scope scope;
    cn_state next;
    uint32_t part = strcmp(kind, CN_TYPED_RECORD) == 0 ? CN_PART_REFERRER : CN_PART_EXPERT;
    CN_TRY(cn_request_scope_get(conn, actor, request, &scope));
    if (writes) return cn_request_may(&scope, kind, &next, problem);
    return scope.parts & part ? CN_OK : CN_ERR_FORBIDDEN;
}

static cn_err load(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *request, const char *kind,
                   typed_row *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    char place[128];
    size_t n = 0;
    *out = (typed_row){.revision = 0};
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT revision, updated_ms, text_sealed FROM text_drafts WHERE user_id = $1 AND request_id = "
                       "$2 AND kind = $3",
                       cn_text(actor->user), cn_text(request), cn_text(kind)));
    if (!cn_rows_next(rows)) return CN_OK;
    out->revision = cn_rows_int(rows, 0);
    out->updated_ms = cn_rows_int(rows, 1);
    const void *sealed = cn_rows_blob(rows, 2, &n);
    if (!consult || !sealed || n == 0) return CN_OK;
    if (!place_of(actor, request, kind, place)) return CN_ERR_INVALID;
    return cn_vault_open_text(consult->vault, place, sealed, n, &out->text);
}

/* What stands in the request: the record as it was last saved; opinions are added, never changed. */
static cn_err add_sent(cn_conn *conn, const char *request, const char *kind, json_t *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    bool record = strcmp(kind, CN_TYPED_RECORD) == 0;
    CN_TRY(cn_db_query(conn, &rows, "SELECT record FROM requests WHERE id = $1", cn_text(request)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    return json_object_set_new(out, "sent", json_string(record ? cn_rows_text(rows, 0) : "")) == 0 ? CN_OK
                                                                                                   : CN_ERR_NOMEM;
}

static cn_err read_own(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *request, const char *kind,
                       json_t **out)
{
    typed_row row;
    cn_problem problem = {.err = CN_OK};
    CN_TRY(may_keep(conn, actor, request, kind, false, &problem));
    CN_TRY(load(consult, conn, actor, request, kind, &row));
    *out = json_pack("{s:I, s:I, s:s?}", "revision", (json_int_t)row.revision, "updated_at", (json_int_t)row.updated_ms,
                     "text", row.text);
    release(&row);
    return *out ? add_sent(conn, request, kind, *out) : CN_ERR_NOMEM;
}

cn_err cn_typed_get(cn_consult *consult, const cn_actor *actor, const char *request, const char *kind, json_t **out)
{
    cn_act act;
    char object[48];
    json_t *json = NULL;
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err =
        cn_act_end(&act, read_own(consult, act.conn, actor, request, kind, &json), "request.typed_read", object, kind);
    if (err == CN_OK)
        *out = json;
    else
        json_decref(json);
    return err;
}

static cn_err stale(cn_problem *problem)
{
    return cn_problem_set(problem, CN_ERR_CONFLICT, "revision",
                          "the text was changed in another window meanwhile; load it again before saving");
}

/* In the place of the one with revision `seen`, or nothing. */
static cn_err replace(cn_conn *conn, const cn_actor *actor, const char *request, const char *kind, int64_t seen,
                      cn_val text, int64_t now, cn_problem *problem)
{
    typed_row row;
    int64_t changed = 0;
    CN_TRY(load(NULL, conn, actor, request, kind, &row));
    if (row.revision != seen) return stale(problem);
    CN_TRY(cn_db_exec(conn, &changed,
                      "INSERT INTO text_drafts (user_id, request_id, kind, revision, text_sealed, updated_ms) VALUES "
                      "($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, request_id, kind) DO UPDATE SET revision = "
                      "excluded.revision, text_sealed = excluded.text_sealed, updated_ms = excluded.updated_ms WHERE "
                      "text_drafts.revision = $7",
                      cn_text(actor->user), cn_text(request), cn_text(kind), cn_int(seen + 1), text, cn_int(now),
                      cn_int(seen)));
    return changed == 1 ? CN_OK : stale(problem);
}

static cn_err seal_text(cn_consult *consult, const cn_actor *actor, const char *request, const char *kind,
                        const json_t *body, void **out, size_t *n, cn_problem *problem)
{
    char place[128];
    const char *text = NULL;
    const json_t *given = json_object_get(body, "text");
    if (!given || json_is_null(given)) return CN_OK; /* stays NULL */
    CN_TRY(cn_json_str(body, "text", true, 0, TEXT_MAX, &text, problem));
    if (!place_of(actor, request, kind, place)) return CN_ERR_INVALID;
    return cn_vault_seal(consult->vault, place, text, out, n);
}

static cn_err keep(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *request, const char *kind,
                   const json_t *body, json_t **out, cn_problem *problem)
{
    CN_AUTO_FREE void *sealed = NULL;
    size_t n = 0;
    int64_t seen = 0, now = cn_wall_ms();
    CN_TRY(may_keep(conn, actor, request, kind, true, problem));
    CN_TRY(cn_json_i64(body, "revision", true, 0, INT64_MAX - 1, &seen, problem));
    CN_TRY(seal_text(consult, actor, request, kind, body, &sealed, &n, problem));
    CN_TRY(replace(conn, actor, request, kind, seen, cn_blob(sealed, n), now, problem));
    *out = json_pack("{s:I, s:I}", "revision", (json_int_t)(seen + 1), "updated_at", (json_int_t)now);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_typed_set(cn_consult *consult, const cn_actor *actor, const char *request, const char *kind,
                    const json_t *body, json_t **out, cn_problem *problem)
{
    cn_act act;
    char object[48];
    json_t *json = NULL;
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = keep(consult, act.conn, actor, request, kind, body, &json, problem);
    err = cn_act_end(&act, err, "request.typed", object, kind);
    if (err == CN_OK)
        *out = json;
    else
        json_decref(json);
    return err;
}

cn_err cn_typed_sent(cn_conn *conn, const cn_actor *actor, const char *request, const char *kind, const json_t *body,
                     cn_problem *problem)
{
    int64_t seen = -1;
    CN_TRY(cn_json_i64(body, "draft", false, 0, INT64_MAX - 1, &seen, problem));
    if (seen < 0) return CN_OK;
    return replace(conn, actor, request, kind, seen, cn_blob(NULL, 0), cn_wall_ms(), problem);
}
