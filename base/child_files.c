#include "base/child_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* Newer than the kernel headers this is built with. */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#define NET_BIND_AND_CONNECT_TCP 3ULL  /* since ABI 4 */
#define SCOPE_ABSTRACT_AND_SIGNAL 3ULL /* since ABI 6: abstract sockets and signals of processes outside */

#define WRITE_ACCESS                                                                                  \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |       \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |    \
     LANDLOCK_ACCESS_FS_MAKE_SYM)
#define READ_ACCESS (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define RUN_ACCESS (READ_ACCESS | LANDLOCK_ACCESS_FS_EXECUTE)
/* what there is of a single file */
#define FILE_ACCESS                                                                               \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE | LANDLOCK_ACCESS_FS_READ_FILE | \
     LANDLOCK_ACCESS_FS_EXECUTE)

typedef struct ruleset_attr {
    uint64_t files, net, scoped;
} ruleset_attr;

/* What a program needs before it reads its first byte of ours. Not /usr as a whole, where data may lie below /usr/local;
 * no home, no /proc, nothing of /etc that holds a secret. */
static const char *const system_paths[] = {
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libx32",
    "/usr/libexec",
    "/usr/share",
    "/usr/local/bin",
    "/usr/local/lib",
    "/usr/local/share/fonts",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/ld.so.preload",
    "/etc/libreoffice",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/papersize",
    "/etc/passwd",
    "/var/cache/fontconfig",
    "/etc/locale.alias",
    "/var/lib/libreoffice",
    "/var/spool/libreoffice",
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    "/proc", /* a sanitizer looks at its own maps */
#endif
};

int cn_child_files_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static cn_err allow(int ruleset, const char *path, uint64_t access)
{
    CN_AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) return cn_err_from_errno(errno);
    struct landlock_path_beneath_attr rule = {
        .allowed_access = S_ISDIR(st.st_mode) ? access : access & FILE_ACCESS,
        .parent_fd = fd,
    };
    if (rule.allowed_access && syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
        return cn_err_from_errno(errno);
    return CN_OK;
}

static cn_err allow_all(int ruleset, const char *const *paths, uint64_t access)
{
    for (; paths && *paths; paths++) CN_TRY(allow(ruleset, *paths, access));
    return CN_OK;
}

static cn_err allow_reading(int ruleset, const cn_child_limits *limits, const char *program)
{
    for (size_t i = 0; i < sizeof system_paths / sizeof *system_paths; i++) {
        cn_err err = allow(ruleset, system_paths[i], RUN_ACCESS);
        if (err && err != CN_ERR_NOTFOUND) return err; /* not every system has all of them */
    }
    CN_TRY(allow(ruleset, program, RUN_ACCESS));
    CN_TRY(allow(ruleset, "/dev/null", READ_ACCESS));
    if (limits->socket_dir)
        CN_TRY(allow(ruleset, limits->socket_dir, LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE));
    CN_TRY(allow_all(ruleset, limits->read_paths, READ_ACCESS));
    return allow_all(ruleset, limits->write_paths, READ_ACCESS);
}

static cn_err add_rules(int ruleset, const cn_child_limits *limits, const char *program, uint64_t writing)
{
    CN_TRY(allow(ruleset, "/dev/null", writing));
    CN_TRY(allow_all(ruleset, limits->write_paths, writing));
    return limits->read_paths ? allow_reading(ruleset, limits, program) : CN_OK;
}

cn_err cn_child_files_prepare(const cn_child_limits *limits, const char *program, int *ruleset)
{
    int abi = cn_child_files_abi();
    *ruleset = -1;
    if (!abi) {
        cn_warn("base.child", "the kernel has no Landlock: helper processes reach every file that the server reaches");
        return CN_OK;
    }
    uint64_t writing = WRITE_ACCESS;
    if (abi >= 2) writing |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3) writing |= LANDLOCK_ACCESS_FS_TRUNCATE;
    ruleset_attr attr = {.files = writing | (limits->read_paths ? RUN_ACCESS : 0)};
    if (abi >= 4 && limits->no_network) attr.net = NET_BIND_AND_CONNECT_TCP;
    if (abi >= 6 && limits->read_paths) attr.scoped = SCOPE_ABSTRACT_AND_SIGNAL;
    size_t size = abi >= 6 ? sizeof attr : abi >= 4 ? 2 * sizeof attr.files : sizeof attr.files;
    CN_AUTO_CLOSE int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (fd < 0) return cn_err_from_errno(errno);
    CN_TRY(add_rules(fd, limits, program, writing));
    *ruleset = fcntl(fd, F_DUPFD_CLOEXEC, 10); /* out of the way of descriptor 3 */
    return *ruleset < 0 ? cn_err_from_errno(errno) : CN_OK;
}
