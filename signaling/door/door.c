#include "signaling/door/door.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "signaling/door/exchange.h"
#include "signaling/http/problem.h"

#define CALLS_MAX 65536
#define BODY_DEFAULT (256 * 1024)
#define BODY_IGNORED 4096 /* routes without a body let so much pass */
#define EVERY_MAX 16
#define THROWN_AWAY_MAX (8u << 20) /* of a body that was refused before its end */

typedef struct repeat {
    lws_sorted_usec_list_t sul;
    cn_door *door;
    unsigned ms;
    void (*fn)(void *arg);
    void *arg;
} repeat;

struct cn_door {
    cn_door_config config;
    struct lws_context *ctx;
    struct lws_vhost *vhost, *management;
    struct lws_protocols protocols[2];
    pthread_t thread;
    bool started, dead;
    _Atomic bool stopping, quiet;
    pthread_mutex_t lock;
    cn_door_call *first, *last;
    _Atomic unsigned own_calls;
    repeat every[EVERY_MAX];
    size_t repeats;
    _Atomic uint64_t requests, ok, bad, failed, ws_in, ws_out;
    _Atomic int connections, websockets, working;
};

typedef struct own_call {
    cn_door_call call;
    cn_door *door;
    void (*fn)(void *arg);
    void *arg;
} own_call;

/* ---- calls from other threads ---- */

void cn_door_post(cn_door *d, cn_door_call *call)
{
    call->next = NULL;
    pthread_mutex_lock(&d->lock);
    bool wake = !d->first;
    if (d->last)
        d->last->next = call;
    else
        d->first = call;
    d->last = call;
    /* under the lock: the context ends only after the last call was taken or the door is dead */
    if (wake && d->ctx) lws_cancel_service(d->ctx);
    pthread_mutex_unlock(&d->lock);
}

static void run_own(void *arg)
{
    own_call *o = arg;
    atomic_fetch_sub(&o->door->own_calls, 1);
    if (!o->door->dead) o->fn(o->arg);
    free(o);
}

cn_err cn_door_call_new(cn_door *d, void (*fn)(void *arg), void *arg)
{
    own_call *o = CN_NEW(own_call);
    if (!o) return CN_ERR_NOMEM;
    if (atomic_fetch_add(&d->own_calls, 1) >= CALLS_MAX) {
        atomic_fetch_sub(&d->own_calls, 1);
        free(o);
        return CN_ERR_FULL;
    }
    *o = (own_call){.call = {.fn = run_own, .arg = o}, .door = d, .fn = fn, .arg = arg};
    cn_door_post(d, &o->call);
    return CN_OK;
}

static void run_calls(cn_door *d)
{
    pthread_mutex_lock(&d->lock);
    cn_door_call *call = d->first;
    d->first = d->last = NULL;
    pthread_mutex_unlock(&d->lock);
    while (call) {
        cn_door_call *next = call->next;
        call->fn(call->arg);
        call = next;
    }
}

/* ---- exchanges on their way ---- */

cn_err cn_door_lend(cn_http *h, cn_job_fn fn)
{
    cn_door *d = h->door;
    cn_ref(h);
    h->working = true;
    atomic_fetch_add(&d->working, 1);
    cn_jobs *pool = h->route && h->route->job == CN_RUN_TILE ? d->config.tile_jobs : d->config.db_jobs;
    cn_err err = cn_jobs_add(pool, fn, h);
    if (err == CN_OK) return CN_OK;
    cn_door_returned(h);
    cn_unref(h);
    return CN_ERR_FULL;
}

void cn_door_give_back(cn_http *h, void (*back)(void *exchange))
{
    h->call.fn = back;
    h->call.arg = h;
    cn_door_post(h->door, &h->call);
}

void cn_door_returned(cn_http *h)
{
    if (h->working) atomic_fetch_sub(&h->door->working, 1);
    h->working = false;
}

void cn_door_refuse(cn_http *h, cn_err err, int status)
{
    h->status = status;
    cn_exchange_compose(h, err);
    h->dispatched = true;
    lws_callback_on_writable(h->wsi);
}

static void dispatch(cn_http *h)
{
    h->dispatched = true;
    if (h->route->job == CN_RUN_DOOR) {
        cn_exchange_compose(h, cn_exchange_enter(h));
        lws_callback_on_writable(h->wsi);
    } else if (cn_door_lend(h, cn_exchange_run) != CN_OK) {
        cn_door_refuse(h, CN_ERR_FULL, 0);
    }
}

static void let_go(cn_conn_state *c)
{
    cn_http *h = c->http;
    if (!h) return;
    c->http = NULL;
    h->wsi = NULL;
    atomic_store(&h->gone, true);
    if (h->route && h->route->stream && h->begun) cn_stream_next(h);
    cn_unref(h);
}

/* ---- libwebsockets' callbacks ---- */

static void serve_static(cn_http *h, const cn_static *f)
{
    cn_http_set(h, "Cache-Control", f->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (f->varies) cn_http_set(h, "Vary", "Accept-Encoding");
    if (!cn_http_not_modified(h, f->etag)) {
        if (f->encoding) cn_http_set(h, "Content-Encoding", f->encoding);
        cn_http_bytes(h, 200, f->type, f->bytes, f->n, NULL, NULL);
    }
    cn_exchange_compose(h, CN_OK);
    h->dispatched = true;
    lws_callback_on_writable(h->wsi);
}

static void no_route(cn_door *d, cn_http *h)
{
    cn_static file;
    bool reads = h->method == CN_GET || h->method == CN_HEAD;
    if (h->match.allowed) {
        char allow[64];
        cn_route_allow(h->match.allowed, allow, sizeof allow);
        cn_http_set(h, "Allow", allow);
        cn_problem_set(&h->problem, CN_ERR_UNSUPPORTED, "", "this address knows %s only", allow);
        cn_door_refuse(h, CN_ERR_UNSUPPORTED, 405);
    } else if (reads && !h->management && d->config.statics &&
               cn_statics_find(d->config.statics, h->path, cn_http_header(h, "accept"),
                               cn_http_header(h, "accept-encoding"), &file)) {
        serve_static(h, &file);
    } else {
        cn_door_refuse(h, CN_ERR_NOTFOUND, 0);
    }
}

static size_t body_limit(const cn_route *r)
{
    if (r->body == CN_BODY_NONE) return BODY_IGNORED;
    return r->body_max ? r->body_max : BODY_DEFAULT;
}

/* libwebsockets waits for a body of these methods even where no length was given. */
static bool length_missing(const cn_http *h)
{
    return h->content_length < 0 && (h->method == CN_POST || h->method == CN_PUT || h->method == CN_PATCH);
}

static void expect_continue(cn_http *h)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char out[LWS_PRE + sizeof go_on];
    if (!cn_http_header(h, "expect")) return;
    memcpy(out + LWS_PRE, go_on, sizeof go_on);
    lws_write(h->wsi, out + LWS_PRE, sizeof go_on - 1, LWS_WRITE_HTTP_HEADERS);
}

static void begin(cn_door *d, cn_http *h)
{
    cn_route_find(h->management ? d->config.management_routes : d->config.routes, h->method, h->path, &h->match);
    h->route = h->match.route;
    h->close_after = length_missing(h) || h->chunked || (!h->route && h->content_length > 0);
    if (!h->route) {
        no_route(d, h);
    } else if (h->chunked) {
        cn_problem_set(&h->problem, CN_ERR_UNSUPPORTED, "",
                       "chunked request bodies are not accepted: send Content-Length");
        cn_door_refuse(h, CN_ERR_UNSUPPORTED, 411);
    } else if (h->route->stream) {
        if (h->content_length > 0) expect_continue(h);
        cn_stream_start(h);
    } else if (h->content_length > (int64_t)body_limit(h->route)) {
        h->close_after = true;
        cn_problem_set(&h->problem, CN_ERR_TOOBIG, "", "the body may have at most %zu bytes", body_limit(h->route));
        cn_door_refuse(h, CN_ERR_TOOBIG, 0);
    } else if (h->content_length > 0) {
        h->body.max = body_limit(h->route) + 1;
        expect_continue(h);
    } else {
        dispatch(h);
    }
}

/*
 * libwebsockets 4.1.6 keeps what it read beyond a request in a list and parses the next request from there. When that
 * one has a body, it hands out the request's head as body, frees it and reads on, or turns in a circle. So such a
 * connection ends: a client that sends a body without waiting for the answer before it must be ready to send it again
 * (RFC 9112 §9.3.2).
 */
static bool unreadable(struct lws *wsi, const cn_http *h, cn_err err)
{
    bool read_ahead = lws_get_opaque_user_data(wsi) != NULL;
    return read_ahead && (err != CN_OK || h->content_length > 0 || h->chunked || length_missing(h));
}

/* Whether the library has read more cannot be asked, but then it holds on to its table of headers, and looking into a
 * table ends the text that it was given. Its memory per connection is new for each request: the mark cannot be there.
 */
static int next_request(struct lws *wsi)
{
    char probe[] = "x";
    if (lws_http_transaction_completed(wsi)) return -1;
    (void)lws_hdr_custom_copy(wsi, probe, sizeof probe, ":", 1);
    lws_set_opaque_user_data(wsi, *probe ? NULL : wsi);
    return 0;
}

static int on_request(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    (void)in;
    (void)n;
    let_go(c);
    cn_err err = cn_exchange_new(&c->http, d, wsi, cn_door_is_management(d, wsi));
    if (!c->http || unreadable(wsi, c->http, err)) return -1;
    cn_http *h = c->http;
    h->counted = true;
    atomic_fetch_add(&d->requests, 1);
    if (err != CN_OK) {
        h->close_after = true;
        cn_door_refuse(h, err, err == CN_ERR_TOOBIG ? 431 : err == CN_ERR_UNSUPPORTED ? 405 : 0);
    } else if (atomic_load(&d->stopping) || atomic_load(&d->quiet)) {
        h->close_after = true;
        cn_door_refuse(h, CN_ERR_CLOSED, 0);
    } else {
        begin(d, h);
    }
    return 0;
}

static int on_body(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    (void)d;
    (void)wsi;
    cn_http *h = c->http;
    if (h && h->lingering && (h->thrown_away += n) > THROWN_AWAY_MAX) return -1;
    if (!h || h->answered) return 0;
    if (h->route && h->route->stream)
        cn_stream_body(h, in, n);
    else if (!h->dispatched)
        cn_buf_add(&h->body, in, n);
    return 0;
}

static int on_body_done(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    (void)d;
    (void)wsi;
    (void)in;
    (void)n;
    cn_http *h = c->http;
    if (!h || h->body_done) return 0;
    h->body_done = true;
    if (h->lingering && h->head_sent) return -1;
    if (h->route && h->route->stream) {
        cn_stream_next(h);
    } else if (!h->dispatched) {
        if (h->body.err != CN_OK)
            cn_door_refuse(h, h->body.err, 0);
        else
            dispatch(h);
    }
    return 0;
}

static void count_answer(cn_door *d, const cn_http *h)
{
    atomic_fetch_add(h->status < 400 ? &d->ok : h->status < 500 ? &d->bad : &d->failed, 1);
}

static int on_writable(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    (void)in;
    (void)n;
    cn_http *h = c->http;
    if (!h) return 0;
    int rc = cn_send_next(h);
    if (rc <= 0) return rc;
    if (h->counted) count_answer(d, h);
    h->counted = false;
    if (h->lingering && !h->body_done) {
        /* the client still sends: closing now would reset the connection before it has read the answer */
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, 10);
        return 0;
    }
    bool close_after = h->close_after;
    let_go(c);
    return close_after ? -1 : next_request(wsi);
}

static int on_gone(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    (void)wsi;
    (void)in;
    (void)n;
    if (c->ws) cn_ws_on_closed(d, c);
    let_go(c);
    return 0;
}

static int on_upgrade(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    (void)d;
    (void)wsi;
    (void)c;
    (void)n;
    return in && strcmp(in, "websocket") == 0 ? 0 : -1; /* no h2c */
}

static int on_filter(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    (void)in;
    (void)n;
    return cn_ws_on_filter(d, wsi, c);
}

static int on_ws_open(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    (void)in;
    (void)n;
    return cn_ws_on_open(d, wsi, c);
}

static int on_ws_receive(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    return cn_ws_on_receive(d, wsi, c, in, n);
}

static int on_ws_writable(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n)
{
    (void)in;
    (void)n;
    return cn_ws_on_writable(d, wsi, c);
}

static const struct {
    enum lws_callback_reasons reason;
    int (*fn)(cn_door *d, struct lws *wsi, cn_conn_state *c, void *in, size_t n);
} reasons[] = {
    {LWS_CALLBACK_HTTP, on_request},
    {LWS_CALLBACK_HTTP_BODY, on_body},
    {LWS_CALLBACK_HTTP_BODY_COMPLETION, on_body_done},
    {LWS_CALLBACK_HTTP_WRITEABLE, on_writable},
    {LWS_CALLBACK_CLOSED_HTTP, on_gone},
    {LWS_CALLBACK_HTTP_CONFIRM_UPGRADE, on_upgrade},
    {LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION, on_filter},
    {LWS_CALLBACK_ESTABLISHED, on_ws_open},
    {LWS_CALLBACK_RECEIVE, on_ws_receive},
    {LWS_CALLBACK_SERVER_WRITEABLE, on_ws_writable},
    {LWS_CALLBACK_CLOSED, on_gone},
    {LWS_CALLBACK_WSI_DESTROY, on_gone},
};

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t n)
{
    cn_door *d = wsi ? lws_context_user(lws_get_context(wsi)) : NULL;
    if (!d) return 0;
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
        run_calls(d);
        return 0;
    }
    if (!user) return 0;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].reason == reason) return reasons[i].fn(d, wsi, user, in, n);
    return 0;
}

/* ---- life ---- */

static void lws_log(int level, const char *line)
{
    cn_log(level & LLL_ERR ? CN_LOG_WARN : CN_LOG_DEBUG, "signaling.lws", "%.*s", (int)strcspn(line, "\n"), line);
}

static void listen_at(struct lws_context_creation_info *info, const char *address, int port)
{
    bool v6 = strchr(address, ':') != NULL;
    bool all = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
    info->iface = all ? NULL : address;
    info->port = port;
    if (!v6) info->options |= LWS_SERVER_OPTION_DISABLE_IPV6;
}

static void common(cn_door *d, struct lws_context_creation_info *info)
{
    *info = (struct lws_context_creation_info){
        .protocols = d->protocols,
        .user = d,
        .alpn = "http/1.1",
        .timeout_secs = 20,
        .keepalive_timeout = 60,
        .gid = -1,
        .uid = -1,
        .server_string = "consilium",
        .pt_serv_buf_size = 64 * 1024,
        .max_http_header_data2 = 32 * 1024,
        .options =
            LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
    };
}

/* libwebsockets keeps the reason to itself: the same is tried once more. */
static cn_err cannot_listen(const char *address, int port, const char *or_else)
{
    char text[16];
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *at = NULL;
    const char *why = or_else;
    if (!cn_fmt(text, sizeof text, "%d", port) || getaddrinfo(address, text, &hints, &at) != 0) {
        why = "this is no address";
    } else {
        CN_AUTO_CLOSE int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && bind(fd, at->ai_addr, at->ai_addrlen) < 0) why = strerrordesc_np(errno);
        freeaddrinfo(at);
    }
    cn_error("signaling.door", "cannot listen on %s port %d: %s", address, port, why);
    return CN_ERR_IO;
}

static cn_err open_vhosts(cn_door *d)
{
    const cn_door_config *c = &d->config;
    struct lws_context_creation_info info;
    common(d, &info);
    if (*c->tls_cert) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = c->tls_cert;
        info.ssl_private_key_filepath = c->tls_key;
        info.ssl_options_set = SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION;
    }
    listen_at(&info, c->listen, c->port);
    info.vhost_name = "door";
    d->vhost = lws_create_vhost(d->ctx, &info);
    if (!d->vhost || lws_get_vhost_listen_port(d->vhost) <= 0)
        return cannot_listen(c->listen, c->port, *c->tls_cert ? "its certificate or key cannot be read" : "");
    if (c->management_port < 0) return CN_OK;
    common(d, &info);
    listen_at(&info, c->management_listen, c->management_port);
    info.vhost_name = "management";
    d->management = lws_create_vhost(d->ctx, &info);
    if (!d->management || lws_get_vhost_listen_port(d->management) <= 0)
        return cannot_listen(c->management_listen, c->management_port, "");
    return CN_OK;
}

cn_err cn_door_new(cn_door **out, const cn_door_config *config)
{
    cn_door *d = CN_NEW(cn_door);
    if (!d) return CN_ERR_NOMEM;
    pthread_mutex_init(&d->lock, NULL);
    d->config = *config;
    d->protocols[0] = (struct lws_protocols){.name = "consilium",
                                             .callback = callback,
                                             .per_session_data_size = sizeof(cn_conn_state),
                                             .rx_buffer_size = 64 * 1024};
    lws_set_log_level(LLL_ERR | LLL_WARN, lws_log);
    struct lws_context_creation_info info;
    common(d, &info);
    info.port = CONTEXT_PORT_NO_LISTEN;
    if (*config->tls_cert) info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    d->ctx = lws_create_context(&info);
    cn_err err = d->ctx ? open_vhosts(d) : CN_ERR_NOMEM;
    if (err != CN_OK) {
        cn_door_free(d);
        return err;
    }
    *out = d;
    return CN_OK;
}

static void tick(lws_sorted_usec_list_t *sul)
{
    repeat *r = lws_container_of(sul, repeat, sul);
    r->fn(r->arg);
    lws_sul_schedule(r->door->ctx, 0, &r->sul, tick, (lws_usec_t)r->ms * LWS_US_PER_MS);
}

cn_err cn_door_every(cn_door *d, unsigned ms, void (*fn)(void *arg), void *arg)
{
    if (d->repeats == EVERY_MAX) return CN_ERR_FULL;
    d->every[d->repeats++] = (repeat){.door = d, .ms = ms, .fn = fn, .arg = arg};
    return CN_OK;
}

static void *serve(void *arg)
{
    cn_door *d = arg;
    pthread_setname_np(pthread_self(), "door");
    for (size_t i = 0; i < d->repeats; i++)
        lws_sul_schedule(d->ctx, 0, &d->every[i].sul, tick, (lws_usec_t)d->every[i].ms * LWS_US_PER_MS);
    while (!atomic_load(&d->stopping) && lws_service(d->ctx, 0) >= 0) {
    }
    /* answers that are ready or nearly so still leave */
    for (unsigned i = 0; i < 300 && (atomic_load(&d->working) > 0 || i < 10); i++) {
        lws_service(d->ctx, -1);
        usleep(10 * 1000);
    }
    return NULL;
}

cn_err cn_door_start(cn_door *d)
{
    int err = pthread_create(&d->thread, NULL, serve, d);
    if (err) return cn_err_from_errno(err);
    d->started = true;
    return CN_OK;
}

void cn_door_quiesce(cn_door *d)
{
    atomic_store(&d->quiet, true);
    for (unsigned i = 0; i < 300 && atomic_load(&d->working) > 0; i++) usleep(10 * 1000);
}

void cn_door_stop(cn_door *d)
{
    if (!d || d->dead) return;
    if (d->started) {
        atomic_store(&d->stopping, true);
        lws_cancel_service(d->ctx);
        pthread_join(d->thread, NULL);
    }
    pthread_mutex_lock(&d->lock);
    struct lws_context *ctx = d->ctx;
    d->ctx = NULL;
    pthread_mutex_unlock(&d->lock);
    for (size_t i = 0; i < d->repeats; i++) lws_sul_cancel(&d->every[i].sul);
    if (ctx) lws_context_destroy(ctx);
    d->dead = true;
}

void cn_door_free(cn_door *d)
{
    if (!d) return;
    cn_door_stop(d);
    while (d->first) run_calls(d); /* what finished after the end lets go of its memory */
    pthread_mutex_destroy(&d->lock);
    free(d);
}

bool cn_door_mine(const cn_door *d)
{
    return !d->started || pthread_equal(pthread_self(), d->thread);
}

bool cn_door_is_management(const cn_door *d, struct lws *wsi)
{
    return lws_get_vhost(wsi) == d->management;
}

bool cn_door_dead(const cn_door *d)
{
    return d->dead;
}

cn_app *cn_door_app(const cn_door *d)
{
    return d->config.app;
}

struct lws_context *cn_door_lws(const cn_door *d)
{
    return d->ctx;
}

const cn_door_config *cn_door_config_of(const cn_door *d)
{
    return &d->config;
}

uint16_t cn_door_port(const cn_door *d)
{
    return (uint16_t)lws_get_vhost_listen_port(d->vhost);
}

uint16_t cn_door_management_port(const cn_door *d)
{
    return d->management ? (uint16_t)lws_get_vhost_listen_port(d->management) : 0;
}

void cn_door_count(cn_door *d, int64_t messages_in, int64_t messages_out, int websockets)
{
    atomic_fetch_add(&d->ws_in, (uint64_t)messages_in);
    atomic_fetch_add(&d->ws_out, (uint64_t)messages_out);
    atomic_fetch_add(&d->websockets, websockets);
}

void cn_door_stats_get(const cn_door *d, cn_door_stats *out)
{
    *out = (cn_door_stats){.requests = atomic_load(&d->requests),
                           .answers_2xx = atomic_load(&d->ok),
                           .answers_4xx = atomic_load(&d->bad),
                           .answers_5xx = atomic_load(&d->failed),
                           .ws_messages_in = atomic_load(&d->ws_in),
                           .ws_messages_out = atomic_load(&d->ws_out),
                           .websockets = (uint32_t)atomic_load(&d->websockets),
                           .working = (uint32_t)atomic_load(&d->working)};
}
