#include <openssl/crypto.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "signaling/http/exchange_state.h"

#define TEXT_MAX 32768

/* Headers that handlers may ask for; custom ones are unknown to libwebsockets. */
static const struct {
    const char *name;
    int token;
} headers[] = {
    {"cookie", WSI_TOKEN_HTTP_COOKIE},
    {"content-type", WSI_TOKEN_HTTP_CONTENT_TYPE},
    {"content-length", WSI_TOKEN_HTTP_CONTENT_LENGTH},
    {"transfer-encoding", WSI_TOKEN_HTTP_TRANSFER_ENCODING},
    {"origin", WSI_TOKEN_ORIGIN},
    {"host", WSI_TOKEN_HOST},
    {"accept", WSI_TOKEN_HTTP_ACCEPT},
    {"accept-encoding", WSI_TOKEN_HTTP_ACCEPT_ENCODING},
    {"accept-language", WSI_TOKEN_HTTP_ACCEPT_LANGUAGE},
    {"authorization", WSI_TOKEN_HTTP_AUTHORIZATION},
    {"if-none-match", WSI_TOKEN_HTTP_IF_NONE_MATCH},
    {"if-match", WSI_TOKEN_HTTP_IF_MATCH},
    {"if-range", WSI_TOKEN_HTTP_IF_RANGE},
    {"range", WSI_TOKEN_HTTP_RANGE},
    {"x-forwarded-for", WSI_TOKEN_X_FORWARDED_FOR},
    {"x-forwarded-proto", -1},
    {"forwarded", -1},
    {"x-csrf-token", -1},
    {"sec-fetch-site", -1},
    {"expect", WSI_TOKEN_HTTP_EXPECT},
    {"tus-resumable", -1},
    {"upload-length", -1},
    {"upload-offset", -1},
    {"upload-metadata", -1},
    {"upload-checksum", -1},
    {"upload-defer-length", -1},
};

#define HEADERS (sizeof headers / sizeof *headers)
_Static_assert(HEADERS <= CN_HEADERS_MAX, "room for every header");

/* Text is collected with offsets first, because the buffer moves while it grows. */
typedef struct places {
    size_t header[HEADERS]; /* 0: absent */
    size_t query[CN_QUERY_MAX];
} places;

static bool clean(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return false;
    return true;
}

static int header_length(struct lws *wsi, const char *name, int token)
{
    char with_colon[32];
    if (token >= 0) return lws_hdr_total_length(wsi, (enum lws_token_indexes)token);
    if (!cn_fmt(with_colon, sizeof with_colon, "%s:", name)) return -1;
    return lws_hdr_custom_length(wsi, with_colon, (int)strlen(with_colon));
}

static int header_copy(struct lws *wsi, const char *name, int token, char *dst, int size)
{
    char with_colon[32];
    if (token >= 0) return lws_hdr_copy(wsi, dst, size, (enum lws_token_indexes)token);
    if (!cn_fmt(with_colon, sizeof with_colon, "%s:", name)) return -1;
    return lws_hdr_custom_copy(wsi, dst, size, with_colon, (int)strlen(with_colon));
}

static cn_err read_headers(struct lws *wsi, cn_buf *text, places *at)
{
    char value[8192];
    for (size_t i = 0; i < HEADERS; i++) {
        int n = header_length(wsi, headers[i].name, headers[i].token);
        if (n <= 0) continue;
        if (n >= (int)sizeof value) return CN_ERR_TOOBIG;
        n = header_copy(wsi, headers[i].name, headers[i].token, value, sizeof value);
        if (n < 0 || !clean(value, (size_t)n)) return CN_ERR_PARSE;
        at->header[i] = text->n;
        cn_buf_add(text, value, (size_t)n);
        cn_buf_add(text, "", 1);
    }
    return text->err;
}

static cn_err read_query(cn_http *http, struct lws *wsi, cn_buf *text, places *at)
{
    char value[4096];
    for (int i = 0;; i++) {
        int n = lws_hdr_copy_fragment(wsi, value, sizeof value, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n == -2) return CN_ERR_TOOBIG;
        if (n < 0) return text->err;
        if (http->queries == CN_QUERY_MAX) return CN_ERR_TOOBIG;
        if (!cn_utf8_valid(value, (size_t)n)) return CN_ERR_PARSE;
        n = (int)cn_text_clean(value, (size_t)n, CN_TEXT_LINE);
        at->query[http->queries++] = text->n;
        cn_buf_add(text, value, (size_t)n + 1);
    }
}

static void place(cn_http *http, const places *at)
{
    for (size_t i = 0; i < HEADERS; i++)
        if (at->header[i]) http->header[i] = http->text + at->header[i];
    for (size_t i = 0; i < http->queries; i++) {
        char *eq = strchr(http->text + at->query[i], '=');
        http->query[i].name = http->text + at->query[i];
        http->query[i].value = eq ? eq + 1 : "";
        if (eq) *eq = '\0';
    }
}

static cn_err read_line(cn_http *http, struct lws *wsi)
{
    static const struct {
        int lws;
        cn_method ours;
    } methods[] = {{LWSHUMETH_GET, CN_GET},        {LWSHUMETH_HEAD, CN_HEAD},   {LWSHUMETH_POST, CN_POST},
                   {LWSHUMETH_PUT, CN_PUT},        {LWSHUMETH_PATCH, CN_PATCH}, {LWSHUMETH_DELETE, CN_DELETE},
                   {LWSHUMETH_OPTIONS, CN_OPTIONS}};
    char *uri = NULL;
    int n = 0, method = lws_http_get_uri_and_method(wsi, &uri, &n);
    http->method = CN_METHOD_COUNT;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].lws == method) http->method = methods[i].ours;
    if (http->method == CN_METHOD_COUNT) return CN_ERR_UNSUPPORTED;
    if (n <= 0 || !uri || *uri != '/') return CN_ERR_PARSE;
    if ((size_t)n >= sizeof http->path) return CN_ERR_TOOBIG;
    memcpy(http->path, uri, (size_t)n);
    http->path[n] = '\0';
    if (strlen(http->path) != (size_t)n || !cn_utf8_valid(http->path, (size_t)n) || !clean(http->path, (size_t)n))
        return CN_ERR_PARSE;
    /* libwebsockets has resolved dots already; what is left of them was hidden by escapes */
    return strstr(http->path, "/../") || strchr(http->path, '\\') ? CN_ERR_PARSE : CN_OK;
}

static cn_err read_length(cn_http *http)
{
    const char *length = cn_http_header(http, "content-length");
    http->content_length = -1;
    http->chunked = cn_http_header(http, "transfer-encoding") != NULL;
    if (length && !cn_parse_i64(length, 0, INT64_MAX, &http->content_length)) return CN_ERR_PARSE;
    return CN_OK;
}

static void release(void *object)
{
    cn_http *http = object;
    if (http->own_release) http->own_release(http->own);
    if (http->release) http->release(http->owner);
    /* cookies and passwords have been in here */
    if (http->text) OPENSSL_cleanse(http->text, http->text_n);
    if (http->body.p) OPENSSL_cleanse(http->body.p, http->body.n);
    free(http->text);
    json_decref(http->json);
    cn_buf_free(&http->body);
    cn_buf_free(&http->extra);
    cn_buf_free(&http->fill);
    free(http->chunk);
    free(http->head);
    free(http->piece);
    cn_fd_close(&http->fd);
}

cn_err cn_exchange_new(cn_http **out, cn_app *app, struct lws *wsi, bool management)
{
    cn_http *http = cn_ref_new(sizeof *http, release);
    if (!http) return CN_ERR_NOMEM;
    http->fd = -1;
    http->app = app;
    http->wsi = wsi;
    http->management = management;
    http->secure = lws_is_ssl(wsi);
    http->content_length = -1;
    lws_get_peer_simple(wsi, http->actor.address, sizeof http->actor.address);
    cn_buf text = {.max = TEXT_MAX};
    places at = {0};
    cn_buf_add(&text, "", 1); /* so that no offset is 0 */
    cn_err err = read_line(http, wsi);
    cn_err more = read_headers(wsi, &text, &at);
    if (more == CN_OK) more = read_query(http, wsi, &text, &at);
    http->text_n = text.n;
    http->text = cn_buf_take(&text);
    if (more == CN_OK) {
        place(http, &at);
        more = read_length(http);
    }
    *out = http; /* also when it failed: the error is answered through it */
    return err != CN_OK ? err : more;
}

cn_app *cn_http_app(const cn_http *http)
{
    return http->app;
}

const char *cn_http_path(const cn_http *http)
{
    return http->path;
}

const char *cn_http_param(const cn_http *http, const char *name)
{
    for (size_t i = 0; i < http->match.params; i++)
        if (strcmp(http->match.param[i].name, name) == 0) return http->match.param[i].value;
    return "";
}

const char *cn_http_query(const cn_http *http, const char *name)
{
    for (size_t i = 0; i < http->queries; i++)
        if (strcmp(http->query[i].name, name) == 0) return http->query[i].value;
    return NULL;
}

const char *cn_http_query_name(const cn_http *http, size_t index)
{
    return index < http->queries ? http->query[index].name : NULL;
}

cn_err cn_http_query_i64(cn_http *http, const char *name, int64_t min, int64_t max, int64_t or_else, int64_t *out)
{
    const char *text = cn_http_query(http, name);
    *out = or_else;
    if (!text || !*text) return CN_OK;
    if (cn_parse_i64(text, min, max, out)) return CN_OK;
    return cn_problem_set(&http->problem, CN_ERR_INVALID, name, "must be a whole number from %lld to %lld",
                          (long long)min, (long long)max);
}

const char *cn_http_header(const cn_http *http, const char *name)
{
    for (size_t i = 0; i < HEADERS; i++)
        if (strcmp(headers[i].name, name) == 0) return http->header[i];
    return NULL;
}

const char *cn_http_cookie(const cn_http *http, const char *name, char *out, size_t size)
{
    return cn_cookie_find(cn_http_header(http, "cookie"), name, out, size);
}

const cn_actor *cn_http_actor(const cn_http *http)
{
    return &http->actor;
}

int64_t cn_http_content_length(const cn_http *http)
{
    return http->content_length;
}

json_t *cn_http_body_json(const cn_http *http)
{
    return http->json;
}

const char *cn_http_body(const cn_http *http, size_t *len)
{
    if (len) *len = http->body.n;
    return http->body.p ? http->body.p : "";
}

bool cn_http_secure(const cn_http *http)
{
    return http->secure;
}

void cn_http_own(cn_http *http, void *owned, void (*own_release)(void *owned))
{
    if (http->own_release) http->own_release(http->own);
    http->own = owned;
    http->own_release = own_release;
}

void *cn_http_owned(const cn_http *http)
{
    return http->own;
}
