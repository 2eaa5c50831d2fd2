#include "consult/file/file.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file_private.h"
#include "consult/scope.h"

static const struct {
    const char *name;
    bool required;
} categories[] = {
#define X(name, required) {name, required},
    CN_CATEGORY_TABLE(X)
#undef X
};
#define CATEGORIES (sizeof(categories) / sizeof(categories[0]))

bool cn_category_known(const char *name)
{
    for (size_t i = 0; i < CATEGORIES; i++)
        if (strcmp(categories[i].name, name) == 0) return true;
    return false;
}

cn_err cn_file_missing(cn_conn *conn, const char *request, char *out, size_t size)
{
    cn_buf text = {0};
    for (size_t i = 0; i < CATEGORIES; i++) {
        if (!categories[i].required) continue;
        CN_AUTO_ROWS cn_rows *rows = NULL;
        cn_err err = cn_db_query(
            conn, &rows, "SELECT 1 FROM files WHERE request_id = $1 AND category = $2 AND deleted_ms = 0 LIMIT 1",
            cn_text(request), cn_text(categories[i].name));
        if (err != CN_OK) {
            cn_buf_free(&text);
            return err;
        }
        if (!cn_rows_next(rows)) cn_buf_fmt(&text, "%s%s", text.n ? ", " : "", categories[i].name);
    }
    cn_strcpy(out, size, text.p ? text.p : "");
    cn_buf_free(&text);
    return CN_OK;
}

cn_err cn_file_name_seal(cn_consult *consult, const char *table, const char *id, const char *name, void **out,
                         size_t *len)
{
    char place[64];
    if (!cn_fmt(place, sizeof(place), "%s.name:%s", table, id)) return CN_ERR_INVALID;
    return cn_vault_seal(consult->vault, place, name, out, len);
}

cn_err cn_file_name_open(cn_consult *consult, const char *table, const char *id, const cn_rows *rows, size_t col,
                         char out[CN_FILE_NAME])
{
    char place[64];
    size_t n = 0;
    const void *sealed = cn_rows_blob(rows, col, &n);
    CN_AUTO_FREE char *name = NULL;
    if (!cn_fmt(place, sizeof(place), "%s.name:%s", table, id)) return CN_ERR_INVALID;
    CN_TRY(cn_vault_open_text(consult->vault, place, sealed, n, &name));
    cn_strcpy(out, CN_FILE_NAME, name ? name : "");
    return CN_OK;
}

/* ---- reading ---- */

#define FILE_COLUMNS                                                                                           \
    "f.id, f.request_id, f.category, f.name_sealed, f.type, f.kind, f.state, f.sha256, f.pdf_sha256, f.size, " \
    "f.created_ms, f.pages, f.uploaded_by"

static cn_err fill(cn_consult *consult, const cn_rows *rows, cn_file_info *info)
{
    *info = (cn_file_info){
        .size = cn_rows_int(rows, 9), .created_ms = cn_rows_int(rows, 10), .pages = (int)cn_rows_int(rows, 11)};
    cn_strcpy(info->id, sizeof(info->id), cn_rows_text(rows, 0));
    cn_strcpy(info->request, sizeof(info->request), cn_rows_text(rows, 1));
    cn_strcpy(info->category, sizeof(info->category), cn_rows_text(rows, 2));
    cn_strcpy(info->type, sizeof(info->type), cn_rows_text(rows, 4));
    cn_strcpy(info->kind, sizeof(info->kind), cn_rows_text(rows, 5));
    cn_strcpy(info->state, sizeof(info->state), cn_rows_text(rows, 6));
    cn_strcpy(info->sha256, sizeof(info->sha256), cn_rows_text(rows, 7));
    cn_strcpy(info->pdf_sha256, sizeof(info->pdf_sha256), cn_rows_text(rows, 8));
    return cn_file_name_open(consult, "files", info->id, rows, 3, info->name);
}

static cn_err get(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *id, cn_file_info *info)
{
    if (!cn_id_valid(id)) return CN_ERR_NOTFOUND;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT " FILE_COLUMNS " FROM files f WHERE f.id = $1 AND f.deleted_ms = 0",
                       cn_text(id)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    cn_request_scope scope;
    CN_TRY(cn_request_scope_get(conn, actor, cn_rows_text(rows, 1), &scope));
    CN_TRY(fill(consult, rows, info));
    cn_state next;
    info->may_delete = strcmp(cn_rows_text(rows, 12), actor->user) == 0 &&
                       cn_state_next("edit", scope.state, scope.urgent, scope.parts, &next) == CN_OK;
    return CN_OK;
}

/* A slide's file shows more than the slide does: its label. */
static cn_err bytes_check(const cn_actor *actor, const cn_file_info *info)
{
    bool hidden = strcmp(info->kind, "slide") == 0 && !cn_actor_may(actor, CN_RIGHT_SLIDE_LABEL);
    return hidden ? CN_ERR_FORBIDDEN : CN_OK;
}

/* `check`: what else is asked of the actor, or NULL. */
static cn_err get_logged(cn_consult *consult, const cn_actor *actor, const char *id, const char *action,
                         cn_err (*check)(const cn_actor *, const cn_file_info *), cn_file_info *out)
{
    char object[48];
    cn_file_info info;
    cn_fmt(object, sizeof(object), "file:%.26s", id);
    cn_err err;
    {
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_TRY(cn_conn_acquire(consult->db, &conn));
        err = get(consult, conn, actor, id, &info);
    }
    if (err == CN_OK && check) err = check(actor, &info);
    if (err == CN_OK && action) {
        /* a read that cannot be written to the audit log is not given out */
        const cn_audit_row row = {
            .actor = actor->user, .action = action, .object = object, .outcome = "ok", .address = actor->address};
        err = cn_chain_audit(consult->audit, &row);
    } else if (err == CN_ERR_NOTFOUND || err == CN_ERR_FORBIDDEN) {
        cn_audit_note(consult, actor, action ? action : "file.read", object, "denied", NULL);
    }
    if (err == CN_OK) *out = info;
    return err;
}

cn_err cn_file_get(cn_consult *consult, const cn_actor *actor, const char *id, const char *action, cn_file_info *out)
{
    return get_logged(consult, actor, id, action, NULL, out);
}

cn_err cn_file_get_bytes(cn_consult *consult, const cn_actor *actor, const char *id, cn_file_info *out,
                         cn_problem *problem)
{
    cn_err err = get_logged(consult, actor, id, "file.read", bytes_check, out);
    if (err != CN_ERR_FORBIDDEN) return err;
    return cn_problem_set(problem, err, "",
                          "a slide's file holds its label, and labels of slides are not yours to see");
}

cn_err cn_file_hospital(cn_consult *consult, const char *id, char hospital[CN_ID_TEXT])
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT r.hospital_id FROM files f JOIN requests r ON r.id = f.request_id WHERE f.id = $1 AND "
                       "f.deleted_ms = 0",
                       cn_text(id)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    return cn_strcpy(hospital, CN_ID_TEXT, cn_rows_text(rows, 0)) ? CN_OK : CN_ERR_INVALID;
}

json_t *cn_file_json(const cn_file_info *info)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:i, s:b, s:b}", "id", info->id, "request",
                     info->request, "name", info->name, "category", info->category, "type", info->type, "kind",
                     info->kind, "state", info->state, "sha256", info->sha256, "size", (json_int_t)info->size,
                     "created_at", (json_int_t)info->created_ms, "pages", info->pages, "pdf", info->pdf_sha256[0] != 0,
                     "may_delete", (int)info->may_delete);
}

cn_err cn_file_list(cn_consult *consult, cn_conn *conn, const char *request, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT " FILE_COLUMNS
                       " FROM files f WHERE f.request_id = $1 AND f.deleted_ms = 0 ORDER BY f.created_ms, f.id",
                       cn_text(request)));
    json_t *list = json_array();
    while (cn_rows_next(rows)) {
        cn_file_info info;
        cn_err err = fill(consult, rows, &info);
        if (err != CN_OK) {
            json_decref(list);
            return err;
        }
        json_array_append_new(list, cn_file_json(&info));
    }
    *out = list;
    return list ? CN_OK : CN_ERR_NOMEM;
}

/* ---- deleting: the row stays, marked; the object is kept for backups and equal files ---- */

static cn_err delete_row(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *id, cn_problem *problem)
{
    cn_file_info info;
    CN_TRY(get(consult, conn, actor, id, &info));
    if (!info.may_delete)
        return cn_problem_set(problem, CN_ERR_FORBIDDEN, "",
                              "only whoever uploaded it may delete it, and only before the request is submitted");
    return cn_db_exec(conn, NULL, "UPDATE files SET deleted_ms = $1 WHERE id = $2", cn_int(cn_wall_ms()), cn_text(id));
}

cn_err cn_file_delete(cn_consult *consult, const cn_actor *actor, const char *id, cn_problem *problem)
{
    cn_act act;
    char object[48];
    cn_fmt(object, sizeof(object), "file:%.26s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    return cn_act_end(&act, delete_row(consult, act.conn, actor, id, problem), "file.delete", object, NULL);
}

/* ---- conversion ---- */

cn_err cn_file_preparing(cn_consult *consult, char (*ids)[CN_ID_TEXT], size_t max, size_t *len)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT id FROM files WHERE state IN ('preparing', 'tiling') AND deleted_ms = 0 ORDER BY "
                       "state DESC, size, created_ms, id LIMIT $1",
                       cn_int((int64_t)max)));
    for (*len = 0; *len < max && cn_rows_next(rows); (*len)++) cn_strcpy(ids[*len], CN_ID_TEXT, cn_rows_text(rows, 0));
    return CN_OK;
}

cn_err cn_file_waiting(cn_consult *consult, cn_file_turn *turns, size_t max, size_t *len)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT id, uploaded_by FROM (SELECT id, uploaded_by, size, ROW_NUMBER() OVER (PARTITION BY "
                       "uploaded_by ORDER BY size, created_ms, id) AS turn FROM files WHERE state = 'converting' AND "
                       "deleted_ms = 0) AS line ORDER BY turn, size, id LIMIT $1",
                       cn_int((int64_t)max)));
    for (*len = 0; *len < max && cn_rows_next(rows); (*len)++) {
        cn_strcpy(turns[*len].id, CN_ID_TEXT, cn_rows_text(rows, 0));
        cn_strcpy(turns[*len].uploader, CN_ID_TEXT, cn_rows_text(rows, 1));
    }
    return CN_OK;
}

static cn_err wait_as(cn_consult *consult, const char *id, const char *state, bool *changed)
{
    int64_t n = 0;
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_exec(conn, &n,
                      "UPDATE files SET state = $2 WHERE id = $1 AND state IN ('converting', 'ready') "
                      "AND kind = 'slide' AND deleted_ms = 0",
                      cn_text(id), cn_text(state)));
    *changed = n > 0;
    return CN_OK;
}

cn_err cn_file_prepare(cn_consult *consult, const char *id, bool *changed)
{
    return wait_as(consult, id, "preparing", changed);
}

cn_err cn_file_tile(cn_consult *consult, const char *id, bool *changed)
{
    return wait_as(consult, id, "tiling", changed);
}

cn_err cn_file_sweep(cn_consult *consult, const char *name)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(
        conn, &rows, "SELECT id FROM files WHERE (kind = 'slide' OR type LIKE '" CN_TYPE_ECG "%') AND deleted_ms > 0"));
    while (cn_rows_next(rows)) {
        CN_TRY(cn_files_unlink_beside(consult->files, cn_rows_text(rows, 0), name));
        CN_TRY(cn_files_parts_remove(consult->files, cn_rows_text(rows, 0)));
    }
    return CN_OK;
}

cn_err cn_file_unpack(cn_consult *consult, const char *id)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    return cn_db_exec(conn, NULL,
                      "UPDATE files SET state = 'converting' WHERE id = $1 AND state IN ('preparing', 'ready') "
                      "AND kind = 'slide' AND deleted_ms = 0",
                      cn_text(id));
}

cn_err cn_file_converted(cn_consult *consult, const char *id, bool ok, const char *pdf_sha256, int pages)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    return cn_db_exec(
        conn, NULL,
        "UPDATE files SET state = $1, pdf_sha256 = $2, pages = $3, kind = CASE WHEN $2 = '' THEN kind ELSE "
        "'document' END WHERE id = $4",
        cn_text(ok ? "ready" : "failed"), cn_text(pdf_sha256 ? pdf_sha256 : ""), cn_int(pages), cn_text(id));
}

cn_err cn_file_stuck(cn_consult *consult, const char *id)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    return cn_db_exec(conn, NULL, "UPDATE files SET state = 'stuck' WHERE id = $1", cn_text(id));
}

cn_err cn_file_retry(cn_consult *consult, bool refused)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_exec(conn, NULL, "UPDATE files SET state = 'converting' WHERE state = 'stuck' AND deleted_ms = 0"));
    if (!refused) return CN_OK;
    return cn_db_exec(conn, NULL,
                      "UPDATE files SET state = 'converting' WHERE state = 'failed' AND kind = 'slide' "
                      "AND deleted_ms = 0");
}
