/* One of a file's own JPEG tiles as it is sent: what has to stand in front of it, then its bytes untouched. */
#ifndef CN_VIEWER_NATIVE_H
#define CN_VIEWER_NATIVE_H

#include <stdbool.h>

#include "viewer/slide/tiletable.h"

/**
 * Reads the tile at `place` of `fd` (neither empty nor broken) with one pread. `wait` false: only what is in the page
 * cache, CN_ERR_AGAIN otherwise. CN_ERR_CORRUPT: it does not begin or end as a JPEG, or the file became shorter. `*bytes`
 * is the caller's to free.
 */
cn_err cn_native_read(const cn_tiletable *table, uint64_t place, int fd, bool wait, void **bytes, size_t *len);

#endif
