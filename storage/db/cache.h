/* Prepared statements of one connection, by their text: bounded, the least recently used goes first. One thread at a
 * time. Private to storage/db. */
#ifndef CN_STORAGE_CACHE_H
#define CN_STORAGE_CACHE_H

#include "base/err.h"

typedef struct cn_stmt_cache cn_stmt_cache;
cn_err cn_stmt_cache_new(cn_stmt_cache **out, void (*drop)(void *owner, void *stmt), void *owner);
void *cn_stmt_cache_get(cn_stmt_cache *cache, const char *key);
/** Takes the statement over, also when it fails. */
cn_err cn_stmt_cache_put(cn_stmt_cache *cache, const char *key, void *stmt);
/** Drops one statement, or all of them. */
void cn_stmt_cache_remove(cn_stmt_cache *cache, const void *stmt);
void cn_stmt_cache_clear(cn_stmt_cache *cache);
void cn_stmt_cache_free(cn_stmt_cache *cache);

#endif
