/* Child processes with limits: what parses untrusted bytes runs in one. */
#ifndef CN_BASE_CHILD_H
#define CN_BASE_CHILD_H

#include <sys/types.h>

#include "base/child_kernel.h"
#include "base/child_limits.h"
#include "base/err.h"

/** Runs to the end; standard output and error (at most 64 KiB) go to the log at debug. Blocks: call it in a job.
 * CN_ERR_TIMEOUT, CN_ERR_CLOSED, CN_ERR_CRASHED, CN_ERR_IO; CN_ERR_FORBIDDEN: it cannot be confined here. */
cn_err cn_child_run(const char *const argv[], const cn_child_limits *limits, int *exit_status);

/** Forks and executes with `fd` as descriptor 3 in the child (all others closed but 0–2); parent keeps *pid. Child dies
 * with its parent. */
cn_err cn_child_start(const char *const argv[], int fd, const cn_child_limits *limits, pid_t *pid);

/** Folder of the running program (/proc/self/exe), without a slash at the end. */
cn_err cn_program_dir(char *out, size_t size);

#endif
