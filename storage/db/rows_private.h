/* What sqlite.c and pg.c fill a result with. */
#ifndef CN_STORAGE_ROWS_PRIVATE_H
#define CN_STORAGE_ROWS_PRIVATE_H

#include "storage/db/rows.h"

/** An empty result with `cols` columns. */
cn_err cn_rows_new(cn_rows **out, size_t cols);
/** Appends the next cell, copying its bytes; after every `cols` cells a row is complete. CN_ERR_TOOBIG over 64 MiB. */
cn_err cn_rows_add(cn_rows *rows, const cn_val *value);

#endif
