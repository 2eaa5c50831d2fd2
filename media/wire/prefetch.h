/*
 * One packet goes to hundreds of receivers, each of whom has his own slot, peer, transport, numbers and keys: more than
 * the nearest caches hold. Whoever walks along them fetches those of the next ones while he works on the present one.
 */
#ifndef CN_MEDIA_PREFETCH_H
#define CN_MEDIA_PREFETCH_H

#include <stddef.h>

#define CN_CACHE_LINE 64

/** Starts loading the first `n` bytes behind `p`, which need not be valid: nothing is read. */
static inline void cn_prefetch(const void *p, size_t n)
{
    for (size_t at = 0; at < n; at += CN_CACHE_LINE) __builtin_prefetch((const char *)p + at, 1);
}

#endif
