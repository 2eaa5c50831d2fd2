/* STOW-RS (PS3.18 §10.5): instances arrive as parts of one body, go to disk while they arrive, and one that is broken fails alone. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "signaling/api/api.h"
#include "signaling/api/dicom.h"
#include "signaling/api/multipart.h"
#include "signaling/dicom_intake.h"

/* Failure Reason (0008,1197), PS3.18 table I.2-1 */
enum {
    FAILED_PROCESSING = 0x0110,
    FAILED_NOT_AUTHORIZED = 0x0124,
    FAILED_RESOURCES = 0xA700,
    FAILED_MISMATCH = 0xA900,
    FAILED_NOT_UNDERSTOOD = 0xC000
};

#define PARTS 20000 /* of one body at most */

typedef struct store {
    cn_http *http;
    cn_multipart multipart;
    cn_dicom_reader *reader;
    cn_intake intake;
    char part[CN_ID_TEXT]; /* "": none is open */
    int64_t bytes, bytes_max;
    cn_err err; /* of the part that is arriving */
    unsigned parts;
    json_t *stored, *failed;
} store;

static cn_consult *consult(const store *own)
{
    return cn_app_consult(cn_http_app(own->http));
}

/* ---- what is answered ---- */

static void add(json_t *item, const char *tag, const char *vr, json_t *value)
{
    json_object_set_new(item, tag, json_pack("{s:s, s:[o]}", "vr", vr, "Value", value));
}

static json_t *named(const char *sop_class, const char *instance)
{
    json_t *item = json_object();
    if (*sop_class) add(item, "00081150", "UI", json_string(sop_class));
    if (*instance) add(item, "00081155", "UI", json_string(instance));
    return item;
}

static void refuse(store *own, const char *sop_class, const char *instance, int reason, const char *why)
{
    json_t *item = named(sop_class, instance);
    add(item, "00081197", "US", json_integer(reason));
    add(item, "00000902", "LO", json_stringn(why, strnlen(why, 64)));
    json_array_append_new(own->failed, item);
}

static void accept_one(store *own, const cn_instance_new *fresh)
{
    char base[512], url[800];
    json_t *item = named(fresh->sop_class, fresh->instance);
    cn_dicom_base(own->http, base, sizeof(base));
    if (cn_fmt(url, sizeof(url), "%s/studies/%s/series/%s/instances/%s", base, fresh->study, fresh->series,
               fresh->instance))
        add(item, "00081190", "UR", json_string(url));
    json_array_append_new(own->stored, item);
}

static int reason_of(cn_err err)
{
    switch (err) {
    case CN_ERR_FORBIDDEN:
    case CN_ERR_STATE:
    case CN_ERR_NOTFOUND: return FAILED_NOT_AUTHORIZED;
    case CN_ERR_NOSPACE:
    case CN_ERR_TOOBIG: return FAILED_RESOURCES;
    case CN_ERR_UNSUPPORTED:
    case CN_ERR_CORRUPT: return FAILED_NOT_UNDERSTOOD;
    default: return FAILED_PROCESSING;
    }
}

/* ---- objects and rows, several instances at once ---- */

static void flush(store *own)
{
    cn_problem problem = {.err = CN_OK};
    if (!own->intake.count) return;
    cn_err err = cn_intake_store(&own->intake, &problem);
    for (size_t i = 0; i < own->intake.count; i++) {
        const cn_instance_new *fresh = &own->intake.waiting[i];
        if (err == CN_OK)
            accept_one(own, fresh);
        else
            refuse(own, fresh->sop_class, fresh->instance, reason_of(err),
                   *problem.detail ? problem.detail : cn_err_text(err));
    }
    cn_intake_forget(&own->intake);
}

/* ---- one part ---- */

static cn_err part_begin(void *ctx, const char *type)
{
    store *own = ctx;
    char id[CN_ID_TEXT];
    if (++own->parts > PARTS) return CN_ERR_FULL;
    own->bytes = 0;
    own->err = strncasecmp(type, "application/dicom", 17) == 0 && strchr("; ", type[17]) ? CN_OK : CN_ERR_INVALID;
    cn_id_new(id);
    CN_TRY(cn_part_begin(consult(own)->files, id));
    memcpy(own->part, id, sizeof(own->part));
    return CN_OK;
}

static cn_err part_bytes(void *ctx, const void *bytes, size_t len)
{
    store *own = ctx;
    if (own->err == CN_OK && own->bytes + (int64_t)len > own->bytes_max) own->err = CN_ERR_TOOBIG;
    if (own->err != CN_OK) return CN_OK;
    own->err = cn_part_append(consult(own)->files, own->part, own->bytes, bytes, len);
    own->bytes += (int64_t)len;
    return CN_OK;
}

static cn_err look(store *own, cn_dicom_index *index, char *why, size_t size)
{
    char path[4096];
    CN_TRY(own->err);
    CN_TRY(cn_part_path(consult(own)->files, own->part, path, sizeof(path)));
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return CN_ERR_IO;
    CN_TRY(cn_dicom_reader_index(own->reader, fd, index, why, size));
    return cn_intake_check(index, why, size);
}

/* The part is no longer ours then. */
static cn_err keep(store *own, const cn_dicom_index *index)
{
    char part[CN_ID_TEXT];
    memcpy(part, own->part, sizeof(part));
    own->part[0] = '\0';
    return cn_intake_add(&own->intake, part, index);
}

static void take(store *own)
{
    char why[256] = "";
    cn_dicom_index index = {.tags = NULL};
    const char *study = cn_http_param(own->http, "study");
    cn_err err = look(own, &index, why, sizeof(why));
    if (err == CN_OK && *study && strcmp(study, index.study) != 0)
        refuse(own, index.sop_class, index.instance, FAILED_MISMATCH, "belongs to another study");
    else if (err == CN_OK)
        err = keep(own, &index);
    if (err == CN_ERR_INVALID) cn_strcpy(why, sizeof(why), "the part is not of type application/dicom");
    if (err != CN_OK) refuse(own, index.sop_class, index.instance, reason_of(err), *why ? why : cn_err_text(err));
    cn_dicom_index_clear(&index);
}

static void part_drop(store *own)
{
    if (own->part[0]) cn_part_remove(consult(own)->files, own->part);
    own->part[0] = '\0';
}

static cn_err part_end(void *ctx)
{
    store *own = ctx;
    take(own);
    part_drop(own);
    if (cn_intake_full(&own->intake)) flush(own);
    return CN_OK;
}

static const cn_multipart_ops part_ops = {part_begin, part_bytes, part_end};

/* ---- the body ---- */

static void store_free(void *bytes)
{
    store *own = bytes;
    cn_intake_forget(&own->intake);
    if (own->reader) cn_dicom_reader_close(own->reader);
    json_decref(own->stored);
    json_decref(own->failed);
    free(own);
}

static cn_err begin(cn_http *http)
{
    char boundary[CN_MULTIPART_BOUNDARY + 1], type[64];
    const char *header = cn_http_header(http, "content-type"), *number = cn_http_query(http, "request");
    store *own = CN_NEW(store);
    if (!own) return CN_ERR_NOMEM;
    cn_http_own(http, own, store_free);
    own->http = http;
    own->intake.app = cn_http_app(http);
    own->intake.actor = cn_http_actor(http);
    own->bytes_max = cn_app_config_int(cn_http_app(http), "files", "max_upload_mb") << 20;
    if (!header || strncasecmp(header, "multipart/related", 17) != 0 ||
        !cn_multipart_param(header, "type", type, sizeof(type)) || strcasecmp(type, "application/dicom") != 0)
        return cn_problem_set(cn_http_problem(http), CN_ERR_UNSUPPORTED, "Content-Type",
                              "must be multipart/related; type=\"application/dicom\"");
    if (!cn_multipart_param(header, "boundary", boundary, sizeof(boundary)) ||
        cn_multipart_start(&own->multipart, boundary, &part_ops, own) != CN_OK)
        return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "Content-Type",
                              "has no boundary, or one that may not be");
    if (!number)
        return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "request",
                              "say which request the images are for: ?request=NUMBER");
    CN_TRY(cn_imaging_request(cn_app_consult(cn_http_app(http)), cn_http_actor(http), number, own->intake.request,
                              cn_http_problem(http)));
    own->stored = json_array();
    own->failed = json_array();
    return cn_dicom_reader_open(cn_app_dicom(cn_http_app(http)), &own->reader);
}

static cn_err chunk(cn_http *http, const void *bytes, size_t len)
{
    store *own = cn_http_owned(http);
    cn_err err = cn_multipart_feed(&own->multipart, bytes, len);
    if (err == CN_ERR_PARSE || err == CN_ERR_TOOBIG)
        return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "",
                              "the parts of the body are not as RFC 2046 wants them");
    return err;
}

static cn_err answer(cn_http *http, store *own)
{
    size_t good = json_array_size(own->stored), bad = json_array_size(own->failed);
    CN_AUTO_JSON json_t *body = json_object();
    if (good) json_object_set_new(body, "00081199", json_pack("{s:s, s:O}", "vr", "SQ", "Value", own->stored));
    if (bad) json_object_set_new(body, "00081198", json_pack("{s:s, s:O}", "vr", "SQ", "Value", own->failed));
    return cn_dicom_json(http, bad == 0 ? 200 : good ? 202 : 409, body);
}

static cn_err end(cn_http *http)
{
    store *own = cn_http_owned(http);
    flush(own);
    bool whole = cn_multipart_finish(&own->multipart) == CN_OK;
    if (!whole && own->part[0]) refuse(own, "", "", FAILED_NOT_UNDERSTOOD, "the body ends within this part");
    part_drop(own);
    if (!own->parts) return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "", "the body has no part");
    return answer(http, own);
}

/* What arrived whole stays, as with an interrupted transfer of one image after the other. */
static void cut(cn_http *http)
{
    store *own = cn_http_owned(http);
    if (!own || !own->reader) return;
    flush(own);
    part_drop(own);
}

static const cn_stream_ops stream = {chunk, end, cut};

const cn_route cn_stow_routes[] = {
    {CN_POST, "/dicom-web/studies", CN_WHO_ANY, begin, .body = CN_BODY_STREAM, .job = CN_RUN_PICTURE,
     .stream = &stream},
    {CN_POST, "/dicom-web/studies/{study}", CN_WHO_ANY, begin, .body = CN_BODY_STREAM, .job = CN_RUN_PICTURE,
     .stream = &stream},
    {.path = NULL},
};
