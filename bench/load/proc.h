/* A server's process and its children as Linux tells of them: CPU time, memory, descriptors, threads. */
#ifndef CN_LOAD_PROC_H
#define CN_LOAD_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct proc_use {
    uint64_t cpu_ns;    /* CLOCK_PROCESS_CPUTIME of all of them */
    uint64_t pss_bytes; /* shared pages by their share: changes with others that use the same libraries */
    uint64_t own_bytes; /* of that, what the programs took themselves: heap, stacks, anonymous mappings */
    unsigned processes, threads, descriptors;
} proc_use;

/** Of a process and everything that descends from it; false when it is gone. */
bool proc_use_get(pid_t pid, proc_use *out);
/** CPU time alone: cheap. */
bool proc_cpu_ns(pid_t pid, uint64_t *out);
/** Starts a program with its output in a file, on one core (`cpu` < 0: anywhere); it ends with this process. -1: not
 * started. */
pid_t proc_start(const char *const *arguments, const char *log, int cpu);
/** Runs one to its end; its standard output, zero-terminated, into `out`. False unless it ended with 0. */
bool proc_run(const char *const *arguments, char *out, size_t size);
/** SIGTERM, and after `wait_ms` SIGKILL. */
void proc_end(pid_t pid, unsigned wait_ms);
/** A folder and everything in it. */
void proc_folder_remove(const char *path);

#endif
