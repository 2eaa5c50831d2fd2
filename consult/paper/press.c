#include "consult/paper/press.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#define ANSWER_MAX ((off_t)64 << 20)

static cn_err wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return cn_err_from_errno(errno);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return CN_OK;
    cn_error("consult.pdf", "consilium-printer ended with status %d", status);
    bool late = WIFSIGNALED(status) && (WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGXCPU);
    return late ? CN_ERR_TIMEOUT : CN_ERR_CRASHED;
}

/* The texts come from people and are laid out by large libraries: no network, nothing read but fonts, nothing
 * written but the answer. */
static cn_err run_printer(int fd)
{
    static const char *const none[] = {NULL};
    cn_child_limits limits = {.cpu_seconds = 20,
                              .wall_seconds = 40,
                              .no_network = true,
                              .no_rights = true,
                              .write_paths = none,
                              .read_paths = none};
    if (!cn_child_permitted()) limits.read_paths = NULL; /* a report is our own: it is printed on any kernel */
    char dir[1024], program[1200];
    pid_t pid = -1;
#ifndef __SANITIZE_ADDRESS__
    limits.memory_bytes = (size_t)2 << 30;
#endif
    CN_TRY(cn_program_dir(dir, sizeof(dir)));
    if (!cn_fmt(program, sizeof(program), "%s/consilium-printer", dir)) return CN_ERR_TOOBIG;
    const char *const argv[] = {program, NULL};
    CN_TRY(cn_child_start(argv, fd, &limits, &pid));
    return wait_for(pid);
}

static cn_err read_answer(int fd, cn_buf *out)
{
    struct stat st;
    if (fstat(fd, &st) < 0) return cn_err_from_errno(errno);
    if (st.st_size <= 0 || st.st_size > ANSWER_MAX) return CN_ERR_TOOBIG;
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return cn_err_from_errno(errno);
    cn_buf_add(out, bytes, (size_t)st.st_size);
    munmap(bytes, (size_t)st.st_size);
    return out->err;
}

/* In memory: what is sealed in the database does not lie open on a disk. */
cn_err cn_press(const json_t *job, cn_buf *out)
{
    CN_AUTO_CLOSE int fd = memfd_create("job", MFD_CLOEXEC);
    if (fd < 0) return cn_err_from_errno(errno);
    if (json_dumpfd(job, fd, JSON_COMPACT) < 0) return CN_ERR_NOMEM;
    CN_TRY(run_printer(fd));
    return read_answer(fd, out);
}
