#include "cn_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"

/* Runs a shell line under limits. */
static cn_err sh(const char *line, const cn_child_limits *limits, int *status)
{
    const char *const argv[] = {"sh", "-c", line, NULL};
    *status = -1;
    return cn_child_run(argv, limits, status);
}

static void the_exit_status_comes_back(void **state)
{
    (void)state;
    int status = -1;
    assert_ok(sh("exit 0", NULL, &status));
    assert_int_equal(status, 0);
    assert_ok(sh("echo some output; exit 7", NULL, &status));
    assert_int_equal(status, 7);
    const char *const missing[] = {"/nonexistent/program", NULL};
    assert_err(cn_child_run(missing, NULL, &status), CN_ERR_IO);
    const char *const unknown[] = {"no-such-program-anywhere", NULL};
    assert_err(cn_child_run(unknown, NULL, &status), CN_ERR_NOTFOUND);
    const char *const nothing[] = {NULL};
    assert_err(cn_child_run(nothing, NULL, &status), CN_ERR_INVALID);
    const char *const fails[] = {"false", NULL};
    assert_err(cn_child_run(fails, NULL, NULL), CN_ERR_CRASHED);
}

static void it_ends_when_told_to_stop(void **state)
{
    (void)state;
    int status = -1, stop = eventfd(0, EFD_CLOEXEC);
    assert_true(stop > 0);
    const cn_child_limits limits = {.wall_seconds = 60, .stop_fd = stop};
    assert_ok(sh("exit 4", &limits, &status));
    assert_int_equal(status, 4);
    assert_int_equal(eventfd_write(stop, 1), 0);
    uint64_t start = cn_mono_ms();
    assert_err(sh("sleep 30", &limits, &status), CN_ERR_CLOSED);
    assert_true(cn_mono_ms() - start < 5000);
    close(stop);
}

static void a_signal_is_a_crash(void **state)
{
    (void)state;
    int status = -1;
    assert_err(sh("kill -SEGV $$", NULL, &status), CN_ERR_CRASHED);
}

static void much_output_does_not_block(void **state)
{
    (void)state;
    int status = -1;
    assert_ok(sh("head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 3", NULL, &status));
    assert_int_equal(status, 3);
}

/* The wall clock ends the whole group: the grandchild that would write the file is gone too. */
static void the_wall_clock_kills_the_group(void **state)
{
    (void)state;
    char folder[] = "/tmp/cn_child_XXXXXX", line[200], file[100];
    assert_non_null(mkdtemp(folder));
    cn_fmt(file, sizeof file, "%s/late", folder);
    cn_fmt(line, sizeof line, "(sleep 2; touch %s) & sleep 60", file);
    int status = -1;
    uint64_t start = cn_mono_ms();
    assert_err(sh(line, &(cn_child_limits){.wall_seconds = 1}, &status), CN_ERR_TIMEOUT);
    uint64_t took = cn_mono_ms() - start;
    assert_in_range(took, 1000, 1900);
    usleep(1500000);
    assert_int_equal(access(file, F_OK), -1);
    rmdir(folder);
}

static void nothing_stays_behind_after_a_normal_end(void **state)
{
    (void)state;
    char folder[] = "/tmp/cn_child_XXXXXX", line[200], file[100];
    assert_non_null(mkdtemp(folder));
    cn_fmt(file, sizeof file, "%s/late", folder);
    cn_fmt(line, sizeof line, "(sleep 1; touch %s) & exit 0", file);
    int status = -1;
    assert_ok(sh(line, NULL, &status));
    usleep(1500000);
    assert_int_equal(access(file, F_OK), -1);
    rmdir(folder);
}

/* Whether a new process may have process ids of its own here; otherwise the test says so. */
static void need_own_processes(void)
{
    const char *const tries[] = {"unshare", "--user", "--pid", "--fork", "true", NULL};
    int status = -1;
    if (!cn_child_run(tries, NULL, &status) && status == 0) return;
    print_message("skipped: no process id namespaces here\n");
    skip();
}

/* What left the group, as LibreOffice's own starter does, writes no more once its time is over, nor once the server was killed. */
static void what_left_the_group_ends_too(void **state)
{
    (void)state;
    need_own_processes();
    char folder[] = "/tmp/cn_child_XXXXXX", line[200], file[100];
    assert_non_null(mkdtemp(folder));
    cn_fmt(file, sizeof file, "%s/late", folder);
    cn_fmt(line, sizeof line, "setsid sh -c 'while :; do echo x >%s; sleep 0.05; done' & sleep 60", file);
    const cn_child_limits limits = {.wall_seconds = 1, .own_processes = true}, endless = {.own_processes = true};
    int status = -1;
    assert_err(sh(line, &limits, &status), CN_ERR_TIMEOUT);
    assert_int_equal(unlink(file), 0);
    usleep(400000);
    assert_int_equal(access(file, F_OK), -1);
    pid_t killed = fork();
    if (killed == 0) {
        (void)sh(line, &endless, &status);
        _exit(0);
    }
    for (int i = 0; i < 250 && access(file, F_OK) < 0; i++) usleep(20000);
    assert_int_equal(kill(killed, SIGKILL), 0);
    assert_int_equal(waitpid(killed, NULL, 0), killed);
    for (int i = 0; i < 50; i++) {
        usleep(20000);
        (void)unlink(file);
    }
    usleep(200000);
    assert_int_equal(access(file, F_OK), -1);
    rmdir(folder);
}

static void processor_time_is_limited(void **state)
{
    (void)state;
    int status = -1;
    assert_err(sh("while :; do :; done", &(cn_child_limits){.cpu_seconds = 1, .wall_seconds = 20}, &status),
               CN_ERR_TIMEOUT);
}

static void limits_are_set(void **state)
{
    (void)state;
    int status = -1;
    const cn_child_limits limits = {.memory_bytes = 256 << 20, .file_bytes = 1 << 20};
    assert_ok(sh("test $(ulimit -v) = 262144 && test $(ulimit -c) = 0", &limits, &status));
    assert_int_equal(status, 0);
    assert_ok(sh("grep -q 'NoNewPrivs:\t1' /proc/self/status", &limits, &status));
    assert_int_equal(status, 0);
}

/* A program that writes too much says so in its own way: it does not die of a signal. */
static void too_much_output_is_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/cn_child_XXXXXX";
    assert_non_null(mkdtemp(folder));
    int status = -1;
    const cn_child_limits limits = {.file_bytes = 4096, .work_dir = folder};
    assert_ok(
        sh("head -c 10000 /dev/zero 2>/dev/null >big; test $? = 1 && test $(wc -c <big) = 4096", &limits, &status));
    assert_int_equal(status, 0);
    assert_ok(sh("rm big", &limits, &status));
    rmdir(folder);
}

static void writing_is_confined(void **state)
{
    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) skip();
    char in[] = "/tmp/cn_in_XXXXXX", out[] = "/tmp/cn_out_XXXXXX", line[300];
    assert_non_null(mkdtemp(in));
    assert_non_null(mkdtemp(out));
    const char *const paths[] = {in, NULL};
    const cn_child_limits limits = {.write_paths = paths, .work_dir = in};
    int status = -1;
    assert_ok(sh("echo x >a && mkdir d && mv a d/b && echo y >>d/b && rm -r d && echo z >/dev/null", &limits, &status));
    assert_int_equal(status, 0);
    cn_fmt(line, sizeof line, "echo x 2>/dev/null >%s/a", out);
    assert_ok(sh(line, &limits, &status));
    assert_int_not_equal(status, 0);
    cn_fmt(line, sizeof line, "mkdir %s/d 2>/dev/null", out);
    assert_ok(sh(line, &limits, &status));
    assert_int_not_equal(status, 0);
    assert_int_equal(rmdir(in), 0);
    assert_int_equal(rmdir(out), 0); /* still empty */
    const char *const missing[] = {"/nonexistent/folder", NULL};
    assert_err(sh("true", &(cn_child_limits){.write_paths = missing}, &status), CN_ERR_NOTFOUND);
}

/* How a server that may not do everything runs a child: in a process of its own, so that the rest of the test keeps its
 * rights. */
typedef void (*narrow_fn)(void);

static void stay_as_we_are(void) {}

static void become_nobody(void)
{
    if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))) _exit(99);
}

static void lose_unshare(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (!ctx || seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 0) || seccomp_load(ctx)) _exit(99);
    seccomp_release(ctx);
}

/* Exit status of the child, or 100 + the error of cn_child_run. */
static int run_narrowed(narrow_fn narrow, const char *const argv[], const cn_child_limits *limits)
{
    pid_t pid = fork();
    if (pid == 0) {
        narrow();
        int status = -1;
        cn_err err = cn_child_run(argv, limits, &status);
        _exit(err ? 100 + (int)err : status);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The host's addresses must be out of reach, whichever of the ways the kernel permits. */
static void the_network_is_out_of_reach(void **state)
{
    (void)state;
    static const narrow_fn ways[] = {stay_as_we_are, become_nobody, lose_unshare};
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server, 16), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&at, &length), 0);
    char line[120];
    cn_fmt(line, sizeof line, "exec 2>/dev/null 5<>/dev/tcp/127.0.0.1/%d && exit 41; exit 42", ntohs(at.sin_port));
    const char *const connects[] = {"bash", "-c", line, NULL};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        assert_int_equal(run_narrowed(ways[i], connects, NULL), 41);
        assert_int_equal(run_narrowed(ways[i], connects, &(cn_child_limits){.no_network = true}), 42);
    }
    close(server);
}

/* An unprivileged server confines as well; its children keep the same user. */
static void nobody_can_confine_too(void **state)
{
    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) skip();
    char in[] = "/tmp/cn_in_XXXXXX", line[200];
    assert_non_null(mkdtemp(in));
    assert_int_equal(chmod(in, 0777), 0);
    const char *const paths[] = {in, NULL};
    const cn_child_limits limits = {.write_paths = paths, .no_network = true, .work_dir = in};
    cn_fmt(line, sizeof line, "echo x >a && rm a && ! (echo x >/tmp/%s.outside) 2>/dev/null && echo ok", in + 5);
    const char *const argv[] = {"sh", "-c", line, NULL};
    assert_int_equal(run_narrowed(become_nobody, argv, &limits), 0);
    const char *const who[] = {"sh", "-c", "test $(id -u) = 65534", NULL};
    assert_int_equal(run_narrowed(become_nobody, who, &limits), 0);
    assert_int_equal(rmdir(in), 0);
}

static const char *const nothing[] = {NULL};

/* Whether this kernel confines; otherwise the test says what it lacks. */
static void need_confinement(void)
{
    if (!*cn_child_missing()) return;
    print_message("skipped: this kernel has no %s\n", cn_child_missing());
    skip();
}

/* where a sanitizer looks at its own maps it stays readable */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define NO_PROC ""
#else
#define NO_PROC "! cat /proc/self/environ && ! cat /proc/1/status && "
#endif

/* A confined child sees its input, its own folder, programs and fonts: not the file beside the input. */
static void reading_is_confined(void **state)
{
    (void)state;
    need_confinement();
    static const narrow_fn ways[] = {stay_as_we_are, become_nobody, lose_unshare};
    char in[] = "/tmp/cn_in_XXXXXX", own[] = "/tmp/cn_own_XXXXXX", input[64], beside[64];
    assert_non_null(mkdtemp(in));
    assert_non_null(mkdtemp(own));
    assert_int_equal(chmod(in, 0755) | chmod(own, 0777), 0);
    cn_fmt(input, sizeof input, "%s/input", in);
    cn_fmt(beside, sizeof beside, "%s/beside", in);
    assert_ok(cn_file_write_durable(input, "x", 1, 0644));
    assert_ok(cn_file_write_durable(beside, "y", 1, 0644));
    const char *const reads[] = {input, NULL}, *const writes[] = {own, NULL};
    const cn_child_limits limits = {.read_paths = reads, .write_paths = writes, .no_network = true, .work_dir = own};
    const char *const input_only[] = {
        "sh",
        "-c",
        "exec 2>/dev/null; cat \"$0\" >copy && cat copy && rm copy && ! cat \"$1\" && ! ls \"$2\" && ! ls / && " NO_PROC
        "! cat /etc/hostname && cat /etc/passwd",
        input,
        beside,
        in,
        NULL};
    for (size_t i = 0; i < COUNT_OF(ways); i++) assert_int_equal(run_narrowed(ways[i], input_only, &limits), 0);
    assert_int_equal(unlink(input) | unlink(beside), 0);
    assert_int_equal(rmdir(in) | rmdir(own), 0);
}

/* No capabilities even for root, system calls filtered, and none of those that reach other processes or files. */
static void a_confined_child_has_no_rights(void **state)
{
    (void)state;
    need_confinement();
    static const narrow_fn ways[] = {stay_as_we_are, become_nobody, lose_unshare};
    static const char *const reads[] = {"/proc", "/sys", NULL};
    const cn_child_limits limits = {.read_paths = reads, .no_network = true};
    const char *const status[] = {
        "sh", "-c",
        "grep -q '^CapEff:.0000000000000000' /proc/self/status && grep -q '^CapPrm:.0*$' /proc/self/status && "
        "grep -q '^Seccomp:.2' /proc/self/status && grep -q '^NoNewPrivs:.1' /proc/self/status",
        NULL};
    char pid[16];
    cn_fmt(pid, sizeof pid, "%d", (int)getpid());
    const char *const reach[] = {"bash", "-c",
                                 "exec 2>/dev/null; ! kill -CONT $0 && ! prlimit --pid $0 --nofile=10:10 && "
                                 "! chmod 700 /proc/self && ! setsid true && ! unshare -U true && ! renice 5 $0",
                                 pid, NULL};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        assert_int_equal(run_narrowed(ways[i], status, &limits), 0);
        assert_int_equal(run_narrowed(ways[i], reach, &limits), 0);
    }
}

/* The database's socket, a bus: they believe whoever has our user. */
static void local_sockets_are_out_of_reach(void **state)
{
    (void)state;
    need_confinement();
    char folder[] = "/tmp/cn_sock_XXXXXX";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    assert_non_null(mkdtemp(folder));
    cn_fmt(at.sun_path, sizeof at.sun_path, "%s/s", folder);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(server, 4), 0);
    const char *const connects[] = {"perl",      "-MIO::Socket::UNIX",
                                    "-e",        "exit(IO::Socket::UNIX->new(Peer => $ARGV[0]) ? 0 : 42)",
                                    at.sun_path, NULL};
    const char *const reads[] = {folder, NULL};
    const cn_child_limits plain = {.read_paths = reads}, office = {.read_paths = reads, .makes_code = true};
    assert_int_equal(run_narrowed(stay_as_we_are, connects, NULL), 0);
    assert_int_equal(run_narrowed(stay_as_we_are, connects, &plain), 42);
    assert_int_equal(run_narrowed(stay_as_we_are, connects, &office), 42);
    close(server);
    unlink(at.sun_path);
    rmdir(folder);
}

/* A kernel without Landlock. */
static void lose_landlock(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (!ctx || seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0) ||
        seccomp_load(ctx))
        _exit(99);
    seccomp_release(ctx);
}

static void lose_landlock_knowingly(void)
{
    lose_landlock();
    cn_child_unconfined(true);
}

/* What cannot be confined does not run unless somebody said that it shall. */
static void an_old_kernel_refuses(void **state)
{
    (void)state;
    const char *const argv[] = {"true", NULL};
    const cn_child_limits limits = {.read_paths = nothing};
    assert_int_equal(run_narrowed(lose_landlock, argv, &limits), 100 + (int)CN_ERR_FORBIDDEN);
    assert_int_equal(run_narrowed(lose_landlock_knowingly, argv, &limits), 0);
    assert_int_equal(run_narrowed(lose_landlock, argv, NULL), 0);
}

static void a_descriptor_is_handed_down_and_no_other(void **state)
{
    (void)state;
    int ends[2], extra = fcntl(0, F_DUPFD, 40); /* without close-on-exec */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const char *const argv[] = {"bash", "-c", "echo $(echo /proc/self/fd/*) >&3; read line <&3; echo got $line >&3",
                                NULL};
    pid_t pid = -1;
    assert_ok(cn_child_start(argv, ends[1], NULL, &pid));
    close(ends[1]);
    char text[200] = "";
    ssize_t n = read(ends[0], text, sizeof text - 1);
    assert_true(n > 0);
    assert_non_null(strstr(text, "/proc/self/fd/3"));
    assert_int_equal(extra, 40);
    assert_null(strstr(text, "/proc/self/fd/40"));
    assert_ok(cn_write_all(ends[0], "hello\n", 6));
    memset(text, 0, sizeof text);
    n = read(ends[0], text, sizeof text - 1);
    assert_string_equal(text, "got hello\n");
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(ends[0]);
    close(extra);
}

static void a_child_dies_with_its_parent(void **state)
{
    (void)state;
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t middle = fork();
    assert_true(middle >= 0);
    if (middle == 0) {
        const char *const argv[] = {"sleep", "60", NULL};
        pid_t pid = -1;
        if (cn_child_start(argv, -1, NULL, &pid)) _exit(1);
        (void)!write(pipe_fds[1], &pid, sizeof pid);
        _exit(0);
    }
    pid_t pid = -1;
    assert_int_equal(read(pipe_fds[0], &pid, sizeof pid), sizeof pid);
    waitpid(middle, NULL, 0);
    char path[64], text[512];
    cn_fmt(path, sizeof path, "/proc/%d/stat", (int)pid);
    bool alive = true;
    for (int i = 0; i < 100 && alive; i++) {
        usleep(20000);
        FILE *file = fopen(path, "re");
        alive = file && fgets(text, sizeof text, file) && !strstr(text, ") Z");
        if (file) fclose(file);
    }
    assert_false(alive);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void a_started_child_has_its_own_clock(void **state)
{
    (void)state;
    const char *const argv[] = {"sleep", "60", NULL};
    pid_t pid = -1;
    assert_ok(cn_child_start(argv, -1, &(cn_child_limits){.wall_seconds = 1}, &pid));
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}

static void passwords_in_the_environment_stay_here(void **state)
{
    (void)state;
    setenv("PGPASSWORD", "secret", 1);
    int status = -1;
    assert_ok(sh("test -z \"$PGPASSWORD\" && test -n \"$PATH\"", NULL, &status));
    assert_int_equal(status, 0);
    unsetenv("PGPASSWORD");
}

static void the_program_knows_its_folder(void **state)
{
    (void)state;
    char folder[400];
    assert_ok(cn_program_dir(folder, sizeof folder));
    assert_string_equal(folder, CN_BUILD_DIR);
    assert_err(cn_program_dir(folder, 3), CN_ERR_TOOBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_exit_status_comes_back),
        cmocka_unit_test(it_ends_when_told_to_stop),
        cmocka_unit_test(a_signal_is_a_crash),
        cmocka_unit_test(much_output_does_not_block),
        cmocka_unit_test(the_wall_clock_kills_the_group),
        cmocka_unit_test(nothing_stays_behind_after_a_normal_end),
        cmocka_unit_test(what_left_the_group_ends_too),
        cmocka_unit_test(processor_time_is_limited),
        cmocka_unit_test(limits_are_set),
        cmocka_unit_test(too_much_output_is_refused),
        cmocka_unit_test(writing_is_confined),
        cmocka_unit_test(the_network_is_out_of_reach),
        cmocka_unit_test(nobody_can_confine_too),
        cmocka_unit_test(reading_is_confined),
        cmocka_unit_test(a_confined_child_has_no_rights),
        cmocka_unit_test(local_sockets_are_out_of_reach),
        cmocka_unit_test(an_old_kernel_refuses),
        cmocka_unit_test(a_descriptor_is_handed_down_and_no_other),
        cmocka_unit_test(a_child_dies_with_its_parent),
        cmocka_unit_test(a_started_child_has_its_own_clock),
        cmocka_unit_test(passwords_in_the_environment_stay_here),
        cmocka_unit_test(the_program_knows_its_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
