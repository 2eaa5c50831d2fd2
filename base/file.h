/* Files that must be there after a power cut. */
#ifndef CN_BASE_FILE_H
#define CN_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** Whole file into memory with a terminating zero; at most `max` bytes (CN_ERR_TOOBIG). Caller frees. */
cn_err cn_file_read(const char *path, size_t max, char **out, size_t *len);
/** Writes beside, fsyncs, renames over `path`, fsyncs the folder. */
cn_err cn_file_write_durable(const char *path, const void *bytes, size_t len, unsigned mode);
/** Writes all bytes, or an error (short writes are continued). */
cn_err cn_write_all(int fd, const void *bytes, size_t len);
/** Reads exactly these bytes. `wait` false: CN_ERR_AGAIN where a disk would have to be asked. CN_ERR_CORRUPT: the file is shorter. */
cn_err cn_read_at(int fd, void *into, size_t len, uint64_t offset, bool wait);
/** mkdir -p with mode 0700. */
cn_err cn_mkdirs(const char *path);
/** fsync of the folder that holds `path`. */
cn_err cn_fsync_parent(const char *path);

#endif
