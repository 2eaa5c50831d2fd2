/* Child processes with limits: what parses untrusted bytes runs in one. */
#ifndef CN_BASE_CHILD_H
#define CN_BASE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

typedef struct cn_child_limits {
    unsigned cpu_seconds;  /* RLIMIT_CPU, 0: none */
    size_t memory_bytes;   /* RLIMIT_AS, 0: none */
    size_t file_bytes;     /* RLIMIT_FSIZE, 0: none */
    unsigned wall_seconds; /* killed after so long, 0: never */
    bool no_network;       /* own network namespace where permitted, otherwise seccomp refuses socket() */
    const char *const
        *write_paths; /* Landlock: only below these may be written, NULL-terminated; NULL: no restriction */
    const char *work_dir;
    int stop_fd; /* cn_child_run: killed as soon as this can be read (CN_ERR_CLOSED), 0: never */
} cn_child_limits;

/** Runs to the end; standard output and error (at most 64 KiB) go to the log at debug. Blocks: call it in a job.
 * CN_ERR_TIMEOUT, CN_ERR_CLOSED, CN_ERR_CRASHED, CN_ERR_IO. */
cn_err cn_child_run(const char *const argv[], const cn_child_limits *limits, int *exit_status);

/** Forks and executes with `fd` as descriptor 3 in the child (all others closed but 0–2); parent keeps *pid. Child dies
 * with its parent. */
cn_err cn_child_start(const char *const argv[], int fd, const cn_child_limits *limits, pid_t *pid);

/** Folder of the running program (/proc/self/exe), without a slash at the end. */
cn_err cn_program_dir(char *out, size_t size);

#endif
