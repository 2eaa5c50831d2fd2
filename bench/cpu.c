#include "cpu.h"

#include <ctype.h>
#include <dirent.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

bool cpu_pin(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)core, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

/* The first line of a file without its end; false when there is none. */
static bool first_line(const char *path, char *out, int size)
{
    FILE *file = fopen(path, "re");
    if (!file) return false;
    bool ok = fgets(out, size, file) != NULL;
    (void)fclose(file);
    if (ok) out[strcspn(out, "\n")] = 0;
    return ok;
}

static bool schedstat_ns(const char *folder, uint64_t *ns)
{
    char path[300], line[128];
    (void)snprintf(path, sizeof path, "%s/schedstat", folder);
    return first_line(path, line, sizeof line) && sscanf(line, "%" SCNu64, ns) == 1;
}

bool cpu_softirq_ns(int core, uint64_t *ns)
{
    static char found[300];
    static int found_core = -1;
    if (found_core == core) return schedstat_ns(found, ns);
    char wanted[32], path[300], line[64];
    (void)snprintf(wanted, sizeof wanted, "ksoftirqd/%d", core);
    DIR *proc = opendir("/proc");
    bool ok = false;
    for (struct dirent *dirent_; proc && !ok && (dirent_ = readdir(proc));) {
        if (!isdigit((unsigned char)dirent_->d_name[0])) continue;
        (void)snprintf(path, sizeof path, "/proc/%s/comm", dirent_->d_name);
        if (!first_line(path, line, sizeof line) || strcmp(line, wanted) != 0) continue;
        (void)snprintf(found, sizeof found, "/proc/%s", dirent_->d_name);
        found_core = core;
        ok = schedstat_ns(found, ns);
    }
    if (proc) (void)closedir(proc);
    return ok;
}

uint64_t cpu_process_ns(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

bool cpu_process_ns_of(int pid, uint64_t *ns)
{
    char tasks[64], folder[340];
    (void)snprintf(tasks, sizeof tasks, "/proc/%d/task", pid);
    DIR *d = opendir(tasks);
    if (!d) return false;
    *ns = 0;
    for (struct dirent *found; (found = readdir(d));) {
        uint64_t one;
        if (!isdigit((unsigned char)found->d_name[0])) continue;
        (void)snprintf(folder, sizeof folder, "%s/%s", tasks, found->d_name);
        if (schedstat_ns(folder, &one)) *ns += one;
    }
    (void)closedir(d);
    return true;
}
