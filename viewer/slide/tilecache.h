/* Encoded tiles in bounded memory, least recently used first out, each made once however many ask at the same time
 * (single flight). Thread-safe. */
#ifndef CN_VIEWER_TILECACHE_H
#define CN_VIEWER_TILECACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct cn_tilecache cn_tilecache;

/** An encoded picture, reference-counted (cn_ref, cn_unref). */
typedef struct cn_tile {
    size_t n;
    void *bytes;
} cn_tile;

typedef struct cn_tilecache_stats {
    uint64_t hits, misses;
    size_t bytes;
} cn_tilecache_stats;

/** Makes the bytes of `key`; *bytes is taken over and freed by the cache. */
typedef cn_err (*cn_tile_make)(void *arg, void **bytes, size_t *len);

/** `max_bytes`: bound over all tiles. A tile larger than that is handed out and not kept. */
cn_err cn_tilecache_new(cn_tilecache **out, size_t max_bytes);

/** A new reference in *out, from memory or through `make` (called without the lock; others who ask for the same key
 * wait for its outcome, errors included). `key`: at most 127 bytes. */
cn_err cn_tilecache_get(cn_tilecache *cache, const char *key, cn_tile_make make, void *arg, cn_tile **out);

/** Drops every tile whose key begins with `prefix`. */
void cn_tilecache_drop(cn_tilecache *cache, const char *prefix);
void cn_tilecache_stats_get(cn_tilecache *cache, cn_tilecache_stats *out);
void cn_tilecache_free(cn_tilecache *cache);

#endif
