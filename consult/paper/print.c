#include "consult/paper/print.h"

#include "base/json.h"
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

/* The request with that version, and the row of the audit log: drawing holds no connection. */
static cn_err load_noted(cn_consult *consult, const cn_actor *actor, const char *id, bool released,
                         const char *act_name, json_t **out, cn_problem *problem)
{
    cn_act act;
    char object[48];
    cn_fmt(object, sizeof(object), "request:%.26s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    return cn_act_end(&act, load(consult, act.conn, actor, id, released, out, problem), act_name, object, NULL);
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
