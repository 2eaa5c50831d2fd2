#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "signaling/door/exchange.h"
#include "signaling/http/problem.h"

/* What every answer carries unless its handler said otherwise (DESIGN §2 has the policy that the viewers need). */
static const struct {
    const char *name, *value;
} usual[] = {
    {"Content-Security-Policy", "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
                                "img-src 'self' data: blob:; style-src 'self' "
                                "'unsafe-inline'; font-src 'self' data:; media-src 'self' blob:; connect-src 'self' "
                                "blob:; frame-src 'self' blob:; object-src 'none'; "
                                "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "SAMEORIGIN"},
    {"Referrer-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self), geolocation=()"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
};

static const struct {
    int status;
    const char *text;
} reasons[] = {{200, "OK"},
               {201, "Created"},
               {204, "No Content"},
               {206, "Partial Content"},
               {304, "Not Modified"},
               {400, "Bad Request"},
               {401, "Unauthorized"},
               {403, "Forbidden"},
               {404, "Not Found"},
               {405, "Method Not Allowed"},
               {406, "Not Acceptable"},
               {409, "Conflict"},
               {410, "Gone"},
               {411, "Length Required"},
               {412, "Precondition Failed"},
               {413, "Content Too Large"},
               {415, "Unsupported Media Type"},
               {416, "Range Not Satisfiable"},
               {422, "Unprocessable Content"},
               {429, "Too Many Requests"},
               {431, "Request Header Fields Too Large"},
               {460, "Checksum Mismatch"},
               {500, "Internal Server Error"},
               {502, "Bad Gateway"},
               {503, "Service Unavailable"},
               {504, "Gateway Timeout"}};

static const char *reason_of(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status) return reasons[i].text;
    return "Status";
}

cn_problem *cn_http_problem(cn_http *h)
{
    return &h->problem;
}

static bool has_header(const cn_http *h, const char *name)
{
    size_t n = strlen(name);
    for (const char *line = h->extra.p; line && *line;) {
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') return true;
        line = strchr(line, '\n');
        if (line) line++;
    }
    return false;
}

void cn_http_set(cn_http *h, const char *name, const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) return;
    cn_buf_fmt(&h->extra, "%s: %s\r\n", name, value);
}

void cn_http_setf(cn_http *h, const char *name, const char *fmt, ...)
{
    char value[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof value) cn_http_set(h, name, value);
}

static void drop_body(cn_http *h)
{
    if (h->release) h->release(h->owner);
    h->release = NULL;
    h->bytes = NULL;
    h->bytes_n = 0;
    *h->type = '\0';
    cn_fd_close(&h->fd);
    h->file_left = 0;
}

cn_err cn_http_empty(cn_http *h, int status)
{
    drop_body(h);
    h->status = status;
    return CN_OK;
}

cn_err cn_http_bytes(cn_http *h, int status, const char *type, const void *p, size_t n, void (*release)(void *owner),
                     void *owner)
{
    drop_body(h);
    h->status = status;
    cn_strcpy(h->type, sizeof h->type, type);
    h->bytes = p;
    h->bytes_n = n;
    h->release = release;
    h->owner = owner;
    return CN_OK;
}

cn_err cn_http_text(cn_http *h, int status, const char *type, const void *p, size_t n)
{
    void *copy = cn_memdup(n ? p : "", n ? n : 1);
    return copy ? cn_http_bytes(h, status, type, copy, n, free, copy) : CN_ERR_NOMEM;
}

cn_err cn_http_json(cn_http *h, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    if (!text) return CN_ERR_NOMEM;
    return cn_http_bytes(h, status, "application/json", text, strlen(text), free, text);
}

bool cn_http_not_modified(cn_http *h, const char *etag)
{
    cn_http_setf(h, "ETag", "\"%s\"", etag);
    if (!cn_etag_listed(cn_http_header(h, "if-none-match"), etag)) return false;
    cn_http_empty(h, 304);
    return true;
}

cn_err cn_http_file(cn_http *h, const char *path, const char *type, const char *etag)
{
    struct stat st;
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return cn_err_from_errno(errno);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return CN_ERR_NOTFOUND;
    if (etag && cn_http_not_modified(h, etag)) return CN_OK;
    drop_body(h);
    cn_http_set(h, "Accept-Ranges", "bytes");
    const char *if_range = cn_http_header(h, "if-range");
    bool ranges = !if_range || (etag && *if_range == '"' && cn_etag_listed(if_range, etag));
    cn_range r = cn_range_parse(ranges ? cn_http_header(h, "range") : NULL, st.st_size, &h->file_at, &h->file_left);
    if (r == CN_RANGE_BAD) {
        cn_http_setf(h, "Content-Range", "bytes */%lld", (long long)st.st_size);
        return cn_http_empty(h, 416);
    }
    if (r == CN_RANGE_PART)
        cn_http_setf(h, "Content-Range", "bytes %lld-%lld/%lld", (long long)h->file_at,
                     (long long)(h->file_at + h->file_left - 1), (long long)st.st_size);
    h->status = r == CN_RANGE_PART ? 206 : 200;
    cn_strcpy(h->type, sizeof h->type, type);
    h->fd = fd;
    fd = -1;
    posix_fadvise(h->fd, h->file_at, h->file_left, POSIX_FADV_SEQUENTIAL);
    return CN_OK;
}

void cn_http_defer(cn_http *h)
{
    h->deferred = true;
}

static void set_problem(cn_http *h, cn_err err)
{
    int status = h->status >= 400 ? h->status : cn_problem_status(err);
    unsigned retry = cn_problem_retry(err);
    const cn_problem *p = h->problem.err == err ? &h->problem : NULL;
    if (status >= 500 && status != 503)
        cn_warn("signaling.http", "%s %s: %s", cn_method_name(h->method), h->route ? h->route->path : "",
                cn_err_text(err));
    if (cn_http_json(h, status, cn_problem_json(err, status, p)) == CN_OK)
        cn_strcpy(h->type, sizeof h->type, "application/problem+json");
    else
        cn_http_empty(h, status);
    if (retry && !has_header(h, "Retry-After")) cn_http_setf(h, "Retry-After", "%u", retry);
    if (err == CN_ERR_UNAUTH && !has_header(h, "WWW-Authenticate")) cn_http_set(h, "WWW-Authenticate", "Session");
}

static void date_line(cn_buf *b)
{
    struct tm tm;
    char text[64];
    time_t now = time(NULL);
    if (gmtime_r(&now, &tm) && strftime(text, sizeof text, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm))
        cn_buf_str(b, text);
}

static void head_lines(cn_http *h, cn_buf *b, int64_t length)
{
    bool no_body = h->status == 204 || h->status == 304;
    cn_buf_fmt(b, "HTTP/1.1 %d %s\r\n", h->status, reason_of(h->status));
    date_line(b);
    if (*h->type && h->status != 304) cn_buf_fmt(b, "Content-Type: %s\r\n", h->type);
    if (!no_body) cn_buf_fmt(b, "Content-Length: %lld\r\n", (long long)length);
    if (h->extra.n) cn_buf_add(b, h->extra.p, h->extra.n);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (!has_header(h, usual[i].name)) cn_buf_fmt(b, "%s: %s\r\n", usual[i].name, usual[i].value);
    if (h->secure) cn_buf_str(b, "Strict-Transport-Security: max-age=31536000\r\n");
    if (h->close_after) cn_buf_str(b, "Connection: close\r\n");
    cn_buf_str(b, "\r\n");
}

void cn_exchange_compose(cn_http *h, cn_err err)
{
    static const char room[LWS_PRE];
    if (err == CN_OK && h->status == 0) err = CN_ERR_IO; /* a handler that forgot to answer */
    if (err != CN_OK) set_problem(h, err);
    int64_t length = h->fd >= 0 ? h->file_left : (int64_t)h->bytes_n;
    cn_buf b = {.max = CN_TOGETHER * 4};
    cn_buf_add(&b, room, sizeof room);
    head_lines(h, &b, length);
    if (h->method == CN_HEAD || h->status == 204 || h->status == 304) drop_body(h);
    if (h->bytes_n && h->bytes_n <= CN_TOGETHER) {
        cn_buf_add(&b, h->bytes, h->bytes_n);
        h->body_in_head = true;
    }
    h->head_n = b.err == CN_OK ? b.n - LWS_PRE : 0;
    h->head = cn_buf_take(&b);
    h->answered = true;
}
