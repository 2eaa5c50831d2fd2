#include "viewer/ecg/reader/form.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "viewer/ecg/reader/trend.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "samples are written as they lie in memory");

static json_t *leads_json(const cn_ecg_leads *leads)
{
    json_t *list = json_array();
    for (size_t i = 0; i < leads->n; i++) {
        const cn_ecg_lead *lead = &leads->lead[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:I, s:f}", "name", lead->name, "first", (json_int_t)lead->first,
                                        "count", (json_int_t)lead->count, "step", lead->step));
    }
    return list;
}

static json_t *measured_json(const cn_ecg_measured *measured)
{
    const struct {
        const char *name;
        double value;
    } values[] = {{"rate", measured->rate}, {"pr", measured->pr},   {"qrs", measured->qrs},
                  {"qt", measured->qt},     {"qtc", measured->qtc}, {"axis", measured->axis}};
    json_t *json = json_object();
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (isfinite(values[i].value)) json_object_set_new(json, values[i].name, json_real(values[i].value));
    return json;
}

static json_t *trend_json(const cn_ecg *ecg)
{
    json_t *list = json_array();
    CN_AUTO_FREE cn_ecg_trend *trend = CN_NEW(cn_ecg_trend);
    if (!trend || cn_ecg_trend_make(ecg, trend) != CN_OK) return list;
    for (size_t i = 0; i < trend->n; i++)
        json_array_append_new(
            list, json_pack("[f, f]", round(trend->point[i].second * 10) / 10, round(trend->point[i].rate * 10) / 10));
    return list;
}

static json_t *head_json(const cn_ecg *ecg)
{
    json_t *filters = json_array(), *statements = json_array();
    for (size_t i = 0; i < sizeof(ecg->filter) / sizeof(ecg->filter[0]) && ecg->filter[i][0]; i++)
        json_array_append_new(filters, json_string(ecg->filter[i]));
    for (size_t i = 0; i < ecg->statements; i++) json_array_append_new(statements, json_string(ecg->statement[i]));
    json_t *head = json_pack("{s:f, s:o, s:s, s:s, s:o, s:o, s:o, s:b, s:o}", "rate", ecg->rhythm.rate, "leads",
                             leads_json(&ecg->rhythm), "acquired", ecg->acquired, "device", ecg->device, "filters",
                             filters, "statements", statements, "measured", measured_json(&ecg->measured), "calibrated",
                             (int)ecg->calibrated, "trend", trend_json(ecg));
    if (head && ecg->median.n)
        json_object_set_new(head, "median",
                            json_pack("{s:f, s:o}", "rate", ecg->median.rate, "leads", leads_json(&ecg->median)));
    return head;
}

static cn_err write_samples(int fd, const cn_ecg_leads *leads)
{
    for (size_t i = 0; i < leads->n; i++)
        CN_TRY(cn_write_all(fd, leads->lead[i].samples, leads->lead[i].count * sizeof(int16_t)));
    return CN_OK;
}

static cn_err write_head(int fd, const cn_ecg *ecg)
{
    CN_AUTO_JSON json_t *head = head_json(ecg);
    CN_AUTO_FREE char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;
    if (!text) return CN_ERR_NOMEM;
    size_t len = strlen(text);
    uint8_t front[16] = "CNECG001";
    uint32_t even = (uint32_t)(len + len % 2);
    memcpy(front + 8, &even, sizeof(even));
    CN_TRY(cn_write_all(fd, front, sizeof(front)));
    CN_TRY(cn_write_all(fd, text, len));
    return cn_write_all(fd, " ", len % 2);
}

cn_err cn_ecg_form_write(const char *path, const cn_ecg *ecg)
{
    CN_AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return cn_err_from_errno(errno);
    CN_TRY(write_head(fd, ecg));
    CN_TRY(write_samples(fd, &ecg->rhythm));
    return write_samples(fd, &ecg->median);
}
