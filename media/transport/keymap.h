/* A hash map from 24-byte keys (an address, a user name) to pointers, with a bound. Seeded, since its keys come from
 * outside. Owner thread. */
#ifndef CN_MEDIA_KEYMAP_H
#define CN_MEDIA_KEYMAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct cn_key {
    uint64_t w[3];
} cn_key;

typedef struct cn_keymap cn_keymap;

/** Room for at most `max` entries; its table begins small and doubles when it is half full, and never shrinks. */
cn_err cn_keymap_new(cn_keymap **out, size_t max);
/** NULL when absent. */
void *cn_keymap_get(const cn_keymap *map, const cn_key *key);
/** Sets or replaces; `value` not NULL. CN_ERR_FULL at the bound, CN_ERR_NOMEM when a larger table is not to be had. */
cn_err cn_keymap_set(cn_keymap *map, const cn_key *key, void *value);
/** Absent keys are ignored. */
void cn_keymap_remove(cn_keymap *map, const cn_key *key);
void cn_keymap_free(cn_keymap *map);

#endif
