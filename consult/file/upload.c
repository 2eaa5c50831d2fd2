/* Resumable uploads: a row that says what is expected, a part file that says how far it came. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file_private.h"
#include "consult/request/request.h"

#define HEAD_BYTES 65536
#define KEEP_MS ((int64_t)7 * 86400000)

typedef struct upload {
    char id[CN_ID_TEXT], request[CN_ID_TEXT], file[CN_ID_TEXT];
    char category[16], sha256[65], name[CN_FILE_NAME];
    int64_t size;
} upload;

/* ---- creating ---- */

static bool hex64(const char *s)
{
    return strlen(s) == 64 && s[strspn(s, "0123456789abcdef")] == 0;
}

static cn_err check_new(const cn_upload_new *u, cn_problem *p)
{
    if (!cn_filename_valid(u->name))
        return cn_problem_set(p, CN_ERR_INVALID, "filename", "must be a plain file name of at most 200 characters");
    if (!cn_filetype_of(u->name))
        return cn_problem_set(p, CN_ERR_UNSUPPORTED, "filename", "files of this kind are not accepted");
    if (!cn_category_known(u->category))
        return cn_problem_set(p, CN_ERR_INVALID, "category", "is not a category of medical documents");
    if (u->size < 1) return cn_problem_set(p, CN_ERR_INVALID, "Upload-Length", "must be at least 1 byte");
    if (u->size > u->max_bytes)
        return cn_problem_set(p, CN_ERR_TOOBIG, "Upload-Length", "is more than the %lld MB that are accepted",
                              (long long)(u->max_bytes >> 20));
    if (u->sha256 && !hex64(u->sha256))
        return cn_problem_set(p, CN_ERR_INVALID, "sha256", "must be 64 lower-case hex digits");
    return CN_OK;
}

/* Whether the actor may add files to the request now. */
static cn_err may_upload(cn_conn *conn, const cn_actor *a, const char *request, cn_problem *p)
{
    cn_request_scope s;
    cn_state next;
    CN_TRY(cn_request_scope_get(conn, a, request, &s));
    cn_err err = cn_state_next("upload", s.state, s.urgent, s.parts, &next);
    if (err == CN_ERR_STATE)
        return cn_problem_set(p, err, "request", "files cannot be added while the request is %s",
                              cn_state_name(s.state));
    return err == CN_OK ? CN_OK : cn_problem_set(p, err, "request", "you may not add files to this request");
}

static cn_err insert(cn_consult *c, cn_conn *conn, const cn_actor *a, const cn_upload_new *u, const char *id,
                     cn_problem *p)
{
    CN_AUTO_FREE void *name = NULL;
    size_t n = 0;
    CN_TRY(may_upload(conn, a, u->request, p));
    CN_TRY(cn_file_name_seal(c, "uploads", id, u->name, &name, &n));
    CN_TRY(cn_db_exec(
        conn, NULL,
        "INSERT INTO uploads (id, request_id, user_id, category, name_sealed, size, sha256, created_ms, file_id) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '')",
        cn_text(id), cn_text(u->request), cn_text(a->user), cn_text(u->category), cn_blob(name, n), cn_int(u->size),
        cn_text(u->sha256 ? u->sha256 : ""), cn_int(cn_wall_ms())));
    return cn_part_create(c->files, id);
}

cn_err cn_upload_create(cn_consult *c, const cn_actor *a, const cn_upload_new *u, char id[CN_ID_TEXT], cn_problem *p)
{
    cn_act act;
    char fresh[CN_ID_TEXT], object[48];
    CN_TRY(check_new(u, p));
    cn_id_new(fresh);
    cn_fmt(object, sizeof(object), "request:%.26s", u->request);
    CN_TRY(cn_act_begin(&act, c, a));
    cn_err err = cn_act_end(&act, insert(c, act.conn, a, u, fresh, p), "upload.create", object, NULL);
    if (err != CN_OK)
        cn_part_remove(c->files, fresh);
    else
        memcpy(id, fresh, CN_ID_TEXT);
    return err;
}

/* ---- where it stands ---- */

/* The actor's own upload; anybody else's does not exist for him. */
static cn_err load(cn_consult *c, cn_conn *conn, const cn_actor *a, const char *id, upload *u)
{
    if (!cn_id_valid(id)) return CN_ERR_NOTFOUND;
    CN_AUTO_ROWS cn_rows *r = NULL;
    CN_TRY(cn_db_query(
        conn, &r,
        "SELECT request_id, category, name_sealed, size, sha256, file_id FROM uploads WHERE id = $1 AND user_id = $2",
        cn_text(id), cn_text(a->user)));
    if (!cn_rows_next(r)) return CN_ERR_NOTFOUND;
    *u = (upload){.size = cn_rows_int(r, 3)};
    cn_strcpy(u->id, sizeof(u->id), id);
    cn_strcpy(u->request, sizeof(u->request), cn_rows_text(r, 0));
    cn_strcpy(u->category, sizeof(u->category), cn_rows_text(r, 1));
    cn_strcpy(u->sha256, sizeof(u->sha256), cn_rows_text(r, 4));
    cn_strcpy(u->file, sizeof(u->file), cn_rows_text(r, 5));
    return cn_file_name_open(c, "uploads", id, r, 2, u->name);
}

static cn_err load_alone(cn_consult *c, const cn_actor *a, const char *id, upload *u)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    return load(c, conn, a, id, u);
}

static cn_err state_of(cn_consult *c, const upload *u, cn_upload_state *out)
{
    cn_upload_state s = {.offset = u->size, .size = u->size};
    cn_strcpy(s.file, sizeof(s.file), u->file);
    if (!u->file[0]) CN_TRY(cn_part_length(c->files, u->id, &s.offset));
    *out = s;
    return CN_OK;
}

cn_err cn_upload_get(cn_consult *c, const cn_actor *a, const char *id, cn_upload_state *out)
{
    upload u;
    CN_TRY(load_alone(c, a, id, &u));
    return state_of(c, &u, out);
}

/* ---- bytes ---- */

cn_err cn_upload_append(cn_consult *c, const cn_actor *a, const char *id, int64_t offset, const void *bytes, size_t n,
                        cn_problem *p)
{
    upload u;
    int64_t length = 0;
    CN_TRY(load_alone(c, a, id, &u));
    if (u.file[0]) return cn_problem_set(p, CN_ERR_CONFLICT, "Upload-Offset", "the upload is complete");
    CN_TRY(cn_part_length(c->files, id, &length));
    if (offset != length)
        return cn_problem_set(p, CN_ERR_CONFLICT, "Upload-Offset", "the upload stands at %lld", (long long)length);
    if ((int64_t)n > u.size - length)
        return cn_problem_set(p, CN_ERR_TOOBIG, "", "more bytes than the %lld that were announced", (long long)u.size);
    return cn_part_append(c->files, id, offset, bytes, n);
}

/* ---- completing ---- */

static cn_err sniff(const char *path, const cn_filetype *t, const char **type, cn_problem *p)
{
    CN_AUTO_FREE char *head = cn_calloc(1, HEAD_BYTES);
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (!head || fd < 0) return CN_ERR_IO;
    ssize_t n = pread(fd, head, HEAD_BYTES, 0);
    if (n < 0) return CN_ERR_IO;
    *type = cn_files_sniff(head, (size_t)n);
    if (!cn_filetype_holds(t, *type))
        return cn_problem_set(p, CN_ERR_INVALID, "filename", "the content is %s, not what the ending .%s says",
                              *type ? *type : "of an unknown kind", t->extension);
    return CN_OK;
}

static cn_err insert_file(cn_consult *c, cn_conn *conn, const cn_actor *a, const upload *u, const char *id,
                          const cn_filetype *t, const char *type, const char *sha256)
{
    CN_AUTO_FREE void *name = NULL;
    size_t n = 0;
    int64_t done = 0;
    CN_TRY(cn_file_name_seal(c, "files", id, u->name, &name, &n));
    CN_TRY(cn_db_exec(conn, NULL,
                      "INSERT INTO files (id, request_id, category, name_sealed, type, kind, size, sha256, state, "
                      "pdf_sha256, pages, uploaded_by, created_ms, "
                      "deleted_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, $10, $11, 0)",
                      cn_text(id), cn_text(u->request), cn_text(u->category), cn_blob(name, n), cn_text(type),
                      cn_text(t->kind), cn_int(u->size), cn_text(sha256), cn_text(t->state), cn_text(a->user),
                      cn_int(cn_wall_ms())));
    CN_TRY(cn_db_exec(conn, &done, "UPDATE uploads SET file_id = $1 WHERE id = $2 AND file_id = ''", cn_text(id),
                      cn_text(u->id)));
    return done == 1 ? CN_OK : CN_ERR_CONFLICT;
}

/* First the object is durable, then the row says so. */
static cn_err commit_file(cn_consult *c, const cn_actor *a, upload *u, const cn_filetype *t, const char *type,
                          const char *sha256, cn_problem *p)
{
    cn_act act;
    char id[CN_ID_TEXT], object[48];
    cn_id_new(id);
    cn_fmt(object, sizeof(object), "file:%s", id);
    CN_TRY(cn_act_begin(&act, c, a));
    cn_err err = may_upload(act.conn, a, u->request, p);
    if (err == CN_OK) err = insert_file(c, act.conn, a, u, id, t, type, sha256);
    CN_TRY(cn_act_end(&act, err, "file.create", object, NULL));
    cn_strcpy(u->file, sizeof(u->file), id);
    return CN_OK;
}

static cn_err remove_upload(cn_consult *c, const char *id)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    CN_TRY(cn_db_exec(conn, NULL, "DELETE FROM uploads WHERE id = $1 AND file_id = ''", cn_text(id)));
    return cn_part_remove(c->files, id);
}

/* Hash and content are looked at while the bytes are still a part: what is refused never was in the store. */
static cn_err check_content(cn_consult *c, const upload *u, const cn_filetype *t, char sha256[65], const char **type,
                            cn_problem *p)
{
    char path[4096];
    int64_t size = 0;
    CN_TRY(cn_part_hash(c->files, u->id, sha256, &size));
    if (size != u->size) return CN_ERR_CONFLICT;
    if (u->sha256[0] && strcmp(u->sha256, sha256) != 0)
        return cn_problem_set(p, CN_ERR_INVALID, "sha256",
                              "the bytes that arrived are not the bytes that were announced");
    CN_TRY(cn_part_path(c->files, u->id, path, sizeof(path)));
    return sniff(path, t, type, p);
}

static cn_err finish(cn_consult *c, const cn_actor *a, upload *u, cn_problem *p)
{
    char sha256[65], object[48];
    const char *type = NULL;
    const cn_filetype *t = cn_filetype_of(u->name);
    if (!t) return CN_ERR_CORRUPT;
    cn_err err = check_content(c, u, t, sha256, &type, p);
    if (err == CN_ERR_INVALID) {
        cn_fmt(object, sizeof(object), "request:%s", u->request);
        cn_audit_note(c, a, "file.create", object, "failed", NULL);
        remove_upload(c, u->id);
    }
    CN_TRY(err);
    CN_TRY(cn_part_publish(c->files, u->id, sha256, u->size));
    CN_TRY(commit_file(c, a, u, t, type, sha256, p));
    cn_part_remove(c->files, u->id); /* left over after a crash it is removed when it expires */
    return CN_OK;
}

cn_err cn_upload_sync(cn_consult *c, const cn_actor *a, const char *id, cn_upload_state *out, cn_problem *p)
{
    upload u;
    cn_upload_state s;
    CN_TRY(load_alone(c, a, id, &u));
    if (!u.file[0]) {
        CN_TRY(cn_part_sync(c->files, id));
        CN_TRY(state_of(c, &u, &s));
        if (s.offset == s.size) CN_TRY(finish(c, a, &u, p));
    }
    return state_of(c, &u, out);
}

cn_err cn_upload_cancel(cn_consult *c, const cn_actor *a, const char *id)
{
    upload u;
    CN_TRY(load_alone(c, a, id, &u));
    return u.file[0] ? CN_ERR_CONFLICT : remove_upload(c, id);
}

cn_err cn_upload_expire(cn_consult *c, int64_t now_ms)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *r = NULL;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    CN_TRY(cn_db_query(conn, &r, "SELECT id FROM uploads WHERE created_ms < $1 ORDER BY created_ms LIMIT 1000",
                       cn_int(now_ms - KEEP_MS)));
    while (cn_rows_next(r)) {
        CN_TRY(cn_db_exec(conn, NULL, "DELETE FROM uploads WHERE id = $1", cn_text(cn_rows_text(r, 0))));
        cn_part_remove(c->files, cn_rows_text(r, 0));
    }
    return CN_OK;
}
