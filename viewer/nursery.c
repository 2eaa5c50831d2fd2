#include "viewer/nursery.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "viewer/decode_proto.h"

#define ZYGOTE_FD 3
#define WORKER_FD 64 /* out of the way */
#define WORKERS 256

static pid_t workers[WORKERS];

static void reap(void)
{
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (size_t i = 0; i < WORKERS; i++)
            if (workers[i] == pid) workers[i] = 0;
}

static pid_t *free_place(void)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (!workers[i]) return &workers[i];
    return NULL;
}

static void answer(cn_err err, pid_t pid, const int fds[CN_ZYGOTE_FDS])
{
    cn_zygote_answer zygote_answer = {.err = (int32_t)err, .pid = (int32_t)pid};
    struct iovec iov = {&zygote_answer, sizeof(zygote_answer)};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(CN_ZYGOTE_FDS * sizeof(int))];
    } control = {0};
    struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
    if (err == CN_OK) {
        hdr.msg_control = control.bytes;
        hdr.msg_controllen = sizeof(control.bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(CN_ZYGOTE_FDS * sizeof(int));
        memcpy(CMSG_DATA(c), fds, CN_ZYGOTE_FDS * sizeof(int));
    }
    if (sendmsg(ZYGOTE_FD, &hdr, MSG_NOSIGNAL) < 0) _exit(1);
}

/* Parent: the worker's pid; child: never returns. What libraries print goes into the pipe `said`, from which the server
 * makes lines of its log: a plain file there would be a file that is written. */
static pid_t fork_worker(const cn_nursery *nursery, const int pair[2], int shared_fd, const int pipe_ends[2],
                         const char *path)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    void *shared = mmap(NULL, nursery->shared, PROT_READ | PROT_WRITE, MAP_SHARED, shared_fd, 0);
    if (shared == MAP_FAILED || dup2(pipe_ends[1], STDERR_FILENO) < 0) _exit(1);
    /* the other ends, the zygote's socket and the memory's descriptor are the server's and the zygote's */
    int sock = fcntl(pair[1], F_DUPFD_CLOEXEC, WORKER_FD);
    if (sock < 0 || dup2(sock, ZYGOTE_FD) < 0 || close_range(ZYGOTE_FD + 1, ~0u, 0) != 0) _exit(1);
    _exit(nursery->work(ZYGOTE_FD, shared, path));
}

static void open_worker(const cn_nursery *nursery, const char *path)
{
    int pair[2] = {-1, -1}, said[2] = {-1, -1};
    CN_AUTO_CLOSE int shared = -1;
    pid_t *place = free_place();
    cn_err err = place ? CN_OK : CN_ERR_FULL;
    if (err == CN_OK && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        err = cn_err_from_errno(errno);
    /* nobody waits for a full pipe: what does not fit is lost */
    if (err == CN_OK && pipe2(said, O_CLOEXEC | O_NONBLOCK) != 0) err = cn_err_from_errno(errno);
    if (err == CN_OK) {
        shared = memfd_create(nursery->memory, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (shared < 0 || ftruncate(shared, (off_t)nursery->shared) != 0 ||
            fcntl(shared, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
            err = cn_err_from_errno(errno);
    }
    pid_t pid = -1;
    if (err == CN_OK) {
        pid = fork_worker(nursery, pair, shared, said, path);
        if (pid < 0)
            err = cn_err_from_errno(errno);
        else
            *place = pid;
    }
    answer(err, pid, (const int[CN_ZYGOTE_FDS]){pair[0], shared, said[0]});
    for (int i = 0; i < 2; i++) {
        cn_fd_close(&pair[i]);
        cn_fd_close(&said[i]);
    }
}

static void kill_worker(pid_t pid)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (pid > 0 && workers[i] == pid) kill(pid, SIGKILL);
}

int cn_nursery_serve(const cn_nursery *nursery)
{
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        char bytes[sizeof(cn_zygote_ask) + 1];
        cn_zygote_ask ask;
        ssize_t got = recv(ZYGOTE_FD, bytes, sizeof(bytes), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 || !cn_zygote_ask_read(bytes, (size_t)got, &ask)) return got == 0 ? 0 : 1;
        reap();
        if (ask.op == CN_ZYGOTE_OPEN)
            open_worker(nursery, ask.path);
        else
            kill_worker((pid_t)ask.pid);
    }
}
