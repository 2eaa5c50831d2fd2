#include "storage/db/rows_private.h"

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
    cn_rows *rows = CN_NEW(cn_rows);
    if (!rows) return CN_ERR_NOMEM;
    rows->cols = cols;
    *out = rows;
    return CN_OK;
}

void cn_rows_free(cn_rows *rows)
{
    if (!rows) return;
    for (size_t i = 0; i < rows->cells; i++) free(rows->cell[i].shown);
    free(rows->cell);
    free(rows->bytes);
    free(rows);
}

static cn_err grow(void **items, size_t *cap, size_t need, size_t item, size_t max)
{
    if (need <= *cap) return CN_OK;
    if (need > max) return CN_ERR_TOOBIG;
    size_t to = *cap ? *cap : 64;
    while (to < need) to *= 2;
    void *grown = reallocarray(*items, to, item);
    if (!grown) return CN_ERR_NOMEM;
    *items = grown;
    *cap = to;
    return CN_OK;
}

static cn_err add_bytes(cn_rows *rows, cell *to, const void *bytes, size_t len)
{
    if (len >= BYTES_MAX) return CN_ERR_TOOBIG;
    CN_TRY(grow((void **)&rows->bytes, &rows->cap, rows->used + len + 1, 1, BYTES_MAX));
    if (len) memcpy(rows->bytes + rows->used, bytes, len);
    rows->bytes[rows->used + len] = 0;
    to->at = rows->used;
    to->n = len;
    rows->used += len + 1;
    return CN_OK;
}

cn_err cn_rows_add(cn_rows *rows, const cn_val *value)
{
    CN_TRY(grow((void **)&rows->cell, &rows->cells_cap, rows->cells + 1, sizeof(cell), CELLS_MAX));
    cell field = {.kind = value->kind};
    switch (value->kind) {
    case CN_VAL_NULL: break;
    case CN_VAL_INT: field.i = value->i; break;
    case CN_VAL_REAL: field.r = value->r; break;
    case CN_VAL_TEXT: CN_TRY(add_bytes(rows, &field, value->s, value->n ? value->n : strlen(value->s))); break;
    case CN_VAL_BLOB: CN_TRY(add_bytes(rows, &field, value->b, value->n)); break;
    }
    rows->cell[rows->cells++] = field;
    return CN_OK;
}

size_t cn_rows_count(const cn_rows *rows)
{
    return rows && rows->cols ? rows->cells / rows->cols : 0;
}

bool cn_rows_next(cn_rows *rows)
{
    if (rows->row >= cn_rows_count(rows)) return false;
    rows->row++;
    return true;
}

static cell *at(const cn_rows *rows, size_t col)
{
    static cell null_cell;
    assert(col < rows->cols && rows->row > 0 && "no such column, or cn_rows_next was not called");
    if (col >= rows->cols || rows->row == 0) return &null_cell;
    return &rows->cell[(rows->row - 1) * rows->cols + col];
}

static const char *text_of(const cn_rows *rows, const cell *field)
{
    return rows->bytes + field->at;
}

int64_t cn_rows_int(const cn_rows *rows, size_t col)
{
    const cell *field = at(rows, col);
    switch (field->kind) {
    case CN_VAL_INT: return field->i;
    case CN_VAL_REAL: return field->r >= 9.2e18 ? INT64_MAX : field->r <= -9.2e18 ? INT64_MIN : (int64_t)field->r;
    case CN_VAL_TEXT: return strtoll(text_of(rows, field), NULL, 10);
    default: return 0;
    }
}

const char *cn_rows_text(const cn_rows *rows, size_t col)
{
    cell *field = at(rows, col);
    if (field->kind == CN_VAL_NULL) return NULL;
    if (field->kind == CN_VAL_TEXT || field->kind == CN_VAL_BLOB) return text_of(rows, field);
    if (!field->shown) {
        char *s = cn_calloc(1, 32);
        if (!s) return NULL;
        if (field->kind == CN_VAL_INT)
            snprintf(s, 32, "%" PRId64, field->i);
        else
            snprintf(s, 32, "%.17g", field->r);
        field->shown = s;
    }
    return field->shown;
}

const void *cn_rows_blob(const cn_rows *rows, size_t col, size_t *len)
{
    const cell *field = at(rows, col);
    bool bytes = field->kind == CN_VAL_TEXT || field->kind == CN_VAL_BLOB;
    if (len) *len = bytes ? field->n : 0;
    return bytes ? text_of(rows, field) : NULL;
}

bool cn_rows_null(const cn_rows *rows, size_t col)
{
    return at(rows, col)->kind == CN_VAL_NULL;
}
