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
    cn_stmt_cache *c = CN_NEW(cn_stmt_cache);
    if (!c) return CN_ERR_NOMEM;
    c->drop = drop;
    c->owner = owner;
    *out = c;
    return CN_OK;
}

/* FNV-1a: only so that a linear look-up compares numbers instead of texts. */
static uint64_t hash_of(const char *s)
{
    uint64_t h = 14695981039346656037u;
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

void *cn_stmt_cache_get(cn_stmt_cache *c, const char *key)
{
    uint64_t h = hash_of(key);
    for (size_t i = 0; i < c->n; i++) {
        if (c->e[i].hash != h || strcmp(c->e[i].key, key) != 0) continue;
        c->e[i].used = ++c->clock;
        return c->e[i].stmt;
    }
    return NULL;
}

static void remove_at(cn_stmt_cache *c, size_t i)
{
    c->drop(c->owner, c->e[i].stmt);
    free(c->e[i].key);
    c->e[i] = c->e[--c->n];
}

cn_err cn_stmt_cache_put(cn_stmt_cache *c, const char *key, void *stmt)
{
    char *copy = cn_strdup(key);
    if (!copy) {
        c->drop(c->owner, stmt);
        return CN_ERR_NOMEM;
    }
    if (c->n == STATEMENTS_MAX) {
        size_t oldest = 0;
        for (size_t i = 1; i < c->n; i++)
            if (c->e[i].used < c->e[oldest].used) oldest = i;
        remove_at(c, oldest);
    }
    c->e[c->n++] = (entry){.hash = hash_of(key), .used = ++c->clock, .key = copy, .stmt = stmt};
    return CN_OK;
}

void cn_stmt_cache_remove(cn_stmt_cache *c, const void *stmt)
{
    for (size_t i = 0; i < c->n; i++) {
        if (c->e[i].stmt != stmt) continue;
        remove_at(c, i);
        return;
    }
}

void cn_stmt_cache_clear(cn_stmt_cache *c)
{
    while (c->n) remove_at(c, c->n - 1);
}

void cn_stmt_cache_free(cn_stmt_cache *c)
{
    if (!c) return;
    cn_stmt_cache_clear(c);
    free(c);
}
