/* Consultation requests, reports, minutes: from HTTP to consult/ and back. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "consult/minutes/meter.h"
#include "consult/minutes/minutes.h"
#include "consult/paper/print.h"
#include "consult/report/report.h"
#include "consult/report/typed.h"
#include "consult/request/draft.h"
#include "consult/request/request.h"
#include "consult/room/messages.h"
#include "signaling/api/api.h"
#include "signaling/app.h"

static cn_consult *consult(cn_http *http)
{
    return cn_app_consult(cn_http_app(http));
}
static const char *id(cn_http *http)
{
    return cn_http_param(http, "id");
}

/* What an act answers: the request as it is after it. */
static cn_err answered(cn_http *http, int status, cn_err err, const cn_answer *answer)
{
    if (err == CN_OK) return answer->json ? cn_http_json(http, status, answer->json) : CN_ERR_NOTFOUND;
    json_decref(answer->json);
    return err;
}

/* What list and search have in common: everything but the patient's name. */
static cn_err read_filter(cn_http *http, cn_request_filter *filter)
{
    const char *by = cn_http_query(http, "by");
    int64_t page = 1, size = 20;
    *filter = (cn_request_filter){.tab = cn_http_query(http, "tab"),
                                  .number = cn_http_query(http, "number"),
                                  .states = cn_http_query(http, "state"),
                                  .hospital = cn_http_query(http, "hospital"),
                                  .expert = cn_http_query(http, "expert"),
                                  .sort = cn_http_query(http, "sort"),
                                  .by_time = by && strcmp(by, "scheduled") == 0};
    if (by && !filter->by_time && strcmp(by, "created") != 0)
        return cn_problem_field(cn_http_problem(http), CN_WRONG_UNKNOWN, "by", "is created or scheduled");
    CN_TRY(cn_http_query_i64(http, "page", 1, 100000, 1, &page));
    CN_TRY(cn_http_query_i64(http, "size", 0, 200, 20, &size));
    CN_TRY(cn_http_query_i64(http, "from", 0, INT64_MAX, 0, &filter->from_ms));
    CN_TRY(cn_http_query_i64(http, "to", 0, INT64_MAX, 0, &filter->to_ms));
    filter->page = (unsigned)page;
    filter->size = (unsigned)size;
    return CN_OK;
}

static cn_err answer_list(cn_http *http, const cn_request_filter *filter)
{
    json_t *out = NULL;
    CN_TRY(cn_request_list(consult(http), cn_http_actor(http), filter, &out, cn_http_problem(http)));
    return cn_http_json(http, 200, out);
}

static cn_err list(cn_http *http)
{
    cn_request_filter filter;
    /* addresses stand in the logs of everything on the way */
    if (cn_http_query(http, "name"))
        return cn_problem_field(cn_http_problem(http), CN_WRONG_UNKNOWN, "name",
                                "names of patients belong into a body: POST /api/v1/requests/search");
    CN_TRY(read_filter(http, &filter));
    return answer_list(http, &filter);
}

static cn_err search(cn_http *http)
{
    cn_request_filter filter;
    CN_TRY(read_filter(http, &filter));
    CN_TRY(cn_json_line(cn_http_body_json(http), "name", true, 1, 60, &filter.name, cn_http_problem(http)));
    return answer_list(http, &filter);
}

static cn_err desk(cn_http *http)
{
    int64_t from = 0, to = 0;
    json_t *out = NULL;
    CN_TRY(cn_http_query_i64(http, "from", 0, INT64_MAX, 0, &from));
    CN_TRY(cn_http_query_i64(http, "to", 0, INT64_MAX, 0, &to));
    CN_TRY(cn_request_desk(consult(http), cn_http_actor(http), from, to, &out, cn_http_problem(http)));
    return cn_http_json(http, 200, out);
}

static cn_err busy(cn_http *http)
{
    const char *experts = cn_http_query(http, "experts"), *but = cn_http_query(http, "but");
    int64_t from = 0, to = 0;
    json_t *out = NULL;
    CN_TRY(cn_http_query_i64(http, "from", 0, INT64_MAX, 0, &from));
    CN_TRY(cn_http_query_i64(http, "to", 0, INT64_MAX, 0, &to));
    CN_TRY(cn_request_busy(consult(http), cn_http_actor(http), experts ? experts : "", from, to, but ? but : "", &out,
                           cn_http_problem(http)));
    return cn_http_json(http, 200, out);
}

static cn_err create(cn_http *http)
{
    char request[CN_ID_TEXT];
    cn_answer answer = {.read = cn_request_view};
    cn_err err = cn_request_create(consult(http), cn_http_actor(http), cn_http_body_json(http), request, &answer,
                                   cn_http_problem(http));
    if (err == CN_OK) cn_http_setf(http, "Location", "/api/v1/requests/%s", request);
    return answered(http, 201, err, &answer);
}

static cn_err show(cn_http *http)
{
    json_t *out = NULL;
    cn_err err = cn_request_get(consult(http), cn_http_actor(http), id(http), &out);
    if (err == CN_ERR_NOTFOUND)
        return cn_request_parted(consult(http), cn_http_actor(http), id(http), cn_http_problem(http));
    CN_TRY(err);
    return cn_http_json(http, 200, out);
}

static cn_err change(cn_http *http)
{
    cn_answer answer = {.read = cn_request_view};
    cn_err err = cn_request_update(consult(http), cn_http_actor(http), id(http), cn_http_body_json(http), &answer,
                                   cn_http_problem(http));
    return answered(http, 200, err, &answer);
}

static cn_err form_draft(cn_http *http)
{
    json_t *out = NULL;
    CN_TRY(cn_form_draft_get(consult(http), cn_http_actor(http), id(http), &out));
    return cn_http_json(http, 200, out);
}

static cn_err form_draft_set(cn_http *http)
{
    json_t *out = NULL;
    CN_TRY(cn_form_draft_set(consult(http), cn_http_actor(http), id(http), cn_http_body_json(http), &out,
                             cn_http_problem(http)));
    return cn_http_json(http, 200, out);
}

/* submit, return, reject … : the word of the path is the act. */
static cn_err act(cn_http *http)
{
    cn_answer answer = {.read = cn_request_view};
    cn_err err = cn_request_act(consult(http), cn_http_actor(http), id(http), cn_http_param(http, "action"),
                                cn_http_body_json(http), &answer, cn_http_problem(http));
    return answered(http, 200, err, &answer);
}

static cn_err room(cn_http *http)
{
    char name[CN_ID_TEXT];
    CN_TRY(cn_request_room(consult(http), cn_http_actor(http), id(http), name, cn_http_problem(http)));
    return cn_http_json(http, 200, json_pack("{s:s}", "room", name));
}

static cn_err messages(cn_http *http)
{
    cn_message_range range;
    json_t *out = NULL;
    CN_TRY(cn_http_query_i64(http, "after", 0, CN_MESSAGES_MAX, -1, &range.after));
    CN_TRY(cn_http_query_i64(http, "before", 1, CN_MESSAGES_MAX + 1, 0, &range.before));
    CN_TRY(cn_http_query_i64(http, "size", 1, CN_MESSAGES_PAGE, CN_MESSAGES_PAGE, &range.size));
    CN_TRY(cn_messages_of_request(consult(http), cn_http_actor(http), id(http), &range, &out));
    return cn_http_json(http, 200, out);
}

static cn_err report(cn_http *http)
{
    json_t *out = NULL;
    CN_TRY(cn_report_get(consult(http), cn_http_actor(http), id(http), &out));
    return cn_http_json(http, 200, out);
}

static cn_err versions(cn_http *http)
{
    json_t *list = NULL;
    CN_TRY(cn_report_versions(consult(http), cn_http_actor(http), id(http), &list));
    return cn_http_json(http, 200, json_pack("{s:o}", "versions", list));
}

static cn_pdf_style paper(cn_http *http)
{
    return (cn_pdf_style){.title = cn_app_config_str(cn_http_app(http), "report", "title"),
                          .zone_minutes = consult(http)->zone_minutes};
}

static cn_err report_pdf(cn_http *http)
{
    const char *version = cn_http_query(http, "version");
    bool released = version && strcmp(version, "signed") == 0;
    const cn_pdf_style style = paper(http);
    char number[24];
    cn_buf pdf = {0};
    if (version && !released)
        return cn_problem_field(cn_http_problem(http), CN_WRONG_FORMAT, "version", "knows only \"signed\"");
    cn_err err = cn_report_print(consult(http), cn_http_actor(http), id(http), released, &style, number, &pdf,
                                 cn_http_problem(http));
    if (err == CN_OK) {
        cn_http_setf(http, "Content-Disposition", "inline; filename=\"report-%s.pdf\"", number);
        err = cn_http_bytes(http, 200, "application/pdf", pdf.p, pdf.n, free, pdf.p);
        pdf = (cn_buf){0}; /* the answer's now */
    }
    cn_buf_free(&pdf);
    return err;
}

static cn_err unprintable(cn_http *http)
{
    const cn_pdf_style style = paper(http);
    json_t *list = NULL;
    CN_TRY(cn_report_unprintable(consult(http), cn_http_actor(http), id(http), &style, &list, cn_http_problem(http)));
    return cn_http_json(http, 200, json_pack("{s:o}", "unprintable", list));
}

static cn_err draft(cn_http *http)
{
    int64_t revision = 0;
    CN_TRY(cn_report_draft(consult(http), cn_http_actor(http), id(http), cn_http_body_json(http), &revision,
                           cn_http_problem(http)));
    return cn_http_json(http, 200, json_pack("{s:I}", "revision", (json_int_t)revision));
}

static cn_err sign(cn_http *http)
{
    cn_answer answer = {.read = cn_request_view};
    cn_err err = cn_report_sign(consult(http), cn_http_actor(http), id(http), cn_http_body_json(http), &answer,
                                cn_http_problem(http));
    return answered(http, 200, err, &answer);
}

static cn_err discard(cn_http *http)
{
    cn_answer answer = {.read = cn_request_view};
    cn_err err = cn_report_discard(consult(http), cn_http_actor(http), id(http), cn_http_body_json(http), &answer,
                                   cn_http_problem(http));
    return answered(http, 200, err, &answer);
}

static cn_err opinion(cn_http *http)
{
    cn_answer answer = {.read = cn_request_view};
    cn_err err = cn_opinion_add(consult(http), cn_http_actor(http), id(http), cn_http_body_json(http), &answer,
                                cn_http_problem(http));
    return answered(http, 200, err, &answer);
}

static cn_err record(cn_http *http)
{
    cn_answer answer = {.read = cn_request_view};
    cn_err err = cn_record_set(consult(http), cn_http_actor(http), id(http), cn_http_body_json(http), &answer,
                               cn_http_problem(http));
    return answered(http, 200, err, &answer);
}

static cn_err seen(cn_http *http)
{
    cn_answer answer = {.read = cn_request_view};
    cn_err err = cn_report_seen(consult(http), cn_http_actor(http), id(http), cn_http_body_json(http), &answer,
                                cn_http_problem(http));
    return answered(http, 200, err, &answer);
}

static cn_err typed(cn_http *http, const char *kind)
{
    json_t *out = NULL;
    CN_TRY(cn_typed_get(consult(http), cn_http_actor(http), id(http), kind, &out));
    return cn_http_json(http, 200, out);
}

static cn_err typed_set(cn_http *http, const char *kind)
{
    json_t *out = NULL;
    CN_TRY(cn_typed_set(consult(http), cn_http_actor(http), id(http), kind, cn_http_body_json(http), &out,
                        cn_http_problem(http)));
    return cn_http_json(http, 200, out);
}

static cn_err opinion_draft(cn_http *http)
{
    return typed(http, CN_TYPED_OPINION);
}

static cn_err opinion_draft_set(cn_http *http)
{
    return typed_set(http, CN_TYPED_OPINION);
}

static cn_err record_draft(cn_http *http)
{
    return typed(http, CN_TYPED_RECORD);
}

static cn_err record_draft_set(cn_http *http)
{
    return typed_set(http, CN_TYPED_RECORD);
}

/* The month that was asked for, or the present one: where days begin is the installation's to say, not the browser's. */
static const char *month_asked(cn_http *http, char present[CN_MONTH_TEXT])
{
    const char *month = cn_http_query(http, "month");
    cn_month_name(cn_wall_ms(), consult(http)->zone_minutes, present);
    return month ? month : present;
}

static cn_err minutes(cn_http *http)
{
    char present[CN_MONTH_TEXT];
    const char *by = cn_http_query(http, "by");
    json_t *out = NULL;
    const cn_app *app = cn_http_app(http);
    CN_TRY(cn_minutes_month(consult(http), cn_http_actor(http), month_asked(http, present), by ? by : "room",
                            cn_app_config_int(app, "minutes", "quota"), cn_app_config_str(app, "minutes", "rule"), &out,
                            cn_http_problem(http)));
    return cn_http_json(http, 200, out);
}

static cn_err segments(cn_http *http)
{
    char present[CN_MONTH_TEXT];
    cn_segment_filter filter = {
        .month = month_asked(http, present), .room = cn_http_query(http, "room"), .user = cn_http_query(http, "user")};
    int64_t page = 1, size = 50;
    json_t *out = NULL;
    CN_TRY(cn_http_query_i64(http, "page", 1, 100000, 1, &page));
    CN_TRY(cn_http_query_i64(http, "size", 1, 200, 50, &size));
    filter.page = (unsigned)page;
    filter.size = (unsigned)size;
    CN_TRY(cn_minutes_segments(consult(http), cn_http_actor(http), &filter, &out, cn_http_problem(http)));
    return cn_http_json(http, 200, out);
}

const cn_route cn_request_routes[] = {
    {CN_GET, "/api/v1/requests", CN_WHO_ANY, list, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/requests/search", CN_WHO_ANY, search, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/desk", CN_WHO_ANY, desk, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/busy", CN_RIGHT_REQUEST_REVIEW, busy, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/requests", CN_RIGHT_REQUEST_CREATE, create, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/requests/{id}", CN_WHO_ANY, show, .body = CN_BODY_NONE},
    {CN_PUT, "/api/v1/requests/{id}", CN_RIGHT_REQUEST_CREATE, change, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/requests/{id}/draft", CN_RIGHT_REQUEST_CREATE, form_draft, .body = CN_BODY_NONE},
    {CN_PUT, "/api/v1/requests/{id}/draft", CN_RIGHT_REQUEST_CREATE, form_draft_set, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/requests/{id}/room", CN_WHO_ANY, room, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/requests/{id}/messages", CN_WHO_ANY, messages, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/requests/{id}/report", CN_WHO_ANY, report, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/requests/{id}/report.pdf", CN_WHO_ANY, report_pdf, .body = CN_BODY_NONE},
    {CN_PUT, "/api/v1/requests/{id}/report", CN_RIGHT_REPORT_WRITE, draft, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/requests/{id}/report/versions", CN_WHO_ANY, versions, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/requests/{id}/report/unprintable", CN_RIGHT_REPORT_WRITE, unprintable, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/requests/{id}/report/sign", CN_RIGHT_REPORT_WRITE, sign, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/requests/{id}/report/discard", CN_RIGHT_REPORT_WRITE, discard, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/requests/{id}/report/seen", CN_RIGHT_REQUEST_CREATE, seen, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/requests/{id}/opinion/draft", CN_RIGHT_REPORT_WRITE, opinion_draft, .body = CN_BODY_NONE},
    {CN_PUT, "/api/v1/requests/{id}/opinion/draft", CN_RIGHT_REPORT_WRITE, opinion_draft_set, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/requests/{id}/record/draft", CN_RIGHT_REQUEST_CREATE, record_draft, .body = CN_BODY_NONE},
    {CN_PUT, "/api/v1/requests/{id}/record/draft", CN_RIGHT_REQUEST_CREATE, record_draft_set, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/requests/{id}/opinion", CN_RIGHT_REPORT_WRITE, opinion, .body = CN_BODY_JSON},
    {CN_PUT, "/api/v1/requests/{id}/record", CN_RIGHT_REQUEST_CREATE, record, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/requests/{id}/{action}", CN_WHO_ANY, act, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/minutes", CN_RIGHT_MINUTES_READ, minutes, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/minutes/segments", CN_RIGHT_MINUTES_READ, segments, .body = CN_BODY_NONE},
    {.path = NULL},
};
