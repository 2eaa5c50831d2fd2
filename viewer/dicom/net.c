#include "viewer/dicom/net.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cond.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define BACKLOG 64
#define AGAIN_S 1 /* until a listener that ended is started again */
#define PATH_BYTES 4096
#define MEMORY ((size_t)512 << 20) /* of a process that serves an association */

struct cn_dicom_net {
    cn_dicom_net_order order;
    char program[PATH_BYTES], spool[PATH_BYTES];
    const cn_dicom_net_ops *ops;
    void *ctx;
    int listener;
    uint16_t port;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int control;   /* to the listener, -1: it does not run */
    bool stopping; /* both under the lock */
    _Atomic uint64_t associations, open, refused, taken, failed;
};

typedef struct talk {
    cn_dicom_net *net;
    int sock;
    cn_net_arrival arrival;
} talk;

/* ---- one association ---- */

static bool answer(const talk *own, uint32_t status, const char *why)
{
    cn_net_verdict verdict = {.kind = CN_NET_VERDICT, .status = status};
    size_t len = strnlen(why, sizeof(verdict.why) - 1);
    for (size_t i = 0; i < len; i++) verdict.why[i] = why[i] >= ' ' && why[i] <= '~' ? why[i] : '?';
    return send(own->sock, &verdict, sizeof(verdict), MSG_NOSIGNAL) == (ssize_t)sizeof(verdict);
}

static uint32_t take(const talk *own, void *sender, const cn_net_file *file, char why[CN_NET_WHY])
{
    cn_dicom_net *net = own->net;
    char path[PATH_BYTES + 32];
    struct stat about;
    uint32_t status = CN_NET_NO_ROOM;
    if (!cn_net_spool_path(net->spool, own->arrival.association, file->number, path, sizeof(path))) return status;
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
        status = net->ops->take(net->ctx, sender, file, fd, why);
    else
        cn_strcpy(why, CN_NET_WHY, "the file did not reach the disk");
    unlink(path);
    return status;
}

static void serve_files(const talk *own, void *sender)
{
    char message[512];
    ssize_t got;
    cn_net_file file;
    uint32_t last = 0;
    while ((got = recv(own->sock, message, sizeof(message), 0)) > 0) {
        char why[CN_NET_WHY] = "";
        if (!cn_net_file_read(message, (size_t)got, &file) || file.number <= last) {
            cn_warn("dicom", "an association says what it may not, and is ended");
            break;
        }
        last = file.number;
        uint32_t status = take(own, sender, &file, why);
        atomic_fetch_add(status == CN_NET_TAKEN ? &own->net->taken : &own->net->failed, 1);
        if (!answer(own, status, why)) break;
    }
    char path[PATH_BYTES + 32]; /* what it was writing when it ended */
    if (cn_net_spool_path(own->net->spool, own->arrival.association, last + 1, path, sizeof(path))) unlink(path);
}

static void talk_through(const talk *own)
{
    cn_dicom_net *net = own->net;
    char message[512], why[CN_NET_WHY] = "";
    cn_net_hello hello;
    void *sender = NULL;
    ssize_t got = recv(own->sock, message, sizeof(message), 0);
    if (got <= 0 || !cn_net_hello_read(message, (size_t)got, &hello)) return;
    uint32_t status = net->ops->greet(net->ctx, &hello, own->arrival.address, &sender, why);
    if (status != CN_NET_TAKEN) atomic_fetch_add(&net->refused, 1);
    bool told = answer(own, status, why);
    if (status != CN_NET_TAKEN) return;
    if (told) serve_files(own, sender);
    net->ops->bye(net->ctx, sender);
}

static void *talk_run(void *arg)
{
    talk *own = arg;
    cn_dicom_net *net = own->net;
    talk_through(own);
    cn_fd_close(&own->sock);
    free(own);
    pthread_mutex_lock(&net->lock);
    atomic_fetch_sub(&net->open, 1);
    pthread_cond_broadcast(&net->changed);
    pthread_mutex_unlock(&net->lock);
    return NULL;
}

static void talk_start(cn_dicom_net *net, const cn_net_arrival *arrival, int *sock)
{
    pthread_t thread;
    talk *own = CN_NEW(talk);
    if (!own || atomic_load(&net->open) >= net->order.associations) {
        free(own);
        return;
    }
    *own = (talk){.net = net, .sock = *sock, .arrival = *arrival};
    atomic_fetch_add(&net->open, 1);
    atomic_fetch_add(&net->associations, 1);
    if (pthread_create(&thread, NULL, talk_run, own) != 0) {
        atomic_fetch_sub(&net->open, 1);
        free(own);
        return;
    }
    pthread_detach(thread);
    *sock = -1;
}

/* ---- the listener's first process ---- */

/* True when a message came, whole or not; what it carries is in `sock`. */
static bool receive(int control, cn_net_arrival *arrival, bool *good, int *sock)
{
    char message[512];
    struct iovec iov = {message, sizeof(message)};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } words;
    struct msghdr hdr = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = words.bytes, .msg_controllen = sizeof(words.bytes)};
    ssize_t got = recvmsg(control, &hdr, MSG_CMSG_CLOEXEC);
    *sock = -1;
    if (got <= 0) return false;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&hdr);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(sock, CMSG_DATA(head), sizeof(*sock));
    *good = *sock >= 0 && cn_net_arrival_read(message, (size_t)got, arrival);
    return true;
}

static void accept_arrivals(cn_dicom_net *net, int control)
{
    cn_net_arrival arrival;
    bool good;
    for (;;) {
        CN_AUTO_CLOSE int sock = -1;
        if (!receive(control, &arrival, &good, &sock)) return;
        if (good) talk_start(net, &arrival, &sock);
    }
}

static bool hand_over(int control, int listener)
{
    char byte = 'L';
    struct iovec iov = {&byte, 1};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } words = {0};
    struct msghdr hdr = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = words.bytes, .msg_controllen = sizeof(words.bytes)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&hdr);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &listener, sizeof(listener));
    return sendmsg(control, &hdr, MSG_NOSIGNAL) == 1;
}

static cn_err run_program(const cn_dicom_net *net, int fd, pid_t *pid)
{
    char idle[16], bytes[24], most[16], same[16];
    const char *const spool[] = {net->spool, NULL};
    cn_child_limits limits = {.file_bytes = (size_t)net->order.bytes_max, .no_rights = true, .write_paths = spool};
#ifndef __SANITIZE_ADDRESS__
    limits.memory_bytes = MEMORY;
#endif
    cn_fmt(idle, sizeof(idle), "%u", net->order.idle_s);
    cn_fmt(bytes, sizeof(bytes), "%" PRId64, net->order.bytes_max);
    cn_fmt(most, sizeof(most), "%u", net->order.associations);
    cn_fmt(same, sizeof(same), "%u", net->order.per_address);
    const char *const argv[] = {net->program, net->spool, idle, bytes, most, same, NULL};
    return cn_child_start(argv, fd, &limits, pid);
}

/* False: it is not to be started any more. */
static bool attach(cn_dicom_net *net, int control)
{
    pthread_mutex_lock(&net->lock);
    net->control = control;
    bool go_on = !net->stopping;
    pthread_mutex_unlock(&net->lock);
    return go_on;
}

static void run_once(cn_dicom_net *net)
{
    int ends[2];
    pid_t pid = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
    CN_AUTO_CLOSE int control = ends[0];
    cn_err err = run_program(net, ends[1], &pid);
    close(ends[1]);
    if (err != CN_OK) {
        cn_error("dicom", "%s cannot be started: %s", net->program, cn_err_text(err));
        return;
    }
    if (hand_over(control, net->listener) && attach(net, control)) accept_arrivals(net, control);
    attach(net, -1);
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static bool wait_again(cn_dicom_net *net)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += AGAIN_S;
    pthread_mutex_lock(&net->lock);
    while (!net->stopping && pthread_cond_timedwait(&net->changed, &net->lock, &until) == 0) {
    }
    bool go_on = !net->stopping;
    pthread_mutex_unlock(&net->lock);
    return go_on;
}

static void *run(void *arg)
{
    cn_dicom_net *net = arg;
    do {
        run_once(net);
    } while (wait_again(net));
    return NULL;
}

/* ---- start and end ---- */

static cn_err listen_at(const char *address, uint16_t port, int *out, uint16_t *real)
{
    char service[8], taken[8];
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct sockaddr_storage own;
    socklen_t len = sizeof(own);
    const int on = 1;
    cn_fmt(service, sizeof(service), "%u", port);
    if (getaddrinfo(address, service, &hints, &found) != 0) return CN_ERR_NOTFOUND;
    CN_AUTO_CLOSE int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    bool good = fd >= 0 && bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
    cn_err err = good ? CN_OK : errno == EADDRINUSE ? CN_ERR_CONFLICT : cn_err_from_errno(errno);
    freeaddrinfo(found);
    CN_TRY(err);
    int64_t number = 0;
    if (getsockname(fd, (struct sockaddr *)&own, &len) != 0 ||
        getnameinfo((struct sockaddr *)&own, len, NULL, 0, taken, sizeof(taken), NI_NUMERICSERV) != 0 ||
        !cn_parse_i64(taken, 1, 65535, &number))
        return CN_ERR_IO;
    *real = (uint16_t)number;
    *out = fd;
    fd = -1;
    return CN_OK;
}

/* What an earlier run had not answered: its senders keep it. */
static void sweep(const char *spool)
{
    DIR *folder = opendir(spool);
    if (!folder) return;
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        if (entry->d_name[0] != '.' && unlinkat(dirfd(folder), entry->d_name, 0) != 0)
            cn_warn("dicom", "a file stays in the spool: %s", strerror(errno));
    closedir(folder);
}

cn_err cn_dicom_net_start(cn_dicom_net **out, const cn_dicom_net_order *order, const cn_dicom_net_ops *ops, void *ctx)
{
    cn_dicom_net *net = CN_NEW(cn_dicom_net);
    if (!net) return CN_ERR_NOMEM;
    *net = (cn_dicom_net){.order = *order, .ops = ops, .ctx = ctx, .listener = -1, .control = -1};
    pthread_mutex_init(&net->lock, NULL);
    cn_cond_init(&net->changed);
    cn_err err = cn_strcpy(net->program, sizeof(net->program), order->program) &&
                         cn_strcpy(net->spool, sizeof(net->spool), order->spool)
                     ? CN_OK
                     : CN_ERR_TOOBIG;
    if (err == CN_OK) err = cn_mkdirs(net->spool);
    if (err == CN_OK) err = access(net->program, X_OK) == 0 ? CN_OK : CN_ERR_NOTFOUND;
    if (err == CN_OK) err = listen_at(order->address, order->port, &net->listener, &net->port);
    if (err == CN_OK) sweep(net->spool);
    if (err == CN_OK) net->started = pthread_create(&net->thread, NULL, run, net) == 0;
    if (err == CN_OK && !net->started) err = CN_ERR_NOMEM;
    if (err != CN_OK) {
        cn_dicom_net_stop(net);
        return err;
    }
    *out = net;
    return CN_OK;
}

void cn_dicom_net_stop(cn_dicom_net *net)
{
    if (!net) return;
    pthread_mutex_lock(&net->lock);
    net->stopping = true;
    if (net->control >= 0) shutdown(net->control, SHUT_RDWR);
    pthread_cond_broadcast(&net->changed);
    pthread_mutex_unlock(&net->lock);
    if (net->started) pthread_join(net->thread, NULL);
    pthread_mutex_lock(&net->lock);
    while (atomic_load(&net->open) > 0) pthread_cond_wait(&net->changed, &net->lock);
    pthread_mutex_unlock(&net->lock);
    cn_fd_close(&net->listener);
    pthread_cond_destroy(&net->changed);
    pthread_mutex_destroy(&net->lock);
    free(net);
}

void cn_dicom_net_look(cn_dicom_net *net, cn_dicom_net_stats *out)
{
    pthread_mutex_lock(&net->lock);
    out->listening = net->control >= 0;
    pthread_mutex_unlock(&net->lock);
    out->associations = atomic_load(&net->associations);
    out->open = atomic_load(&net->open);
    out->refused = atomic_load(&net->refused);
    out->taken = atomic_load(&net->taken);
    out->failed = atomic_load(&net->failed);
}

uint16_t cn_dicom_net_port(const cn_dicom_net *net)
{
    return net->port;
}
