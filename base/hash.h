/* FNV-1a, 64 bits: spreads keys over the places of a table. Whoever chooses keys may choose equal places: a table of keys
 * from outside must be bounded. */
#ifndef CN_BASE_HASH_H
#define CN_BASE_HASH_H

#include <stdint.h>

/** Goes on from `hash`, so that several texts make one key. */
static inline uint64_t cn_hash_more(uint64_t hash, const char *text)
{
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash;
}

static inline uint64_t cn_hash(const char *text)
{
    return cn_hash_more(14695981039346656037u, text);
}

#endif
