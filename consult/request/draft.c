#include "consult/request/draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/request/form.h"

typedef struct draft_row {
    int64_t revision, updated_ms;
    char *form; /* JSON text; NULL: none; wiped by release */
} draft_row;

static const char *key_of(const char *request)
{
    return strcmp(request, CN_FORM_DRAFT_NEW) == 0 ? "" : request;
}

static bool place_of(const cn_actor *actor, const char *key, char out[96])
{
    return cn_fmt(out, 96, "form_drafts.form:%s:%s", actor->user, *key ? key : CN_FORM_DRAFT_NEW);
}

static void release(draft_row *row)
{
    if (row->form) cn_free_secret(row->form, strlen(row->form));
    row->form = NULL;
}

/* Whose form it is: a new one is of whoever may start one, the others of their referrer. */
static cn_err may_keep(cn_conn *conn, const cn_actor *actor, const char *key, bool writes, cn_problem *problem)
{
    cn_request_scope scope;
    cn_state next;
    if (!cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE)) return CN_ERR_FORBIDDEN;
    if (!*key) return CN_OK;
    CN_TRY(cn_request_scope_get(conn, actor, key, &scope));
    if (writes) return cn_request_may(&scope, "edit", &next, problem);
    return scope.parts & CN_PART_REFERRER ? CN_OK : CN_ERR_FORBIDDEN;
}

static cn_err load(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *key, draft_row *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    char place[96];
    size_t n = 0;
    *out = (draft_row){.revision = 0};
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT revision, updated_ms, form_sealed FROM form_drafts WHERE user_id = $1 AND request_id = "
                       "$2",
                       cn_text(actor->user), cn_text(key)));
    if (!cn_rows_next(rows)) return CN_OK;
    out->revision = cn_rows_int(rows, 0);
    out->updated_ms = cn_rows_int(rows, 1);
    const void *sealed = cn_rows_blob(rows, 2, &n);
    if (!consult || !sealed || n == 0) return CN_OK;
    if (!place_of(actor, key, place)) return CN_ERR_INVALID;
    return cn_vault_open_text(consult->vault, place, sealed, n, &out->form);
}

static cn_err read_own(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *key, json_t **out)
{
    draft_row row;
    cn_problem problem = {.err = CN_OK};
    CN_TRY(may_keep(conn, actor, key, false, &problem));
    CN_TRY(load(consult, conn, actor, key, &row));
    json_t *form = row.form ? json_loads(row.form, 0, NULL) : json_null();
    release(&row);
    if (!form) return CN_ERR_CORRUPT;
    *out = json_pack("{s:I, s:I, s:o}", "revision", (json_int_t)row.revision, "updated_at", (json_int_t)row.updated_ms,
                     "form", form);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_form_draft_get(cn_consult *consult, const cn_actor *actor, const char *request, json_t **out)
{
    cn_act act;
    char object[48];
    json_t *json = NULL;
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_act_end(&act, read_own(consult, act.conn, actor, key_of(request), &json), "request.draft_read",
                            object, NULL);
    if (err == CN_OK)
        *out = json;
    else
        json_decref(json);
    return err;
}

/* ---- keeping ---- */

static cn_err seal_form(cn_consult *consult, const cn_actor *actor, const char *key, const json_t *form, void **out,
                        size_t *n, cn_problem *problem)
{
    char place[96];
    CN_AUTO_JSON json_t *kept = json_object();
    if (!form) return CN_OK; /* stays NULL */
    CN_TRY(cn_form_copy(form, kept, problem));
    char *text = json_dumps(kept, JSON_COMPACT);
    if (!text) return CN_ERR_NOMEM;
    cn_err err = place_of(actor, key, place) ? cn_vault_seal(consult->vault, place, text, out, n) : CN_ERR_INVALID;
    cn_free_secret(text, strlen(text));
    return err;
}

static cn_err stale(cn_problem *problem)
{
    return cn_problem_set(problem, CN_ERR_CONFLICT, "revision",
                          "the form was changed in another window meanwhile; load it again before saving");
}

/* In the place of the one with revision `seen`, or nothing. */
static cn_err replace(cn_conn *conn, const cn_actor *actor, const char *key, int64_t seen, cn_val form, int64_t now,
                      cn_problem *problem)
{
    draft_row row;
    int64_t changed = 0;
    CN_TRY(load(NULL, conn, actor, key, &row));
    if (row.revision != seen) return stale(problem);
    CN_TRY(
        cn_db_exec(conn, &changed,
                   "INSERT INTO form_drafts (user_id, request_id, revision, form_sealed, updated_ms) VALUES ($1, $2, "
                   "$3, $4, $5) ON CONFLICT (user_id, request_id) DO UPDATE SET revision = excluded.revision, "
                   "form_sealed = excluded.form_sealed, updated_ms = excluded.updated_ms WHERE form_drafts.revision "
                   "= $6",
                   cn_text(actor->user), cn_text(key), cn_int(seen + 1), form, cn_int(now), cn_int(seen)));
    return changed == 1 ? CN_OK : stale(problem);
}

static cn_err keep(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *key, const json_t *body,
                   json_t **out, cn_problem *problem)
{
    CN_AUTO_FREE void *sealed = NULL;
    json_t *form = NULL;
    size_t n = 0;
    int64_t seen = 0, now = cn_wall_ms();
    CN_TRY(may_keep(conn, actor, key, true, problem));
    CN_TRY(cn_json_i64(body, "revision", true, 0, INT64_MAX - 1, &seen, problem));
    CN_TRY(cn_json_obj(body, "form", false, &form, problem));
    CN_TRY(seal_form(consult, actor, key, form, &sealed, &n, problem));
    CN_TRY(replace(conn, actor, key, seen, cn_blob(sealed, n), now, problem));
    *out = json_pack("{s:I, s:I}", "revision", (json_int_t)(seen + 1), "updated_at", (json_int_t)now);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_form_draft_set(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                         json_t **out, cn_problem *problem)
{
    cn_act act;
    char object[48];
    json_t *json = NULL;
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = keep(consult, act.conn, actor, key_of(request), body, &json, problem);
    err = cn_act_end(&act, err, "request.draft", object, NULL);
    if (err == CN_OK)
        *out = json;
    else
        json_decref(json);
    return err;
}

cn_err cn_form_draft_sent(cn_conn *conn, const cn_actor *actor, const char *request, const json_t *body,
                          cn_problem *problem)
{
    int64_t seen = -1;
    CN_TRY(cn_json_i64(body, "draft", false, 0, INT64_MAX - 1, &seen, problem));
    if (seen < 0) return CN_OK;
    return replace(conn, actor, key_of(request), seen, cn_blob(NULL, 0), cn_wall_ms(), problem);
}
