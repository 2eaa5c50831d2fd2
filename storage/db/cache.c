#include "storage/db/cache.h"

#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define STATEMENTS_MAX 128

typedef struct cached_stmt {
    uint64_t hash; /* so that a linear look-up compares numbers instead of texts */
    uint64_t used;
    char *key;
    void *stmt;
} cached_stmt;

struct cn_stmt_cache {
    void (*drop)(void *owner, void *stmt);
    void *owner;
    uint64_t clock;
    size_t n;
    cached_stmt stmts[STATEMENTS_MAX];
};

cn_err cn_stmt_cache_new(cn_stmt_cache **out, void (*drop)(void *owner, void *stmt), void *owner)
{
    cn_stmt_cache *cache = CN_NEW(cn_stmt_cache);
    if (!cache) return CN_ERR_NOMEM;
    cache->drop = drop;
    cache->owner = owner;
    *out = cache;
    return CN_OK;
}

void *cn_stmt_cache_get(cn_stmt_cache *cache, const char *key)
{
    uint64_t hash = cn_hash(key);
    for (size_t i = 0; i < cache->n; i++) {
        if (cache->stmts[i].hash != hash || strcmp(cache->stmts[i].key, key) != 0) continue;
        cache->stmts[i].used = ++cache->clock;
        return cache->stmts[i].stmt;
    }
    return NULL;
}

static void remove_at(cn_stmt_cache *cache, size_t index)
{
    cache->drop(cache->owner, cache->stmts[index].stmt);
    free(cache->stmts[index].key);
    cache->stmts[index] = cache->stmts[--cache->n];
}

cn_err cn_stmt_cache_put(cn_stmt_cache *cache, const char *key, void *stmt)
{
    char *copy = cn_strdup(key);
    if (!copy) {
        cache->drop(cache->owner, stmt);
        return CN_ERR_NOMEM;
    }
    if (cache->n == STATEMENTS_MAX) {
        size_t oldest = 0;
        for (size_t i = 1; i < cache->n; i++)
            if (cache->stmts[i].used < cache->stmts[oldest].used) oldest = i;
        remove_at(cache, oldest);
    }
    cache->stmts[cache->n++] = (cached_stmt){.hash = cn_hash(key), .used = ++cache->clock, .key = copy, .stmt = stmt};
    return CN_OK;
}

void cn_stmt_cache_remove(cn_stmt_cache *cache, const void *stmt)
{
    for (size_t i = 0; i < cache->n; i++) {
        if (cache->stmts[i].stmt != stmt) continue;
        remove_at(cache, i);
        return;
    }
}

void cn_stmt_cache_clear(cn_stmt_cache *cache)
{
    while (cache->n) remove_at(cache, cache->n - 1);
}

void cn_stmt_cache_free(cn_stmt_cache *cache)
{
    if (!cache) return;
    cn_stmt_cache_clear(cache);
    free(cache);
}
