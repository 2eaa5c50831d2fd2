/* Values that go into a statement, and the rows that come out of one. A result belongs to one thread at a time. */
#ifndef CN_STORAGE_ROWS_H
#define CN_STORAGE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** A parameter. Text and blobs are borrowed until the call returns. */
typedef enum cn_val_kind { CN_VAL_NULL, CN_VAL_INT, CN_VAL_REAL, CN_VAL_TEXT, CN_VAL_BLOB } cn_val_kind;
typedef struct cn_val {
    cn_val_kind kind;
    size_t n; /* bytes of a blob */
    union {
        int64_t i;
        double r;
        const char *s;
        const void *b;
    };
} cn_val;

static inline cn_val cn_int(int64_t value)
{
    return (cn_val){.kind = CN_VAL_INT, .i = value};
}
static inline cn_val cn_real(double value)
{
    return (cn_val){.kind = CN_VAL_REAL, .r = value};
}
/** NULL becomes SQL NULL. */
static inline cn_val cn_text(const char *text)
{
    return (cn_val){.kind = text ? CN_VAL_TEXT : CN_VAL_NULL, .s = text};
}
static inline cn_val cn_blob(const void *bytes, size_t len)
{
    return (cn_val){.kind = bytes ? CN_VAL_BLOB : CN_VAL_NULL, .n = len, .b = bytes};
}
static inline cn_val cn_null(void)
{
    return (cn_val){.kind = CN_VAL_NULL};
}

typedef struct cn_rows cn_rows;

/** Steps to the next row; false after the last. Starts before the first. */
bool cn_rows_next(cn_rows *rows);
size_t cn_rows_count(const cn_rows *rows);
/** Columns count from 0. NULL reads as 0, NULL. Text and blobs live until cn_rows_free. */
int64_t cn_rows_int(const cn_rows *rows, size_t col);
const char *cn_rows_text(const cn_rows *rows, size_t col);
const void *cn_rows_blob(const cn_rows *rows, size_t col, size_t *len);
bool cn_rows_null(const cn_rows *rows, size_t col);
void cn_rows_free(cn_rows *rows);
static inline void cn_cleanup_rows(cn_rows **rows)
{
    cn_rows_free(*rows);
}
#define CN_AUTO_ROWS __attribute__((cleanup(cn_cleanup_rows)))

#endif
