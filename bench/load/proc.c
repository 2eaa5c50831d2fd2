#include "proc.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cpu.h"

#define FAMILY 512

static unsigned entries(const char *folder)
{
    DIR *d = opendir(folder);
    unsigned n = 0;
    for (struct dirent *found; d && (found = readdir(d));) n += found->d_name[0] != '.';
    if (d) (void)closedir(d);
    return n;
}

static pid_t parent_of(pid_t pid)
{
    char path[64], line[512];
    (void)cn_fmt(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    bool ok = file && fgets(line, sizeof line, file);
    if (file) (void)fclose(file);
    const char *end = ok ? strrchr(line, ')') : NULL;
    int parent = 0;
    return end && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/* The process first, then all descendants. */
static size_t family(pid_t pid, pid_t *out)
{
    static pid_t all[65536], parents[65536];
    size_t n = 0, found = 1;
    DIR *d = opendir("/proc");
    for (struct dirent *dirent_; d && (dirent_ = readdir(d)) && n < sizeof all / sizeof *all;) {
        int64_t id;
        if (!isdigit((unsigned char)dirent_->d_name[0]) || !cn_parse_i64(dirent_->d_name, 1, INT32_MAX, &id)) continue;
        all[n] = (pid_t)id;
        parents[n] = parent_of((pid_t)id);
        n++;
    }
    if (d) (void)closedir(d);
    out[0] = pid;
    for (size_t at = 0; at < found; at++)
        for (size_t i = 0; i < n && found < FAMILY; i++)
            if (parents[i] == out[at]) out[found++] = all[i];
    return found;
}

static void memory_add(pid_t pid, proc_use *out)
{
    char path[64], line[256];
    unsigned long kib = 0;
    (void)cn_fmt(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "Pss: %lu kB", &kib) == 1) out->pss_bytes += (uint64_t)kib * 1024;
        if (sscanf(line, "Pss_Anon: %lu kB", &kib) == 1) out->own_bytes += (uint64_t)kib * 1024;
    }
    if (file) (void)fclose(file);
}

static uint64_t cpu_of(pid_t pid)
{
    clockid_t clock;
    struct timespec ts;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts)) return 0;
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

bool proc_cpu_ns(pid_t pid, uint64_t *out)
{
    pid_t all[FAMILY];
    size_t n = family(pid, all);
    *out = 0;
    for (size_t i = 0; i < n; i++) *out += cpu_of(all[i]);
    return *out != 0;
}

bool proc_use_get(pid_t pid, proc_use *out)
{
    pid_t all[FAMILY];
    size_t n = family(pid, all);
    *out = (proc_use){.processes = (unsigned)n};
    for (size_t i = 0; i < n; i++) {
        char path[64];
        out->cpu_ns += cpu_of(all[i]);
        memory_add(all[i], out);
        (void)cn_fmt(path, sizeof path, "/proc/%d/task", (int)all[i]);
        out->threads += entries(path);
        (void)cn_fmt(path, sizeof path, "/proc/%d/fd", (int)all[i]);
        out->descriptors += entries(path);
    }
    return out->pss_bytes != 0;
}

pid_t proc_start(const char *const *arguments, const char *log, int cpu)
{
    pid_t pid = fork();
    if (pid) return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), none = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || none < 0 || dup2(none, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0) _exit(126);
    if (cpu >= 0) (void)cpu_pin(cpu);
    (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

bool proc_run(const char *const *arguments, char *out, size_t size)
{
    int pair[2], status = -1;
    if (pipe2(pair, O_CLOEXEC)) return false;
    pid_t pid = fork();
    if (!pid) {
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (dup2(pair[1], 1) < 0) _exit(126);
        (void)execvp(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    close(pair[1]);
    size_t n = 0;
    for (ssize_t got; n + 1 < size && (got = read(pair[0], out + n, size - 1 - n)) > 0;) n += (size_t)got;
    out[n] = '\0';
    close(pair[0]);
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void proc_end(pid_t pid, unsigned wait_ms)
{
    if (pid <= 0) return;
    (void)kill(pid, SIGTERM);
    uint64_t until = cn_mono_ms() + wait_ms;
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (cn_mono_ms() > until) {
            (void)kill(pid, SIGKILL);
            (void)waitpid(pid, NULL, 0);
            return;
        }
        (void)usleep(20000);
    }
}

static int entry_remove(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void proc_folder_remove(const char *path)
{
    (void)nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}
