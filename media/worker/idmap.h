/* A map from 32-bit numbers to pointers: SSRCs to slots and layers, source numbers to tracks. Open addressing, owner
 * thread only. */
#ifndef CN_MEDIA_IDMAP_H
#define CN_MEDIA_IDMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** Zero-initialise. Values are never NULL. */
typedef struct cn_idmap {
    struct cn_idmap_entry *entries;
    size_t capacity, count, used; /* used: with tombstones */
} cn_idmap;

/** Adds or replaces. CN_ERR_NOMEM leaves the map as it was. */
cn_err cn_idmap_put(cn_idmap *map, uint32_t id, void *value);
/** NULL when absent. */
void *cn_idmap_get(const cn_idmap *map, uint32_t id);
/** Takes out and returns the value, NULL when absent. */
void *cn_idmap_take(cn_idmap *map, uint32_t id);
/** Walks: start with *at = 0; NULL at the end. Entries may be taken while walking, not put. */
void *cn_idmap_next(const cn_idmap *map, size_t *at, uint32_t *id);
void cn_idmap_free(cn_idmap *map);

#endif
