/* QIDO-RS and WADO-RS (PS3.18 §10.4, §10.6). Whose request a study is of is asked for every read. */
#include "signaling/api/dicom.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/imaging/imaging.h"
#include "consult/imaging/match.h"
#include "signaling/api/api.h"
#include "signaling/api/dicom_accept.h"
#include "signaling/api/dicom_frames.h"
#include "signaling/api/parcel.h"
#include "signaling/app.h"

#define SIDE 4096       /* pixels a side of a rendered picture at most */
#define BULK (64 << 20) /* bytes of one bulk value at most */

static cn_consult *consult(cn_http *http)
{
    return cn_app_consult(cn_http_app(http));
}

void cn_dicom_base(const cn_http *http, char *out, size_t size)
{
    const char *host = cn_http_header(http, "host");
    if (!cn_fmt(out, size, "%s://%s/dicom-web", cn_http_secure(http) ? "https" : "http", host ? host : "localhost"))
        cn_strcpy(out, size, "/dicom-web");
}

cn_err cn_dicom_json(cn_http *http, int status, const json_t *body)
{
    CN_AUTO_FREE char *text = json_dumps(body, JSON_COMPACT);
    return text ? cn_http_text(http, status, "application/dicom+json", text, strlen(text)) : CN_ERR_NOMEM;
}

/* ---- QIDO-RS ---- */

typedef struct key {
    const char *name, *tag;
} key;

static const char *match(cn_http *http, key asked)
{
    const char *value = cn_http_query(http, asked.name);
    return value ? value : cn_http_query(http, asked.tag);
}

/* By what rows are found before anything sealed is opened, and what says how to answer. */
static const char *const by_rows[] = {
    "StudyInstanceUID", "0020000D",     "SeriesInstanceUID", "0020000E",  "SOPInstanceUID",
    "00080018",         "StudyDate",    "00080020",          "PatientID", "00100020",
    "AccessionNumber",  "00080050",     "ModalitiesInStudy", "00080061",  "Modality",
    "00080060",         "includefield", "fuzzymatching",     "limit",     "offset"};

/* A filter that nobody applies would answer with other people's images: what is not here is refused. */
static cn_err add_match(cn_http *http, const char *name, cn_imaging_query *query)
{
    const char *tag = cn_dicom_key(name, query->level), *asked = cn_http_query(http, name);
    if (!tag || query->matches == CN_IMAGING_MATCHES)
        return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "query", "cannot be searched by that");
    if (!cn_dicom_askable(tag, asked))
        return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "query", "(%.4s,%.4s) cannot be matched with that",
                              tag, tag + 4);
    query->match[query->matches++] = (cn_imaging_match){tag, asked};
    return CN_OK;
}

static cn_err read_matches(cn_http *http, cn_imaging_query *query)
{
    const char *name;
    for (size_t i = 0; (name = cn_http_query_name(http, i)); i++) {
        size_t k = 0, n = sizeof(by_rows) / sizeof(by_rows[0]);
        while (k < n && strcmp(by_rows[k], name) != 0) k++;
        if (k == n) CN_TRY(add_match(http, name, query));
    }
    return CN_OK;
}

/* A whole value is found by its index; with wildcards rows are opened. */
static cn_err whole_or_wild(cn_http *http, key asked, cn_imaging_query *query, const char **whole)
{
    const char *value = match(http, asked);
    if (!value || !*value) return CN_OK;
    if (!cn_dicom_is_wild(value)) {
        *whole = value;
        return CN_OK;
    }
    return add_match(http, cn_http_query(http, asked.name) ? asked.name : asked.tag, query);
}

static const char *uid_of(cn_http *http, const char *param, key asked)
{
    const char *path = cn_http_param(http, param);
    return *path ? path : match(http, asked);
}

static cn_err read_query(cn_http *http, cn_imaging_level level, cn_imaging_query *out)
{
    int64_t limit, offset;
    CN_TRY(cn_http_query_i64(http, "limit", 1, CN_IMAGING_PAGE, 200, &limit));
    CN_TRY(cn_http_query_i64(http, "offset", 0, 100000000, 0, &offset));
    *out = (cn_imaging_query){.level = level,
                              .study = uid_of(http, "study", (key){"StudyInstanceUID", "0020000D"}),
                              .series = uid_of(http, "series", (key){"SeriesInstanceUID", "0020000E"}),
                              .instance = match(http, (key){"SOPInstanceUID", "00080018"}),
                              .date = match(http, (key){"StudyDate", "00080020"}),
                              .modality = match(http, (key){"Modality", "00080060"}),
                              .in_study = match(http, (key){"ModalitiesInStudy", "00080061"}),
                              .limit = (unsigned)limit,
                              .offset = (unsigned)offset};
    if (level == CN_IMAGING_STUDIES && out->modality)
        return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "query",
                              "studies are searched by ModalitiesInStudy");
    CN_TRY(whole_or_wild(http, (key){"PatientID", "00100020"}, out, &out->patient));
    CN_TRY(whole_or_wild(http, (key){"AccessionNumber", "00080050"}, out, &out->accession));
    return read_matches(http, out);
}

static const char *first(const json_t *item, const char *tag)
{
    return cn_dicom_json_text(item, tag);
}

/* Where each can be had (table 10.6.3-3): that it can at once, and by which address. */
static void add_addresses(const cn_http *http, cn_imaging_level level, json_t *list)
{
    char base[512];
    cn_dicom_base(http, base, sizeof(base));
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        const char *study = first(item, "0020000D"), *within = first(item, "0020000E"), *one = first(item, "00080018");
        cn_buf url = {.max = 2048};
        cn_buf_fmt(&url, "%s/studies/%s", base, study);
        if (level >= CN_IMAGING_SERIES) cn_buf_fmt(&url, "/series/%s", within);
        if (level == CN_IMAGING_INSTANCES) cn_buf_fmt(&url, "/instances/%s", one);
        if (url.err == CN_OK)
            json_object_set_new(item, "00081190", json_pack("{s:s, s:[s]}", "vr", "UR", "Value", url.p));
        json_object_set_new(item, "00080056", json_pack("{s:s, s:[s]}", "vr", "CS", "Value", "ONLINE"));
        cn_buf_free(&url);
    }
}

static cn_err search(cn_http *http, cn_imaging_level level)
{
    bool more = false;
    cn_imaging_query query;
    CN_AUTO_JSON json_t *list = NULL;
    CN_TRY(read_query(http, level, &query));
    cn_err err = cn_imaging_search(consult(http), cn_http_actor(http), &query, &list, &more, cn_http_problem(http));
    if (err == CN_ERR_INVALID) err = CN_ERR_PARSE; /* 400, as PS3.18 table 10.6.3-1 has it */
    CN_TRY(err);
    add_addresses(http, level, list);
    const char *fuzzy = cn_http_query(http, "fuzzymatching");
    if (more)
        cn_http_set(http, "Warning", "299 consilium \"There are more results: ask with limit and offset\"");
    else if (fuzzy && strcmp(fuzzy, "true") == 0)
        cn_http_set(http, "Warning",
                    "299 consilium \"The fuzzymatching parameter is not supported. Only literal matching has been "
                    "performed.\"");
    return cn_dicom_json(http, 200, list);
}

static cn_err studies(cn_http *http)
{
    return search(http, CN_IMAGING_STUDIES);
}
static cn_err series(cn_http *http)
{
    return search(http, CN_IMAGING_SERIES);
}
static cn_err instances(cn_http *http)
{
    return search(http, CN_IMAGING_INSTANCES);
}

/* ---- instances ---- */

typedef struct found {
    cn_instance *list;
    size_t count;
    cn_dicom_reader *reader; /* NULL until somebody wants one */
} found;

static void found_free(found *own)
{
    if (own->reader) cn_dicom_reader_close(own->reader);
    free(own->list);
}

static cn_err find(cn_http *http, const char *action, found *out)
{
    *out = (found){.list = NULL};
    return cn_imaging_find(consult(http), cn_http_actor(http), cn_http_param(http, "study"),
                           cn_http_param(http, "series"), cn_http_param(http, "instance"), action, &out->list,
                           &out->count);
}

static cn_err open_object(cn_http *http, const cn_instance *instance, int *fd, char path[4096])
{
    CN_TRY(cn_files_path(consult(http)->files, instance->sha256, path, 4096));
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    return *fd >= 0 ? CN_OK : CN_ERR_IO;
}

static cn_err reader_of(cn_http *http, found *own)
{
    return own->reader ? CN_OK : cn_dicom_reader_open(cn_app_dicom(cn_http_app(http)), &own->reader);
}

/* Without identity (PS3.15 basic profile): for teaching and for whoever may not know whose images these are. */
static bool without_identity(const cn_http *http)
{
    const char *asked = cn_http_query(http, "deidentified");
    return asked && strcmp(asked, "yes") == 0;
}

/* One study's UIDs become the same new ones in all its instances, and nobody finds the way back without our keys. */
static void deid_of(cn_http *http, cn_dicom_deid *out)
{
    char token[33];
    cn_vault_token(consult(http)->vault, "dicom.deidentified", cn_http_param(http, "study"), token);
    *out = (cn_dicom_deid){.boxes = 0};
    memcpy(out->key, token, sizeof(out->key));
}

static cn_err rewrite(cn_http *http, found *own, int fd, int to)
{
    char why[256] = "";
    cn_dicom_deid how;
    deid_of(http, &how);
    CN_TRY(reader_of(http, own));
    cn_err err = without_identity(http) ? cn_dicom_reader_deidentify(own->reader, fd, &how, to, why, sizeof(why))
                                        : cn_dicom_reader_plain(own->reader, fd, to, why, sizeof(why));
    return err == CN_OK ? CN_OK : cn_dicom_say_why(http, err, why);
}

static cn_err add_instance(cn_http *http, found *own, const cn_instance *instance, bool stored, cn_parcel *out)
{
    char path[4096];
    CN_AUTO_CLOSE int fd = -1;
    CN_TRY(open_object(http, instance, &fd, path));
    cn_parcel_part(out, "application/dicom", stored || without_identity(http) ? instance->syntax : CN_EXPLICIT_LE);
    if (stored) return cn_parcel_copy(out, fd, 0, (uint64_t)lseek(fd, 0, SEEK_END));
    if (fflush(out->file) != 0) return CN_ERR_NOSPACE;
    cn_err err = rewrite(http, own, fd, fileno(out->file));
    fseeko(out->file, 0, SEEK_END);
    return err;
}

static cn_err send_parts(cn_http *http, found *own, const cn_dicom_taken *how, cn_parcel *out)
{
    for (size_t i = 0; i < own->count; i++) {
        bool stored = !without_identity(http) && (how->stored || strcmp(own->list[i].syntax, CN_EXPLICIT_LE) == 0);
        cn_err err = add_instance(http, own, &own->list[i], stored, out);
        if (err == CN_ERR_UNSUPPORTED)
            return cn_dicom_unacceptable(http,
                                         "this image has no other form than the stored one: ask for transfer-syntax=*");
        CN_TRY(err);
    }
    return cn_parcel_send(http, out, "application/dicom");
}

static cn_err send_found(cn_http *http, found *own)
{
    cn_dicom_taken how;
    cn_parcel out;
    char path[4096];
    if (!cn_dicom_take(http, "application/dicom", own->count == 1 ? own->list[0].syntax : "", &how))
        return cn_dicom_unacceptable(http, "only application/dicom is here, alone or in multipart/related, as stored "
                                           "(transfer-syntax=*) or as Explicit VR Little Endian");
    bool stored = !without_identity(http) && (how.stored || strcmp(own->list[0].syntax, CN_EXPLICIT_LE) == 0);
    if (how.single && !how.parts && own->count == 1 && stored) {
        CN_TRY(cn_files_path(consult(http)->files, own->list[0].sha256, path, sizeof(path)));
        return cn_http_file(http, path, "application/dicom", own->list[0].sha256);
    }
    if (!how.parts)
        return cn_dicom_unacceptable(http, "this is given out as multipart/related; type=\"application/dicom\" only");
    CN_TRY(cn_parcel_open(http, &out));
    cn_err err = send_parts(http, own, &how, &out);
    cn_parcel_close(&out);
    return err;
}

static cn_err retrieve(cn_http *http)
{
    found own;
    CN_TRY(find(http, "study.read", &own));
    cn_err err = send_found(http, &own);
    found_free(&own);
    return err;
}

/* ---- metadata ---- */

/* "offset/length" in the file becomes an address here, at every depth. */
static void address_bulk(json_t *tags, const char *base)
{
    const char *name;
    json_t *element, *item;
    size_t i;
    json_object_foreach(tags, name, element)
    {
        const char *place = json_string_value(json_object_get(element, "BulkDataURI"));
        if (place) json_object_set_new(element, "BulkDataURI", json_sprintf("%s/bulkdata/%s", base, place));
        json_array_foreach(json_object_get(element, "Value"), i, item) if (json_is_object(item))
            address_bulk(item, base);
    }
}

static cn_err add_metadata(cn_http *http, const cn_instance *instance, json_t *list)
{
    char base[512], place[900], why[256] = "";
    cn_dicom_index index = {.tags = NULL};
    cn_err err = cn_dicom_shelf_tags(cn_app_dicom_shelf(cn_http_app(http)), instance->sha256, &index, why, sizeof(why));
    cn_dicom_base(http, base, sizeof(base));
    cn_fmt(place, sizeof(place), "%s/studies/%s/series/%s/instances/%s", base, cn_http_param(http, "study"),
           instance->series, instance->uid);
    if (err == CN_OK) {
        address_bulk(index.tags, place);
        err = json_array_append(list, index.tags) == 0 ? CN_OK : CN_ERR_NOMEM;
    }
    cn_dicom_index_clear(&index);
    return err == CN_OK ? CN_OK : cn_dicom_say_why(http, err, why);
}

static cn_err metadata(cn_http *http)
{
    found own;
    CN_AUTO_JSON json_t *list = json_array();
    CN_TRY(find(http, "study.read", &own));
    cn_err err = CN_OK;
    for (size_t i = 0; i < own.count && err == CN_OK; i++) err = add_metadata(http, &own.list[i], list);
    found_free(&own);
    return err == CN_OK ? cn_dicom_json(http, 200, list) : err;
}

static cn_err send_bulk(cn_http *http, found *own)
{
    int64_t offset, length;
    char path[4096];
    CN_AUTO_CLOSE int fd = -1;
    if (!cn_parse_i64(cn_http_param(http, "offset"), 0, INT64_MAX / 2, &offset) ||
        !cn_parse_i64(cn_http_param(http, "length"), 1, BULK, &length))
        return CN_ERR_NOTFOUND;
    if (strcmp(own->list[0].syntax, "1.2.840.10008.1.2.1.99") == 0)
        return cn_dicom_unacceptable(http, "the data of a deflated file are given out with the whole instance only");
    CN_TRY(open_object(http, &own->list[0], &fd, path));
    if (offset + length > lseek(fd, 0, SEEK_END)) return CN_ERR_NOTFOUND;
    void *bytes = malloc((size_t)length);
    if (!bytes) return CN_ERR_NOMEM;
    if (pread(fd, bytes, (size_t)length, offset) != length) {
        free(bytes);
        return CN_ERR_IO;
    }
    return cn_http_bytes(http, 200, "application/octet-stream", bytes, (size_t)length, free, bytes);
}

static cn_err bulkdata(cn_http *http)
{
    found own;
    CN_TRY(find(http, NULL, &own));
    cn_err err = send_bulk(http, &own);
    found_free(&own);
    return err;
}

/* ---- as a picture ---- */

static cn_err view_of(cn_http *http, uint32_t size, cn_dicom_view *out)
{
    int64_t quality, frame = 1;
    double center, width;
    const char *window = cn_http_query(http, "window"), *number = cn_http_param(http, "frame");
    CN_TRY(cn_http_query_i64(http, "quality", 1, 100, 85, &quality));
    if (*number && !cn_parse_i64(number, 1, UINT32_MAX, &frame)) return CN_ERR_NOTFOUND;
    *out = (cn_dicom_view){.frame = (uint32_t)(frame - 1), .size = size, .quality = (uint32_t)quality};
    if (!window) return CN_OK;
    if (sscanf(window, "%lf,%lf", &center, &width) != 2 || !(width >= 1 && width < 1e9) ||
        !(center > -1e9 && center < 1e9))
        return cn_problem_set(cn_http_problem(http), CN_ERR_INVALID, "window", "must be center,width");
    out->windowed = true;
    out->center = center;
    out->width = width;
    return CN_OK;
}

static cn_err picture(cn_http *http, uint32_t size)
{
    found own;
    cn_dicom_view view;
    char path[4096], why[256] = "";
    void *jpeg = NULL;
    size_t len = 0;
    CN_AUTO_CLOSE int fd = -1;
    CN_TRY(view_of(http, size, &view));
    CN_TRY(find(http, NULL, &own));
    cn_err err = reader_of(http, &own);
    if (err == CN_OK) err = open_object(http, &own.list[0], &fd, path);
    if (err == CN_OK) err = cn_dicom_reader_render(own.reader, fd, &view, &jpeg, &len, why, sizeof(why));
    found_free(&own);
    if (err != CN_OK) return cn_dicom_say_why(http, err, why);
    return cn_http_bytes(http, 200, "image/jpeg", jpeg, len, free, jpeg);
}

static cn_err rendered(cn_http *http)
{
    return picture(http, SIDE);
}
static cn_err thumbnail(cn_http *http)
{
    return picture(http, 256);
}

#define STUDY "/dicom-web/studies/{study}"
#define SERIES STUDY "/series/{series}"
#define INSTANCE SERIES "/instances/{instance}"
#define READ .body = CN_BODY_NONE, .job = CN_RUN_PICTURE

const cn_route cn_dicom_routes[] = {
    {CN_GET, "/dicom-web/studies", CN_WHO_ANY, studies, .body = CN_BODY_NONE},
    {CN_GET, "/dicom-web/series", CN_WHO_ANY, series, .body = CN_BODY_NONE},
    {CN_GET, "/dicom-web/instances", CN_WHO_ANY, instances, .body = CN_BODY_NONE},
    {CN_GET, STUDY "/series", CN_WHO_ANY, series, .body = CN_BODY_NONE},
    {CN_GET, STUDY "/instances", CN_WHO_ANY, instances, .body = CN_BODY_NONE},
    {CN_GET, SERIES "/instances", CN_WHO_ANY, instances, .body = CN_BODY_NONE},
    {CN_GET, STUDY, CN_WHO_ANY, retrieve, READ},
    {CN_GET, SERIES, CN_WHO_ANY, retrieve, READ},
    {CN_GET, INSTANCE, CN_WHO_ANY, retrieve, READ},
    {CN_GET, STUDY "/metadata", CN_WHO_ANY, metadata, READ},
    {CN_GET, SERIES "/metadata", CN_WHO_ANY, metadata, READ},
    {CN_GET, INSTANCE "/metadata", CN_WHO_ANY, metadata, READ},
    {CN_GET, INSTANCE "/bulkdata/{offset}/{length}", CN_WHO_ANY, bulkdata, READ},
    {CN_GET, INSTANCE "/frames/{frames}", CN_WHO_ANY, cn_dicom_frames, READ, .quick = cn_dicom_frames_quick},
    {CN_GET, INSTANCE "/rendered", CN_WHO_ANY, rendered, READ},
    {CN_GET, INSTANCE "/frames/{frame}/rendered", CN_WHO_ANY, rendered, READ},
    {CN_GET, INSTANCE "/thumbnail", CN_WHO_ANY, thumbnail, READ},
    {.path = NULL},
};
