/* QIDO-RS over rows (PS3.18 §10.6): what is sealed is looked for by its keyed index. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/imaging/imaging_private.h"
#include "consult/imaging/match.h"

#define PARAMS 128
#define UIDS 50 /* in a list at most */

const char *const cn_study_tags[] = {"00080005", "00080020", "00080030", "00080050", "00080090", "00081030", "00100010",
                                     "00100020", "00100030", "00100040", "0020000D", "00200010", NULL};
const char *const cn_series_tags[] = {"00080005", "00080021", "00080031", "00080060", "0008103E",
                                      "00180015", "0020000E", "00200011", "00200060", NULL};

typedef struct search {
    cn_buf text;
    cn_val value[PARAMS];
    size_t n;
    char uid[3][UIDS][CN_UID];
    char from[9], to[9], patient[33], accession[33];
} search;

static size_t bind(search *own, cn_val value)
{
    if (own->n < PARAMS) own->value[own->n++] = value;
    return own->n;
}

/* ---- what is asked ---- */

static cn_err where_uids(search *own, const char *column, const char *list, char (*uid)[CN_UID], cn_problem *problem)
{
    size_t count = 0;
    if (!list) return CN_OK;
    cn_buf_fmt(&own->text, " AND %s IN (", column);
    for (const char *at = list; *at; count++) {
        size_t n = strcspn(at, ",\\");
        if (count == UIDS || n < 1 || n >= CN_UID || strspn(at, "0123456789.") < n)
            return cn_problem_set(problem, CN_ERR_INVALID, "UID", "must be at most %d UIDs of digits and dots", UIDS);
        memcpy(uid[count], at, n);
        uid[count][n] = '\0';
        cn_buf_fmt(&own->text, "%s$%zu", count ? ", " : "", bind(own, cn_text(uid[count])));
        at += n + (at[n] != '\0');
    }
    if (!count) return cn_problem_set(problem, CN_ERR_INVALID, "UID", "is empty");
    cn_buf_str(&own->text, ")");
    return CN_OK;
}

static bool day_of(const char *text, size_t n, char out[9])
{
    out[0] = '\0';
    if (n == 0) return true;
    if (n != 8 || strspn(text, "0123456789") < 8) return false;
    memcpy(out, text, 8);
    out[8] = '\0';
    return true;
}

static cn_err where_date(search *own, const char *date, cn_problem *problem)
{
    if (!date) return CN_OK;
    size_t n = strcspn(date, "-");
    const char *end = date[n] == '-' ? date + n + 1 : date;
    if (!day_of(date, n, own->from) || !day_of(end, strlen(end), own->to) || (!own->from[0] && !own->to[0]))
        return cn_problem_set(problem, CN_ERR_INVALID, "StudyDate", "must be YYYYMMDD, or two of them with - between");
    cn_buf_str(&own->text, " AND s.study_date <> ''");
    if (own->from[0]) cn_buf_fmt(&own->text, " AND s.study_date >= $%zu", bind(own, cn_text(own->from)));
    if (own->to[0]) cn_buf_fmt(&own->text, " AND s.study_date <= $%zu", bind(own, cn_text(own->to)));
    return CN_OK;
}

static void where_token(search *own, const cn_vault *vault, const char *domain, const char *column, const char *word,
                        char token[33])
{
    if (!word) return;
    cn_vault_token(vault, domain, word, token);
    cn_buf_fmt(&own->text, " AND s.%s = $%zu", column, bind(own, cn_text(token)));
}

/* The same requests that the list of requests shows him (consult/request/query). */
static void where_mine(search *own, const cn_actor *actor)
{
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_READ_ALL) || cn_actor_may(actor, CN_RIGHT_REQUEST_REVIEW)) return;
    size_t me = bind(own, cn_text(actor->user));
    cn_buf_fmt(&own->text, " AND s.request_id IN (SELECT q.id FROM requests q WHERE q.id = $%zu", me);
    if (cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE)) cn_buf_fmt(&own->text, " OR q.referrer_id = $%zu", me);
    if (cn_actor_may(actor, CN_RIGHT_REPORT_WRITE))
        cn_buf_fmt(&own->text,
                   " OR q.id IN (SELECT request_id FROM request_experts WHERE user_id = $%zu)"
                   " OR (q.urgent = 1 AND q.state IN ('UPLOADING', 'PENDING_REVIEW'))",
                   me);
    cn_buf_str(&own->text, ")");
}

static void where_modality(search *own, const cn_imaging_query *query)
{
    if (query->in_study)
        cn_buf_fmt(&own->text, " AND s.id IN (SELECT study_id FROM dicom_series WHERE modality = $%zu)",
                   bind(own, cn_text(query->in_study)));
    if (query->modality && query->level >= CN_IMAGING_SERIES)
        cn_buf_fmt(&own->text, " AND e.modality = $%zu", bind(own, cn_text(query->modality)));
}

static const char *const begins[] = {"SELECT s.id, s.tags_sealed, s.uid FROM dicom_studies s WHERE 1 = 1",
                                     "SELECT s.id, s.tags_sealed, s.uid, e.id, e.tags_sealed FROM dicom_series e JOIN "
                                     "dicom_studies s ON s.id = e.study_id "
                                     "WHERE 1 = 1",
                                     "SELECT s.id, s.tags_sealed, s.uid, e.id, e.tags_sealed, i.uid, i.sop_class, "
                                     "i.syntax, i.number, i.height, i.width, "
                                     "i.frames FROM dicom_instances i JOIN dicom_series e ON e.id = i.series_id JOIN "
                                     "dicom_studies s ON s.id = e.study_id "
                                     "WHERE i.conflict = 0"};
static const char *const orders[] = {"s.study_date DESC, s.id", "s.id, e.number, e.id",
                                     "s.id, e.number, e.id, i.number, i.id"};

static cn_err write_query(search *own, const cn_vault *vault, const cn_actor *actor, const cn_imaging_query *query,
                          cn_problem *problem)
{
    cn_buf_str(&own->text, begins[query->level]);
    CN_TRY(where_uids(own, "s.uid", query->study, own->uid[0], problem));
    if (query->level >= CN_IMAGING_SERIES) CN_TRY(where_uids(own, "e.uid", query->series, own->uid[1], problem));
    if (query->level == CN_IMAGING_INSTANCES) CN_TRY(where_uids(own, "i.uid", query->instance, own->uid[2], problem));
    CN_TRY(where_date(own, query->date, problem));
    where_token(own, vault, CN_DOMAIN_PATIENT, "patient_token", query->patient, own->patient);
    where_token(own, vault, CN_DOMAIN_ACCESSION, "accession_token", query->accession, own->accession);
    where_modality(own, query);
    where_mine(own, actor);
    /* what is sealed is looked at row by row, and pages are of what was found */
    unsigned limit = query->matches ? CN_IMAGING_LOOKED + 1 : query->limit + 1;
    unsigned offset = query->matches ? 0 : query->offset;
    cn_buf_fmt(&own->text, " ORDER BY %s LIMIT %u OFFSET %u", orders[query->level], limit, offset);
    return own->n == PARAMS ? CN_ERR_TOOBIG : own->text.err;
}

/* ---- what is answered ---- */

cn_err cn_imaging_unseal(const cn_vault *vault, const char *table, const cn_rows *rows, size_t col, json_t *item)
{
    char place[64];
    size_t n = 0;
    char *text = NULL;
    const void *sealed = cn_rows_blob(rows, col + 1, &n);
    if (!cn_fmt(place, sizeof(place), "%s.tags:%s", table, cn_rows_text(rows, col))) return CN_ERR_INVALID;
    CN_TRY(cn_vault_open_text(vault, place, sealed, n, &text));
    CN_AUTO_JSON json_t *tags = text ? json_loads(text, 0, NULL) : NULL;
    if (text) cn_free_secret(text, strlen(text));
    return tags && json_object_update(item, tags) == 0 ? CN_OK : CN_ERR_CORRUPT;
}

static void add_text(json_t *item, const char *tag, const char *vr, const char *text)
{
    json_object_set_new(item, tag, json_pack("{s:s, s:[s]}", "vr", vr, "Value", text));
}

static void add_number(json_t *item, const char *tag, const char *vr, int64_t number)
{
    json_object_set_new(item, tag, json_pack("{s:s, s:[I]}", "vr", vr, "Value", (json_int_t)number));
}

static void add_instance(const cn_rows *rows, json_t *item)
{
    add_text(item, "00080018", "UI", cn_rows_text(rows, 5));
    add_text(item, "00080016", "UI", cn_rows_text(rows, 6));
    add_text(item, "00083002", "UI", cn_rows_text(rows, 7));
    add_number(item, "00200013", "IS", cn_rows_int(rows, 8));
    if (!cn_rows_int(rows, 11)) return;
    add_number(item, "00280010", "US", cn_rows_int(rows, 9));
    add_number(item, "00280011", "US", cn_rows_int(rows, 10));
    add_number(item, "00280008", "IS", cn_rows_int(rows, 11));
}

static cn_err add_counts(cn_conn *conn, const char *study, json_t *item)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    json_t *kinds = json_array();
    int64_t series = 0, instances = 0;
    json_object_set_new(item, "00080061", json_pack("{s:s, s:o}", "vr", "CS", "Value", kinds));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT e.modality, COUNT(DISTINCT e.id), COUNT(DISTINCT i.uid) FROM dicom_series e JOIN "
                       "dicom_instances i ON i.series_id = e.id WHERE e.study_id = $1 GROUP BY e.modality ORDER BY "
                       "e.modality",
                       cn_text(study)));
    while (cn_rows_next(rows)) {
        if (*cn_rows_text(rows, 0)) json_array_append_new(kinds, json_string(cn_rows_text(rows, 0)));
        series += cn_rows_int(rows, 1);
        instances += cn_rows_int(rows, 2);
    }
    add_number(item, "00201206", "IS", series);
    add_number(item, "00201208", "IS", instances);
    return CN_OK;
}

static cn_err open_row(cn_consult *consult, cn_imaging_level level, const cn_rows *rows, json_t *item)
{
    CN_TRY(cn_imaging_unseal(consult->vault, "dicom_studies", rows, 0, item));
    if (level >= CN_IMAGING_SERIES) CN_TRY(cn_imaging_unseal(consult->vault, "dicom_series", rows, 3, item));
    if (level == CN_IMAGING_INSTANCES) add_instance(rows, item);
    return CN_OK;
}

static bool is_asked_for(const cn_imaging_query *query, const json_t *item)
{
    for (size_t i = 0; i < query->matches; i++)
        if (!cn_dicom_matches(item, query->match[i].tag, query->match[i].asked)) return false;
    return true;
}

typedef struct answer {
    json_t *list;
    unsigned passed; /* of the offset */
    bool full;       /* there is one more than was asked for */
} answer;

static cn_err add_row(cn_consult *consult, cn_conn *conn, const cn_imaging_query *query, const cn_rows *rows,
                      answer *out)
{
    CN_AUTO_JSON json_t *item = json_object();
    if (!item) return CN_ERR_NOMEM;
    CN_TRY(open_row(consult, query->level, rows, item));
    if (!is_asked_for(query, item)) return CN_OK;
    if (query->matches && out->passed < query->offset) {
        out->passed++;
        return CN_OK;
    }
    if (json_array_size(out->list) == query->limit) {
        out->full = true;
        return CN_OK;
    }
    if (query->level == CN_IMAGING_STUDIES) CN_TRY(add_counts(conn, cn_rows_text(rows, 0), item));
    return json_array_append(out->list, item) == 0 ? CN_OK : CN_ERR_NOMEM;
}

static cn_err run(cn_consult *consult, search *own, const cn_imaging_query *query, json_t *list, bool *more,
                  cn_problem *problem)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    answer out = {.list = list};
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query_v(conn, &rows, own->text.p, own->value, own->n));
    for (unsigned looked = 0; !out.full && cn_rows_next(rows); looked++) {
        if (looked == CN_IMAGING_LOOKED)
            return cn_problem_set(problem, CN_ERR_TOOBIG, "query",
                                  "more than %d are searched through: ask for a StudyDate or a UID as well",
                                  CN_IMAGING_LOOKED);
        CN_TRY(add_row(consult, conn, query, rows, &out));
    }
    *more = out.full;
    return CN_OK;
}

cn_err cn_imaging_search(cn_consult *consult, const cn_actor *actor, const cn_imaging_query *query, json_t **out,
                         bool *more, cn_problem *problem)
{
    CN_AUTO_FREE search *own = CN_NEW(search);
    CN_AUTO_JSON json_t *list = json_array();
    if (!own || !list) return CN_ERR_NOMEM;
    cn_err err = write_query(own, consult->vault, actor, query, problem);
    if (err == CN_OK) err = run(consult, own, query, list, more, problem);
    cn_buf_free(&own->text);
    if (err == CN_OK) *out = json_incref(list);
    return err;
}
