/* WebSockets: handshake, assembling messages, the bounded queue of what waits to be sent. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "signaling/door/parts.h"
#include "signaling/door/ws.h"

#define TOKEN_MAX 128
#define KEY_MAX 32

/* Sharing is safe: libwebsockets writes a frame's header into LWS_PRE, the same one for every receiver (a server masks
 * nothing, and no extension is on), and copies what the socket does not take at once. */
struct cn_ws_text {
    size_t n;
    unsigned char bytes[]; /* LWS_PRE, then n */
};

typedef struct message {
    struct message *next;
    char key[KEY_MAX];
    cn_ws_text *text;
} message;

struct cn_ws {
    cn_door *door;
    struct lws *wsi;
    char token[TOKEN_MAX], address[48];
    bool open, closing;
    int close_code;
    char close_reason[64];
    cn_buf in;
    size_t unfinished; /* bytes of `in` whose end has not come */
    message *first, *last;
    size_t waiting, bytes;
    void *own;
};

/* The page's own host: "http://host:port" against Host. */
static bool same_origin(const cn_http *http)
{
    const char *origin = cn_http_header(http, "origin"), *host = cn_http_header(http, "host");
    if (!origin || !host) return false;
    const char *scheme = http->secure ? "https://" : "http://";
    size_t n = strlen(scheme);
    /* behind a proxy that ends TLS the page's scheme is https while ours is http */
    if (strncmp(origin, scheme, n) != 0 && strncmp(origin, "https://", n = 8) != 0) return false;
    return strcasecmp(origin + n, host) == 0;
}

/* 0, or the status to refuse with. Whether the login still holds is asked after the handshake. */
static unsigned judge(cn_door *door, const cn_http *http, char *token)
{
    const cn_door_config *config = cn_door_config_of(door);
    if (!config->ws || http->management || strcmp(http->path, "/ws") != 0) return 404;
    if (!same_origin(http)) return 403;
    if (!cn_http_cookie(http, "sid", token, TOKEN_MAX)) return 401;
    return config->ws->judge(config->ws_ctx, token, http->actor.address);
}

int cn_ws_on_filter(cn_door *door, struct lws *wsi, cn_conn_state *state)
{
    char token[TOKEN_MAX];
    cn_http *http = NULL;
    cn_err err = cn_door_exchange(&http, door, wsi);
    unsigned status = err == CN_OK ? judge(door, http, token) : 400;
    cn_ws *ws = !status && !state->ws ? CN_NEW(cn_ws) : NULL;
    if (status) lws_return_http_status(wsi, status, NULL);
    if (ws) {
        ws->door = door;
        ws->wsi = wsi;
        cn_strcpy(ws->token, sizeof ws->token, token);
        cn_strcpy(ws->address, sizeof ws->address, http->actor.address);
        state->ws = ws;
    }
    OPENSSL_cleanse(token, sizeof token);
    cn_unref(http);
    return ws ? 0 : 1;
}

int cn_ws_on_open(cn_door *door, struct lws *wsi, cn_conn_state *state)
{
    const cn_door_config *config = cn_door_config_of(door);
    cn_ws *ws = state->ws;
    if (!ws) return -1;
    ws->wsi = wsi;
    ws->open = true;
    cn_door_count(door, 0, 0, 1);
    config->ws->opened(config->ws_ctx, ws, ws->token, ws->address);
    OPENSSL_cleanse(ws->token, sizeof ws->token);
    return 0;
}

/* The message that came in pieces is whole, or given up. */
static void settle(cn_ws *ws)
{
    if (!ws->unfinished) return;
    cn_door_unfinished(ws->door, -(int64_t)ws->unfinished);
    ws->unfinished = 0;
    if (ws->wsi && !ws->closing) lws_set_timeout(ws->wsi, NO_PENDING_TIMEOUT, 0);
}

/* Adds a piece to the message that comes; false: the WebSocket is being closed. */
static bool gather(cn_ws *ws, const void *bytes, size_t len, bool last)
{
    bool full = false;
    ws->in.max = CN_WS_MESSAGE_MAX;
    cn_buf_add(&ws->in, bytes, len);
    if (!last) {
        if (!ws->unfinished) lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_OK, CN_WS_UNFINISHED_S);
        ws->unfinished += len;
        full = cn_door_unfinished(ws->door, (int64_t)len) > CN_WS_UNFINISHED_MAX;
    }
    if (ws->in.err == CN_OK && !full) return true;
    cn_ws_close(ws, full ? CN_WS_CLOSE_SLOW : CN_WS_CLOSE_BIG, full ? "try again later" : "at most 256 KiB");
    cn_buf_free(&ws->in);
    settle(ws);
    return false;
}

int cn_ws_on_receive(cn_door *door, struct lws *wsi, cn_conn_state *state, const void *bytes, size_t len)
{
    const cn_door_config *config = cn_door_config_of(door);
    cn_ws *ws = state->ws;
    if (!ws) return -1;
    if (ws->closing) return 0;
    if (lws_is_first_fragment(wsi)) ws->in.n = 0;
    if (lws_frame_is_binary(wsi)) {
        cn_ws_close(ws, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "text only");
        return 0;
    }
    bool last = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;
    if (!gather(ws, bytes, len, last) || !last) return 0;
    settle(ws);
    cn_door_count(door, 1, 0, 0);
    config->ws->message(config->ws_ctx, ws, ws->in.n ? ws->in.p : "", ws->in.n);
    ws->in.n = 0;
    if (ws->in.cap > CN_WS_MESSAGE_MAX / 8) cn_buf_free(&ws->in);
    return 0;
}

static void message_free(message *msg)
{
    cn_unref(msg->text);
    free(msg);
}

static void drop_first(cn_ws *ws)
{
    message *msg = ws->first;
    ws->first = msg->next;
    if (!ws->first) ws->last = NULL;
    ws->waiting--;
    ws->bytes -= msg->text->n;
    message_free(msg);
}

int cn_ws_on_writable(cn_door *door, struct lws *wsi, cn_conn_state *state)
{
    cn_ws *ws = state->ws;
    if (!ws) return -1;
    while (ws->first) {
        message *msg = ws->first;
        int sent = lws_write(wsi, msg->text->bytes + LWS_PRE, msg->text->n, LWS_WRITE_TEXT);
        if (sent < 0) return -1;
        drop_first(ws);
        cn_door_count(door, 0, 1, 0);
        if (lws_send_pipe_choked(wsi)) break;
    }
    if (ws->first) {
        lws_callback_on_writable(wsi);
    } else if (ws->closing) {
        lws_close_reason(wsi, (enum lws_close_status)ws->close_code, (unsigned char *)ws->close_reason,
                         strlen(ws->close_reason));
        return -1;
    }
    return 0;
}

void cn_ws_on_closed(cn_door *door, cn_conn_state *state)
{
    const cn_door_config *config = cn_door_config_of(door);
    cn_ws *ws = state->ws;
    state->ws = NULL;
    if (ws->open) {
        ws->closing = true;
        cn_door_count(door, 0, 0, -1);
        config->ws->closed(config->ws_ctx, ws);
    }
    while (ws->first) drop_first(ws);
    settle(ws);
    cn_buf_free(&ws->in);
    cn_free_secret(ws, sizeof *ws);
}

cn_ws_text *cn_ws_text_new(const json_t *msg)
{
    CN_AUTO_FREE char *json = json_dumps(msg, JSON_COMPACT | JSON_REAL_PRECISION(12));
    size_t n = json ? strlen(json) : 0;
    cn_ws_text *text = json ? cn_ref_new(sizeof *text + LWS_PRE + n, NULL) : NULL;
    if (!text) return NULL;
    text->n = n;
    memcpy(text->bytes + LWS_PRE, json, n);
    return text;
}

static message *message_new(cn_ws_text *text, const char *key)
{
    message *msg = CN_NEW(message);
    if (!msg) return NULL;
    cn_strcpy(msg->key, sizeof msg->key, key ? key : "");
    msg->text = cn_ref(text);
    return msg;
}

/* Takes the place of a waiting message with its key. */
static bool replace(cn_ws *ws, message *msg)
{
    if (!*msg->key) return false;
    for (message **at = &ws->first; *at; at = &(*at)->next) {
        message *old = *at;
        if (strcmp(old->key, msg->key) != 0) continue;
        msg->next = old->next;
        *at = msg;
        if (ws->last == old) ws->last = msg;
        ws->bytes += msg->text->n - old->text->n;
        message_free(old);
        return true;
    }
    return false;
}

void cn_ws_send_text(cn_ws *ws, cn_ws_text *text, const char *key)
{
    if (ws->closing || !text) return;
    message *msg = message_new(text, key);
    if (!msg) return;
    if (!replace(ws, msg)) {
        if (ws->waiting >= CN_WS_QUEUE_MAX || ws->bytes + text->n > CN_WS_QUEUE_BYTES) {
            message_free(msg);
            while (ws->first) drop_first(ws);
            cn_info("signaling.ws", "a client that does not read is closed");
            cn_ws_close(ws, CN_WS_CLOSE_SLOW, "too slow");
            return;
        }
        if (ws->last)
            ws->last->next = msg;
        else
            ws->first = msg;
        ws->last = msg;
        ws->waiting++;
        ws->bytes += text->n;
    }
    lws_callback_on_writable(ws->wsi);
}

void cn_ws_send(cn_ws *ws, const json_t *msg, const char *key)
{
    CN_AUTO_UNREF cn_ws_text *text = cn_ws_text_new(msg);
    cn_ws_send_text(ws, text, key);
}

void cn_ws_close(cn_ws *ws, int code, const char *reason)
{
    if (ws->closing) return;
    ws->closing = true;
    ws->close_code = code;
    cn_strcpy(ws->close_reason, sizeof ws->close_reason, reason);
    cn_ws_read(ws, true);
    lws_callback_on_writable(ws->wsi);
    /* it may never read the close frame */
    lws_set_timeout(ws->wsi, PENDING_TIMEOUT_USER_OK, 5);
}

void cn_ws_read(cn_ws *ws, bool on)
{
    lws_rx_flow_control(ws->wsi, on ? 1 : 0);
}

void cn_ws_own(cn_ws *ws, void *owned)
{
    ws->own = owned;
}

void *cn_ws_owned(const cn_ws *ws)
{
    return ws->own;
}
