/*
 * One HTTP exchange as a handler sees it, and the table of routes.
 *
 * A handler runs on a job thread with the exchange to itself: it may block, reads the request, sets the response and
 * returns. What it returns other than CN_OK becomes an RFC 9457 problem document. Adding a route is one line in a
 * table; routes.c lists the tables.
 */
#ifndef CN_SIGNALING_HTTP_H
#define CN_SIGNALING_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "consult/actor.h"

typedef struct cn_http cn_http; /* request and response */
typedef struct cn_app cn_app;   /* everything the server holds: app.h */

typedef enum cn_method {
    CN_GET,
    CN_HEAD, /* falls back to the GET route, without a body */
    CN_POST,
    CN_PUT,
    CN_PATCH,
    CN_DELETE,
    CN_OPTIONS,
    CN_METHOD_COUNT
} cn_method;

/** Where a handler runs: database and files, tiles, what may take seconds (thumbnails), or at once on the door (only for
 * what never blocks). */
typedef enum cn_job_class { CN_RUN_DB, CN_RUN_TILE, CN_RUN_PICTURE, CN_RUN_DOOR } cn_job_class;

typedef enum cn_body_kind {
    CN_BODY_NONE,  /* a body is refused with 413 */
    CN_BODY_JSON,  /* one object, parsed: cn_http_body_json */
    CN_BODY_RAW,   /* bytes, zero-terminated: cn_http_body */
    CN_BODY_STREAM /* in chunks, to the route's stream operations */
} cn_body_kind;

/* Who may call: a cn_right, or one of these. */
enum {
    CN_WHO_ANY = -1,   /* everybody who is logged in */
    CN_WHO_PUBLIC = -2 /* nobody is asked (or the handler asks for something else, e.g. a bearer token) */
};

enum {
    CN_ROUTE_SAME_SITE =
        1, /* public but changing (login): refused unless the browser says that it comes from our own pages */
    CN_ROUTE_CACHE = 2, /* the handler sets Cache-Control; otherwise "no-store" */
    CN_ROUTE_CORS = 4   /* pages of the configured origins may call it: it asks for no cookie */
};

/**
 * A streamed body. The handler has run before the first byte (checks, opens). The calls come in order from job threads,
 * one at a time, with at most 256 KiB each. After an error no further chunk comes, but `cut` does.
 */
typedef struct cn_stream_ops {
    cn_err (*chunk)(cn_http *http, const void *bytes, size_t len);
    cn_err (*end)(cn_http *http); /* everything arrived: sets the response */
    void (*cut)(cn_http *http);   /* the client went away or a chunk failed: keep what arrived */
} cn_stream_ops;

typedef struct cn_route {
    cn_method method;
    const char *path; /* "/api/v1/requests/{id}/submit"; also "{id}.dzi", "{column}_{row}.jpeg"; "{rest*}" at the end
                         takes the rest */
    int right;        /* cn_right, CN_WHO_ANY or CN_WHO_PUBLIC */
    cn_err (*handler)(cn_http *http);
    cn_body_kind body;
    cn_job_class job;
    unsigned flags;
    size_t body_max; /* bytes; 0: 256 KiB. Streams: checked by the handler */
    const cn_stream_ops *stream;
    /** Tried before the handler, on the door, for whose login is remembered: answers (true) what needs no waiting at all,
     * or leaves no trace. Only for what changes nothing. NULL: none. */
    bool (*quick)(cn_http *http);
} cn_route;

/** Tables of routes, ended by one without a path; NULL ends the list. */
extern const cn_route *const cn_route_tables[];

/* ---- the request ---- */

cn_app *cn_http_app(const cn_http *http);
/** Decoded path without the query. */
const char *cn_http_path(const cn_http *http);
/** Value of a {name} of the route, decoded; "" for another name. */
const char *cn_http_param(const cn_http *http, const char *name);
/** Decoded value of a query parameter, or NULL. */
const char *cn_http_query(const cn_http *http, const char *name);
/** Name of the query parameter at `index`, or NULL behind the last. */
const char *cn_http_query_name(const cn_http *http, size_t index);
/** Query parameter as a number inside [min, max], `or_else` when absent; CN_ERR_INVALID fills the problem. */
cn_err cn_http_query_i64(cn_http *http, const char *name, int64_t min, int64_t max, int64_t or_else, int64_t *out);
/** Header by its lower-case name (those of the table in request.c), or NULL. */
const char *cn_http_header(const cn_http *http, const char *name);
/** The session cookie's value, or NULL. */
const char *cn_http_cookie(const cn_http *http, const char *name, char *out, size_t size);
/** Who acts; user "" on public routes. Address is always set. */
const cn_actor *cn_http_actor(const cn_http *http);
/** -1 when there is none. */
int64_t cn_http_content_length(const cn_http *http);
/** Borrowed object (CN_BODY_JSON), or bytes (CN_BODY_RAW). */
json_t *cn_http_body_json(const cn_http *http);
const char *cn_http_body(const cn_http *http, size_t *len);
/** "https" or "http" as the client sees it, and the Host header: for absolute URLs. */
bool cn_http_secure(const cn_http *http);

/** Something of the handler's own that lives as long as the exchange (streams). */
void cn_http_own(cn_http *http, void *owned, void (*release)(void *bytes));
void *cn_http_owned(const cn_http *http);

/* ---- the response ---- */

/** The problem that goes with an error that the handler returns; pass it to functions that take a cn_problem. */
cn_problem *cn_http_problem(cn_http *http);
/** Adds a header; the value must not hold control characters (dropped then). */
void cn_http_set(cn_http *http, const char *name, const char *value);
void cn_http_setf(cn_http *http, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** A moment in milliseconds as RFC 9110 5.6.7 writes it. */
void cn_http_set_date(cn_http *http, const char *name, int64_t ms);
/** No body. */
cn_err cn_http_empty(cn_http *http, int status);
/** Takes `json` over, also when it fails (NULL: CN_ERR_NOMEM). */
cn_err cn_http_json(cn_http *http, int status, json_t *json);
/** Copies. */
cn_err cn_http_text(cn_http *http, int status, const char *type, const void *bytes, size_t len);
/** Takes over: `release(owner)` is called when it was sent (any thread). E.g. a tile: (tile->bytes, tile->n, cn_unref
 * wrapper, tile). */
cn_err cn_http_bytes(cn_http *http, int status, const char *type, const void *bytes, size_t len,
                     void (*release)(void *owner), void *owner);
/** A file with ranges and If-None-Match (`etag` without quotes, NULL: none). CN_ERR_NOTFOUND when it cannot be opened.
 */
cn_err cn_http_file(cn_http *http, const char *path, const char *type, const char *etag);
/** True, and 304 is set, when If-None-Match names the etag. Sets ETag in any case. */
bool cn_http_not_modified(cn_http *http, const char *etag);
/** The handler answers later from any thread: returns CN_OK now, and somebody calls cn_http_finish exactly once. */
void cn_http_defer(cn_http *http);
/** `err` other than CN_OK makes a problem document. The exchange must not be touched any more. */
void cn_http_finish(cn_http *http, cn_err err);

#endif
