#include "consult/paper/pdf.h"

#include "base/json.h"
#include "base/mem.h"
#include "consult/paper/press.h"
#include "consult/request/request.h"

static json_t *job_of(const json_t *request, const cn_pdf_style *style)
{
    const json_t *report = json_object_get(request, "report"), *patient = json_object_get(request, "patient");
    const json_t *at = json_object_get(report, "signed_at");
    if (!json_is_integer(at)) at = json_object_get(report, "updated_at");
    const char *birth = json_string_value(json_object_get(patient, "birth_date"));
    int age = cn_request_age(birth ? birth : "", json_integer_value(at), style->zone_minutes);
    int days = cn_request_age_days(birth ? birth : "", json_integer_value(at), style->zone_minutes);
    return json_pack("{s:O, s:s, s:i, s:i, s:i}", "request", request, "title", style->title, "zone_minutes",
                     style->zone_minutes, "age", age, "age_days", days);
}

cn_err cn_pdf_report(const json_t *request, const cn_pdf_style *style, cn_buf *out)
{
    if (!json_is_object(json_object_get(request, "report"))) return CN_ERR_STATE;
    CN_AUTO_JSON json_t *job = job_of(request, style);
    return job ? cn_press(job, out) : CN_ERR_NOMEM;
}

cn_err cn_pdf_unprintable(const json_t *request, const cn_pdf_style *style, json_t **out)
{
    cn_buf text = {0};
    if (!json_is_object(json_object_get(request, "report"))) return CN_ERR_STATE;
    CN_AUTO_JSON json_t *job = job_of(request, style);
    if (!job || json_object_set_new(job, "unprintable", json_true()) < 0) return CN_ERR_NOMEM;
    cn_err err = cn_press(job, &text);
    if (err == CN_OK) {
        *out = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
        if (!*out) err = CN_ERR_PARSE;
    }
    cn_buf_free(&text);
    return err;
}
