#include "signaling/api/multipart.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

#define BLANK " \t"

/* ---- parameters of a header ---- */

/* Copies a token or what stands in quotes; gives where it ended. NULL: too long, or the quotes do not end. */
static const char *value_of(const char *at, char *out, size_t size)
{
    size_t n = 0;
    bool quoted = *at == '"';
    if (quoted) at++;
    for (; *at && (quoted ? *at != '"' : !strchr("; \t,", *at)); at++) {
        if (quoted && *at == '\\' && at[1]) at++;
        if (n + 1 >= size) return NULL;
        out[n++] = *at;
    }
    if (quoted && *at++ != '"') return NULL;
    out[n] = '\0';
    return at;
}

bool cn_multipart_param(const char *header, const char *name, char *out, size_t size)
{
    char skipped[512];
    size_t name_n = strlen(name);
    const char *at = strchr(header, ';');
    while (at && *at == ';') {
        at += 1 + strspn(at + 1, BLANK);
        bool ours = strncasecmp(at, name, name_n) == 0 && at[name_n] == '=';
        at += strcspn(at, "=;");
        if (*at == '=') at = value_of(at + 1, ours ? out : skipped, ours ? size : sizeof(skipped));
        if (ours) return at != NULL;
        if (at) at += strspn(at, BLANK);
    }
    return false;
}

/* ---- the body ---- */

static bool boundary_valid(const char *boundary)
{
    static const char others[] = "'()+_,-./:=? ";
    size_t n = strlen(boundary);
    if (n < 1 || n > CN_MULTIPART_BOUNDARY || boundary[n - 1] == ' ') return false;
    for (const char *at = boundary; *at; at++)
        if (!((*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ||
              strchr(others, *at)))
            return false;
    return true;
}

cn_err cn_multipart_start(cn_multipart *multipart, const char *boundary, const cn_multipart_ops *ops, void *ctx)
{
    if (!boundary_valid(boundary)) return CN_ERR_INVALID;
    *multipart = (cn_multipart){.ops = ops, .ctx = ctx, .matched = 2}; /* the first one needs no line end before it */
    if (!cn_fmt(multipart->mark, sizeof(multipart->mark), "\r\n--%s", boundary)) return CN_ERR_INVALID;
    multipart->mark_n = strlen(multipart->mark);
    return CN_OK;
}

/* Content-Type of the headers that were collected; "" where they have none. */
static void type_of(const char *head, char *out, size_t size)
{
    static const char name[] = "content-type:";
    *out = '\0';
    for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, sizeof(name) - 1) != 0) continue;
        const char *value = line + 2 + sizeof(name) - 1;
        value += strspn(value, BLANK);
        size_t n = strcspn(value, "\r");
        if (n >= size) n = size - 1;
        memcpy(out, value, n);
        out[n] = '\0';
        return;
    }
}

static cn_err headers_end(cn_multipart *multipart)
{
    char type[256];
    multipart->head[multipart->head_n] = '\0';
    if (strlen(multipart->head) != multipart->head_n) return CN_ERR_PARSE;
    if (strncmp(multipart->head + strspn(multipart->head, BLANK), "\r\n", 2) != 0) return CN_ERR_PARSE;
    type_of(multipart->head, type, sizeof(type));
    multipart->state = CN_MULTIPART_BODY;
    multipart->matched = 0;
    return multipart->ops->begin(multipart->ctx, type);
}

/* From the boundary to the empty line; two hyphens behind a boundary say that it was the last. */
static cn_err take_head(cn_multipart *multipart, char byte)
{
    if (multipart->head_n >= CN_MULTIPART_HEAD) return CN_ERR_TOOBIG;
    multipart->head[multipart->head_n++] = byte;
    if (multipart->head_n == 2 && memcmp(multipart->head, "--", 2) == 0) multipart->state = CN_MULTIPART_AFTER;
    if (multipart->head_n < 4 || memcmp(multipart->head + multipart->head_n - 4, "\r\n\r\n", 4) != 0) return CN_OK;
    return headers_end(multipart);
}

static cn_err give(cn_multipart *multipart, const void *bytes, size_t len)
{
    if (multipart->state != CN_MULTIPART_BODY || len == 0) return CN_OK;
    return multipart->ops->bytes(multipart->ctx, bytes, len);
}

static cn_err mark_ends(cn_multipart *multipart)
{
    bool body = multipart->state == CN_MULTIPART_BODY;
    multipart->state = CN_MULTIPART_HEADERS;
    multipart->matched = multipart->head_n = 0;
    return body ? multipart->ops->end(multipart->ctx) : CN_OK;
}

/* How many bytes at the end may be the begin of a mark. */
static size_t begun(const cn_multipart *multipart, const char *bytes, size_t len)
{
    size_t longest = multipart->mark_n - 1 < len ? multipart->mark_n - 1 : len;
    for (size_t n = longest; n > 0; n--)
        if (memcmp(bytes + len - n, multipart->mark, n) == 0) return n;
    return 0;
}

/* One byte of what may become a mark. A carriage return stands only at a mark's begin, so that what did not become one is given out and the
 * looking goes on with the byte at hand. */
static cn_err take_mark(cn_multipart *multipart, char byte, size_t *taken)
{
    if (byte == multipart->mark[multipart->matched]) {
        *taken = 1;
        return ++multipart->matched == multipart->mark_n ? mark_ends(multipart) : CN_OK;
    }
    size_t held = multipart->matched;
    multipart->matched = 0;
    *taken = 0;
    return give(multipart, multipart->mark, held);
}

/* Bytes up to the next mark, or all but what may be the begin of one: images are full of carriage returns. */
static cn_err take_body(cn_multipart *multipart, const char *bytes, size_t len, size_t *taken)
{
    if (multipart->matched > 0) return take_mark(multipart, *bytes, taken);
    const char *mark = memmem(bytes, len, multipart->mark, multipart->mark_n);
    if (!mark) {
        multipart->matched = begun(multipart, bytes, len);
        *taken = len;
        return give(multipart, bytes, len - multipart->matched);
    }
    *taken = (size_t)(mark - bytes) + multipart->mark_n;
    CN_TRY(give(multipart, bytes, (size_t)(mark - bytes)));
    return mark_ends(multipart);
}

cn_err cn_multipart_feed(cn_multipart *multipart, const void *bytes, size_t len)
{
    const char *at = bytes, *end = at + len;
    while (at < end && multipart->state != CN_MULTIPART_AFTER) {
        size_t taken = 1;
        if (multipart->state == CN_MULTIPART_HEADERS)
            CN_TRY(take_head(multipart, *at));
        else
            CN_TRY(take_body(multipart, at, (size_t)(end - at), &taken));
        at += taken;
    }
    return CN_OK;
}

cn_err cn_multipart_finish(const cn_multipart *multipart)
{
    return multipart->state == CN_MULTIPART_AFTER ? CN_OK : CN_ERR_PARSE;
}
