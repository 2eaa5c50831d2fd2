#include "consult/paper/print.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "consult/request/request.h"

/* Puts the version that is wanted in place of "report". */
static cn_err choose(json_t *request, bool released, cn_problem *problem)
{
    json_t *report = json_object_get(request, "report");
    json_t *last = json_object_get(report, "signed");
    if (released && last) json_object_set(request, "report", last); /* a draft names the version before it */
    report = json_object_get(request, "report");
    /* a signed version is printed with what was true when it was signed */
    json_object_update(request, json_object_get(report, "circumstances"));
    if (json_is_object(report)) return CN_OK;
    return cn_problem_set(problem, CN_ERR_STATE, "report", "no report has been signed yet");
}

static cn_err load(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *id, bool released,
                   json_t **out, cn_problem *problem)
{
    CN_TRY(cn_request_view(consult, conn, actor, id, out));
    return choose(*out, released, problem);
}

/* ---- its pictures ---- */

#define PICTURE_MAX ((size_t)16 << 20)

static const char *slide_name(const json_t *request, const char *file)
{
    size_t i;
    const json_t *one;
    json_array_foreach(json_object_get(request, "files"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "id")), file) == 0)
            return json_string_value(json_object_get(one, "name"));
    }
    return "";
}

static cn_err read_picture(cn_consult *consult, const char *sha256, json_t **out)
{
    char path[1024];
    size_t n = 0;
    CN_AUTO_FREE char *bytes = NULL;
    CN_TRY(cn_files_path(consult->files, sha256, path, sizeof(path)));
    CN_TRY(cn_file_read(path, PICTURE_MAX, &bytes, &n));
    CN_AUTO_FREE char *text = cn_b64url_new(bytes, n);
    if (!text) return CN_ERR_NOMEM;
    *out = json_string(text);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

/* The printer reads no files: it gets the bytes, and the names of the slides. */
static cn_err add_pictures(cn_consult *consult, json_t *request)
{
    size_t i;
    json_t *figure;
    json_array_foreach(json_object_get(json_object_get(request, "report"), "figures"), i, figure)
    {
        json_t *bytes = NULL;
        const char *name = slide_name(request, json_string_value(json_object_get(figure, "file")));
        CN_TRY(read_picture(consult, json_string_value(json_object_get(figure, "sha256")), &bytes));
        if (json_object_set_new(figure, "jpeg", bytes) < 0) return CN_ERR_NOMEM;
        if (json_object_set_new(figure, "slide", json_string(name)) < 0) return CN_ERR_NOMEM;
    }
    return CN_OK;
}

/* The request with that version, and the row of the audit log: drawing holds no connection. */
static cn_err load_noted(cn_consult *consult, const cn_actor *actor, const char *id, bool released,
                         const char *act_name, json_t **out, cn_problem *problem)
{
    cn_act act;
    char object[48];
    cn_fmt(object, sizeof(object), "request:%.26s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    CN_TRY(cn_act_end(&act, load(consult, act.conn, actor, id, released, out, problem), act_name, object, NULL));
    return add_pictures(consult, *out);
}

cn_err cn_report_print(cn_consult *consult, const cn_actor *actor, const char *id, bool released,
                       const cn_pdf_style *style, char number[24], cn_buf *out, cn_problem *problem)
{
    CN_AUTO_JSON json_t *request = NULL;
    CN_TRY(load_noted(consult, actor, id, released, "report.print", &request, problem));
    cn_strcpy(number, 24, json_string_value(json_object_get(request, "number")));
    return cn_pdf_report(request, style, out);
}

cn_err cn_report_unprintable(cn_consult *consult, const cn_actor *actor, const char *id, const cn_pdf_style *style,
                             json_t **out, cn_problem *problem)
{
    CN_AUTO_JSON json_t *request = NULL;
    CN_TRY(load_noted(consult, actor, id, false, "report.unprintable", &request, problem));
    return cn_pdf_unprintable(request, style, out);
}
