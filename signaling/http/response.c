#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "signaling/http/exchange_state.h"
#include "signaling/http/problem.h"

#define DATE_TEXT 32

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
               {408, "Request Timeout"},
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

cn_problem *cn_http_problem(cn_http *http)
{
    return &http->problem;
}

static bool has_header(const cn_http *http, const char *name)
{
    size_t n = strlen(name);
    for (const char *line = http->extra.p; line && *line;) {
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') return true;
        line = strchr(line, '\n');
        if (line) line++;
    }
    return false;
}

/* Without a format: every answer has a dozen. */
static void add_line(cn_buf *buf, const char *name, const char *value)
{
    cn_buf_str(buf, name);
    cn_buf_add(buf, ": ", 2);
    cn_buf_str(buf, value);
    cn_buf_add(buf, "\r\n", 2);
}

void cn_http_set(cn_http *http, const char *name, const char *value)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) return;
    add_line(&http->extra, name, value);
}

void cn_http_setf(cn_http *http, const char *name, const char *fmt, ...)
{
    char value[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof value) cn_http_set(http, name, value);
}

static bool date_text(time_t when, char out[DATE_TEXT])
{
    struct tm tm;
    return gmtime_r(&when, &tm) && strftime(out, DATE_TEXT, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* Of this second, written once by each thread. */
static bool date_now(char out[DATE_TEXT])
{
    static _Thread_local time_t second;
    static _Thread_local char text[DATE_TEXT];
    time_t now = time(NULL);
    if (now != second) {
        if (!date_text(now, text)) return false;
        second = now;
    }
    return cn_strcpy(out, DATE_TEXT, text);
}

void cn_http_set_date(cn_http *http, const char *name, int64_t ms)
{
    char text[DATE_TEXT];
    if (date_text((time_t)(ms / 1000), text)) cn_http_set(http, name, text);
}

static void drop_body(cn_http *http)
{
    if (http->release) http->release(http->owner);
    http->release = NULL;
    http->bytes = NULL;
    http->bytes_n = 0;
    *http->type = '\0';
    cn_fd_close(&http->fd);
    http->file_left = 0;
}

cn_err cn_http_empty(cn_http *http, int status)
{
    drop_body(http);
    http->status = status;
    return CN_OK;
}

cn_err cn_http_bytes(cn_http *http, int status, const char *type, const void *bytes, size_t len,
                     void (*release)(void *owner), void *owner)
{
    drop_body(http);
    http->status = status;
    cn_strcpy(http->type, sizeof http->type, type);
    http->bytes = bytes;
    http->bytes_n = len;
    http->release = release;
    http->owner = owner;
    return CN_OK;
}

cn_err cn_http_text(cn_http *http, int status, const char *type, const void *bytes, size_t len)
{
    void *copy = cn_memdup(len ? bytes : "", len ? len : 1);
    return copy ? cn_http_bytes(http, status, type, copy, len, free, copy) : CN_ERR_NOMEM;
}

cn_err cn_http_json(cn_http *http, int status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    if (!text) return CN_ERR_NOMEM;
    return cn_http_bytes(http, status, "application/json", text, strlen(text), free, text);
}

bool cn_http_not_modified(cn_http *http, const char *etag)
{
    cn_http_setf(http, "ETag", "\"%s\"", etag);
    if (!cn_etag_listed(cn_http_header(http, "if-none-match"), etag)) return false;
    cn_http_empty(http, 304);
    return true;
}

cn_err cn_http_file(cn_http *http, const char *path, const char *type, const char *etag)
{
    struct stat st;
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return cn_err_from_errno(errno);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return CN_ERR_NOTFOUND;
    if (etag && cn_http_not_modified(http, etag)) return CN_OK;
    drop_body(http);
    cn_http_set(http, "Accept-Ranges", "bytes");
    const char *if_range = cn_http_header(http, "if-range");
    bool ranges = !if_range || (etag && *if_range == '"' && cn_etag_listed(if_range, etag));
    cn_range range =
        cn_range_parse(ranges ? cn_http_header(http, "range") : NULL, st.st_size, &http->file_at, &http->file_left);
    if (range == CN_RANGE_BAD) {
        cn_http_setf(http, "Content-Range", "bytes */%lld", (long long)st.st_size);
        return cn_http_empty(http, 416);
    }
    if (range == CN_RANGE_PART)
        cn_http_setf(http, "Content-Range", "bytes %lld-%lld/%lld", (long long)http->file_at,
                     (long long)(http->file_at + http->file_left - 1), (long long)st.st_size);
    http->status = range == CN_RANGE_PART ? 206 : 200;
    cn_strcpy(http->type, sizeof http->type, type);
    http->fd = fd;
    fd = -1;
    posix_fadvise(http->fd, http->file_at, http->file_left, POSIX_FADV_SEQUENTIAL);
    return CN_OK;
}

void cn_http_defer(cn_http *http)
{
    http->deferred = true;
}

static void set_problem(cn_http *http, cn_err err)
{
    int status = http->status >= 400 ? http->status : cn_problem_status(err);
    unsigned retry = cn_problem_retry(err);
    const cn_problem *problem = http->problem.err == err ? &http->problem : NULL;
    if (status >= 500 && status != 503)
        cn_warn("signaling.http", "%s %s: %s", cn_method_name(http->method), http->route ? http->route->path : "",
                cn_err_text(err));
    if (cn_http_json(http, status, cn_problem_json(err, status, problem)) == CN_OK)
        cn_strcpy(http->type, sizeof http->type, "application/problem+json");
    else
        cn_http_empty(http, status);
    if (retry && !has_header(http, "Retry-After")) cn_http_setf(http, "Retry-After", "%u", retry);
    if (err == CN_ERR_UNAUTH && !has_header(http, "WWW-Authenticate")) cn_http_set(http, "WWW-Authenticate", "Session");
}

/* RFC 9725 §4.2: what a page of another origin needs to read. */
static void cors_lines(const cn_http *http, cn_buf *buf)
{
    cn_buf_fmt(buf, "Access-Control-Allow-Origin: %s\r\n", http->cors);
    if (strcmp(http->cors, "*") != 0) cn_buf_str(buf, "Vary: Origin\r\n");
    cn_buf_str(buf, "Access-Control-Expose-Headers: Location, ETag, Link, Accept-Patch, Accept-Post, Allow, "
                    "WWW-Authenticate, Retry-After\r\n");
}

static void head_lines(cn_http *http, cn_buf *buf, int64_t length)
{
    bool no_body = http->status == 204 || http->status == 304;
    char date[DATE_TEXT];
    cn_buf_fmt(buf, "HTTP/1.1 %d %s\r\n", http->status, reason_of(http->status));
    if (date_now(date)) add_line(buf, "Date", date);
    if (*http->type && http->status != 304) add_line(buf, "Content-Type", http->type);
    if (!no_body) cn_buf_fmt(buf, "Content-Length: %lld\r\n", (long long)length);
    if (http->extra.n) cn_buf_add(buf, http->extra.p, http->extra.n);
    if (http->cors) cors_lines(http, buf);
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (!has_header(http, usual[i].name)) add_line(buf, usual[i].name, usual[i].value);
    if (http->secure) cn_buf_str(buf, "Strict-Transport-Security: max-age=31536000\r\n");
    if (http->close_after) cn_buf_str(buf, "Connection: close\r\n");
    cn_buf_str(buf, "\r\n");
}

void cn_exchange_compose(cn_http *http, cn_err err)
{
    static const char room[LWS_PRE];
    if (err == CN_OK && http->status == 0) err = CN_ERR_IO; /* a handler that forgot to answer */
    if (err != CN_OK) set_problem(http, err);
    int64_t length = http->fd >= 0 ? http->file_left : (int64_t)http->bytes_n;
    cn_buf buf = {.max = CN_TOGETHER * 4};
    cn_buf_add(&buf, room, sizeof room);
    head_lines(http, &buf, length);
    if (http->method == CN_HEAD || http->status == 204 || http->status == 304) drop_body(http);
    if (http->bytes_n && http->bytes_n <= CN_TOGETHER) {
        cn_buf_add(&buf, http->bytes, http->bytes_n);
        http->body_in_head = true;
    }
    http->head_n = buf.err == CN_OK ? buf.n - LWS_PRE : 0;
    http->head = cn_buf_take(&buf);
    http->answered = true;
}
