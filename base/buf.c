#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define BUF_MAX_DEFAULT ((size_t)64 << 20)

/* Room for `more` bytes and a terminating zero; sets buf->err otherwise. */
static bool buf_reserve(cn_buf *buf, size_t more)
{
    if (buf->err) return false;
    size_t max = buf->max ? buf->max : BUF_MAX_DEFAULT;
    if (buf->n > max || more > max - buf->n) {
        buf->err = CN_ERR_TOOBIG;
        return false;
    }
    size_t need = buf->n + more + 1;
    if (need <= buf->cap) return true;
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need) cap += cap / 2;
    char *p = realloc(buf->p, cap);
    if (!p) {
        buf->err = CN_ERR_NOMEM;
        return false;
    }
    buf->p = p;
    buf->cap = cap;
    return true;
}

void cn_buf_add(cn_buf *buf, const void *bytes, size_t len)
{
    if (!buf_reserve(buf, len)) return;
    if (len) memcpy(buf->p + buf->n, bytes, len);
    buf->n += len;
    buf->p[buf->n] = 0;
}

void cn_buf_str(cn_buf *buf, const char *text)
{
    cn_buf_add(buf, text, strlen(text));
}

void cn_buf_fmt(cn_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0) {
        if (!buf->err) buf->err = CN_ERR_INVALID;
    } else if (buf_reserve(buf, (size_t)n)) {
        (void)vsnprintf(buf->p + buf->n, (size_t)n + 1, fmt, again);
        buf->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void cn_buf_free(cn_buf *buf)
{
    if (!buf) return;
    free(buf->p);
    *buf = (cn_buf){0};
}

char *cn_buf_take(cn_buf *buf)
{
    char *p = NULL;
    if (!buf->err && buf->n) {
        p = buf->p;
        buf->p = NULL;
    }
    cn_buf_free(buf);
    return p;
}
