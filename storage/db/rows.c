#include "storage/db/backend.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BYTES_MAX ((size_t)64 << 20)
#define CELLS_MAX ((size_t)4 << 20)

typedef struct cell {
    cn_val_kind kind;
    char *shown; /* a number as text, made when it is asked for */
    size_t n;
    union {
        int64_t i;
        double r;
        size_t at; /* in bytes: the buffer moves while it grows */
    };
} cell;

struct cn_rows {
    size_t cols;
    size_t cells;
    size_t cells_cap;
    size_t row; /* 1 is the first, 0 before it */
    cell *cell;
    char *bytes;
    size_t used;
    size_t cap;
};

cn_err cn_rows_new(cn_rows **out, size_t cols)
{
    cn_rows *r = CN_NEW(cn_rows);
    if (!r) return CN_ERR_NOMEM;
    r->cols = cols;
    *out = r;
    return CN_OK;
}

void cn_rows_free(cn_rows *r)
{
    if (!r) return;
    for (size_t i = 0; i < r->cells; i++) free(r->cell[i].shown);
    free(r->cell);
    free(r->bytes);
    free(r);
}

static cn_err grow(void **p, size_t *cap, size_t need, size_t item, size_t max)
{
    if (need <= *cap) return CN_OK;
    if (need > max) return CN_ERR_TOOBIG;
    size_t to = *cap ? *cap : 64;
    while (to < need) to *= 2;
    void *grown = reallocarray(*p, to, item);
    if (!grown) return CN_ERR_NOMEM;
    *p = grown;
    *cap = to;
    return CN_OK;
}

static cn_err add_bytes(cn_rows *r, cell *to, const void *p, size_t n)
{
    if (n >= BYTES_MAX) return CN_ERR_TOOBIG;
    CN_TRY(grow((void **)&r->bytes, &r->cap, r->used + n + 1, 1, BYTES_MAX));
    if (n) memcpy(r->bytes + r->used, p, n);
    r->bytes[r->used + n] = 0;
    to->at = r->used;
    to->n = n;
    r->used += n + 1;
    return CN_OK;
}

cn_err cn_rows_add(cn_rows *r, const cn_val *v)
{
    CN_TRY(grow((void **)&r->cell, &r->cells_cap, r->cells + 1, sizeof(cell), CELLS_MAX));
    cell c = {.kind = v->kind};
    switch (v->kind) {
    case CN_VAL_NULL: break;
    case CN_VAL_INT: c.i = v->i; break;
    case CN_VAL_REAL: c.r = v->r; break;
    case CN_VAL_TEXT: CN_TRY(add_bytes(r, &c, v->s, v->n ? v->n : strlen(v->s))); break;
    case CN_VAL_BLOB: CN_TRY(add_bytes(r, &c, v->b, v->n)); break;
    }
    r->cell[r->cells++] = c;
    return CN_OK;
}

size_t cn_rows_count(const cn_rows *r)
{
    return r && r->cols ? r->cells / r->cols : 0;
}

bool cn_rows_next(cn_rows *r)
{
    if (r->row >= cn_rows_count(r)) return false;
    r->row++;
    return true;
}

static cell *at(const cn_rows *r, size_t col)
{
    static cell null_cell;
    assert(col < r->cols && r->row > 0 && "no such column, or cn_rows_next was not called");
    if (col >= r->cols || r->row == 0) return &null_cell;
    return &r->cell[(r->row - 1) * r->cols + col];
}

static const char *text_of(const cn_rows *r, const cell *c)
{
    return r->bytes + c->at;
}

int64_t cn_rows_int(const cn_rows *r, size_t col)
{
    const cell *c = at(r, col);
    switch (c->kind) {
    case CN_VAL_INT: return c->i;
    case CN_VAL_REAL: return c->r >= 9.2e18 ? INT64_MAX : c->r <= -9.2e18 ? INT64_MIN : (int64_t)c->r;
    case CN_VAL_TEXT: return strtoll(text_of(r, c), NULL, 10);
    default: return 0;
    }
}

double cn_rows_real(const cn_rows *r, size_t col)
{
    const cell *c = at(r, col);
    switch (c->kind) {
    case CN_VAL_INT: return (double)c->i;
    case CN_VAL_REAL: return c->r;
    case CN_VAL_TEXT: return strtod(text_of(r, c), NULL);
    default: return 0.0;
    }
}

const char *cn_rows_text(const cn_rows *r, size_t col)
{
    cell *c = at(r, col);
    if (c->kind == CN_VAL_NULL) return NULL;
    if (c->kind == CN_VAL_TEXT || c->kind == CN_VAL_BLOB) return text_of(r, c);
    if (!c->shown) {
        char *s = cn_calloc(1, 32);
        if (!s) return NULL;
        if (c->kind == CN_VAL_INT)
            snprintf(s, 32, "%" PRId64, c->i);
        else
            snprintf(s, 32, "%.17g", c->r);
        c->shown = s;
    }
    return c->shown;
}

const void *cn_rows_blob(const cn_rows *r, size_t col, size_t *n)
{
    const cell *c = at(r, col);
    bool bytes = c->kind == CN_VAL_TEXT || c->kind == CN_VAL_BLOB;
    if (n) *n = bytes ? c->n : 0;
    return bytes ? text_of(r, c) : NULL;
}

bool cn_rows_null(const cn_rows *r, size_t col)
{
    return at(r, col)->kind == CN_VAL_NULL;
}
