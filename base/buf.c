#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define BUF_MAX_DEFAULT ((size_t)64 << 20)

/* Room for `more` bytes and a terminating zero; sets b->err otherwise. */
static bool buf_reserve(cn_buf *b, size_t more)
{
    if (b->err) return false;
    size_t max = b->max ? b->max : BUF_MAX_DEFAULT;
    if (b->n > max || more > max - b->n) {
        b->err = CN_ERR_TOOBIG;
        return false;
    }
    size_t need = b->n + more + 1;
    if (need <= b->cap) return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need) cap += cap / 2;
    char *p = realloc(b->p, cap);
    if (!p) {
        b->err = CN_ERR_NOMEM;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void cn_buf_add(cn_buf *b, const void *p, size_t n)
{
    if (!buf_reserve(b, n)) return;
    if (n) memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = 0;
}

void cn_buf_str(cn_buf *b, const char *s)
{
    cn_buf_add(b, s, strlen(s));
}

void cn_buf_fmt(cn_buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    if (n < 0) {
        if (!b->err) b->err = CN_ERR_INVALID;
    } else if (buf_reserve(b, (size_t)n)) {
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    va_end(args);
}

void cn_buf_free(cn_buf *b)
{
    if (!b) return;
    free(b->p);
    *b = (cn_buf){0};
}

char *cn_buf_take(cn_buf *b)
{
    char *p = NULL;
    if (!b->err && b->n) {
        p = b->p;
        b->p = NULL;
    }
    cn_buf_free(b);
    return p;
}
