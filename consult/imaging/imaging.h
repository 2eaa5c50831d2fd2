/*
 * DICOM images of a request: studies, series, instances. The file itself is an object of the store, as it came. What describes patient and study is
 * sealed. Every read is checked against the actor's part in the request; a study of another request does not exist for him.
 * Blocking: job threads only.
 */
#ifndef CN_CONSULT_IMAGING_H
#define CN_CONSULT_IMAGING_H

#include "consult/consult.h"
#include "consult/imaging/match.h"

#define CN_UID 65            /* bytes of a UID's text, PS3.5 §9.1 */
#define CN_IMAGING_PAGE 1000 /* results of a query at most */
#define CN_IMAGING_BATCH 32  /* instances that become rows in one transaction at most */

/** A file that is in the store and is to become an instance. */
typedef struct cn_instance_new {
    char study[CN_UID], series[CN_UID], instance[CN_UID], sop_class[CN_UID], syntax[CN_UID];
    char sha256[65];
    int64_t size;
    uint32_t rows, columns, frames;
    json_t *tags;  /* DICOM JSON of the whole file; owned by the caller */
    bool conflict; /* out: there was another file under its UID; both are kept */
    bool known;    /* out: the very file was there already */
} cn_instance_new;

/** The request with this number, if the actor may add images to it now. CN_ERR_NOTFOUND, CN_ERR_STATE, CN_ERR_FORBIDDEN with words. */
cn_err cn_imaging_request(cn_consult *consult, const cn_actor *actor, const char *number, char request[CN_ID_TEXT],
                          cn_problem *problem);
/** Rows for `count` ≤ CN_IMAGING_BATCH files in one transaction: all of them or, with an error, none. */
cn_err cn_imaging_store(cn_consult *consult, const cn_actor *actor, const char *request, cn_instance_new *list,
                        size_t count, cn_problem *problem);

typedef struct cn_instance {
    char series[CN_UID], uid[CN_UID], sop_class[CN_UID], syntax[CN_UID], sha256[65];
    uint32_t frames;
} cn_instance;
/**
 * Instances of a study that the actor may read, of one series or one instance unless those are "", in order; caller frees. Of several files
 * under one UID the first that came. `action` is what is logged, NULL: only refusals are. CN_ERR_NOTFOUND.
 */
cn_err cn_imaging_find(cn_consult *consult, const cn_actor *actor, const char *study, const char *series,
                       const char *instance, const char *action, cn_instance **out, size_t *count);

/** An attribute by its tag, and what is asked of it (consult/imaging/match.h). */
typedef struct cn_imaging_match {
    const char *tag, *asked;
} cn_imaging_match;

#define CN_IMAGING_MATCHES 16
/** What QIDO-RS asks (PS3.18 §10.6); NULL: anything. Lists of UIDs have commas or backslashes between. */
typedef struct cn_imaging_query {
    cn_imaging_level level;
    const char *study, *series, *instance;
    const char *date;      /* YYYYMMDD, or a range with "-" */
    const char *patient;   /* PatientID, whole */
    const char *accession; /* AccessionNumber, whole */
    const char *modality;  /* of a series */
    const char *in_study;  /* modality of one of the study's series */
    cn_imaging_match
        match[CN_IMAGING_MATCHES]; /* of what is sealed: rows are opened for it, CN_IMAGING_LOOKED at most */
    size_t matches;
    unsigned limit, offset;
} cn_imaging_query;
#define CN_IMAGING_LOOKED 20000
/** An array of DICOM JSON, at most `limit` ≤ CN_IMAGING_PAGE; `more`: there are others behind. CN_ERR_TOOBIG: more rows than are opened for one question. */
cn_err cn_imaging_search(cn_consult *consult, const cn_actor *actor, const cn_imaging_query *query, json_t **out,
                         bool *more, cn_problem *problem);

/** Array `{uid, date, description, modalities, series, instances, conflicts, picture}` of a request, for cn_request_get. Inside its connection;
 * `picture` is the path of a small one, "" where nothing has pixels. */
cn_err cn_imaging_list(cn_consult *consult, cn_conn *conn, const char *request, json_t **out);

/** First text of an attribute in DICOM JSON ("00080020"), "" where it has none. Borrowed. */
const char *cn_dicom_json_text(const json_t *tags, const char *tag);

#endif
