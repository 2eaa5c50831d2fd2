/* What a child process may use and reach. */
#ifndef CN_BASE_CHILD_LIMITS_H
#define CN_BASE_CHILD_LIMITS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cn_child_limits {
    unsigned cpu_seconds;  /* RLIMIT_CPU, 0: none */
    size_t memory_bytes;   /* RLIMIT_AS, 0: none */
    size_t data_bytes;     /* RLIMIT_DATA: of memory that it writes, 0: none */
    size_t file_bytes;     /* RLIMIT_FSIZE, 0: none; a longer write is refused (EFBIG) */
    unsigned wall_seconds; /* killed after so long, 0: never */
    int niceness;          /* above ours: what nobody waits for goes behind what somebody does */
    bool no_network;       /* own network namespace where permitted, otherwise seccomp refuses socket() */
    bool no_rights;        /* no capabilities; own user, mount, IPC and host name namespaces where permitted */
    bool own_processes; /* cn_child_run: process ids of its own where permitted, so that whatever it starts, also in a
                              session of its own, is gone before it is waited for and when this process is killed. Not for
                              programs that look for themselves in /proc (LeakSanitizer) */
    const char *const
        *write_paths; /* Landlock: only below these may be written, NULL-terminated; NULL: no restriction */
    const char *const *read_paths; /* not NULL: confined, for what reads untrusted bytes. Landlock: only the system's
                                      programs, libraries and fonts, these and write_paths (NULL: none) are readable;
                                      system calls beyond such work are refused (seccomp); no_rights. Refused with
                                      CN_ERR_FORBIDDEN on a kernel that cannot: cn_child_unconfined */
    const char *socket_dir;        /* confined: a folder where a local socket may be made, and nothing be read */
    bool makes_code; /* confined: it may make memory executable and listen on a local socket (LibreOffice) */
    const char *work_dir;
    int stop_fd; /* cn_child_run: killed as soon as this can be read (CN_ERR_CLOSED), 0: never */
} cn_child_limits;

#endif
