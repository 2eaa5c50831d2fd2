/* Resumable uploads: tus 1.0.0 (https://tus.io/protocols/resumable-upload) with creation, termination and expiration.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file.h"
#include "signaling/api/api.h"
#include "signaling/app.h"

static cn_consult *consult(cn_http *h)
{
    return cn_app_consult(cn_http_app(h));
}

static void tus_headers(cn_http *h)
{
    cn_http_set(h, "Tus-Resumable", "1.0.0");
}

static int64_t max_bytes(cn_http *h)
{
    return cn_app_config_int(cn_http_app(h), "files", "max_upload_mb") << 20;
}

static cn_err check_version(cn_http *h)
{
    const char *version = cn_http_header(h, "tus-resumable");
    tus_headers(h);
    if (version && strcmp(version, "1.0.0") == 0) return CN_OK;
    cn_http_set(h, "Tus-Version", "1.0.0");
    return cn_problem_set(cn_http_problem(h), CN_ERR_UNSUPPORTED, "Tus-Resumable", "must be 1.0.0");
}

static cn_err number_header(cn_http *h, const char *name, int64_t *out)
{
    const char *text = cn_http_header(h, name);
    if (text && cn_parse_i64(text, 0, INT64_MAX, out)) return CN_OK;
    return cn_problem_set(cn_http_problem(h), CN_ERR_INVALID, name, "must be a number");
}

/* ---- metadata: "key base64,key base64,…" ---- */

typedef struct metadata {
    char request[CN_ID_TEXT], category[16], filename[CN_FILE_NAME], sha256[65];
} metadata;

static cn_err read_value(const char *text, size_t n, char *out, size_t size)
{
    size_t got = 0;
    if (!cn_unb64(text, n, out, size - 1, &got)) return CN_ERR_INVALID;
    out[got] = 0;
    return cn_utf8_valid(out, got) && strlen(out) == got ? CN_OK : CN_ERR_INVALID;
}

static cn_err read_pair(metadata *m, const char *pair, size_t n)
{
    const struct {
        const char *key;
        char *out;
        size_t size;
    } known[] = {
        {"request", m->request, sizeof(m->request)},
        {"category", m->category, sizeof(m->category)},
        {"filename", m->filename, sizeof(m->filename)},
        {"sha256", m->sha256, sizeof(m->sha256)},
    };
    const char *blank = memchr(pair, ' ', n);
    size_t key_n = blank ? (size_t)(blank - pair) : n;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i].key) == key_n && memcmp(known[i].key, pair, key_n) == 0)
            return blank ? read_value(blank + 1, n - key_n - 1, known[i].out, known[i].size) : CN_ERR_INVALID;
    return CN_OK; /* other keys are the client's own */
}

static cn_err read_metadata(cn_http *h, metadata *m)
{
    const char *text = cn_http_header(h, "upload-metadata");
    *m = (metadata){.request = ""};
    for (const char *at = text ? text : ""; *at;) {
        size_t n = strcspn(at, ",");
        while (n && *at == ' ') at++, n--;
        if (read_pair(m, at, n) != CN_OK)
            return cn_problem_set(cn_http_problem(h), CN_ERR_INVALID, "Upload-Metadata",
                                  "a value is not base64 or too long");
        at += n;
        if (*at == ',') at++;
    }
    return CN_OK;
}

/* ---- calls ---- */

static cn_err describe(cn_http *h)
{
    tus_headers(h);
    cn_http_set(h, "Tus-Version", "1.0.0");
    cn_http_set(h, "Tus-Extension", "creation,termination,expiration");
    cn_http_setf(h, "Tus-Max-Size", "%lld", (long long)max_bytes(h));
    return cn_http_empty(h, 204);
}

static cn_err create(cn_http *h)
{
    metadata m;
    char id[CN_ID_TEXT];
    int64_t length = 0;
    CN_TRY(check_version(h));
    CN_TRY(number_header(h, "upload-length", &length));
    CN_TRY(read_metadata(h, &m));
    const cn_upload_new u = {.request = m.request,
                             .category = m.category,
                             .name = m.filename,
                             .sha256 = m.sha256[0] ? m.sha256 : NULL,
                             .size = length,
                             .max_bytes = max_bytes(h)};
    CN_TRY(cn_upload_create(consult(h), cn_http_actor(h), &u, id, cn_http_problem(h)));
    cn_http_setf(h, "Location", "/uploads/%s", id);
    return cn_http_empty(h, 201);
}

static void state_headers(cn_http *h, const cn_upload_state *s)
{
    cn_http_setf(h, "Upload-Offset", "%lld", (long long)s->offset);
    if (s->file[0]) cn_http_set(h, "X-File-Id", s->file);
}

static cn_err head(cn_http *h)
{
    cn_upload_state s;
    CN_TRY(check_version(h));
    CN_TRY(cn_upload_get(consult(h), cn_http_actor(h), cn_http_param(h, "id"), &s));
    state_headers(h, &s);
    cn_http_setf(h, "Upload-Length", "%lld", (long long)s.size);
    return cn_http_empty(h, 200);
}

static cn_err cancel(cn_http *h)
{
    CN_TRY(check_version(h));
    CN_TRY(cn_upload_cancel(consult(h), cn_http_actor(h), cn_http_param(h, "id")));
    return cn_http_empty(h, 204);
}

/* ---- PATCH: bytes as they come; what arrived before a cut stays ---- */

typedef struct patch {
    int64_t offset;
    char id[CN_ID_TEXT];
} patch;

static cn_err patch_begin(cn_http *h)
{
    cn_upload_state s;
    const char *type = cn_http_header(h, "content-type");
    patch *p = CN_NEW(patch);
    if (!p) return CN_ERR_NOMEM;
    cn_http_own(h, p, free);
    CN_TRY(check_version(h));
    if (!type || strcmp(type, "application/offset+octet-stream") != 0)
        return cn_problem_set(cn_http_problem(h), CN_ERR_UNSUPPORTED, "Content-Type",
                              "must be application/offset+octet-stream");
    CN_TRY(number_header(h, "upload-offset", &p->offset));
    cn_strcpy(p->id, sizeof(p->id), cn_http_param(h, "id"));
    CN_TRY(cn_upload_get(consult(h), cn_http_actor(h), p->id, &s));
    if (s.offset != p->offset || s.file[0])
        return cn_problem_set(cn_http_problem(h), CN_ERR_CONFLICT, "Upload-Offset", "the upload stands at %lld",
                              (long long)s.offset);
    if (cn_http_content_length(h) > s.size - s.offset)
        return cn_problem_set(cn_http_problem(h), CN_ERR_TOOBIG, "", "more bytes than the %lld that were announced",
                              (long long)s.size);
    return CN_OK;
}

static cn_err patch_chunk(cn_http *h, const void *bytes, size_t n)
{
    patch *p = cn_http_owned(h);
    CN_TRY(cn_upload_append(consult(h), cn_http_actor(h), p->id, p->offset, bytes, n, cn_http_problem(h)));
    p->offset += (int64_t)n;
    return CN_OK;
}

static cn_err patch_end(cn_http *h)
{
    patch *p = cn_http_owned(h);
    cn_upload_state s;
    CN_TRY(cn_upload_sync(consult(h), cn_http_actor(h), p->id, &s, cn_http_problem(h)));
    if (s.file[0]) cn_app_convert_soon(cn_http_app(h));
    state_headers(h, &s);
    return cn_http_empty(h, 204);
}

static void patch_cut(cn_http *h)
{
    patch *p = cn_http_owned(h);
    cn_upload_state s;
    if (p && p->id[0]) cn_upload_sync(consult(h), cn_http_actor(h), p->id, &s, NULL);
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
