#include "viewer/slide/tilecache.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

#define KEY 128
#define OVERHEAD 256 /* what an entry costs besides its picture */

typedef struct cached_tile {
    struct cached_tile *chain;         /* same bucket */
    struct cached_tile *newer, *older; /* order of use; only when ready */
    char key[KEY];
    bool ready;
    cn_err err;
    cn_tile *tile;
    unsigned waiting;
} cached_tile;

struct cn_tilecache {
    pthread_mutex_t lock;
    pthread_cond_t made;
    size_t max_bytes;
    size_t buckets;
    cached_tile **table;
    cached_tile *newest, *oldest;
    cn_tilecache_stats stats;
};

static void tile_destroy(void *object)
{
    cn_tile *tile = object;
    free(tile->bytes);
}

static cached_tile **slot_locked(cn_tilecache *cache, const char *key)
{
    cached_tile **row = &cache->table[cn_hash(key) & (cache->buckets - 1)];
    while (*row && strcmp((*row)->key, key) != 0) row = &(*row)->chain;
    return row;
}

static void order_remove_locked(cn_tilecache *cache, cached_tile *row)
{
    *(row->newer ? &row->newer->older : &cache->newest) = row->older;
    *(row->older ? &row->older->newer : &cache->oldest) = row->newer;
    row->newer = row->older = NULL;
}

static void order_front_locked(cn_tilecache *cache, cached_tile *row)
{
    row->older = cache->newest;
    row->newer = NULL;
    if (cache->newest) cache->newest->newer = row;
    cache->newest = row;
    if (!cache->oldest) cache->oldest = row;
}

static void remove_locked(cn_tilecache *cache, cached_tile *row)
{
    cached_tile **record = slot_locked(cache, row->key);
    *record = row->chain;
    order_remove_locked(cache, row);
    cache->stats.bytes -= row->tile->n + OVERHEAD;
    cn_unref(row->tile);
    free(row);
}

/* The maker's entry leaves the table on failure; the last one who waited frees it. */
static void fail_locked(cn_tilecache *cache, cached_tile *row, cn_err err)
{
    *slot_locked(cache, row->key) = row->chain;
    row->ready = true;
    row->err = err;
    if (!row->waiting) free(row);
}

static void publish_locked(cn_tilecache *cache, cached_tile *row, cn_tile *tile)
{
    row->ready = true;
    row->tile = cn_ref(tile);
    order_front_locked(cache, row);
    cache->stats.bytes += tile->n + OVERHEAD;
    while (cache->stats.bytes > cache->max_bytes && cache->oldest && cache->oldest != row)
        remove_locked(cache, cache->oldest);
    if (cache->stats.bytes > cache->max_bytes && !row->waiting) remove_locked(cache, row);
}

static cn_err wait_locked(cn_tilecache *cache, cached_tile *row, cn_tile **out)
{
    row->waiting++;
    while (!row->ready) pthread_cond_wait(&cache->made, &cache->lock);
    row->waiting--;
    cn_err err = row->err;
    if (err == CN_OK)
        *out = cn_ref(row->tile);
    else if (!row->waiting)
        free(row);
    return err;
}

static cn_err make_tile(cn_tile_make make, void *arg, cn_tile **out)
{
    cn_tile *tile = cn_ref_new(sizeof(*tile), tile_destroy);
    if (!tile) return CN_ERR_NOMEM;
    cn_err err = make(arg, &tile->bytes, &tile->n);
    if (err != CN_OK) {
        cn_unref(tile);
        return err;
    }
    *out = tile;
    return CN_OK;
}

cn_err cn_tilecache_get(cn_tilecache *cache, const char *key, cn_tile_make make, void *arg, cn_tile **out)
{
    if (strlen(key) >= KEY) return CN_ERR_INVALID;
    pthread_mutex_lock(&cache->lock);
    cached_tile **record = slot_locked(cache, key);
    cached_tile *row = *record;
    cn_err err = CN_OK;
    if (row && row->ready) {
        cache->stats.hits++;
        order_remove_locked(cache, row);
        order_front_locked(cache, row);
        *out = cn_ref(row->tile);
    } else if (row) {
        err = wait_locked(cache, row, out);
    } else {
        cache->stats.misses++;
        row = CN_NEW(cached_tile);
        if (!row) {
            pthread_mutex_unlock(&cache->lock);
            return CN_ERR_NOMEM;
        }
        cn_strcpy(row->key, sizeof(row->key), key);
        *record = row;
        pthread_mutex_unlock(&cache->lock);
        cn_tile *tile = NULL;
        err = make_tile(make, arg, &tile);
        pthread_mutex_lock(&cache->lock);
        if (err == CN_OK) {
            *out = tile;
            publish_locked(cache, row, tile);
        } else {
            fail_locked(cache, row, err);
        }
        pthread_cond_broadcast(&cache->made);
    }
    pthread_mutex_unlock(&cache->lock);
    return err;
}

void cn_tilecache_drop(cn_tilecache *cache, const char *prefix)
{
    size_t n = strlen(prefix);
    pthread_mutex_lock(&cache->lock);
    for (cached_tile *row = cache->newest, *next; row; row = next) {
        next = row->older;
        if (strncmp(row->key, prefix, n) == 0 && !row->waiting) remove_locked(cache, row);
    }
    pthread_mutex_unlock(&cache->lock);
}

void cn_tilecache_stats_get(cn_tilecache *cache, cn_tilecache_stats *out)
{
    pthread_mutex_lock(&cache->lock);
    *out = cache->stats;
    pthread_mutex_unlock(&cache->lock);
}

cn_err cn_tilecache_new(cn_tilecache **out, size_t max_bytes)
{
    cn_tilecache *cache = CN_NEW(cn_tilecache);
    if (!cache) return CN_ERR_NOMEM;
    pthread_mutex_init(&cache->lock, NULL);
    pthread_cond_init(&cache->made, NULL);
    cache->max_bytes = max_bytes;
    cache->buckets = 1024;
    while (cache->buckets < max_bytes >> 14) cache->buckets <<= 1;
    cache->table = cn_calloc(cache->buckets, sizeof(*cache->table));
    if (!cache->table) {
        cn_tilecache_free(cache);
        return CN_ERR_NOMEM;
    }
    *out = cache;
    return CN_OK;
}

void cn_tilecache_free(cn_tilecache *cache)
{
    if (!cache) return;
    while (cache->oldest) remove_locked(cache, cache->oldest);
    free(cache->table);
    pthread_cond_destroy(&cache->made);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}
