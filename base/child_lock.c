#include "base/child_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/* Newer than the kernel headers this is built with. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

#define WRITE_ACCESS                                                                                  \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |       \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |    \
     LANDLOCK_ACCESS_FS_MAKE_SYM)
#define FILE_ACCESS (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

static cn_err allow_path(int ruleset, const char *path, uint64_t handled)
{
    CN_AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) return cn_err_from_errno(errno);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = S_ISDIR(st.st_mode) ? handled : handled & FILE_ACCESS,
        .parent_fd = fd,
    };
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        return cn_err_from_errno(errno);
    return CN_OK;
}

/* Writing is allowed below the given paths and to /dev/null, nowhere else; reading stays as it was. */
static cn_err prepare_landlock(cn_child_lock *lock, const char *const *paths)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) {
        cn_warn("base.child", "the kernel has no Landlock: helper processes can write wherever the server can");
        return CN_OK;
    }
    uint64_t handled = WRITE_ACCESS;
    if (abi >= 2) handled |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3) handled |= LANDLOCK_ACCESS_FS_TRUNCATE;
    struct landlock_ruleset_attr attr = {.handled_access_fs = handled};
    CN_AUTO_CLOSE int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (fd < 0) return cn_err_from_errno(errno);
    CN_TRY(allow_path(fd, "/dev/null", handled));
    for (; *paths; paths++) CN_TRY(allow_path(fd, *paths, handled));
    lock->landlock = fcntl(fd, F_DUPFD_CLOEXEC, 10); /* out of the way of descriptor 3 */
    return lock->landlock < 0 ? cn_err_from_errno(errno) : CN_OK;
}

/* io_uring can open sockets without the system call for it. */
static int add_filter_rules(scmp_filter_ctx ctx)
{
    uint32_t refuse = SCMP_ACT_ERRNO(EACCES);
    struct scmp_arg_cmp not_local = {.arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX};
    int rc = seccomp_rule_add_array(ctx, refuse, SCMP_SYS(socket), 1, &not_local);
    return rc ? rc : seccomp_rule_add(ctx, refuse, SCMP_SYS(io_uring_setup), 0);
}

static cn_err load_filter(cn_child_lock *lock, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0) return cn_err_from_errno(errno);
    size_t n = (size_t)st.st_size;
    struct sock_filter *code = cn_calloc(n / sizeof *code, sizeof *code);
    if (!code) return CN_ERR_NOMEM;
    lock->filter = (struct sock_fprog){.len = (unsigned short)(n / sizeof *code), .filter = code};
    return read(fd, code, n) == (ssize_t)n ? CN_OK : CN_ERR_IO;
}

/* The same reach as an empty network namespace: local (AF_UNIX) sockets remain. */
static cn_err prepare_filter(cn_child_lock *lock)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (!ctx) return CN_ERR_NOMEM;
    CN_AUTO_CLOSE int fd = memfd_create("filter", MFD_CLOEXEC);
    cn_err err = fd < 0 || add_filter_rules(ctx) || seccomp_export_bpf(ctx, fd) ? CN_ERR_IO : CN_OK;
    seccomp_release(ctx);
    return err ? err : load_filter(lock, fd);
}

cn_err cn_child_lock_prepare(cn_child_lock *lock, const cn_child_limits *limits)
{
    *lock = (cn_child_lock){.landlock = -1, .no_network = limits->no_network};
    cn_fmt(lock->uid_map, sizeof lock->uid_map, "%u %u 1\n", geteuid(), geteuid());
    cn_fmt(lock->gid_map, sizeof lock->gid_map, "%u %u 1\n", getegid(), getegid());
    if (limits->write_paths) CN_TRY(prepare_landlock(lock, limits->write_paths));
    return limits->no_network ? prepare_filter(lock) : CN_OK;
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
    int failed = set_limit(RLIMIT_CORE, 0, 0); /* a dump would put patients' data on disk */
    if (!failed && limits->cpu_seconds)
        failed = set_limit(RLIMIT_CPU, limits->cpu_seconds, (rlim_t)limits->cpu_seconds + 1);
    if (!failed && limits->memory_bytes) failed = set_limit(RLIMIT_AS, limits->memory_bytes, limits->memory_bytes);
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

/* True when the process is now alone in a network namespace. */
static bool leave_network(const cn_child_lock *lock)
{
    if (unshare(CLONE_NEWNET) == 0) return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) return false;
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", lock->uid_map);
    write_text("/proc/self/gid_map", lock->gid_map);
    return true;
}

int cn_child_lock_apply(const cn_child_lock *lock, const cn_child_limits *limits)
{
    int failed = apply_limits(limits);
    if (failed) return failed;
    bool alone = lock->no_network && leave_network(lock);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return errno;
    if (lock->landlock >= 0 && syscall(SYS_landlock_restrict_self, lock->landlock, 0) < 0) return errno;
    if (lock->no_network && !alone && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &lock->filter) < 0) return errno;
    return 0;
}
