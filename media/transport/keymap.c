#include "media/transport/keymap_impl.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/mem.h"

#define FIRST 64 /* a power of two */

cn_err cn_keymap_new(cn_keymap **out, size_t max)
{
    if (!max || max > SIZE_MAX / 128) return CN_ERR_INVALID;
    cn_keymap *map = CN_NEW(cn_keymap);
    if (!map) return CN_ERR_NOMEM;
    map->buckets = cn_calloc(FIRST, sizeof *map->buckets);
    if (!map->buckets) {
        cn_keymap_free(map);
        return CN_ERR_NOMEM;
    }
    map->mask = FIRST - 1;
    map->max = max;
    cn_random(map->seed, sizeof map->seed);
    *out = map;
    return CN_OK;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * (b | 1);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static size_t home(const cn_keymap *map, const cn_key *key)
{
    uint64_t h = mix(key->w[0] ^ map->seed[0], map->seed[1]);
    h = mix(h ^ key->w[1], map->seed[2]);
    return (size_t)mix(h ^ key->w[2], map->seed[0]) & map->mask;
}

static bool same(const cn_key *left, const cn_key *right)
{
    return left->w[0] == right->w[0] && left->w[1] == right->w[1] && left->w[2] == right->w[2];
}

/** The key's bucket, or the free one where it would go. */
static size_t find(const cn_keymap *map, const cn_key *key)
{
    size_t i = home(map, key);
    while (map->buckets[i].value && !same(&map->buckets[i].key, key)) i = (i + 1) & map->mask;
    return i;
}

void *cn_keymap_get(const cn_keymap *map, const cn_key *key)
{
    return map->buckets[find(map, key)].value;
}

/* Twice the table: a table of full size would be touched page by page, at random, as addresses come and go. */
static cn_err grow(cn_keymap *map)
{
    cn_keymap bigger = *map;
    bigger.mask = map->mask * 2 + 1;
    bigger.buckets = cn_calloc(bigger.mask + 1, sizeof *bigger.buckets);
    if (!bigger.buckets) return CN_ERR_NOMEM;
    for (size_t i = 0; i <= map->mask; i++)
        if (map->buckets[i].value) bigger.buckets[find(&bigger, &map->buckets[i].key)] = map->buckets[i];
    free(map->buckets);
    *map = bigger;
    return CN_OK;
}

cn_err cn_keymap_set(cn_keymap *map, const cn_key *key, void *value)
{
    if (!value) return CN_ERR_INVALID;
    size_t i = find(map, key);
    if (!map->buckets[i].value) {
        if (map->count == map->max) return CN_ERR_FULL;
        if (2 * map->count > map->mask) { /* at most half full: short probes */
            CN_TRY(grow(map));
            i = find(map, key);
        }
        map->count++;
        map->buckets[i].key = *key;
    }
    map->buckets[i].value = value;
    return CN_OK;
}

void cn_keymap_remove(cn_keymap *map, const cn_key *key)
{
    size_t hole = find(map, key);
    if (!map->buckets[hole].value) return;
    map->count--;
    /* entries behind the hole whose home lies at or before it move up, so that probes never meet a gap */
    for (size_t i = (hole + 1) & map->mask; map->buckets[i].value; i = (i + 1) & map->mask) {
        size_t from_home = (i - home(map, &map->buckets[i].key)) & map->mask;
        if (from_home < ((i - hole) & map->mask)) continue;
        map->buckets[hole] = map->buckets[i];
        hole = i;
    }
    map->buckets[hole].value = NULL;
}

void cn_keymap_free(cn_keymap *map)
{
    if (!map) return;
    free(map->buckets);
    free(map);
}
