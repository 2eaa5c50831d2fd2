/*
 * Private to the door: one HTTP exchange from its first header to its last byte.
 *
 * Owner: the door holds one reference while the connection lives, whoever works on it (a job, a deferred answer)
 * another. Members above the line "door" belong to whoever works on it; those below belong to the door's thread. `gone`
 * may be read anywhere.
 */
#ifndef CN_SIGNALING_EXCHANGE_H
#define CN_SIGNALING_EXCHANGE_H

#include <libwebsockets.h>
#include <stdatomic.h>

#include "base/str.h"
#include "consult/people/accounts.h"
#include "signaling/door/door.h"
#include "signaling/http/range.h"
#include "signaling/http/route.h"

#define CN_QUERY_MAX 24
#define CN_HEADERS_MAX 32
#define CN_CHUNK (256 * 1024)      /* streamed bodies reach their handler in pieces of at most so much */
#define CN_TOGETHER (64 * 1024)    /* bodies up to here leave in one write with their head */
#define CN_SEND_PIECE (128 * 1024) /* larger ones in pieces of so much */

typedef enum cn_stream_step { CN_STREAM_BEGIN, CN_STREAM_CHUNK, CN_STREAM_END, CN_STREAM_CUT } cn_stream_step;

struct cn_http {
    cn_door *door;
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
    cn_buf extra; /* further header lines */
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
    _Atomic bool gone;

    /* ---- door ---- */
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
    size_t sent; /* of bytes */
    char *piece; /* LWS_PRE + CN_SEND_PIECE, for files */
    size_t piece_n;
    bool head_sent, counted;
};

/** Reads the request's line, query and headers. CN_ERR_TOOBIG, CN_ERR_PARSE, CN_ERR_UNSUPPORTED (method). */
cn_err cn_exchange_new(cn_http **out, cn_door *door, struct lws *wsi, bool management);
/** Builds the head once the response is set; `err` other than CN_OK replaces it with a problem document. */
void cn_exchange_compose(cn_http *http, cn_err err);
/** Job thread: authenticates, parses JSON, runs the handler, composes; hands the exchange back to the door. */
void cn_exchange_run(void *exchange);
/** The part of it before the answer: what a stream does before its first byte. */
cn_err cn_exchange_enter(cn_http *http);

/* door.c, for the files of the door. All on its thread. */

/** Per connection, kept by libwebsockets. */
typedef struct cn_conn_state {
    cn_http *http;
    cn_ws *ws;
} cn_conn_state;

const cn_door_config *cn_door_config_of(const cn_door *door);
/** Gives the exchange to a job thread; CN_ERR_FULL when the pool's line is full (nothing has changed then). */
cn_err cn_door_lend(cn_http *http, cn_job_fn fn);
/** Job thread: gives it back; `back` runs on the door and must call cn_door_returned first. */
void cn_door_give_back(cn_http *http, void (*back)(void *exchange));
/** The door has it again (the job's reference stays with the caller, who drops it). */
void cn_door_returned(cn_http *http);
/** Composes and sends a refusal from the door itself; `status` 0: that of the error. */
void cn_door_refuse(cn_http *http, cn_err err, int status);
bool cn_door_is_management(const cn_door *door, struct lws *wsi);
bool cn_door_dead(const cn_door *door);
struct lws_context *cn_door_lws(const cn_door *door);
void cn_door_count(cn_door *door, int64_t messages_in, int64_t messages_out, int websockets);

/* door_stream.c */
void cn_stream_start(cn_http *http);
void cn_stream_body(cn_http *http, const void *bytes, size_t len);
void cn_stream_next(cn_http *http);

/* door_send.c */
/** Sends the next piece; 0 more to come or nothing to do, 1 all sent, -1 the connection must end. */
int cn_send_next(cn_http *http);

/* door_ws.c: libwebsockets' callbacks of a WebSocket, results as there. */
int cn_ws_on_filter(cn_door *door, struct lws *wsi, cn_conn_state *state);
int cn_ws_on_open(cn_door *door, struct lws *wsi, cn_conn_state *state);
int cn_ws_on_receive(cn_door *door, struct lws *wsi, cn_conn_state *state, const void *bytes, size_t len);
int cn_ws_on_writable(cn_door *door, struct lws *wsi, cn_conn_state *state);
void cn_ws_on_closed(cn_door *door, cn_conn_state *state);

#endif
