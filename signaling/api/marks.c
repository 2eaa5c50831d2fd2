/* Drawings and measures on a picture: who may read the file sees them; every write is checked at the record and logged. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "consult/file/calibration.h"
#include "consult/file/file.h"
#include "consult/mark/geojson.h"
#include "consult/mark/marks.h"
#include "signaling/api/api.h"
#include "signaling/app.h"
#include "signaling/slide_file.h"
#include "viewer/slide/slides.h"

static cn_consult *consult(cn_http *http)
{
    return cn_app_consult(cn_http_app(http));
}
static const char *id(cn_http *http)
{
    return cn_http_param(http, "id");
}

/* What somebody measured of the slide; null where nobody did, and for what is no slide. Who may see the file is asked before. */
static cn_err calibration_of(cn_http *http, json_t **out, int64_t *at_ms)
{
    cn_err err = cn_calibration_get(consult(http), cn_http_actor(http), id(http), out);
    if (err == CN_ERR_NOTFOUND) {
        *out = json_null();
        err = CN_OK;
    }
    *at_ms = err == CN_OK ? json_integer_value(json_object_get(*out, "at")) : 0;
    return err;
}

/* A page asks every few seconds whether anything changed: that costs one sum and a row. */
static cn_err list(cn_http *http)
{
    char drawn[CN_MARKS_VERSION], version[CN_MARKS_VERSION + 24];
    CN_AUTO_JSON json_t *calibration = NULL;
    json_t *out = NULL;
    int64_t at_ms = 0;
    bool first = cn_http_header(http, "if-none-match") == NULL;
    CN_TRY(cn_marks_version(consult(http), cn_http_actor(http), id(http), drawn));
    CN_TRY(calibration_of(http, &calibration, &at_ms));
    if (!cn_fmt(version, sizeof(version), "%s-%" PRId64, drawn, at_ms)) return CN_ERR_CORRUPT;
    cn_http_set(http, "Cache-Control", "private, no-cache");
    if (cn_http_not_modified(http, version)) return CN_OK;
    CN_TRY(cn_marks_get(consult(http), cn_http_actor(http), id(http), first, &out));
    json_object_set(out, "calibration", calibration);
    return cn_http_json(http, 200, out);
}

static cn_err add(cn_http *http)
{
    json_t *out = NULL;
    bool fresh = false;
    CN_TRY(cn_mark_add(consult(http), cn_http_actor(http), id(http), cn_http_body_json(http), &out, &fresh,
                       cn_http_problem(http)));
    return cn_http_json(http, fresh ? 201 : 200, out);
}

static cn_err change(cn_http *http)
{
    json_t *out = NULL;
    CN_TRY(cn_mark_set(consult(http), cn_http_actor(http), id(http), cn_http_param(http, "mark"),
                       cn_http_body_json(http), &out, cn_http_problem(http)));
    return cn_http_json(http, 200, out);
}

static cn_err erase(cn_http *http)
{
    int64_t revision = 0;
    if (!cn_http_query(http, "revision"))
        return cn_problem_field(cn_http_problem(http), CN_WRONG_MISSING, "revision", "which one is to be deleted");
    CN_TRY(cn_http_query_i64(http, "revision", 1, INT64_MAX - 1, 0, &revision));
    CN_TRY(cn_mark_delete(consult(http), cn_http_actor(http), id(http), cn_http_param(http, "mark"), &revision,
                          cn_http_problem(http)));
    return cn_http_json(http, 200, json_pack("{s:I}", "revision", (json_int_t)revision));
}

/* As the page has it: what somebody measured stands before what the file says. 0: nobody did. */
static double measured(cn_http *http, const cn_file_info *info)
{
    CN_AUTO_JSON json_t *found = NULL;
    if (cn_calibration_get(consult(http), cn_http_actor(http), info->id, &found) != CN_OK) return 0;
    return json_number_value(json_object_get(found, "mpp"));
}

/* µm per pixel; 0 for what has no scale, and for a slide that cannot be read now. */
static double scale_of(cn_http *http, const cn_file_info *info)
{
    char path[4096];
    cn_decode_info slide;
    double mpp = strcmp(info->kind, "slide") == 0 ? measured(http, info) : 0;
    if (mpp > 0) return mpp;
    if (strcmp(info->kind, "slide") != 0 || cn_slide_file_path(consult(http), info, path, sizeof(path)) != CN_OK ||
        cn_slide_info(cn_app_slides(cn_http_app(http)), info->id, path, &slide) != CN_OK)
        return 0;
    return slide.mpp_x;
}

static cn_err geojson(cn_http *http)
{
    cn_file_info info;
    CN_AUTO_JSON json_t *marks = NULL;
    json_t *out = NULL;
    CN_TRY(cn_file_get(consult(http), cn_http_actor(http), id(http), NULL, &info));
    CN_TRY(cn_marks_get(consult(http), cn_http_actor(http), id(http), true, &marks));
    CN_TRY(cn_marks_geojson(json_object_get(marks, "marks"), scale_of(http, &info), &out));
    char *text = json_dumps(out, JSON_COMPACT | JSON_REAL_PRECISION(12));
    json_decref(out);
    if (!text) return CN_ERR_NOMEM;
    cn_http_set(http, "Content-Disposition", "attachment");
    return cn_http_bytes(http, 200, "application/geo+json", text, strlen(text), free, text);
}

#define MARK_BODY (512 << 10) /* bytes: 10,000 points, written as wordily as a browser does */

const cn_route cn_mark_routes[] = {
    {CN_GET, "/api/v1/files/{id}/marks", CN_WHO_ANY, list, .body = CN_BODY_NONE, .flags = CN_ROUTE_CACHE},
    {CN_POST, "/api/v1/files/{id}/marks", CN_WHO_ANY, add, .body = CN_BODY_JSON, .body_max = MARK_BODY},
    {CN_GET, "/api/v1/files/{id}/marks.geojson", CN_WHO_ANY, geojson, .body = CN_BODY_NONE, .job = CN_RUN_TILE},
    {CN_PUT, "/api/v1/files/{id}/marks/{mark}", CN_WHO_ANY, change, .body = CN_BODY_JSON, .body_max = MARK_BODY},
    {CN_DELETE, "/api/v1/files/{id}/marks/{mark}", CN_WHO_ANY, erase, .body = CN_BODY_NONE},
    {.path = NULL},
};
