/* Files of a request: what they are, their bytes, documents as PDF, thumbnails. Every read is checked at the record and
 * logged. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file.h"
#include "signaling/api/api.h"
#include "signaling/api/slides.h"
#include "signaling/app.h"
#include "signaling/ecg_file.h"
#include "signaling/slide_file.h"
#include "viewer/document/pictures.h"
#include "viewer/document/plain.h"
#include "viewer/slide/progress.h"
#include "viewer/slide/slides.h"

static cn_consult *consult(cn_http *http)
{
    return cn_app_consult(cn_http_app(http));
}
static const char *id(cn_http *http)
{
    return cn_http_param(http, "id");
}

static cn_err show(cn_http *http)
{
    cn_file_info info;
    CN_TRY(cn_file_get(consult(http), cn_http_actor(http), id(http), NULL, &info));
    json_t *json = cn_file_json(&info);
    int hundredths = cn_progress_of(info.id);
    if (hundredths >= 0) json_object_set_new(json, "progress", json_integer(hundredths));
    return cn_http_json(http, 200, json);
}

/* Types that a browser may show in a page of ours; everything else is a download, never something that runs. */
static bool shows_inline(const char *type)
{
    static const char *const types[] = {"application/pdf", "image/jpeg", "image/png", "image/gif",
                                        "image/webp",      "image/bmp",  "video/mp4"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i], type) == 0) return true;
    return false;
}

static void disposition(cn_http *http, const cn_file_info *info, const char *type)
{
    cn_buf value = {0};
    /* RFC 8187: the name percent-encoded as UTF-8 */
    cn_buf_fmt(&value, "%s; filename*=UTF-8''", shows_inline(type) ? "inline" : "attachment");
    for (const unsigned char *s = (const unsigned char *)info->name; *s; s++) {
        bool plain = (*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z') || *s == '.' ||
                     *s == '-' || *s == '_';
        cn_buf_fmt(&value, plain ? "%c" : "%%%02X", *s);
    }
    cn_http_set(http, "Content-Disposition", value.err == CN_OK ? value.p : "attachment");
    cn_buf_free(&value);
}

static cn_err send_object(cn_http *http, const cn_file_info *info, const char *sha256, const char *type)
{
    char path[4096];
    CN_TRY(cn_files_path(consult(http)->files, sha256, path, sizeof(path)));
    cn_http_set(http, "Cache-Control", "private, no-cache");
    disposition(http, info, type);
    return cn_http_file(http, path, shows_inline(type) ? type : "application/octet-stream", sha256);
}

static cn_err content(cn_http *http)
{
    cn_file_info info;
    CN_TRY(cn_file_get_bytes(consult(http), cn_http_actor(http), id(http), &info, cn_http_problem(http)));
    return send_object(http, &info, info.sha256, info.type);
}

static cn_err pdf(cn_http *http)
{
    cn_file_info info;
    CN_TRY(cn_file_get(consult(http), cn_http_actor(http), id(http), "file.read", &info));
    const char *sha256 = strcmp(info.type, "application/pdf") == 0 ? info.sha256 : info.pdf_sha256;
    if (strcmp(info.state, "converting") == 0 || strcmp(info.state, "stuck") == 0)
        return cn_problem_set(cn_http_problem(http), CN_ERR_AGAIN, "state", "the document is being converted");
    if (!sha256[0])
        return cn_problem_set(cn_http_problem(http), CN_ERR_NOTFOUND, "state", "there is no PDF of this file");
    return send_object(http, &info, sha256, "application/pdf");
}

/* Drawn by the page: 503 while it is being read. */
static cn_err ecg(cn_http *http)
{
    cn_file_info info;
    char path[4096];
    cn_app *app = cn_http_app(http);
    CN_TRY(cn_file_get(consult(http), cn_http_actor(http), id(http), "file.read", &info));
    if (!cn_file_is_ecg(info.type) || strcmp(info.state, "failed") == 0)
        return cn_problem_set(cn_http_problem(http), CN_ERR_NOTFOUND, "state", "this file is no ECG that can be read");
    if (strcmp(info.state, "ready") != 0)
        return cn_problem_set(cn_http_problem(http), CN_ERR_AGAIN, "state", "the ECG is being read");
    CN_TRY(cn_ecg_file_form(consult(http), &info, cn_app_scratch(app), path, sizeof(path)));
    cn_http_set(http, "Cache-Control", "private, no-cache");
    return cn_http_file(http, path, "application/octet-stream", info.sha256);
}

static void release_tile(void *tile)
{
    cn_unref(tile);
}

static cn_err thumbnail(cn_http *http)
{
    cn_file_info info;
    cn_tile *tile = NULL;
    int64_t size = 256;
    char path[4096];
    CN_TRY(cn_http_query_i64(http, "size", 32, 1024, 256, &size));
    CN_TRY(cn_file_get(consult(http), cn_http_actor(http), id(http), NULL, &info));
    cn_http_set(http, "Cache-Control", "private, no-cache");
    if (cn_http_not_modified(http, info.sha256)) return CN_OK;
    if (strcmp(info.kind, "slide") == 0) {
        CN_TRY(cn_slide_place(http, &info, path, sizeof(path)));
        cn_err err = cn_slide_thumbnail(cn_app_slides(cn_http_app(http)), info.id, path, (unsigned)size, &tile);
        if (err != CN_OK) return cn_slide_refusal(http, info.id, err);
    } else {
        const char *sha256 = strcmp(info.kind, "document") == 0 && info.pdf_sha256[0] ? info.pdf_sha256 : info.sha256;
        CN_TRY(cn_files_path(consult(http)->files, sha256, path, sizeof(path)));
        CN_TRY(cn_picture_thumbnail(cn_app_pictures(cn_http_app(http)), info.id, path,
                                    strcmp(info.kind, "document") == 0 ? "application/pdf" : info.type, (unsigned)size,
                                    &tile));
    }
    bool png = tile->n > 4 && memcmp(tile->bytes, "\x89PNG", 4) == 0;
    return cn_http_bytes(http, 200, png ? "image/png" : "image/jpeg", tile->bytes, tile->n, release_tile, tile);
}

/* Tiles in memory and a decoder that has the slide open must not outlive it. */
static cn_err remove_file(cn_http *http)
{
    cn_file_info info;
    char path[4096];
    bool read = cn_file_get(consult(http), cn_http_actor(http), id(http), NULL, &info) == CN_OK;
    bool slide = read && strcmp(info.kind, "slide") == 0 &&
                 cn_slide_file_path(consult(http), &info, path, sizeof(path)) == CN_OK;
    CN_TRY(cn_file_delete(consult(http), cn_http_actor(http), id(http), cn_http_problem(http)));
    if (read && cn_file_is_ecg(info.type)) cn_files_parts_remove(consult(http)->files, info.id);
    if (slide) {
        cn_slide_forget(cn_app_slides(cn_http_app(http)), info.id, path);
        cn_files_unlink_beside(consult(http)->files, info.id, CN_LEVELS_NAME);
        cn_files_parts_remove(consult(http)->files, info.id);
        cn_files_unlink_beside(consult(http)->files, info.id, CN_PYRAMID_NAME);
    }
    return cn_http_empty(http, 204);
}

const cn_route cn_file_routes[] = {
    {CN_GET, "/api/v1/files/{id}", CN_WHO_ANY, show, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/files/{id}/content", CN_WHO_ANY, content, .body = CN_BODY_NONE, .flags = CN_ROUTE_CACHE},
    {CN_GET, "/api/v1/files/{id}/pdf", CN_WHO_ANY, pdf, .body = CN_BODY_NONE, .flags = CN_ROUTE_CACHE},
    {CN_GET, "/api/v1/files/{id}/ecg", CN_WHO_ANY, ecg, .body = CN_BODY_NONE, .job = CN_RUN_PICTURE,
     .flags = CN_ROUTE_CACHE},
    {CN_GET, "/api/v1/files/{id}/thumbnail", CN_WHO_ANY, thumbnail, .body = CN_BODY_NONE, .job = CN_RUN_PICTURE,
     .flags = CN_ROUTE_CACHE},
    {CN_DELETE, "/api/v1/files/{id}", CN_WHO_ANY, remove_file, .body = CN_BODY_NONE},
    {.path = NULL},
};
