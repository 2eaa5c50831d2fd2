#include "media/worker/idmap.h"

#include <stdlib.h>

#include "base/mem.h"

struct cn_idmap_entry {
    uint32_t id;
    void *value; /* NULL: never used; &gone: taken out */
};

static char gone;

static size_t hash(const cn_idmap *m, uint32_t id)
{
    return (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (m->capacity - 1);
}

static struct cn_idmap_entry *find(const cn_idmap *m, uint32_t id)
{
    if (!m->capacity) return NULL;
    for (size_t i = hash(m, id);; i = (i + 1) & (m->capacity - 1)) {
        struct cn_idmap_entry *e = &m->entries[i];
        if (!e->value) return NULL;
        if (e->value != &gone && e->id == id) return e;
    }
}

static void place(cn_idmap *m, uint32_t id, void *value)
{
    size_t i = hash(m, id);
    while (m->entries[i].value) i = (i + 1) & (m->capacity - 1);
    m->entries[i] = (struct cn_idmap_entry){id, value};
    m->count++;
    m->used++;
}

static cn_err rehash(cn_idmap *m)
{
    cn_idmap bigger = {.capacity = 16};
    while (bigger.capacity < 4 * (m->count + 1)) bigger.capacity *= 2;
    bigger.entries = cn_calloc(bigger.capacity, sizeof *bigger.entries);
    if (!bigger.entries) return CN_ERR_NOMEM;
    size_t at = 0;
    uint32_t id = 0;
    for (void *v; (v = cn_idmap_next(m, &at, &id));) place(&bigger, id, v);
    free(m->entries);
    *m = bigger;
    return CN_OK;
}

cn_err cn_idmap_put(cn_idmap *m, uint32_t id, void *value)
{
    if (!value) return CN_ERR_INVALID;
    struct cn_idmap_entry *e = find(m, id);
    if (e) {
        e->value = value;
        return CN_OK;
    }
    if (2 * (m->used + 1) > m->capacity) CN_TRY(rehash(m));
    place(m, id, value);
    return CN_OK;
}

void *cn_idmap_get(const cn_idmap *m, uint32_t id)
{
    const struct cn_idmap_entry *e = find(m, id);
    return e ? e->value : NULL;
}

void *cn_idmap_take(cn_idmap *m, uint32_t id)
{
    struct cn_idmap_entry *e = find(m, id);
    if (!e) return NULL;
    void *value = e->value;
    e->value = &gone;
    m->count--;
    return value;
}

void *cn_idmap_next(const cn_idmap *m, size_t *at, uint32_t *id)
{
    while (*at < m->capacity) {
        const struct cn_idmap_entry *e = &m->entries[(*at)++];
        if (!e->value || e->value == &gone) continue;
        if (id) *id = e->id;
        return e->value;
    }
    return NULL;
}

void cn_idmap_free(cn_idmap *m)
{
    free(m->entries);
    *m = (cn_idmap){0};
}
