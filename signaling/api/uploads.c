/* Resumable uploads: tus 1.0.0 (https://tus.io/protocols/resumable-upload) with creation, termination and expiration.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/text.h"
#include "consult/file/file.h"
#include "signaling/api/api.h"
#include "signaling/api/metadata.h"
#include "signaling/app.h"

static cn_consult *consult(cn_http *http)
{
    return cn_app_consult(cn_http_app(http));
}

static void tus_headers(cn_http *http)
{
    cn_http_set(http, "Tus-Resumable", "1.0.0");
}

static int64_t max_bytes(cn_http *http)
{
    return cn_app_config_int(cn_http_app(http), "files", "max_upload_mb") << 20;
}

static cn_err check_version(cn_http *http)
{
    const char *version = cn_http_header(http, "tus-resumable");
    tus_headers(http);
    if (version && strcmp(version, "1.0.0") == 0) return CN_OK;
    cn_http_set(http, "Tus-Version", "1.0.0");
    return cn_problem_set(cn_http_problem(http), CN_ERR_UNSUPPORTED, "Tus-Resumable", "must be 1.0.0");
}

static cn_err number_header(cn_http *http, const char *name, int64_t *out)
{
    const char *text = cn_http_header(http, name);
    if (text && cn_parse_i64(text, 0, INT64_MAX, out)) return CN_OK;
    return cn_problem_set(cn_http_problem(http), CN_ERR_INVALID, name, "must be a number");
}

/* ---- calls ---- */

static cn_err describe(cn_http *http)
{
    tus_headers(http);
    cn_http_set(http, "Tus-Version", "1.0.0");
    cn_http_set(http, "Tus-Extension", "creation,termination,expiration");
    cn_http_setf(http, "Tus-Max-Size", "%lld", (long long)max_bytes(http));
    return cn_http_empty(http, 204);
}

static void state_headers(cn_http *http, const cn_upload_state *upload)
{
    cn_http_setf(http, "Upload-Offset", "%lld", (long long)upload->offset);
    if (upload->expires_ms) cn_http_set_date(http, "Upload-Expires", upload->expires_ms);
    if (upload->file[0]) cn_http_set(http, "X-File-Id", upload->file);
}

static cn_err create(cn_http *http)
{
    cn_tus_metadata meta;
    char id[CN_ID_TEXT];
    cn_upload_state state;
    int64_t length = 0;
    CN_TRY(check_version(http));
    CN_TRY(number_header(http, "upload-length", &length));
    CN_TRY(cn_tus_metadata_read(cn_http_header(http, "upload-metadata"), &meta, cn_http_problem(http)));
    const cn_upload_new upload = {.request = meta.request,
                                  .category = meta.category,
                                  .name = meta.filename,
                                  .sha256 = meta.sha256[0] ? meta.sha256 : NULL,
                                  .size = length,
                                  .max_bytes = max_bytes(http)};
    CN_TRY(cn_upload_create(consult(http), cn_http_actor(http), &upload, id, cn_http_problem(http)));
    CN_TRY(cn_upload_get(consult(http), cn_http_actor(http), id, &state));
    cn_http_setf(http, "Location", "/uploads/%s", id);
    state_headers(http, &state);
    return cn_http_empty(http, 201);
}

static cn_err head(cn_http *http)
{
    cn_upload_state upload;
    CN_TRY(check_version(http));
    CN_TRY(cn_upload_get(consult(http), cn_http_actor(http), cn_http_param(http, "id"), &upload));
    state_headers(http, &upload);
    cn_http_setf(http, "Upload-Length", "%lld", (long long)upload.size);
    return cn_http_empty(http, 200);
}

static cn_err cancel(cn_http *http)
{
    CN_TRY(check_version(http));
    CN_TRY(cn_upload_cancel(consult(http), cn_http_actor(http), cn_http_param(http, "id")));
    return cn_http_empty(http, 204);
}

/* ---- PATCH: bytes as they come; what arrived before a cut stays ---- */

typedef struct patch {
    int64_t offset;
    char id[CN_ID_TEXT];
} patch;

static cn_err patch_begin(cn_http *http)
{
    cn_upload_state upload;
    const char *type = cn_http_header(http, "content-type");
    patch *piece = CN_NEW(patch);
    if (!piece) return CN_ERR_NOMEM;
    cn_http_own(http, piece, free);
    CN_TRY(check_version(http));
    if (!type || strcmp(type, "application/offset+octet-stream") != 0)
        return cn_problem_set(cn_http_problem(http), CN_ERR_UNSUPPORTED, "Content-Type",
                              "must be application/offset+octet-stream");
    CN_TRY(number_header(http, "upload-offset", &piece->offset));
    cn_strcpy(piece->id, sizeof(piece->id), cn_http_param(http, "id"));
    CN_TRY(cn_upload_get(consult(http), cn_http_actor(http), piece->id, &upload));
    if (upload.offset != piece->offset || upload.file[0])
        return cn_problem_set(cn_http_problem(http), CN_ERR_CONFLICT, "Upload-Offset", "the upload stands at %lld",
                              (long long)upload.offset);
    if (cn_http_content_length(http) > upload.size - upload.offset)
        return cn_problem_set(cn_http_problem(http), CN_ERR_TOOBIG, "", "more bytes than the %lld that were announced",
                              (long long)upload.size);
    return CN_OK;
}

static cn_err patch_chunk(cn_http *http, const void *bytes, size_t len)
{
    patch *piece = cn_http_owned(http);
    CN_TRY(cn_upload_append(consult(http), cn_http_actor(http), piece->id, piece->offset, bytes, len,
                            cn_http_problem(http)));
    piece->offset += (int64_t)len;
    return CN_OK;
}

static cn_err patch_end(cn_http *http)
{
    patch *piece = cn_http_owned(http);
    cn_upload_state upload;
    CN_TRY(cn_upload_sync(consult(http), cn_http_actor(http), piece->id, &upload, cn_http_problem(http)));
    if (upload.file[0]) cn_app_convert_soon(cn_http_app(http));
    state_headers(http, &upload);
    return cn_http_empty(http, 204);
}

static void patch_cut(cn_http *http)
{
    patch *piece = cn_http_owned(http);
    cn_upload_state upload;
    if (piece && piece->id[0]) cn_upload_sync(consult(http), cn_http_actor(http), piece->id, &upload, NULL);
}

static const cn_stream_ops patch_stream = {patch_chunk, patch_end, patch_cut};

const cn_route cn_upload_routes[] = {
    {CN_OPTIONS, "/uploads", CN_WHO_PUBLIC, describe, .body = CN_BODY_NONE},
    {CN_POST, "/uploads", CN_WHO_ANY, create, .body = CN_BODY_NONE},
    {CN_HEAD, "/uploads/{id}", CN_WHO_ANY, head, .body = CN_BODY_NONE},
    {CN_PATCH, "/uploads/{id}", CN_WHO_ANY, patch_begin, .body = CN_BODY_STREAM, .stream = &patch_stream},
    {CN_DELETE, "/uploads/{id}", CN_WHO_ANY, cancel, .body = CN_BODY_NONE},
    {.path = NULL},
};
