#include "signaling/door/door.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"
#include "base/mem.h"
#include "signaling/door/door_impl.h"
#include "signaling/door/exchange.h"
#include "signaling/door/parts.h"
#include "signaling/http/cors.h"
#include "signaling/http/problem.h"

#define BODY_DEFAULT (256 * 1024)
#define BODY_IGNORED 4096 /* routes without a body let so much pass */
#define BODY_LOOK_S 10
#define BODY_LEAST 2048 /* bytes between two looks */
#define BODY_LOOKS 6    /* of a body that is kept in memory */
#define STRANGERS_MOST 4096
#define THROWN_AWAY_MAX (8u << 20) /* of a body that was refused before its end */

/* ---- exchanges on their way ---- */

static void dispatch(cn_http *http)
{
    http->dispatched = true;
    if (http->route->job == CN_RUN_DOOR) {
        cn_exchange_compose(http, cn_exchange_enter(http));
        lws_callback_on_writable(http->wsi);
    } else if (cn_exchange_quick(http)) {
        http->quick = true; /* sent before anything else is read */
    } else if (cn_door_lend(http, cn_exchange_run) != CN_OK) {
        cn_door_refuse(http, CN_ERR_FULL, 0);
    }
}

static void let_go(cn_conn_state *state)
{
    cn_http *http = state->http;
    if (!http) return;
    state->http = NULL;
    http->wsi = NULL;
    if (http->route && http->route->stream && http->begun) cn_stream_next(http);
    cn_unref(http);
}

/* ---- libwebsockets' callbacks ---- */

static void serve_static(cn_http *http, const cn_static *file)
{
    cn_http_set(http, "Cache-Control", file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (file->varies) cn_http_set(http, "Vary", "Accept-Encoding");
    if (!cn_http_not_modified(http, file->etag)) {
        if (file->encoding) cn_http_set(http, "Content-Encoding", file->encoding);
        cn_http_bytes(http, 200, file->type, file->bytes, file->n, NULL, NULL);
    }
    cn_exchange_compose(http, CN_OK);
    http->dispatched = true;
    lws_callback_on_writable(http->wsi);
}

static void no_route(cn_door *door, cn_http *http)
{
    cn_static file;
    bool reads = http->method == CN_GET || http->method == CN_HEAD;
    if (http->match.allowed) {
        char allow[64];
        cn_route_allow(http->match.allowed, allow, sizeof allow);
        cn_http_set(http, "Allow", allow);
        cn_problem_set(&http->problem, CN_ERR_UNSUPPORTED, "", "this address knows %s only", allow);
        cn_door_refuse(http, CN_ERR_UNSUPPORTED, 405);
    } else if (reads && !http->management && door->config.statics &&
               cn_statics_find(door->config.statics, http->path, cn_http_header(http, "accept"),
                               cn_http_header(http, "accept-encoding"), &file)) {
        serve_static(http, &file);
    } else {
        cn_door_refuse(http, CN_ERR_NOTFOUND, 0);
    }
}

static size_t body_limit(const cn_route *route)
{
    if (route->body == CN_BODY_NONE) return BODY_IGNORED;
    return route->body_max ? route->body_max : BODY_DEFAULT;
}

/* libwebsockets waits for a body of these methods even where no length was given. */
static bool length_missing(const cn_http *http)
{
    return http->content_length < 0 && (http->method == CN_POST || http->method == CN_PUT || http->method == CN_PATCH);
}

static void expect_continue(cn_http *http)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    unsigned char out[LWS_PRE + sizeof go_on];
    if (!cn_http_header(http, "expect")) return;
    memcpy(out + LWS_PRE, go_on, sizeof go_on);
    lws_write(http->wsi, out + LWS_PRE, sizeof go_on - 1, LWS_WRITE_HTTP_HEADERS);
}

/* A body that trickles holds a connection and what was made for it: so much every so often, and one that is kept in memory is
 * whole before long. What waits for our own disk is not the client's fault. */
static void watch_body(cn_http *http)
{
    if (http->content_length > 0) lws_set_timer_usecs(http->wsi, BODY_LOOK_S * LWS_US_PER_SEC);
}

static void begin(cn_door *door, cn_http *http)
{
    cn_route_find(http->management ? door->config.management_routes : door->config.routes, http->method, http->path,
                  &http->match);
    http->route = http->match.route;
    if (http->route && (http->route->flags & CN_ROUTE_CORS))
        http->cors = cn_cors_allowed(door->config.cors_origins, cn_http_header(http, "origin"));
    http->close_after = length_missing(http) || http->chunked || (!http->route && http->content_length > 0);
    if (!http->route) {
        no_route(door, http);
    } else if (http->chunked) {
        cn_problem_set(&http->problem, CN_ERR_UNSUPPORTED, "",
                       "chunked request bodies are not accepted: send Content-Length");
        cn_door_refuse(http, CN_ERR_UNSUPPORTED, 411);
    } else if (http->route->stream) {
        if (http->content_length > 0) expect_continue(http);
        watch_body(http);
        cn_stream_start(http);
    } else if (http->content_length > (int64_t)body_limit(http->route)) {
        http->close_after = true;
        cn_problem_set(&http->problem, CN_ERR_TOOBIG, "", "the body may have at most %zu bytes",
                       body_limit(http->route));
        cn_door_refuse(http, CN_ERR_TOOBIG, 0);
    } else if (http->content_length > 0) {
        http->body.max = body_limit(http->route) + 1;
        watch_body(http);
        expect_continue(http);
    } else {
        dispatch(http);
    }
}

/*
 * libwebsockets 4.1.6 keeps what it read beyond a request in a list and parses the next request from there. When that
 * one has a body, it hands out the request's head as body, frees it and reads on, or turns in a circle. So such a
 * connection ends: a client that sends a body without waiting for the answer before it must be ready to send it again
 * (RFC 9112 §9.3.2).
 */
static bool unreadable(struct lws *wsi, const cn_http *http, cn_err err)
{
    bool read_ahead = lws_get_opaque_user_data(wsi) != NULL;
    return read_ahead && (err != CN_OK || http->content_length > 0 || http->chunked || length_missing(http));
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

/* The answer leaves before anything else is read. Its end is told to the library only when that has put away what it
 * read beyond the request: before, nobody can see that there is more (next_request). */
static int send_at_once(cn_http *http)
{
    int rc = cn_send_next(http);
    if (rc > 0) lws_callback_on_writable(http->wsi);
    return rc < 0 ? -1 : 0;
}

static int on_request(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    (void)in;
    (void)len;
    let_go(state);
    cn_crowd_busy(&door->crowd, wsi, true);
    cn_err err = cn_door_exchange(&state->http, door, wsi);
    if (!state->http || unreadable(wsi, state->http, err)) return -1;
    cn_http *http = state->http;
    http->counted = true;
    atomic_fetch_add(&door->requests, 1);
    if (err != CN_OK) {
        http->close_after = true;
        cn_door_refuse(http, err, err == CN_ERR_TOOBIG ? 431 : err == CN_ERR_UNSUPPORTED ? 405 : 0);
    } else if (atomic_load(&door->stopping) || atomic_load(&door->quiet)) {
        http->close_after = true;
        cn_door_refuse(http, CN_ERR_CLOSED, 0);
    } else {
        begin(door, http);
    }
    return http->quick ? send_at_once(http) : 0;
}

static int on_body(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    (void)door;
    (void)wsi;
    cn_http *http = state->http;
    if (http && http->lingering && (http->thrown_away += len) > THROWN_AWAY_MAX) return -1;
    if (!http || http->answered) return 0;
    http->body_seen += len;
    if (http->route && http->route->stream)
        cn_stream_body(http, in, len);
    else if (!http->dispatched)
        cn_buf_add(&http->body, in, len);
    return 0;
}

static int on_look(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    cn_http *http = state->http;
    (void)door;
    (void)in;
    (void)len;
    if (!http || http->content_length <= 0 || http->body_done || http->answered) return 0;
    bool ours = http->paused || http->working || http->retry_waits;
    bool slow = !ours && http->body_seen - http->body_looked_at < BODY_LEAST;
    if (!(http->route && http->route->stream)) slow = slow || ++http->body_looks >= BODY_LOOKS;
    http->body_looked_at = http->body_seen;
    if (!slow) {
        lws_set_timer_usecs(wsi, BODY_LOOK_S * LWS_US_PER_SEC);
        return 0;
    }
    if (http->route && http->route->stream) return -1; /* what arrived is kept: the client goes on from there */
    http->close_after = true;
    cn_problem_set(&http->problem, CN_ERR_TIMEOUT, "", "the body did not come");
    cn_door_refuse(http, CN_ERR_TIMEOUT, 408);
    return 0;
}

static int on_body_done(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    (void)door;
    (void)wsi;
    (void)in;
    (void)len;
    cn_http *http = state->http;
    if (!http || http->body_done) return 0;
    http->body_done = true;
    if (http->lingering && http->head_sent) return -1;
    if (http->route && http->route->stream) {
        cn_stream_next(http);
    } else if (!http->dispatched) {
        if (http->body.err != CN_OK)
            cn_door_refuse(http, http->body.err, 0);
        else
            dispatch(http);
        if (http->quick) return send_at_once(http);
    }
    return 0;
}

static void count_answer(cn_door *door, const cn_http *http)
{
    atomic_fetch_add(http->status < 400 ? &door->ok : http->status < 500 ? &door->bad : &door->failed, 1);
}

static int on_writable(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    (void)in;
    (void)len;
    cn_http *http = state->http;
    if (!http) return 0;
    int rc = cn_send_next(http);
    if (rc <= 0) return rc;
    if (lws_partial_buffered(wsi)) {
        /* the library would put the end of the request off, and what it holds on to until then looks like bytes read
         * ahead (next_request) */
        lws_callback_on_writable(wsi);
        return 0;
    }
    if (http->counted) count_answer(door, http);
    http->counted = false;
    if (http->lingering && !http->body_done) {
        /* the client still sends: closing now would reset the connection before it has read the answer */
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, 10);
        return 0;
    }
    bool close_after = http->close_after;
    if (*http->actor.user) cn_crowd_know(&door->crowd, wsi);
    cn_crowd_busy(&door->crowd, wsi, false);
    let_go(state);
    return close_after ? -1 : next_request(wsi);
}

static int on_gone(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    (void)wsi;
    (void)in;
    (void)len;
    if (state->ws) cn_ws_on_closed(door, state);
    let_go(state);
    return 0;
}

/* No h2c: HTTP/2 is a large parser that nobody here needs. The library asks before the connection has memory of its own,
 * and has answered what it does not know itself: the text that it hands over is then no longer there. */
static int on_upgrade(struct lws *wsi)
{
    char to[16];
    int n = lws_hdr_copy(wsi, to, sizeof to, WSI_TOKEN_UPGRADE);
    if (n == 0) return -1;
    if (n > 0 && strcasecmp(to, "websocket") == 0) return 0;
    lws_return_http_status(wsi, HTTP_STATUS_NOT_IMPLEMENTED, NULL);
    return -1;
}

static int on_filter(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    (void)in;
    (void)len;
    return cn_ws_on_filter(door, wsi, state);
}

static int on_ws_open(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    (void)in;
    (void)len;
    cn_crowd_know(&door->crowd, wsi); /* those whose login is not known yet have bounds of their own */
    return cn_ws_on_open(door, wsi, state);
}

static int on_ws_receive(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    return cn_ws_on_receive(door, wsi, state, in, len);
}

static int on_ws_writable(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len)
{
    (void)in;
    (void)len;
    return cn_ws_on_writable(door, wsi, state);
}

/* Whoever comes through a proxy of ours is many. */
static void come(cn_door *door, struct lws *wsi)
{
    char address[CN_ADDRESS_TEXT] = "";
    cn_address at;
    if (lws_get_vhost(wsi) == door->management) return;
    lws_get_peer_simple(wsi, address, sizeof address);
    bool proxy = door->config.proxies && cn_address_parse(address, strlen(address), &at) &&
                 cn_networks_have(&door->config.proxies->trusted, &at);
    struct lws *goes = cn_crowd_come(&door->crowd, wsi, proxy ? NULL : address);
    if (goes) lws_set_timeout(goes, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static const struct {
    enum lws_callback_reasons reason;
    int (*fn)(cn_door *door, struct lws *wsi, cn_conn_state *state, void *in, size_t len);
} reasons[] = {
    {LWS_CALLBACK_HTTP, on_request},
    {LWS_CALLBACK_HTTP_BODY, on_body},
    {LWS_CALLBACK_HTTP_BODY_COMPLETION, on_body_done},
    {LWS_CALLBACK_TIMER, on_look},
    {LWS_CALLBACK_HTTP_WRITEABLE, on_writable},
    {LWS_CALLBACK_CLOSED_HTTP, on_gone},
    {LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION, on_filter},
    {LWS_CALLBACK_ESTABLISHED, on_ws_open},
    {LWS_CALLBACK_RECEIVE, on_ws_receive},
    {LWS_CALLBACK_SERVER_WRITEABLE, on_ws_writable},
    {LWS_CALLBACK_CLOSED, on_gone},
    {LWS_CALLBACK_WSI_DESTROY, on_gone},
};

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    cn_door *door = wsi ? lws_context_user(lws_get_context(wsi)) : NULL;
    if (!door) return 0;
    if (reason == LWS_CALLBACK_EVENT_WAIT_CANCELLED) {
        cn_door_run_calls(door);
        return 0;
    }
    if (reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE) return on_upgrade(wsi);
    if (reason == LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED) come(door, wsi);
    if (reason == LWS_CALLBACK_WSI_DESTROY) cn_crowd_go(&door->crowd, wsi);
    if (!user) return 0;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].reason == reason) return reasons[i].fn(door, wsi, user, in, len);
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

/* A WebSocket from which nothing comes is pinged, and ended when nothing comes back: a dead phone holds no place. */
static const lws_retry_bo_t alive = {.secs_since_valid_ping = 30, .secs_since_valid_hangup = 50};

static void common(cn_door *door, struct lws_context_creation_info *info)
{
    *info = (struct lws_context_creation_info){
        .protocols = door->protocols,
        .user = door,
        .alpn = "http/1.1",
        .timeout_secs = 20,
        .keepalive_timeout = 60,
        .retry_and_idle_policy = &alive,
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

static cn_err open_vhosts(cn_door *door)
{
    const cn_door_config *config = &door->config;
    struct lws_context_creation_info info;
    common(door, &info);
    if (*config->tls_cert) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = config->tls_cert;
        info.ssl_private_key_filepath = config->tls_key;
        info.ssl_cipher_list = config->tls_ciphers;
        info.ssl_options_set = SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_RENEGOTIATION;
    }
    listen_at(&info, config->listen, config->port);
    info.vhost_name = "door";
    door->vhost = lws_create_vhost(door->ctx, &info);
    if (!door->vhost || lws_get_vhost_listen_port(door->vhost) <= 0)
        return cannot_listen(config->listen, config->port,
                             *config->tls_cert ? "its certificate or key cannot be read" : "");
    if (config->management_port < 0) return CN_OK;
    common(door, &info);
    listen_at(&info, config->management_listen, config->management_port);
    info.vhost_name = "management";
    door->management = lws_create_vhost(door->ctx, &info);
    if (!door->management || lws_get_vhost_listen_port(door->management) <= 0)
        return cannot_listen(config->management_listen, config->management_port, "");
    return CN_OK;
}

/* Of the descriptors that the process may have: three of four are kept for who is known, for files and the database. */
static size_t strangers_most(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) return CN_CROWD_HERE;
    return files.rlim_cur / 4 < STRANGERS_MOST ? (size_t)files.rlim_cur / 4 : STRANGERS_MOST;
}

cn_err cn_door_new(cn_door **out, const cn_door_config *config)
{
    cn_door *door = CN_NEW(cn_door);
    if (!door) return CN_ERR_NOMEM;
    pthread_mutex_init(&door->lock, NULL);
    cn_crowd_init(&door->crowd, strangers_most());
    door->config = *config;
    door->protocols[0] = (struct lws_protocols){.name = "consilium",
                                                .callback = callback,
                                                .per_session_data_size = sizeof(cn_conn_state),
                                                .rx_buffer_size = 64 * 1024};
    lws_set_log_level(LLL_ERR | LLL_WARN, lws_log);
    struct lws_context_creation_info info;
    common(door, &info);
    info.port = CONTEXT_PORT_NO_LISTEN;
    if (*config->tls_cert) info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
    door->ctx = lws_create_context(&info);
    cn_err err = door->ctx ? open_vhosts(door) : CN_ERR_NOMEM;
    if (err != CN_OK) {
        cn_door_free(door);
        return err;
    }
    *out = door;
    return CN_OK;
}

static void tick(lws_sorted_usec_list_t *sul)
{
    cn_door_repeat *again = lws_container_of(sul, cn_door_repeat, sul);
    again->woken_us = 0;
    again->fn(again->arg);
    if (again->ms) lws_sul_schedule(again->door->ctx, 0, &again->sul, tick, (lws_usec_t)again->ms * LWS_US_PER_MS);
}

cn_err cn_door_every(cn_door *door, unsigned ms, void (*fn)(void *arg), void *arg)
{
    if (door->repeats == CN_DOOR_EVERY_MAX) return CN_ERR_FULL;
    door->every[door->repeats++] = (cn_door_repeat){.door = door, .ms = ms, .fn = fn, .arg = arg};
    return CN_OK;
}

cn_err cn_door_on_wake(cn_door *door, void (*fn)(void *arg), void *arg)
{
    return cn_door_every(door, 0, fn, arg);
}

void cn_door_wake(cn_door *door, void (*fn)(void *arg), unsigned ms)
{
    lws_usec_t us = (lws_usec_t)ms * LWS_US_PER_MS, due = lws_now_usecs() + us;
    for (size_t i = 0; i < door->repeats; i++) {
        cn_door_repeat *one = &door->every[i];
        if (one->fn != fn || one->ms || (one->woken_us && one->woken_us <= due)) continue;
        one->woken_us = due;
        lws_sul_schedule(door->ctx, 0, &one->sul, tick, us);
    }
}

static void *serve(void *arg)
{
    cn_door *door = arg;
    pthread_setname_np(pthread_self(), "door");
    for (size_t i = 0; i < door->repeats; i++)
        if (door->every[i].ms)
            lws_sul_schedule(door->ctx, 0, &door->every[i].sul, tick, (lws_usec_t)door->every[i].ms * LWS_US_PER_MS);
    while (!atomic_load(&door->stopping) && lws_service(door->ctx, 0) >= 0) {
    }
    /* answers that are ready or nearly so still leave */
    for (unsigned i = 0; i < 300 && (atomic_load(&door->working) > 0 || i < 10); i++) {
        lws_service(door->ctx, -1);
        usleep(10 * 1000);
    }
    return NULL;
}

cn_err cn_door_start(cn_door *door)
{
    int err = pthread_create(&door->thread, NULL, serve, door);
    if (err) return cn_err_from_errno(err);
    door->started = true;
    return CN_OK;
}

void cn_door_quiesce(cn_door *door)
{
    atomic_store(&door->quiet, true);
    for (unsigned i = 0; i < 300 && atomic_load(&door->working) > 0; i++) usleep(10 * 1000);
}

void cn_door_stop(cn_door *door)
{
    if (!door || door->dead) return;
    if (door->started) {
        atomic_store(&door->stopping, true);
        lws_cancel_service(door->ctx);
        pthread_join(door->thread, NULL);
    }
    pthread_mutex_lock(&door->lock);
    struct lws_context *ctx = door->ctx;
    door->ctx = NULL;
    pthread_mutex_unlock(&door->lock);
    for (size_t i = 0; i < door->repeats; i++) lws_sul_cancel(&door->every[i].sul);
    if (ctx) lws_context_destroy(ctx);
    cn_crowd_end(&door->crowd);
    door->dead = true;
}

void cn_door_free(cn_door *door)
{
    if (!door) return;
    cn_door_stop(door);
    while (door->first) cn_door_run_calls(door); /* what finished after the end lets go of its memory */
    pthread_mutex_destroy(&door->lock);
    free(door);
}

uint16_t cn_door_port(const cn_door *door)
{
    return (uint16_t)lws_get_vhost_listen_port(door->vhost);
}

uint16_t cn_door_management_port(const cn_door *door)
{
    return door->management ? (uint16_t)lws_get_vhost_listen_port(door->management) : 0;
}

void cn_door_stats_get(const cn_door *door, cn_door_stats *out)
{
    *out = (cn_door_stats){.requests = atomic_load(&door->requests),
                           .answers_2xx = atomic_load(&door->ok),
                           .answers_4xx = atomic_load(&door->bad),
                           .answers_5xx = atomic_load(&door->failed),
                           .ws_messages_in = atomic_load(&door->ws_in),
                           .ws_messages_out = atomic_load(&door->ws_out),
                           .websockets = (uint32_t)atomic_load(&door->websockets),
                           .working = (uint32_t)atomic_load(&door->working)};
}
