/*
 * One HTTP exchange from its first header to its last byte: what request.c reads, response.c writes and the door moves.
 *
 * Owner: the door holds one reference while the connection lives, whoever works on it (a job, a deferred answer)
 * another. Members above the line "door" belong to whoever works on it; those below belong to the door's thread.
 */
#ifndef CN_SIGNALING_EXCHANGE_STATE_H
#define CN_SIGNALING_EXCHANGE_STATE_H

#include <libwebsockets.h>

#include "base/str.h"
#include "consult/people/accounts.h"
#include "signaling/http/call.h"
#include "signaling/http/http.h"
#include "signaling/http/range.h"
#include "signaling/http/route.h"

#define CN_QUERY_MAX 24
#define CN_HEADERS_MAX 32
#define CN_CHUNK (256 * 1024)      /* streamed bodies reach their handler in pieces of at most so much */
#define CN_TOGETHER (64 * 1024)    /* bodies up to here leave in one write with their head */
#define CN_SEND_PIECE (128 * 1024) /* larger ones in pieces of so much */

typedef enum cn_stream_step { CN_STREAM_BEGIN, CN_STREAM_CHUNK, CN_STREAM_END, CN_STREAM_CUT } cn_stream_step;

struct cn_http {
    cn_app *app;
    const cn_route *route;
    cn_method method;
    cn_route_match match;
    char path[1024];
    char *text; /* what query and headers point into */
    size_t text_n;
    struct {
        const char *name, *value;
    } query[CN_QUERY_MAX];
    size_t queries;
    const char *header[CN_HEADERS_MAX];
    int64_t content_length;
    bool chunked, secure, management;
    cn_actor actor;
    char csrf[CN_SESSION_TOKEN];
    cn_buf body;
    json_t *json;
    void *own;
    void (*own_release)(void *owned);

    /* response */
    cn_problem problem;
    bool deferred, answered;
    int status;
    char type[128];
    cn_buf extra;     /* further header lines */
    const char *cors; /* Access-Control-Allow-Origin, borrowed; NULL: none */
    const char *bytes;
    size_t bytes_n;
    void (*release)(void *owner);
    void *owner;
    int fd;
    int64_t file_at, file_left;
    char *head; /* LWS_PRE, then head_n bytes: the head, and a small body behind it */
    size_t head_n;
    bool body_in_head;

    /* streamed body: what the running job works on */
    cn_stream_step step;
    char *chunk;
    size_t chunk_n;
    cn_err stream_err;

    cn_door_call call; /* at most one at a time on its way to the door */

    /* ---- door ---- */
    struct cn_door *door;
    struct lws *wsi;  /* NULL once the client has gone */
    bool close_after; /* set before anybody works on it, or by the job that answers early */
    bool working;     /* somebody else has it */
    bool dispatched, body_done, paused;
    bool begun, ended; /* a stream's handler accepted it; nothing more to hand to it */
    bool lingering;    /* answered early: what still arrives is thrown away, then it closes */
    cn_buf fill;       /* streamed bytes that wait for the next job */
    lws_sorted_usec_list_t retry;
    bool retry_waits;
    size_t thrown_away;
    size_t body_seen, body_looked_at; /* bytes of the body that came; at the last look whether it comes fast enough */
    unsigned body_looks;
    size_t sent; /* of bytes */
    char *piece; /* LWS_PRE + CN_SEND_PIECE, for files */
    size_t piece_n;
    bool head_sent, counted;
    bool quick; /* answered on the door where it was read */
};

/** Reads the request's line, query and headers; `app` is what handlers ask for. CN_ERR_TOOBIG, CN_ERR_PARSE,
 * CN_ERR_UNSUPPORTED (method). */
cn_err cn_exchange_new(cn_http **out, cn_app *app, struct lws *wsi, bool management);
/** Builds the head once the response is set; `err` other than CN_OK replaces it with a problem document. */
void cn_exchange_compose(cn_http *http, cn_err err);

#endif
