#include "viewer/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* What reading one slide needs. Everything else answers EPERM, so that a library which probes for more goes on without
 * it. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(pread64),
    SCMP_SYS(readv),
    SCMP_SYS(preadv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(sendmsg),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(recvfrom),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(openat),
    SCMP_SYS(open),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(stat),
    SCMP_SYS(lstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(statx),
    SCMP_SYS(statfs),
    SCMP_SYS(fstatfs),
    SCMP_SYS(lseek),
    SCMP_SYS(getdents64),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(fcntl),
    SCMP_SYS(dup),
    SCMP_SYS(fadvise64),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(futex),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(nanosleep),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(uname),
    SCMP_SYS(sysinfo),
    SCMP_SYS(getrlimit),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(clock_nanosleep),
};

#define A_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

/* Only while all of these arguments are 0, or have none of the bits: its own limits may be looked at, memory is never
 * executed. A thread it may have, as OpenSlide wants one for VMS, a process not. */
static int allow_with_care(scmp_filter_ctx ctx)
{
    static const struct {
        int call;
        struct scmp_arg_cmp when[2];
        unsigned n;
    } rows[] = {
        {SCMP_SYS(mmap), {{.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC}}, 1},
        {SCMP_SYS(mprotect), {{.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC}}, 1},
        {SCMP_SYS(prlimit64), {{.arg = 0, .op = SCMP_CMP_EQ}, {.arg = 2, .op = SCMP_CMP_EQ}}, 2},
        {SCMP_SYS(clone), {{.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = A_THREAD, .datum_b = A_THREAD}}, 1},
    };
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
        rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rows[i].call, rows[i].n, rows[i].when);
    return rc;
}

static cn_err lock_syscalls(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!ctx) return CN_ERR_NOMEM;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
    if (rc == 0) rc = allow_with_care(ctx);
    /* its flags lie in memory, where nobody can look: the C library takes the other one then */
    if (rc == 0) rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (rc == 0) rc = seccomp_load(ctx);
    seccomp_release(ctx);
    return rc == 0 ? CN_OK : CN_ERR_IO;
}

static cn_err landlock_allow(int ruleset, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0) return cn_err_from_errno(errno);
    long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return rc == 0 ? CN_OK : CN_ERR_UNSUPPORTED;
}

static cn_err lock_files(const char *folder)
{
    struct landlock_ruleset_attr attr = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
                             LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                             LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                             LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                             LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
    };
    CN_AUTO_CLOSE int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    if (ruleset < 0) return CN_ERR_UNSUPPORTED;
    if (folder) CN_TRY(landlock_allow(ruleset, folder, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR));
    return syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? CN_OK : CN_ERR_UNSUPPORTED;
}

static void lock_resources(bool maps_files, size_t file_bytes)
{
    const struct rlimit none = {0, 0};
    const struct rlimit files = {64, 64}, bytes = {file_bytes, file_bytes};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &bytes);
    signal(SIGXFSZ, SIG_IGN); /* what a library tries to write fails, and no more */
    setrlimit(RLIMIT_NOFILE, &files);
#ifndef __SANITIZE_ADDRESS__
    const struct rlimit memory = {(rlim_t)2 << 30, (rlim_t)2 << 30};
    setrlimit(maps_files ? RLIMIT_DATA : RLIMIT_AS, &memory); /* AddressSanitizer's shadow alone is larger */
#else
    (void)maps_files;
#endif
}

cn_err cn_decoder_lock(const char *folder, size_t file_bytes)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return CN_ERR_IO;
    lock_resources(!folder, file_bytes);
    cn_err files = lock_files(folder);
    CN_TRY(lock_syscalls());
    return files;
}
