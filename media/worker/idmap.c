#include "media/worker/idmap.h"

#include <stdlib.h>

#include "base/mem.h"

struct cn_idmap_entry {
    uint32_t id;
    void *value; /* NULL: never used; &gone: taken out */
};

static char gone;

static size_t hash(const cn_idmap *map, uint32_t id)
{
    return (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (map->capacity - 1);
}

static struct cn_idmap_entry *find(const cn_idmap *map, uint32_t id)
{
    if (!map->capacity) return NULL;
    for (size_t i = hash(map, id);; i = (i + 1) & (map->capacity - 1)) {
        struct cn_idmap_entry *entry = &map->entries[i];
        if (!entry->value) return NULL;
        if (entry->value != &gone && entry->id == id) return entry;
    }
}

static void place(cn_idmap *map, uint32_t id, void *value)
{
    size_t i = hash(map, id);
    while (map->entries[i].value) i = (i + 1) & (map->capacity - 1);
    map->entries[i] = (struct cn_idmap_entry){id, value};
    map->count++;
    map->used++;
}

static cn_err rehash(cn_idmap *map)
{
    cn_idmap bigger = {.capacity = 16};
    while (bigger.capacity < 4 * (map->count + 1)) bigger.capacity *= 2;
    bigger.entries = cn_calloc(bigger.capacity, sizeof *bigger.entries);
    if (!bigger.entries) return CN_ERR_NOMEM;
    size_t at = 0;
    uint32_t id = 0;
    for (void *v; (v = cn_idmap_next(map, &at, &id));) place(&bigger, id, v);
    free(map->entries);
    *map = bigger;
    return CN_OK;
}

cn_err cn_idmap_put(cn_idmap *map, uint32_t id, void *value)
{
    if (!value) return CN_ERR_INVALID;
    struct cn_idmap_entry *entry = find(map, id);
    if (entry) {
        entry->value = value;
        return CN_OK;
    }
    if (2 * (map->used + 1) > map->capacity) CN_TRY(rehash(map));
    place(map, id, value);
    return CN_OK;
}

void *cn_idmap_get(const cn_idmap *map, uint32_t id)
{
    const struct cn_idmap_entry *entry = find(map, id);
    return entry ? entry->value : NULL;
}

void *cn_idmap_take(cn_idmap *map, uint32_t id)
{
    struct cn_idmap_entry *entry = find(map, id);
    if (!entry) return NULL;
    void *value = entry->value;
    entry->value = &gone;
    map->count--;
    return value;
}

void *cn_idmap_next(const cn_idmap *map, size_t *at, uint32_t *id)
{
    while (*at < map->capacity) {
        const struct cn_idmap_entry *entry = &map->entries[(*at)++];
        if (!entry->value || entry->value == &gone) continue;
        if (id) *id = entry->id;
        return entry->value;
    }
    return NULL;
}

void cn_idmap_free(cn_idmap *map)
{
    free(map->entries);
    *map = (cn_idmap){0};
}
