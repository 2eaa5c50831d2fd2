/* Locks a worker that reads a stranger's file into its folder: Landlock for files, seccomp for system calls, resource limits. */
#ifndef CN_VIEWER_LOCK_H
#define CN_VIEWER_LOCK_H

#include <stddef.h>

#include "base/err.h"

/**
 * From here on the process reads only below `folder` (and shared libraries), writes nothing but `file_bytes` at most to
 * what is open already, opens no socket, starts no
 * process. `folder` NULL: it opens nothing at all, and may map files of any size that it is handed (its own memory stays
 * bounded). CN_ERR_UNSUPPORTED when the kernel has no Landlock: the caller then decides (the rest is in force all the
 * same). CN_ERR_IO or CN_ERR_NOMEM when system calls could not be limited: nothing may be opened then.
 */
cn_err cn_decoder_lock(const char *folder, size_t file_bytes);

#endif
