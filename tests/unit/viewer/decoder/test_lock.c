/* What a decoder that a slide has taken over can still do: each row in a process of its own, locked as a worker is. */
#include "cn_test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/str.h"
#include "viewer/lock.h"

static char folder[] = "/tmp/consilium-test-lock-XXXXXX";
static char inside[64], outside[64];
static pid_t server;

static bool can_signal(void)
{
    return syscall(SYS_tgkill, server, server, 0) == 0 || kill(server, 0) == 0;
}

static bool can_limit_others(void)
{
    struct rlimit had;
    return prlimit(server, RLIMIT_NOFILE, NULL, &had) == 0;
}

static bool can_raise_its_own(void)
{
    const struct rlimit more = {64, 64};
    return prlimit(0, RLIMIT_NOFILE, &more, NULL) == 0;
}

static bool can_make_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool can_turn_data_into_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}

static bool can_open(const char *path, int flags)
{
    return open(path, flags) >= 0;
}

static bool can_read_outside(void)
{
    return can_open(outside, O_RDONLY) || can_open("/etc/passwd", O_RDONLY) || can_open("/proc/self/environ", O_RDONLY);
}

static bool can_write(void)
{
    return can_open(inside, O_WRONLY) || unlink(inside) == 0 || chmod(inside, 0777) == 0;
}

static bool can_call_out(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool can_start_a_process(void)
{
    const char *const argv[] = {"/bin/true", NULL};
    return syscall(SYS_fork) >= 0 || syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) >= 0 ||
           syscall(SYS_clone3, NULL, 0) >= 0 || errno != ENOSYS ||
           execve(argv[0], (char *const *)(uintptr_t)argv, NULL) == 0;
}

/* What a decoder has to do all day. */
static bool cannot_work(void)
{
    struct rlimit own;
    void *memory = malloc(8 << 20);
    return !can_open(inside, O_RDONLY) || !memory || getrlimit(RLIMIT_STACK, &own) != 0;
}

static const struct {
    const char *what;
    bool (*can)(void);
} deeds[] = {{"signals", can_signal},
             {"limits of others", can_limit_others},
             {"its own limits", can_raise_its_own},
             {"writable and executable memory", can_make_code},
             {"data as code", can_turn_data_into_code},
             {"reading outside", can_read_outside},
             {"writing", can_write},
             {"sockets", can_call_out},
             {"processes", can_start_a_process},
             {"no work", cannot_work}};

static void make(const char *path)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void a_locked_decoder_can_only_decode(void **state)
{
    (void)state;
    if (*cn_child_missing()) {
        print_message("skipped: this kernel has no %s\n", cn_child_missing());
        skip();
    }
    char slide[64];
    assert_non_null(mkdtemp(folder));
    cn_fmt(slide, sizeof slide, "%s/slide", folder);
    cn_fmt(inside, sizeof inside, "%s/slide/a.tif", folder);
    cn_fmt(outside, sizeof outside, "%s/other", folder);
    assert_int_equal(mkdir(slide, 0700), 0);
    make(inside);
    make(outside);
    server = getpid();
    for (size_t i = 0; i < COUNT_OF(deeds); i++) {
        print_message("%s\n", deeds[i].what);
        pid_t pid = fork();
        if (pid == 0) _exit(cn_decoder_lock(slide, 0) != CN_OK ? 2 : deeds[i].can());
        int status = -1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
    assert_int_equal(unlink(inside) | unlink(outside) | rmdir(slide) | rmdir(folder), 0);
}

/* A reader that is handed descriptors: its file can be mapped, however large it is, and none can be opened. */
static int reads_what_it_is_handed(int fd)
{
    const size_t size = (size_t)8 << 30;
    if (cn_decoder_lock(NULL, 0) != CN_OK) return 2;
    if (can_open("/etc/passwd", O_RDONLY) || can_open(".", O_RDONLY | O_DIRECTORY) || can_call_out()) return 3;
    const char *bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    return bytes == MAP_FAILED || bytes[size - 1] != 0 ? 4 : 0;
}

static void without_a_folder_nothing_is_opened(void **state)
{
    (void)state;
    if (*cn_child_missing()) {
        print_message("skipped: this kernel has no %s\n", cn_child_missing());
        skip();
    }
    int fd = memfd_create("large", MFD_CLOEXEC), status = -1;
    assert_true(fd >= 0 && ftruncate(fd, (off_t)8 << 30) == 0);
    pid_t pid = fork();
    if (pid == 0) _exit(reads_what_it_is_handed(fd));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_locked_decoder_can_only_decode),
                                       cmocka_unit_test(without_a_folder_nothing_is_opened)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
