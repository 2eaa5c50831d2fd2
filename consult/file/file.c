#include "consult/file/file.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file_private.h"
#include "consult/request/request.h"

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
        CN_AUTO_ROWS cn_rows *r = NULL;
        cn_err err = cn_db_query(
            conn, &r, "SELECT 1 FROM files WHERE request_id = $1 AND category = $2 AND deleted_ms = 0 LIMIT 1",
            cn_text(request), cn_text(categories[i].name));
        if (err != CN_OK) {
            cn_buf_free(&text);
            return err;
        }
        if (!cn_rows_next(r)) cn_buf_fmt(&text, "%s%s", text.n ? ", " : "", categories[i].name);
    }
    cn_strcpy(out, size, text.p ? text.p : "");
    cn_buf_free(&text);
    return CN_OK;
}

cn_err cn_file_name_seal(cn_consult *c, const char *table, const char *id, const char *name, void **out, size_t *n)
{
    char place[64];
    if (!cn_fmt(place, sizeof(place), "%s.name:%s", table, id)) return CN_ERR_INVALID;
    return cn_vault_seal(c->vault, place, name, out, n);
}

cn_err cn_file_name_open(cn_consult *c, const char *table, const char *id, const cn_rows *r, size_t col,
                         char out[CN_FILE_NAME])
{
    char place[64];
    size_t n = 0;
    const void *sealed = cn_rows_blob(r, col, &n);
    CN_AUTO_FREE char *name = NULL;
    if (!cn_fmt(place, sizeof(place), "%s.name:%s", table, id)) return CN_ERR_INVALID;
    CN_TRY(cn_vault_open_text(c->vault, place, sealed, n, &name));
    cn_strcpy(out, CN_FILE_NAME, name ? name : "");
    return CN_OK;
}

/* ---- reading ---- */

#define FILE_COLUMNS                                                                                           \
    "f.id, f.request_id, f.category, f.name_sealed, f.type, f.kind, f.state, f.sha256, f.pdf_sha256, f.size, " \
    "f.created_ms, f.pages, f.uploaded_by"

static cn_err fill(cn_consult *c, const cn_rows *r, cn_file_info *f)
{
    *f = (cn_file_info){.size = cn_rows_int(r, 9), .created_ms = cn_rows_int(r, 10), .pages = (int)cn_rows_int(r, 11)};
    cn_strcpy(f->id, sizeof(f->id), cn_rows_text(r, 0));
    cn_strcpy(f->request, sizeof(f->request), cn_rows_text(r, 1));
    cn_strcpy(f->category, sizeof(f->category), cn_rows_text(r, 2));
    cn_strcpy(f->type, sizeof(f->type), cn_rows_text(r, 4));
    cn_strcpy(f->kind, sizeof(f->kind), cn_rows_text(r, 5));
    cn_strcpy(f->state, sizeof(f->state), cn_rows_text(r, 6));
    cn_strcpy(f->sha256, sizeof(f->sha256), cn_rows_text(r, 7));
    cn_strcpy(f->pdf_sha256, sizeof(f->pdf_sha256), cn_rows_text(r, 8));
    return cn_file_name_open(c, "files", f->id, r, 3, f->name);
}

static cn_err get(cn_consult *c, cn_conn *conn, const cn_actor *a, const char *id, cn_file_info *f)
{
    if (!cn_id_valid(id)) return CN_ERR_NOTFOUND;
    CN_AUTO_ROWS cn_rows *r = NULL;
    CN_TRY(cn_db_query(conn, &r, "SELECT " FILE_COLUMNS " FROM files f WHERE f.id = $1 AND f.deleted_ms = 0",
                       cn_text(id)));
    if (!cn_rows_next(r)) return CN_ERR_NOTFOUND;
    cn_request_scope s;
    CN_TRY(cn_request_scope_get(conn, a, cn_rows_text(r, 1), &s));
    CN_TRY(fill(c, r, f));
    cn_state next;
    f->may_delete =
        strcmp(cn_rows_text(r, 12), a->user) == 0 && cn_state_next("edit", s.state, s.urgent, s.parts, &next) == CN_OK;
    return CN_OK;
}

cn_err cn_file_get(cn_consult *c, const cn_actor *a, const char *id, const char *action, cn_file_info *out)
{
    char object[48];
    cn_file_info f;
    cn_fmt(object, sizeof(object), "file:%.26s", id);
    cn_err err;
    {
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_TRY(cn_conn_acquire(c->db, &conn));
        err = get(c, conn, a, id, &f);
    }
    if (err == CN_OK && action) {
        /* a read that cannot be written to the audit log is not given out */
        const cn_audit_row row = {
            .actor = a->user, .action = action, .object = object, .outcome = "ok", .address = a->address};
        err = cn_chain_audit(c->audit, &row);
    } else if (err == CN_ERR_NOTFOUND || err == CN_ERR_FORBIDDEN) {
        cn_audit_note(c, a, action ? action : "file.read", object, "denied", NULL);
    }
    if (err == CN_OK) *out = f;
    return err;
}

json_t *cn_file_json(const cn_file_info *f)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:i, s:b, s:b}", "id", f->id, "request",
                     f->request, "name", f->name, "category", f->category, "type", f->type, "kind", f->kind, "state",
                     f->state, "sha256", f->sha256, "size", (json_int_t)f->size, "created_at",
                     (json_int_t)f->created_ms, "pages", f->pages, "pdf", f->pdf_sha256[0] != 0, "may_delete",
                     (int)f->may_delete);
}

cn_err cn_file_list(cn_consult *c, cn_conn *conn, const char *request, json_t **out)
{
    CN_AUTO_ROWS cn_rows *r = NULL;
    CN_TRY(cn_db_query(conn, &r,
                       "SELECT " FILE_COLUMNS
                       " FROM files f WHERE f.request_id = $1 AND f.deleted_ms = 0 ORDER BY f.created_ms, f.id",
                       cn_text(request)));
    json_t *list = json_array();
    while (cn_rows_next(r)) {
        cn_file_info f;
        cn_err err = fill(c, r, &f);
        if (err != CN_OK) {
            json_decref(list);
            return err;
        }
        json_array_append_new(list, cn_file_json(&f));
    }
    *out = list;
    return list ? CN_OK : CN_ERR_NOMEM;
}

/* ---- deleting: the row stays, marked; the object is kept for backups and equal files ---- */

static cn_err delete_row(cn_consult *c, cn_conn *conn, const cn_actor *a, const char *id, cn_problem *p)
{
    cn_file_info f;
    CN_TRY(get(c, conn, a, id, &f));
    if (!f.may_delete)
        return cn_problem_set(p, CN_ERR_FORBIDDEN, "",
                              "only whoever uploaded it may delete it, and only before the request is submitted");
    return cn_db_exec(conn, NULL, "UPDATE files SET deleted_ms = $1 WHERE id = $2", cn_int(cn_wall_ms()), cn_text(id));
}

cn_err cn_file_delete(cn_consult *c, const cn_actor *a, const char *id, cn_problem *p)
{
    cn_act act;
    char object[48];
    cn_fmt(object, sizeof(object), "file:%.26s", id);
    CN_TRY(cn_act_begin(&act, c, a));
    return cn_act_end(&act, delete_row(c, act.conn, a, id, p), "file.delete", object, NULL);
}

/* ---- conversion ---- */

cn_err cn_file_waiting(cn_consult *c, char (*ids)[CN_ID_TEXT], size_t max, size_t *n)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *r = NULL;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    CN_TRY(cn_db_query(
        conn, &r, "SELECT id FROM files WHERE state = 'converting' AND deleted_ms = 0 ORDER BY created_ms LIMIT $1",
        cn_int((int64_t)max)));
    for (*n = 0; *n < max && cn_rows_next(r); (*n)++) cn_strcpy(ids[*n], CN_ID_TEXT, cn_rows_text(r, 0));
    return CN_OK;
}

cn_err cn_file_converted(cn_consult *c, const char *id, bool ok, const char *pdf_sha256, int pages)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    return cn_db_exec(conn, NULL, "UPDATE files SET state = $1, pdf_sha256 = $2, pages = $3 WHERE id = $4",
                      cn_text(ok ? "ready" : "failed"), cn_text(pdf_sha256 ? pdf_sha256 : ""), cn_int(pages),
                      cn_text(id));
}
