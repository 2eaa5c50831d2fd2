/* What a child process may use and reach. */
#ifndef CN_BASE_CHILD_LIMITS_H
#define CN_BASE_CHILD_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cn_child_limits {
    unsigned cpu_seconds;  /* RLIMIT_CPU, 0: none */
    size_t memory_bytes;   /* RLIMIT_AS, 0: none */
    size_t file_bytes;     /* RLIMIT_FSIZE, 0: none; a longer write is refused (EFBIG) */
    unsigned wall_seconds; /* killed after so long, 0: never */
    bool no_network;       /* own network namespace where permitted, otherwise seccomp refuses socket() */
    const char *const
        *write_paths; /* Landlock: only below these may be written, NULL-terminated; NULL: no restriction */
    const char *work_dir;
    int stop_fd; /* cn_child_run: killed as soon as this can be read (CN_ERR_CLOSED), 0: never */
} cn_child_limits;

#endif
