/*
 * Files of a request: resumable uploads (tus) that end in a checked file, and reading them. Names are sealed; every
 * read is checked and logged. Blocking: job threads only.
 */
#ifndef CN_CONSULT_FILE_H
#define CN_CONSULT_FILE_H

#include "consult/consult.h"

#define CN_FILE_NAME_CHARS 255                    /* as many as Windows allows */
#define CN_FILE_NAME (4 * CN_FILE_NAME_CHARS + 1) /* bytes of UTF-8 and the end */

/* category in the API, required before submitting (kind C) */
#define CN_CATEGORY_TABLE(X) \
    X("consent", true)       \
    X("admission", false)    \
    X("progress", false)     \
    X("operation", false)    \
    X("orders", false)       \
    X("lab", false)          \
    X("exam", false)         \
    X("ecg", false)          \
    X("pathology", false)    \
    X("imaging", false)      \
    X("other", false)

#define CN_CATEGORY_SLIDES "pathology" /* where a plain picture is a slide */

/** Creates an upload. Checks part, state, category, extension, size ≤ max_bytes. */
typedef struct cn_upload_new {
    const char *request, *category, *name;
    const char *sha256; /* hex or NULL */
    int64_t size, max_bytes;
} cn_upload_new;
cn_err cn_upload_create(cn_consult *consult, const cn_actor *actor, const cn_upload_new *upload_new,
                        char id[CN_ID_TEXT], cn_problem *problem);

/** Where an upload of the actor's own stands: bytes on disk. `file` is its file's id once it is complete, "" before;
 * what arrived goes at `expires_ms`, 0 once it is complete. */
typedef struct cn_upload_state {
    int64_t offset, size, expires_ms;
    char file[CN_ID_TEXT];
} cn_upload_state;
cn_err cn_upload_get(cn_consult *consult, const cn_actor *actor, const char *id, cn_upload_state *out);

/** Appends; `offset` must be where the upload stands (CN_ERR_CONFLICT), the bytes must not exceed the announced size
 * (CN_ERR_TOOBIG, nothing of them kept). */
cn_err cn_upload_append(cn_consult *consult, const cn_actor *actor, const char *id, int64_t offset, const void *bytes,
                        size_t len, cn_problem *problem);
/** Makes what arrived durable; when it is complete, checks hash and content against the name and makes the file. A
 * refused file leaves nothing behind. */
cn_err cn_upload_sync(cn_consult *consult, const cn_actor *actor, const char *id, cn_upload_state *out,
                      cn_problem *problem);
cn_err cn_upload_cancel(cn_consult *consult, const cn_actor *actor, const char *id);
/** Forgets uploads that were begun over a week ago (a complete one's file stays). */
cn_err cn_upload_expire(cn_consult *consult, int64_t now_ms);

/** A file that the actor may read. */
typedef struct cn_file_info {
    char id[CN_ID_TEXT], request[CN_ID_TEXT];
    char name[CN_FILE_NAME];
    char category[16], type[96], kind[16], state[16];
    char sha256[65], pdf_sha256[65];
    int64_t size, created_ms;
    int pages;
    bool may_delete;
} cn_file_info;
/** `action` is what is logged: "file.read", "slide.read"…; NULL: not logged (tiles: logged once when the slide is
 * opened). */
cn_err cn_file_get(cn_consult *consult, const cn_actor *actor, const char *id, const char *action, cn_file_info *out);
/** The same for whoever wants the file's bytes, logged as "file.read". A slide's hold its label and macro image, on which
 * a patient's name may stand: CN_ERR_FORBIDDEN for who may not see those. */
cn_err cn_file_get_bytes(cn_consult *consult, const cn_actor *actor, const char *id, cn_file_info *out,
                         cn_problem *problem);
/** Of the request that a file belongs to; nothing of it is shown to anybody. CN_ERR_NOTFOUND: deleted. */
cn_err cn_file_hospital(cn_consult *consult, const char *id, char hospital[CN_ID_TEXT]);
/** Whether a file of this content type is an ECG, which has a sheet made of it and a form that the page draws. Pure. */
bool cn_file_is_ecg(const char *type);
/** The format of a document's content as the ending that LibreOffice knows it by, e.g. "docx" for a DOCX that is named
 * ".doc"; NULL when there is none. Pure. */
const char *cn_file_format(const cn_file_info *info);
json_t *cn_file_json(const cn_file_info *info);
cn_err cn_file_delete(cn_consult *consult, const cn_actor *actor, const char *id, cn_problem *problem);

/** A file in line, and whose it is. */
typedef struct cn_file_turn {
    char id[CN_ID_TEXT], uploader[CN_ID_TEXT];
} cn_file_turn;

/** For whoever converts: files that wait (state "converting"), everybody's smallest first, then everybody's next, at most
 * `max`; and the outcome. What has a PDF is a document from then on: a TIFF may be a slide or scanned pages. */
cn_err cn_file_waiting(cn_consult *consult, cn_file_turn *turns, size_t max, size_t *len);
cn_err cn_file_converted(cn_consult *consult, const char *id, bool ok, const char *pdf_sha256, int pages);
/** A slide that can be read and lacks levels waits for them (state "preparing"); `changed`: it did not before. */
cn_err cn_file_prepare(cn_consult *consult, const char *id, bool *changed);
/** A plain picture that is to be a slide waits for its pyramid (state "tiling"), and cannot be seen before. */
cn_err cn_file_tile(cn_consult *consult, const char *id, bool *changed);
/** Both kinds, those that cannot be seen yet and small ones first; the outcome is cn_file_converted. */
cn_err cn_file_preparing(cn_consult *consult, char (*ids)[CN_ID_TEXT], size_t max, size_t *len);
/** A slide whose unpacked parts are not there (they are in no backup) waits for them again. */
cn_err cn_file_unpack(cn_consult *consult, const char *id);
/** What deleted slides left, which a crash may have kept, is removed: under `name` beside their links, and their folders. */
cn_err cn_file_sweep(cn_consult *consult, const char *name);
/** The outcome when it was the server that failed (a helper died, a disk could not be read): state "stuck". */
cn_err cn_file_stuck(cn_consult *consult, const char *id);
/** Files that are stuck wait again; `refused`: also slides that were refused, since what reads them may be newer. */
cn_err cn_file_retry(cn_consult *consult, bool refused);

/** Array of a request's files, for cn_request_get. Inside its connection. */
cn_err cn_file_list(cn_consult *consult, cn_conn *conn, const char *request, json_t **out);
/** Required categories that a request lacks, as text "consent, …"; "" when complete. */
cn_err cn_file_missing(cn_conn *conn, const char *request, char *out, size_t size);

#endif
