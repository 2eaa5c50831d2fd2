/* Resumable uploads: a row that says what is expected, a part file that says how far it came. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file_private.h"
#include "consult/scope.h"

#define KEEP_MS ((int64_t)7 * 86400000)

typedef struct upload {
    char id[CN_ID_TEXT], request[CN_ID_TEXT], file[CN_ID_TEXT];
    char category[16], sha256[65], name[CN_FILE_NAME];
    int64_t size, created_ms;
} upload;

/* ---- creating ---- */

static bool hex64(const char *text)
{
    return strlen(text) == 64 && text[strspn(text, "0123456789abcdef")] == 0;
}

static cn_err refuse_slide(const char *field, cn_problem *problem)
{
    bool alone = strcmp(field, "filename.folder") == 0;
    return cn_problem_set(problem, CN_ERR_INVALID, field, "%s",
                          alone ? "this is one file of a slide that is several: send all of them as one ZIP"
                                : "slides of this format are not read: export it as DICOM or SVS");
}

static cn_err check_new(const cn_upload_new *upload_new, cn_problem *problem)
{
    if (!cn_filename_valid(upload_new->name)) {
        (void)cn_problem_set(problem, CN_ERR_INVALID, "filename", "must be a plain file name of at most %d characters",
                             CN_FILE_NAME_CHARS);
        return cn_problem_say(problem, CN_ERR_INVALID, CN_WRONG_FORMAT, 0, 0);
    }
    const char *advice = cn_filetype_advice(upload_new->name, NULL);
    if (advice) return refuse_slide(advice, problem);
    if (!cn_filetype_of(upload_new->name))
        return cn_problem_set(problem, CN_ERR_UNSUPPORTED, "filename", "files of this kind are not accepted");
    if (!cn_category_known(upload_new->category))
        return cn_problem_field(problem, CN_WRONG_UNKNOWN, "category", "is not a category of medical documents");
    if (upload_new->size < 1)
        return cn_problem_field(problem, CN_WRONG_FORMAT, "Upload-Length", "must be at least 1 byte");
    if (upload_new->size > upload_new->max_bytes)
        return cn_problem_set(problem, CN_ERR_TOOBIG, "Upload-Length", "is more than the %lld MB that are accepted",
                              (long long)(upload_new->max_bytes >> 20));
    if (upload_new->sha256 && !hex64(upload_new->sha256))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "sha256", "must be 64 lower-case hex digits");
    return CN_OK;
}

/* Whether the actor may add files to the request now. */
static cn_err may_upload(cn_conn *conn, const cn_actor *actor, const char *request, cn_problem *problem)
{
    cn_request_scope scope;
    cn_state next;
    CN_TRY(cn_request_scope_get(conn, actor, request, &scope));
    cn_err err = cn_state_next("upload", scope.state, scope.urgent, scope.parts, &next);
    if (err == CN_ERR_STATE)
        return cn_problem_set(problem, err, "request", "files cannot be added while the request is %s",
                              cn_state_name(scope.state));
    return err == CN_OK ? CN_OK : cn_problem_set(problem, err, "request", "you may not add files to this request");
}

static cn_err insert(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const cn_upload_new *upload_new,
                     const char *id, cn_problem *problem)
{
    CN_AUTO_FREE void *name = NULL;
    size_t n = 0;
    CN_TRY(may_upload(conn, actor, upload_new->request, problem));
    CN_TRY(cn_file_name_seal(consult, "uploads", id, upload_new->name, &name, &n));
    CN_TRY(cn_db_exec(
        conn, NULL,
        "INSERT INTO uploads (id, request_id, user_id, category, name_sealed, size, sha256, created_ms, file_id) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '')",
        cn_text(id), cn_text(upload_new->request), cn_text(actor->user), cn_text(upload_new->category),
        cn_blob(name, n), cn_int(upload_new->size), cn_text(upload_new->sha256 ? upload_new->sha256 : ""),
        cn_int(cn_wall_ms())));
    return cn_part_create(consult->files, id);
}

cn_err cn_upload_create(cn_consult *consult, const cn_actor *actor, const cn_upload_new *upload_new,
                        char id[CN_ID_TEXT], cn_problem *problem)
{
    cn_act act;
    char fresh[CN_ID_TEXT], object[48];
    CN_TRY(check_new(upload_new, problem));
    cn_id_new(fresh);
    cn_fmt(object, sizeof(object), "request:%.26s", upload_new->request);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err =
        cn_act_end(&act, insert(consult, act.conn, actor, upload_new, fresh, problem), "upload.create", object, NULL);
    if (err != CN_OK)
        cn_part_remove(consult->files, fresh);
    else
        memcpy(id, fresh, CN_ID_TEXT);
    return err;
}

/* ---- where it stands ---- */

/* The actor's own upload; anybody else's does not exist for him. */
static cn_err load(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *id, upload *transfer)
{
    if (!cn_id_valid(id)) return CN_ERR_NOTFOUND;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT request_id, category, name_sealed, size, sha256, file_id, created_ms FROM uploads WHERE "
                       "id = $1 AND user_id = $2",
                       cn_text(id), cn_text(actor->user)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    *transfer = (upload){.size = cn_rows_int(rows, 3), .created_ms = cn_rows_int(rows, 6)};
    cn_strcpy(transfer->id, sizeof(transfer->id), id);
    cn_strcpy(transfer->request, sizeof(transfer->request), cn_rows_text(rows, 0));
    cn_strcpy(transfer->category, sizeof(transfer->category), cn_rows_text(rows, 1));
    cn_strcpy(transfer->sha256, sizeof(transfer->sha256), cn_rows_text(rows, 4));
    cn_strcpy(transfer->file, sizeof(transfer->file), cn_rows_text(rows, 5));
    return cn_file_name_open(consult, "uploads", id, rows, 2, transfer->name);
}

static cn_err load_alone(cn_consult *consult, const cn_actor *actor, const char *id, upload *transfer)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    return load(consult, conn, actor, id, transfer);
}

static cn_err state_of(cn_consult *consult, const upload *transfer, cn_upload_state *out)
{
    cn_upload_state upload_state = {.offset = transfer->size, .size = transfer->size};
    cn_strcpy(upload_state.file, sizeof(upload_state.file), transfer->file);
    if (!transfer->file[0]) {
        upload_state.expires_ms = transfer->created_ms + KEEP_MS;
        CN_TRY(cn_part_length(consult->files, transfer->id, &upload_state.offset));
    }
    *out = upload_state;
    return CN_OK;
}

cn_err cn_upload_get(cn_consult *consult, const cn_actor *actor, const char *id, cn_upload_state *out)
{
    upload transfer;
    CN_TRY(load_alone(consult, actor, id, &transfer));
    return state_of(consult, &transfer, out);
}

/* ---- bytes ---- */

cn_err cn_upload_append(cn_consult *consult, const cn_actor *actor, const char *id, int64_t offset, const void *bytes,
                        size_t len, cn_problem *problem)
{
    upload transfer;
    int64_t length = 0;
    CN_TRY(load_alone(consult, actor, id, &transfer));
    if (transfer.file[0]) return cn_problem_set(problem, CN_ERR_CONFLICT, "Upload-Offset", "the upload is complete");
    CN_TRY(cn_part_length(consult->files, id, &length));
    if (offset != length)
        return cn_problem_set(problem, CN_ERR_CONFLICT, "Upload-Offset", "the upload stands at %lld",
                              (long long)length);
    if ((int64_t)len > transfer.size - length)
        return cn_problem_set(problem, CN_ERR_TOOBIG, "", "more bytes than the %lld that were announced",
                              (long long)transfer.size);
    return cn_part_append(consult->files, id, offset, bytes, len);
}

/* ---- completing ---- */

static cn_err sniff(const char *path, const cn_filetype *filetype, const char **type, cn_problem *problem)
{
    CN_TRY(cn_files_sniff_path(path, type));
    if (cn_filetype_holds(filetype, *type)) return CN_OK;
    const char *advice = cn_filetype_advice("", *type);
    if (advice) return refuse_slide(advice, problem);
    if (*type && strcmp(*type, "application/x-ole-encrypted") == 0)
        return cn_problem_set(problem, CN_ERR_INVALID, "file.password", "the file has a password");
    const char *found = *type ? *type : "of an unknown kind";
    if (!filetype->extension[0])
        return cn_problem_set(problem, CN_ERR_INVALID, "filename", "the content is %s, and the name has no ending",
                              found);
    return cn_problem_set(problem, CN_ERR_INVALID, "filename", "the content is %s, not what the ending .%s says", found,
                          filetype->extension);
}

static cn_err insert_file(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const upload *transfer,
                          const char *id, const cn_filetype *filetype, const char *type, const char *sha256)
{
    CN_AUTO_FREE void *name = NULL;
    size_t n = 0;
    int64_t done = 0;
    /* of an ECG a sheet is made, whatever its file is called */
    const char *kind = cn_file_is_ecg(type)                                       ? "document"
                       : cn_filetype_is_slide(filetype, transfer->category, type) ? "slide"
                                                                                  : filetype->kind;
    const char *state = kind == filetype->kind ? filetype->state : "converting";
    CN_TRY(cn_file_name_seal(consult, "files", id, transfer->name, &name, &n));
    CN_TRY(cn_db_exec(conn, NULL,
                      "INSERT INTO files (id, request_id, category, name_sealed, type, kind, size, sha256, state, "
                      "pdf_sha256, pages, uploaded_by, created_ms, "
                      "deleted_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', 0, $10, $11, 0)",
                      cn_text(id), cn_text(transfer->request), cn_text(transfer->category), cn_blob(name, n),
                      cn_text(type), cn_text(kind), cn_int(transfer->size), cn_text(sha256), cn_text(state),
                      cn_text(actor->user), cn_int(cn_wall_ms())));
    CN_TRY(cn_db_exec(conn, &done, "UPDATE uploads SET file_id = $1 WHERE id = $2 AND file_id = ''", cn_text(id),
                      cn_text(transfer->id)));
    return done == 1 ? CN_OK : CN_ERR_CONFLICT;
}

/* First the object is durable, then the row says so. */
static cn_err commit_file(cn_consult *consult, const cn_actor *actor, upload *transfer, const cn_filetype *filetype,
                          const char *type, const char *sha256, cn_problem *problem)
{
    cn_act act;
    char id[CN_ID_TEXT], object[48];
    cn_id_new(id);
    cn_fmt(object, sizeof(object), "file:%s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = may_upload(act.conn, actor, transfer->request, problem);
    if (err == CN_OK) err = insert_file(consult, act.conn, actor, transfer, id, filetype, type, sha256);
    CN_TRY(cn_act_end(&act, err, "file.create", object, NULL));
    cn_strcpy(transfer->file, sizeof(transfer->file), id);
    return CN_OK;
}

static cn_err remove_upload(cn_consult *consult, const char *id)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_exec(conn, NULL, "DELETE FROM uploads WHERE id = $1 AND file_id = ''", cn_text(id)));
    return cn_part_remove(consult->files, id);
}

/* Hash and content are looked at while the bytes are still a part: what is refused never was in the store. */
static cn_err check_content(cn_consult *consult, const upload *transfer, const cn_filetype *filetype, char sha256[65],
                            const char **type, cn_problem *problem)
{
    char path[4096];
    int64_t size = 0;
    CN_TRY(cn_part_hash(consult->files, transfer->id, sha256, &size));
    if (size != transfer->size) return CN_ERR_CONFLICT;
    if (transfer->sha256[0] && strcmp(transfer->sha256, sha256) != 0)
        return cn_problem_set(problem, CN_ERR_INVALID, "sha256",
                              "the bytes that arrived are not the bytes that were announced");
    CN_TRY(cn_part_path(consult->files, transfer->id, path, sizeof(path)));
    CN_TRY(sniff(path, filetype, type, problem));
    return consult->look ? consult->look(consult->ctx, path, *type, problem) : CN_OK;
}

static cn_err finish(cn_consult *consult, const cn_actor *actor, upload *transfer, cn_problem *problem)
{
    char sha256[65], object[48];
    const char *type = NULL;
    const cn_filetype *filetype = cn_filetype_of(transfer->name);
    if (!filetype) return CN_ERR_CORRUPT;
    cn_err err = check_content(consult, transfer, filetype, sha256, &type, problem);
    if (err == CN_ERR_INVALID) {
        cn_fmt(object, sizeof(object), "request:%s", transfer->request);
        cn_audit_note(consult, actor, "file.create", object, "failed", NULL);
        remove_upload(consult, transfer->id);
    }
    CN_TRY(err);
    CN_TRY(cn_part_publish(consult->files, transfer->id, sha256, transfer->size));
    CN_TRY(commit_file(consult, actor, transfer, filetype, type, sha256, problem));
    cn_part_remove(consult->files, transfer->id); /* left over after a crash it is removed when it expires */
    return CN_OK;
}

cn_err cn_upload_sync(cn_consult *consult, const cn_actor *actor, const char *id, cn_upload_state *out,
                      cn_problem *problem)
{
    upload transfer;
    cn_upload_state upload_state;
    CN_TRY(load_alone(consult, actor, id, &transfer));
    if (!transfer.file[0]) {
        CN_TRY(cn_part_sync(consult->files, id));
        CN_TRY(state_of(consult, &transfer, &upload_state));
        if (upload_state.offset == upload_state.size) CN_TRY(finish(consult, actor, &transfer, problem));
    }
    return state_of(consult, &transfer, out);
}

cn_err cn_upload_cancel(cn_consult *consult, const cn_actor *actor, const char *id)
{
    upload transfer;
    CN_TRY(load_alone(consult, actor, id, &transfer));
    return transfer.file[0] ? CN_ERR_CONFLICT : remove_upload(consult, id);
}

cn_err cn_upload_expire(cn_consult *consult, int64_t now_ms)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT id FROM uploads WHERE created_ms < $1 ORDER BY created_ms LIMIT 1000",
                       cn_int(now_ms - KEEP_MS)));
    while (cn_rows_next(rows)) {
        CN_TRY(cn_db_exec(conn, NULL, "DELETE FROM uploads WHERE id = $1", cn_text(cn_rows_text(rows, 0))));
        cn_part_remove(consult->files, cn_rows_text(rows, 0));
    }
    return CN_OK;
}
