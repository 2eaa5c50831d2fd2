#include "storage/db/backend.h"

#include <string.h>

#include "base/mem.h"

#define STATEMENTS_MAX 128

typedef struct entry {
    uint64_t hash;
    uint64_t used;
    char *key;
    void *stmt;
} entry;

struct cn_stmt_cache {
    void (*drop)(void *owner, void *stmt);
    void *owner;
    uint64_t clock;
    size_t n;
    entry e[STATEMENTS_MAX];
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

/* FNV-1a: only so that a linear look-up compares numbers instead of texts. */
static uint64_t hash_of(const char *text)
{
    uint64_t h = 14695981039346656037u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

void *cn_stmt_cache_get(cn_stmt_cache *cache, const char *key)
{
    uint64_t h = hash_of(key);
    for (size_t i = 0; i < cache->n; i++) {
        if (cache->e[i].hash != h || strcmp(cache->e[i].key, key) != 0) continue;
        cache->e[i].used = ++cache->clock;
        return cache->e[i].stmt;
    }
    return NULL;
}

static void remove_at(cn_stmt_cache *cache, size_t index)
{
    cache->drop(cache->owner, cache->e[index].stmt);
    free(cache->e[index].key);
    cache->e[index] = cache->e[--cache->n];
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
            if (cache->e[i].used < cache->e[oldest].used) oldest = i;
        remove_at(cache, oldest);
    }
    cache->e[cache->n++] = (entry){.hash = hash_of(key), .used = ++cache->clock, .key = copy, .stmt = stmt};
    return CN_OK;
}

void cn_stmt_cache_remove(cn_stmt_cache *cache, const void *stmt)
{
    for (size_t i = 0; i < cache->n; i++) {
        if (cache->e[i].stmt != stmt) continue;
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
