#include "base/child_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/child_calls.h"
#include "base/child_files.h"
#include "base/child_kernel.h"
#include "base/mem.h"
#include "base/str.h"

#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)

cn_err cn_child_lock_prepare(cn_child_lock *lock, const cn_child_limits *limits, const char *program)
{
    *lock = (cn_child_lock){.landlock = -1, .filter_always = limits->read_paths != NULL};
    cn_fmt(lock->uid_map, sizeof lock->uid_map, "%u %u 1\n", geteuid(), geteuid());
    cn_fmt(lock->gid_map, sizeof lock->gid_map, "%u %u 1\n", getegid(), getegid());
    bool calls = cn_child_calls_possible();
    if (limits->read_paths && !cn_child_permitted()) return CN_ERR_FORBIDDEN;
    if (limits->write_paths || limits->read_paths) CN_TRY(cn_child_files_prepare(limits, program, &lock->landlock));
    if (calls && (limits->no_network || limits->read_paths)) return cn_child_calls_prepare(limits, &lock->filter);
    return CN_OK;
}

void cn_child_lock_free(cn_child_lock *lock)
{
    cn_fd_close(&lock->landlock);
    free(lock->filter.filter);
    lock->filter.filter = NULL;
}

static int set_limit(int which, rlim_t soft, rlim_t hard)
{
    struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
    return setrlimit((__rlimit_resource_t)which, &limit) < 0 ? errno : 0;
}

static int apply_limits(const cn_child_limits *limits)
{
    if (limits->niceness > 0) (void)setpriority(PRIO_PROCESS, 0, limits->niceness);
    int failed = set_limit(RLIMIT_CORE, 0, 0); /* a dump would put patients' data on disk */
    if (!failed && limits->cpu_seconds)
        failed = set_limit(RLIMIT_CPU, limits->cpu_seconds, (rlim_t)limits->cpu_seconds + 1);
    if (!failed && limits->memory_bytes) failed = set_limit(RLIMIT_AS, limits->memory_bytes, limits->memory_bytes);
    if (!failed && limits->data_bytes) failed = set_limit(RLIMIT_DATA, limits->data_bytes, limits->data_bytes);
    if (!failed && limits->file_bytes) failed = set_limit(RLIMIT_FSIZE, limits->file_bytes, limits->file_bytes);
    return failed;
}

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (write(fd, text, strlen(text)) < 0) {
        /* the process then runs as the overflow user, which is as good */
    }
    (void)close(fd);
}

/* In a user namespace that is new: the same user. */
static void map_user(const cn_child_lock *lock)
{
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", lock->uid_map);
    write_text("/proc/self/gid_map", lock->gid_map);
}

pid_t cn_child_lock_fork(const cn_child_lock *lock, const cn_child_limits *limits)
{
    const int tries[] = {CLONE_NEWPID, CLONE_NEWUSER | CLONE_NEWPID};
    for (size_t i = 0; limits->own_processes && i < sizeof tries / sizeof *tries; i++) {
        pid_t pid = (pid_t)syscall(SYS_clone, tries[i] | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0 && tries[i] & CLONE_NEWUSER) map_user(lock);
        if (pid >= 0) return pid;
    }
    return fork();
}

/* As many namespaces as the kernel permits of those that are wanted. True when the process is now alone in a network
 * namespace. */
static bool leave_namespaces(const cn_child_lock *lock, int wanted)
{
    const int tries[] = {CLONE_NEWUSER | wanted, wanted, wanted & CLONE_NEWNET,
                         CLONE_NEWUSER | (wanted & CLONE_NEWNET)};
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        if (!tries[i] || unshare(tries[i]) < 0) continue;
        if (tries[i] & CLONE_NEWUSER) map_user(lock);
        if (tries[i] & CLONE_NEWNS) (void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
        return tries[i] & CLONE_NEWNET;
    }
    return false;
}

/* Neither those of the namespace nor, for root, those that an exec would bring back. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[2] = {{0}};
    for (unsigned long i = 0; i < 64; i++)
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) break; /* EINVAL: the last one is past; EPERM: there are none */
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none) < 0 ? errno : 0;
}

int cn_child_lock_apply(const cn_child_lock *lock, const cn_child_limits *limits)
{
    int failed = apply_limits(limits);
    if (failed) return failed;
    bool rightless = limits->no_rights || limits->read_paths;
    int wanted = (rightless ? OWN_NAMESPACES : 0) | (limits->no_network ? CLONE_NEWNET : 0);
    bool alone = wanted && leave_namespaces(lock, wanted) && limits->no_network;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return errno;
    if (rightless && (failed = drop_capabilities())) return failed;
    if (lock->landlock >= 0 && syscall(SYS_landlock_restrict_self, lock->landlock, 0) < 0) return errno;
    if (lock->filter.filter && (lock->filter_always || !alone) &&
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &lock->filter) < 0)
        return errno;
    return 0;
}
