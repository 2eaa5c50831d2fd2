/* What a bench pins to a core and how it reads that core's time. */
#ifndef CN_BENCH_CPU_H
#define CN_BENCH_CPU_H

#include <stdbool.h>
#include <stdint.h>

/** Runs this thread, and what it starts, on one core. */
bool cpu_pin(int core);

/** Time that a core's ksoftirqd has run, in ns (first number of /proc/PID/schedstat; /proc/stat counts ticks only);
 * false when the kernel does not show it (a container). */
bool cpu_softirq_ns(int core, uint64_t *ns);

/** CLOCK_PROCESS_CPUTIME_ID in ns. */
uint64_t cpu_process_ns(void);

/** The same of another process (/proc/PID/schedstat of each of its threads); false when it is gone. */
bool cpu_process_ns_of(int pid, uint64_t *ns);

#endif
