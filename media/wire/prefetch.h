/*
 * One packet goes to hundreds of receivers, each of whom has his own slot, peer, transport, numbers and keys: more than
 * the nearest caches hold. Whoever walks along them fetches those of the next ones while he works on the present one.
 */
#ifndef CN_MEDIA_PREFETCH_H
#define CN_MEDIA_PREFETCH_H

#include <stddef.h>

#define CN_CACHE_LINE 64

/** Starts loading the first `len` bytes behind `bytes`, which need not be valid: nothing is read. */
static inline void cn_prefetch(const void *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += CN_CACHE_LINE) __builtin_prefetch((const char *)bytes + at, 1);
}

#endif
