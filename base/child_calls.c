#include "base/child_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define SOCKET_TYPE 0xfu

/* Refused (EPERM) to everything that is confined. A filter that lists what is allowed, as the decoder's does, is out of
 * reach for LibreOffice and a shell. */
static const int refused[] = {
    /* other processes: signals, memory, priority; leaving the group that is killed at the end */
    SCMP_SYS(kill),
    SCMP_SYS(tkill),
    SCMP_SYS(tgkill),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(kcmp),
    SCMP_SYS(setpriority),
    SCMP_SYS(ioprio_set),
    SCMP_SYS(migrate_pages),
    SCMP_SYS(move_pages),
    SCMP_SYS(setsid),
    SCMP_SYS(setpgid),
    /* what Landlock does not know: mode, owner, times and attributes of files that are not ours to touch */
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),
    SCMP_SYS(fchown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(removexattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr),
    SCMP_SYS(utime),
    SCMP_SYS(utimes),
    SCMP_SYS(futimesat),
    SCMP_SYS(utimensat),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(chroot),
    SCMP_SYS(pivot_root),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(open_tree),
    SCMP_SYS(move_mount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(quotactl),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    /* doors into the kernel that bugs come from */
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(modify_ldt),
    SCMP_SYS(personality),
    SCMP_SYS(syslog),
    SCMP_SYS(acct),
    SCMP_SYS(reboot),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(vhangup),
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks in this way at the end */
    SCMP_SYS(ptrace),
#endif
};

/* The same for some arguments only. A value that has all bits of `mask` in common with `is`, or for mask 0 is not `is`. */
static const struct {
    int call;
    unsigned argument;
    uint64_t mask, is;
    bool of_all; /* false: not to what makes code */
} refused_when[] = {
    {SCMP_SYS(prlimit64), 0, 0, 0, true},
    {SCMP_SYS(sched_setaffinity), 0, 0, 0, true},
    {SCMP_SYS(sched_setscheduler), 0, 0, 0, true},
    {SCMP_SYS(sched_setattr), 0, 0, 0, true},
    {SCMP_SYS(sched_setparam), 0, 0, 0, true},
    {SCMP_SYS(clone), 0, CLONE_NEWUSER, CLONE_NEWUSER, true},
    {SCMP_SYS(clone), 0, CLONE_NEWNS, CLONE_NEWNS, true},
    {SCMP_SYS(clone), 0, CLONE_NEWPID, CLONE_NEWPID, true},
    {SCMP_SYS(clone), 0, CLONE_NEWNET, CLONE_NEWNET, true},
    {SCMP_SYS(clone), 0, CLONE_NEWIPC, CLONE_NEWIPC, true},
    {SCMP_SYS(clone), 0, CLONE_NEWUTS, CLONE_NEWUTS, true},
    {SCMP_SYS(clone), 0, CLONE_NEWCGROUP, CLONE_NEWCGROUP, true},
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETOWN, true},
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETOWN_EX, true},
    {SCMP_SYS(fcntl), 1, UINT32_MAX, F_SETSIG, true},
    {SCMP_SYS(mmap), 2, PROT_WRITE | PROT_EXEC, PROT_WRITE | PROT_EXEC, false},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, PROT_EXEC, false},
    {SCMP_SYS(pkey_mprotect), 2, PROT_EXEC, PROT_EXEC, false},
};

bool cn_child_calls_possible(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

static int refuse_when(scmp_filter_ctx ctx, bool makes_code)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof refused_when / sizeof *refused_when; i++) {
        if (makes_code && !refused_when[i].of_all) continue;
        struct scmp_arg_cmp when = {.arg = refused_when[i].argument, .op = SCMP_CMP_NE, .datum_a = refused_when[i].is};
        if (refused_when[i].mask)
            when = (struct scmp_arg_cmp){.arg = refused_when[i].argument,
                                         .op = SCMP_CMP_MASKED_EQ,
                                         .datum_a = refused_when[i].mask,
                                         .datum_b = refused_when[i].is};
        rc = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), refused_when[i].call, 1, &when);
    }
    return rc;
}

/* A database or a bus of the machine listens on a local socket and believes whoever has our user: nobody connects, and
 * who may have sockets at all may listen on a stream. */
static int refuse_sockets(scmp_filter_ctx ctx, bool may_listen)
{
    if (!may_listen) return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 0);
    struct scmp_arg_cmp not_local = {.arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX};
    int rc = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1, &not_local);
    static const int others[] = {SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET};
    for (size_t i = 0; rc == 0 && i < sizeof others / sizeof *others; i++) {
        struct scmp_arg_cmp type = {
            .arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = SOCKET_TYPE, .datum_b = (scmp_datum_t)others[i]};
        rc = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1, &type);
    }
    return rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ECONNREFUSED), SCMP_SYS(connect), 0);
}

static int confine(scmp_filter_ctx ctx, bool makes_code)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof refused / sizeof *refused; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
    /* its flags lie in memory, where no filter can look: the C library then takes the older call */
    if (rc == 0) rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (rc == 0) rc = refuse_when(ctx, makes_code);
    return rc ? rc : refuse_sockets(ctx, makes_code);
}

/* The same reach as an empty network namespace: local (AF_UNIX) sockets remain. io_uring can open sockets without the
 * system call for it. */
static int refuse_network(scmp_filter_ctx ctx)
{
    struct scmp_arg_cmp not_local = {.arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX};
    int rc = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1, &not_local);
    return rc ? rc : seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(io_uring_setup), 0);
}

static cn_err load_filter(struct sock_fprog *filter, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0) return cn_err_from_errno(errno);
    size_t n = (size_t)st.st_size;
    struct sock_filter *code = cn_calloc(n / sizeof *code, sizeof *code);
    if (!code) return CN_ERR_NOMEM;
    *filter = (struct sock_fprog){.len = (unsigned short)(n / sizeof *code), .filter = code};
    return read(fd, code, n) == (ssize_t)n ? CN_OK : CN_ERR_IO;
}

cn_err cn_child_calls_prepare(const cn_child_limits *limits, struct sock_fprog *filter)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (!ctx) return CN_ERR_NOMEM;
    CN_AUTO_CLOSE int fd = memfd_create("filter", MFD_CLOEXEC);
    int rc = limits->read_paths ? confine(ctx, limits->makes_code) : refuse_network(ctx);
    cn_err err = fd < 0 || rc || seccomp_export_bpf(ctx, fd) ? CN_ERR_IO : CN_OK;
    seccomp_release(ctx);
    return err ? err : load_filter(filter, fd);
}
