#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child_lock.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define OUTPUT_MAX 65536
#define HANDED_FD 3

/* Everything the child needs, made before the fork: after it nothing may allocate. */
typedef struct launch {
    char path[PATH_MAX];
    char *const *argv;
    char **environment;
    const cn_child_limits *limits;
    cn_child_lock lock;
    int input, output, handed; /* become 0, 1 and 2, 3; output -1 leaves 1 and 2, handed -1 hands nothing over */
    int failed[2];             /* closes at exec; before that the child writes an errno into it */
    bool own_alarm;            /* nobody waits with a clock: the child gets an alarm */
    int parent;                /* this process, as a descriptor that can be read once it is gone */
} launch;

cn_err cn_program_dir(char *out, size_t size)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n < 0) return cn_err_from_errno(errno);
    path[n] = 0;
    char *slash = strrchr(path, '/');
    if (!slash) return CN_ERR_NOTFOUND;
    *slash = 0;
    return cn_strcpy(out, size, path) ? CN_OK : CN_ERR_TOOBIG;
}

/* A program without a slash is looked for in PATH here, because execvp may allocate. */
static cn_err resolve(const char *program, char *out, size_t size)
{
    if (strchr(program, '/')) return cn_strcpy(out, size, program) ? CN_OK : CN_ERR_TOOBIG;
    const char *path = getenv("PATH");
    if (!path) path = "/usr/local/bin:/usr/bin:/bin";
    while (*path) {
        size_t n = strcspn(path, ":");
        if (n && cn_fmt(out, size, "%.*s/%s", (int)n, path, program) && access(out, X_OK) == 0) return CN_OK;
        path += n + (path[n] == ':');
    }
    return CN_ERR_NOTFOUND;
}

/* What a helper may know of our environment; database passwords and credentials are not among it. */
static const char *const environment_kept[] = {
    "PATH=",   "HOME=", "LANG=",       "LANGUAGE=", "LC_",           "TZ=",
    "TMPDIR=", "XDG_",  "FONTCONFIG_", "GST_",      "LD_PRELOAD=",   "LD_LIBRARY_PATH=",
    "CN_",     "ASAN_", "UBSAN_",      "TSAN_",     "LSAN_OPTIONS=", "LLVM_PROFILE_FILE=",
};

static bool environment_keeps(const char *variable)
{
    for (size_t i = 0; i < sizeof environment_kept / sizeof *environment_kept; i++)
        if (strncmp(variable, environment_kept[i], strlen(environment_kept[i])) == 0) return true;
    return false;
}

/* The strings stay the process's own; only the list is new. */
static char **make_environment(void)
{
    size_t n = 0, kept = 0;
    while (environ && environ[n]) n++;
    char **list = cn_calloc(n + 1, sizeof *list);
    for (size_t i = 0; list && i < n; i++)
        if (environment_keeps(environ[i])) list[kept++] = environ[i];
    return list;
}

/* Away from 0…3, which the child overwrites. */
static cn_err move_up(int *fd)
{
    int up = fcntl(*fd, F_DUPFD_CLOEXEC, 10);
    if (up < 0) return cn_err_from_errno(errno);
    cn_fd_close(fd);
    *fd = up;
    return CN_OK;
}

static cn_err launch_prepare(launch *program, const char *const argv[], const cn_child_limits *limits)
{
    static const cn_child_limits none;
    program->limits = limits ? limits : &none;
    program->lock.landlock = program->input = program->output = program->handed = program->failed[0] =
        program->failed[1] = program->parent = -1;
    if (!argv || !argv[0]) return CN_ERR_INVALID;
    CN_TRY(resolve(argv[0], program->path, sizeof program->path));
    memcpy(&program->argv, &argv, sizeof program->argv); /* execve takes char *const * but does not write */
    program->environment = make_environment();
    if (!program->environment) return CN_ERR_NOMEM;
    program->input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (program->input < 0 || pipe2(program->failed, O_CLOEXEC) < 0) return cn_err_from_errno(errno);
    program->parent = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (program->parent < 0) return cn_err_from_errno(errno);
    CN_TRY(move_up(&program->parent));
    CN_TRY(move_up(&program->input));
    CN_TRY(move_up(&program->failed[1]));
    return cn_child_lock_prepare(&program->lock, program->limits, program->path);
}

static void launch_free(launch *program)
{
    cn_child_lock_free(&program->lock);
    cn_fd_close(&program->input);
    cn_fd_close(&program->output);
    cn_fd_close(&program->handed);
    cn_fd_close(&program->failed[0]);
    cn_fd_close(&program->failed[1]);
    cn_fd_close(&program->parent);
    free(program->environment);
}

/* In the child: standard descriptors, and everything above closed at exec. */
static int place_descriptors(const launch *program)
{
    if (dup2(program->input, 0) < 0) return errno;
    if (program->output >= 0 && (dup2(program->output, 1) < 0 || dup2(program->output, 2) < 0)) return errno;
    if (program->handed >= 0 && dup2(program->handed, HANDED_FD) < 0) return errno;
    unsigned first = program->handed >= 0 ? HANDED_FD + 1 : HANDED_FD;
    /* CLOSE_RANGE_CLOEXEC = 4: the error pipe and the ruleset are still needed */
    return syscall(SYS_close_range, first, ~0u, 4u) < 0 ? errno : 0;
}

static void reset_signals(const cn_child_limits *limits)
{
    struct sigaction normal = {.sa_handler = SIG_DFL};
    for (int i = 1; i < NSIG; i++) (void)sigaction(i, &normal, NULL);
    /* too much output is an error of writing, which the program reports as its own; no crash */
    if (limits->file_bytes) (void)signal(SIGXFSZ, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only async-signal-safe calls from here to exec: other threads of the parent may have held any lock at the fork. */
static _Noreturn void child_main(const launch *program)
{
    int failed = setpgid(0, 0) < 0 ? errno : 0;
    if (!failed && program->limits->work_dir && chdir(program->limits->work_dir) < 0) failed = errno;
    if (!failed) failed = place_descriptors(program);
    if (!failed) failed = cn_child_lock_apply(&program->lock, program->limits);
    /* after the locks, since a change of credentials clears it; then look whether the parent is already gone */
    if (!failed && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) failed = errno;
    struct pollfd parent = {.fd = program->parent, .events = POLLIN};
    if (!failed && poll(&parent, 1, 0) != 0) failed = ECHILD;
    reset_signals(program->limits);
    if (!failed && program->own_alarm && program->limits->wall_seconds) (void)alarm(program->limits->wall_seconds);
    if (!failed) {
        (void)execve(program->path, program->argv, program->environment);
        failed = errno;
    }
    if (write(program->failed[1], &failed, sizeof failed) < 0) {
        /* the parent sees the exit status */
    }
    _exit(127);
}

/* Forks and waits until exec worked or the child said why not. */
static cn_err launch_fork(launch *program, pid_t *out)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours may run in the child */
    pid_t pid = cn_child_lock_fork(&program->lock, program->limits);
    if (pid == 0) child_main(program);
    int fork_errno = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) return cn_err_from_errno(fork_errno);
    (void)setpgid(pid, pid); /* the child does it too; whoever comes first */
    cn_fd_close(&program->failed[1]);
    int failed = 0;
    ssize_t n;
    do {
        n = read(program->failed[0], &failed, sizeof failed);
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        *out = pid;
        return CN_OK;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    cn_error("base.child", "cannot start %s: errno %d", program->path, failed);
    return CN_ERR_IO;
}

cn_err cn_child_start(const char *const argv[], int fd, const cn_child_limits *limits, pid_t *pid)
{
    launch program = {0};
    cn_err err = launch_prepare(&program, argv, limits);
    program.own_alarm = true;
    if (!err && fd >= 0) {
        program.handed = fcntl(fd, F_DUPFD_CLOEXEC, 10);
        if (program.handed < 0) err = cn_err_from_errno(errno);
    }
    if (!err) err = launch_fork(&program, pid);
    launch_free(&program);
    return err;
}

/* Reads what is there, keeps the first 64 KiB; false at the end. */
static bool take_output(int fd, cn_buf *kept)
{
    char chunk[4096];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno == EAGAIN;
        if (n == 0) return false;
        size_t room = OUTPUT_MAX - kept->n;
        cn_buf_add(kept, chunk, (size_t)n < room ? (size_t)n : room);
    }
}

static void log_output(const char *program, cn_buf *kept)
{
    char *line = kept->p;
    while (line && *line) {
        char *end = strchr(line, '\n');
        if (end) *end = 0;
        if (*line) cn_debug("base.child", "%s: %s", program, line);
        line = end ? end + 1 : NULL;
    }
}

/* Milliseconds to wait for the next event, -1 for ever. */
static int time_left(uint64_t deadline_ms)
{
    if (!deadline_ms) return -1;
    uint64_t now = cn_mono_ms();
    if (now >= deadline_ms) return 0;
    return deadline_ms - now > INT_MAX ? INT_MAX : (int)(deadline_ms - now);
}

/* Until the child has ended (not yet reaped), its time is over or the caller is told to stop. */
static cn_err watch_child(pid_t pid, int output, const cn_child_limits *limits, cn_buf *kept)
{
    CN_AUTO_CLOSE int ended = (int)syscall(SYS_pidfd_open, pid, 0);
    if (ended < 0) return cn_err_from_errno(errno);
    uint64_t deadline = limits->wall_seconds ? cn_mono_ms() + 1000ull * limits->wall_seconds : 0;
    struct pollfd fds[] = {{.fd = ended, .events = POLLIN},
                           {.fd = output, .events = POLLIN},
                           {.fd = limits->stop_fd ? limits->stop_fd : -1, .events = POLLIN}};
    for (;;) {
        int n = poll(fds, 3, time_left(deadline));
        if (n < 0 && errno != EINTR) return cn_err_from_errno(errno);
        if (n > 0 && fds[1].revents && !take_output(output, kept)) fds[1].fd = -1;
        if (n > 0 && fds[0].revents) return CN_OK;
        if (n > 0 && fds[2].revents) return CN_ERR_CLOSED;
        if (deadline && cn_mono_ms() >= deadline) return CN_ERR_TIMEOUT;
    }
}

static cn_err judge(int status, int *exit_status)
{
    if (WIFEXITED(status)) {
        if (exit_status) *exit_status = WEXITSTATUS(status);
        return exit_status || WEXITSTATUS(status) == 0 ? CN_OK : CN_ERR_CRASHED;
    }
    return WTERMSIG(status) == SIGXCPU ? CN_ERR_TIMEOUT : CN_ERR_CRASHED;
}

static cn_err wait_for(const launch *program, pid_t pid, int output, int *exit_status)
{
    cn_buf kept = {0};
    cn_err err = watch_child(pid, output, program->limits, &kept);
    /* the group is ours until the child is reaped: nothing it started stays behind */
    (void)kill(-pid, SIGKILL);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    (void)take_output(output, &kept);
    log_output(program->path, &kept);
    cn_buf_free(&kept);
    return err ? err : judge(status, exit_status);
}

cn_err cn_child_run(const char *const argv[], const cn_child_limits *limits, int *exit_status)
{
    launch program = {0};
    int output[2] = {-1, -1};
    pid_t pid = -1;
    cn_err err = launch_prepare(&program, argv, limits);
    if (!err && pipe2(output, O_CLOEXEC) < 0) err = cn_err_from_errno(errno);
    if (!err) program.output = output[1];
    if (!err && fcntl(output[0], F_SETFL, O_NONBLOCK) < 0) err = cn_err_from_errno(errno);
    if (!err) err = move_up(&program.output);
    if (!err) err = launch_fork(&program, &pid);
    cn_fd_close(&program.output);
    if (!err) err = wait_for(&program, pid, output[0], exit_status);
    cn_fd_close(&output[0]);
    launch_free(&program);
    return err;
}
