/* Files become rows, and rows are found again by those who may see them. */
#include "consult/imaging/imaging.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/imaging/imaging_private.h"
#include "consult/scope.h"

const char *cn_dicom_json_text(const json_t *tags, const char *tag)
{
    const char *text = json_string_value(json_array_get(json_object_get(json_object_get(tags, tag), "Value"), 0));
    return text ? text : "";
}

static int64_t number_of(const json_t *tags, const char *tag)
{
    const json_t *value = json_array_get(json_object_get(json_object_get(tags, tag), "Value"), 0);
    return json_is_number(value) ? (int64_t)json_number_value(value) : 0;
}

/* ---- whose request ---- */

static cn_err may_add(cn_conn *conn, const cn_actor *actor, const char *request, cn_problem *problem)
{
    cn_request_scope scope;
    cn_state next;
    CN_TRY(cn_request_scope_get(conn, actor, request, &scope));
    cn_err err = cn_state_next("upload", scope.state, scope.urgent, scope.parts, &next);
    if (err == CN_ERR_STATE)
        return cn_problem_set(problem, err, "request", "images cannot be added while the request is %s",
                              cn_state_name(scope.state));
    return err == CN_OK ? CN_OK : cn_problem_set(problem, err, "request", "you may not add images to this request");
}

static cn_err by_number(cn_conn *conn, const char *number, char request[CN_ID_TEXT])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT id FROM requests WHERE number = $1", cn_text(number)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    cn_strcpy(request, CN_ID_TEXT, cn_rows_text(rows, 0));
    return CN_OK;
}

cn_err cn_imaging_request(cn_consult *consult, const cn_actor *actor, const char *number, char request[CN_ID_TEXT],
                          cn_problem *problem)
{
    char object[48];
    cn_err err;
    {
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_TRY(cn_conn_acquire(consult->db, &conn));
        err = by_number(conn, number, request);
        if (err == CN_OK) err = may_add(conn, actor, request, problem);
    }
    if (err != CN_ERR_NOTFOUND && err != CN_ERR_FORBIDDEN) return err;
    cn_fmt(object, sizeof(object), "request:%.24s", number);
    cn_audit_note(consult, actor, "study.store", object, "denied", NULL);
    return err == CN_ERR_NOTFOUND ? cn_problem_set(problem, err, "request", "there is no such request of yours") : err;
}

/* ---- storing ---- */

typedef struct work {
    cn_consult *consult;
    cn_conn *conn;
    const cn_actor *actor;
    const char *request;
} work;

static cn_err seal_tags(work *job, const char *table, const char *id, const json_t *tags, const char *const *names,
                        void **out, size_t *len)
{
    char place[64];
    CN_AUTO_JSON json_t *kept = json_object();
    for (; *names; names++) {
        json_t *value = json_object_get(tags, *names);
        if (value) json_object_set(kept, *names, value);
    }
    CN_AUTO_FREE char *text = json_dumps(kept, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text) return CN_ERR_NOMEM;
    if (!cn_fmt(place, sizeof(place), "%s.tags:%s", table, id)) return CN_ERR_INVALID;
    return cn_vault_seal(job->consult->vault, place, text, out, len);
}

static void token_of(const work *job, const char *domain, const char *text, char out[33])
{
    *out = '\0';
    if (*text) cn_vault_token(job->consult->vault, domain, text, out);
}

static cn_err id_of(cn_rows *rows, char id[CN_ID_TEXT])
{
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    cn_strcpy(id, CN_ID_TEXT, cn_rows_text(rows, 0));
    return CN_OK;
}

static cn_err study_row(work *job, const cn_instance_new *fresh, char id[CN_ID_TEXT])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_AUTO_FREE void *sealed = NULL;
    size_t len = 0;
    char patient[33], accession[33];
    CN_TRY(cn_db_query(job->conn, &rows, "SELECT id FROM dicom_studies WHERE uid = $1 AND request_id = $2",
                       cn_text(fresh->study), cn_text(job->request)));
    if (id_of(rows, id) == CN_OK) return CN_OK;
    cn_id_new(id);
    token_of(job, CN_DOMAIN_PATIENT, cn_dicom_json_text(fresh->tags, "00100020"), patient);
    token_of(job, CN_DOMAIN_ACCESSION, cn_dicom_json_text(fresh->tags, "00080050"), accession);
    CN_TRY(seal_tags(job, "dicom_studies", id, fresh->tags, cn_study_tags, &sealed, &len));
    return cn_db_exec(job->conn, NULL,
                      "INSERT INTO dicom_studies (id, request_id, uid, study_date, patient_token, accession_token, "
                      "tags_sealed, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                      cn_text(id), cn_text(job->request), cn_text(fresh->study),
                      cn_text(cn_dicom_json_text(fresh->tags, "00080020")), cn_text(patient), cn_text(accession),
                      cn_blob(sealed, len), cn_int(cn_wall_ms()));
}

static cn_err series_row(work *job, const cn_instance_new *fresh, const char *study, char id[CN_ID_TEXT])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_AUTO_FREE void *sealed = NULL;
    size_t len = 0;
    CN_TRY(cn_db_query(job->conn, &rows, "SELECT id FROM dicom_series WHERE study_id = $1 AND uid = $2", cn_text(study),
                       cn_text(fresh->series)));
    if (id_of(rows, id) == CN_OK) return CN_OK;
    cn_id_new(id);
    CN_TRY(seal_tags(job, "dicom_series", id, fresh->tags, cn_series_tags, &sealed, &len));
    return cn_db_exec(job->conn, NULL,
                      "INSERT INTO dicom_series (id, study_id, uid, modality, number, tags_sealed) VALUES ($1, $2, $3, "
                      "$4, $5, $6)",
                      cn_text(id), cn_text(study), cn_text(fresh->series),
                      cn_text(cn_dicom_json_text(fresh->tags, "00080060")), cn_int(number_of(fresh->tags, "00200011")),
                      cn_blob(sealed, len));
}

/* What is there under the UID already: the same file, or another. */
static cn_err look_for(work *job, const char *series, cn_instance_new *fresh)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(job->conn, &rows, "SELECT sha256 FROM dicom_instances WHERE series_id = $1 AND uid = $2",
                       cn_text(series), cn_text(fresh->instance)));
    fresh->known = fresh->conflict = false;
    while (cn_rows_next(rows)) {
        if (strcmp(cn_rows_text(rows, 0), fresh->sha256) == 0)
            fresh->known = true;
        else
            fresh->conflict = true;
    }
    return CN_OK;
}

static cn_err instance_row(work *job, cn_instance_new *fresh)
{
    char study[CN_ID_TEXT], series[CN_ID_TEXT], id[CN_ID_TEXT];
    CN_TRY(study_row(job, fresh, study));
    CN_TRY(series_row(job, fresh, study, series));
    CN_TRY(look_for(job, series, fresh));
    if (fresh->known) return CN_OK;
    cn_id_new(id);
    return cn_db_exec(job->conn, NULL,
                      "INSERT INTO dicom_instances (id, series_id, uid, sop_class, syntax, number, height, width, "
                      "frames, sha256, size, conflict, uploaded_by, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, "
                      "$8, $9, $10, $11, $12, $13, $14)",
                      cn_text(id), cn_text(series), cn_text(fresh->instance), cn_text(fresh->sop_class),
                      cn_text(fresh->syntax), cn_int(number_of(fresh->tags, "00200013")), cn_int(fresh->rows),
                      cn_int(fresh->columns), cn_int(fresh->frames), cn_text(fresh->sha256), cn_int(fresh->size),
                      cn_int(fresh->conflict), cn_text(job->actor->user), cn_int(cn_wall_ms()));
}

cn_err cn_imaging_store(cn_consult *consult, const cn_actor *actor, const char *request, cn_instance_new *list,
                        size_t count, cn_problem *problem)
{
    cn_act act;
    char object[48];
    if (count > CN_IMAGING_BATCH) return CN_ERR_TOOBIG;
    CN_TRY(cn_act_begin(&act, consult, actor));
    work job = {.consult = consult, .conn = act.conn, .actor = actor, .request = request};
    cn_err err = may_add(act.conn, actor, request, problem);
    for (size_t i = 0; i < count && err == CN_OK; i++) err = instance_row(&job, &list[i]);
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    return cn_act_end(&act, err, "study.store", object, NULL);
}

/* ---- finding ---- */

#define FROM_INSTANCES \
    " FROM dicom_instances i JOIN dicom_series e ON e.id = i.series_id JOIN dicom_studies s ON s.id = e.study_id "

/* Of all requests that have this study, the first that is the actor's to read. */
static cn_err readable(cn_conn *conn, const cn_actor *actor, const char *uid, char study[CN_ID_TEXT])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT id, request_id FROM dicom_studies WHERE uid = $1 ORDER BY created_ms DESC, id",
                       cn_text(uid)));
    while (cn_rows_next(rows)) {
        cn_request_scope scope;
        cn_err err = cn_request_scope_get(conn, actor, cn_rows_text(rows, 1), &scope);
        if (err == CN_ERR_NOTFOUND) continue;
        if (err == CN_OK) cn_strcpy(study, CN_ID_TEXT, cn_rows_text(rows, 0));
        return err;
    }
    return CN_ERR_NOTFOUND;
}

static void fill(const cn_rows *rows, cn_instance *out)
{
    cn_strcpy(out->series, sizeof(out->series), cn_rows_text(rows, 0));
    cn_strcpy(out->uid, sizeof(out->uid), cn_rows_text(rows, 1));
    cn_strcpy(out->sop_class, sizeof(out->sop_class), cn_rows_text(rows, 2));
    cn_strcpy(out->syntax, sizeof(out->syntax), cn_rows_text(rows, 3));
    cn_strcpy(out->sha256, sizeof(out->sha256), cn_rows_text(rows, 4));
    out->frames = (uint32_t)cn_rows_int(rows, 5);
}

static cn_err load(cn_conn *conn, const char *study, const char *series, const char *instance, cn_instance **out,
                   size_t *count)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT e.uid, i.uid, i.sop_class, i.syntax, i.sha256, i.frames" FROM_INSTANCES
                       "WHERE s.id = $1 AND i.conflict = 0 AND ($2 = '' OR e.uid = $2) AND ($3 = '' OR i.uid = $3) "
                       "ORDER BY e.number, e.uid, i.number, i.uid",
                       cn_text(study), cn_text(series), cn_text(instance)));
    size_t n = cn_rows_count(rows);
    if (n == 0) return CN_ERR_NOTFOUND;
    cn_instance *list = cn_calloc(n, sizeof(*list));
    if (!list) return CN_ERR_NOMEM;
    for (size_t i = 0; i < n && cn_rows_next(rows); i++) fill(rows, &list[i]);
    *out = list;
    *count = n;
    return CN_OK;
}

cn_err cn_imaging_find(cn_consult *consult, const cn_actor *actor, const char *study, const char *series,
                       const char *instance, const char *action, cn_instance **out, size_t *count)
{
    char id[CN_ID_TEXT], object[96];
    cn_instance *list = NULL;
    cn_err err;
    cn_fmt(object, sizeof(object), "study:%.64s", study);
    {
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_TRY(cn_conn_acquire(consult->db, &conn));
        err = readable(conn, actor, study, id);
        if (err == CN_OK) err = load(conn, id, series, instance, &list, count);
    }
    if (err == CN_OK && action) {
        /* a read that cannot be written to the audit log is not given out */
        const cn_audit_row row = {
            .actor = actor->user, .action = action, .object = object, .outcome = "ok", .address = actor->address};
        err = cn_chain_audit(consult->audit, &row);
    } else if (err == CN_ERR_NOTFOUND) {
        cn_audit_note(consult, actor, "study.read", object, "denied", NULL);
    }
    if (err == CN_OK)
        *out = list;
    else
        free(list);
    return err;
}

/* ---- what a request has ---- */

static cn_err modalities(cn_conn *conn, const char *study, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT DISTINCT modality FROM dicom_series WHERE study_id = $1 ORDER BY modality",
                       cn_text(study)));
    json_t *list = json_array();
    while (cn_rows_next(rows))
        if (*cn_rows_text(rows, 0)) json_array_append_new(list, json_string(cn_rows_text(rows, 0)));
    *out = list;
    return list ? CN_OK : CN_ERR_NOMEM;
}

/* The middle one of what has pixels says the most. */
static cn_err picture_of(cn_conn *conn, const char *id, const char *study, char *out, size_t size)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    *out = '\0';
    CN_TRY(
        cn_db_query(conn, &rows,
                    "SELECT e.uid, i.uid" FROM_INSTANCES "WHERE s.id = $1 AND i.conflict = 0 AND i.frames > 0 AND "
                    "i.height > 0 ORDER BY e.number, e.uid, i.number, i.uid LIMIT 1 OFFSET (SELECT COUNT(*) / 2 FROM "
                    "dicom_instances j JOIN dicom_series f ON f.id = j.series_id WHERE f.study_id = $1 AND "
                    "j.conflict = 0 AND j.frames > 0 AND j.height > 0)",
                    cn_text(id)));
    if (cn_rows_next(rows))
        cn_fmt(out, size, "/dicom-web/studies/%s/series/%s/instances/%s/thumbnail", study, cn_rows_text(rows, 0),
               cn_rows_text(rows, 1));
    return CN_OK;
}

static cn_err study_item(cn_consult *consult, cn_conn *conn, const cn_rows *rows, json_t **out)
{
    char picture[300];
    json_t *kinds = NULL;
    CN_AUTO_JSON json_t *tags = json_object();
    CN_TRY(cn_imaging_unseal(consult->vault, "dicom_studies", rows, 0, tags));
    CN_TRY(picture_of(conn, cn_rows_text(rows, 0), cn_rows_text(rows, 2), picture, sizeof(picture)));
    CN_TRY(modalities(conn, cn_rows_text(rows, 0), &kinds));
    *out = json_pack("{s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:s}", "uid", cn_rows_text(rows, 2), "date",
                     cn_rows_text(rows, 3), "description", cn_dicom_json_text(tags, "00081030"), "modalities", kinds,
                     "series", (json_int_t)cn_rows_int(rows, 4), "instances", (json_int_t)cn_rows_int(rows, 5),
                     "conflicts", (json_int_t)cn_rows_int(rows, 6), "picture", picture);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_imaging_list(cn_consult *consult, cn_conn *conn, const char *request, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_AUTO_JSON json_t *list = json_array();
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT s.id, s.tags_sealed, s.uid, s.study_date, COUNT(DISTINCT e.id), COUNT(DISTINCT i.uid), "
                       "CAST(SUM(i.conflict) AS BIGINT)" FROM_INSTANCES
                       "WHERE s.request_id = $1 GROUP BY s.id, s.tags_sealed, s.uid, s.study_date, s.created_ms ORDER "
                       "BY s.study_date DESC, s.created_ms, s.id",
                       cn_text(request)));
    while (cn_rows_next(rows)) {
        json_t *one = NULL;
        CN_TRY(study_item(consult, conn, rows, &one));
        if (json_array_append_new(list, one) < 0) return CN_ERR_NOMEM;
    }
    *out = json_incref(list);
    return CN_OK;
}
