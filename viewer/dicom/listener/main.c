/*
 * consilium-dicom-listener SPOOL IDLE_SECONDS BYTES ASSOCIATIONS PER_ADDRESS: accepts DICOM associations for the server that starts it
 * (viewer/dicom/net.c), each in a locked process of its own. Descriptor 3 leads to the server, which sends the listening socket first.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/dicom/listener/association.h"
#include "viewer/dicom/listener/lock.h"
#include "viewer/dicom/netproto.h"

#define SERVER 3
#define PLACES 256

typedef struct setting {
    const char *spool;
    int64_t idle_s, bytes, associations, per_address;
} setting;

static struct {
    pid_t pid; /* 0: free */
    char address[CN_NET_ADDRESS];
} places[PLACES];

static void reap(void)
{
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (size_t i = 0; i < PLACES; i++)
            if (places[i].pid == pid) places[i].pid = 0;
}

/* A free place, or -1 when there are as many as may be, in all or from this address. */
static int place_for(const setting *own, const char *address)
{
    int64_t all = 0, same = 0;
    int place = -1;
    reap();
    for (int i = 0; i < PLACES; i++) {
        if (!places[i].pid) {
            place = i;
            continue;
        }
        all++;
        if (strcmp(places[i].address, address) == 0) same++;
    }
    return all < own->associations && same < own->per_address ? place : -1;
}

static bool address_of(const struct sockaddr_storage *from, socklen_t len, char out[CN_NET_ADDRESS])
{
    char text[128];
    if (getnameinfo((const struct sockaddr *)from, len, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0) return false;
    text[strcspn(text, "%")] = '\0';
    return cn_strcpy(out, CN_NET_ADDRESS, strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text);
}

static int receive_listener(void)
{
    char byte;
    struct iovec iov = {&byte, 1};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr hdr = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    if (recvmsg(SERVER, &hdr, MSG_CMSG_CLOEXEC) != 1) return -1;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&hdr);
    int fd;
    if (!head || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof(int))) return -1;
    memcpy(&fd, CMSG_DATA(head), sizeof(fd));
    return fd;
}

static bool announce(uint32_t number, const char *address, int fd)
{
    cn_net_arrival arrival = {.kind = CN_NET_ARRIVAL, .association = number};
    struct iovec iov = {&arrival, sizeof(arrival)};
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr hdr = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&hdr);
    cn_strcpy(arrival.address, sizeof(arrival.address), address);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(head), &fd, sizeof(fd));
    return sendmsg(SERVER, &hdr, MSG_NOSIGNAL) > 0;
}

static _Noreturn void serve(const setting *own, uint32_t number, int peer, int server)
{
    const cn_association work = {.peer = peer,
                                 .server = server,
                                 .number = number,
                                 .spool = own->spool,
                                 .idle_s = (unsigned)own->idle_s,
                                 .bytes_max = (uint64_t)own->bytes};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    close(SERVER);
    cn_err err = cn_listener_lock(own->spool);
    if (err != CN_OK && err != CN_ERR_UNSUPPORTED) _exit(2);
    _exit(cn_association_serve(&work));
}

/* A-ASSOCIATE-RJ (PS3.8 §9.3.4): transient, by the presentation service, local limit exceeded. */
static void turn_away(int peer)
{
    static const uint8_t rejected[] = {3, 0, 0, 0, 0, 4, 0, 2, 3, 2};
    if (send(peer, rejected, sizeof(rejected), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) shutdown(peer, SHUT_WR);
}

static void accept_one(const setting *own, int listener, uint32_t number)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof(from);
    char address[CN_NET_ADDRESS];
    int ends[2];
    CN_AUTO_CLOSE int peer = accept4(listener, (struct sockaddr *)&from, &len, SOCK_CLOEXEC);
    if (peer < 0 || !address_of(&from, len, address)) return;
    /* an answer is two small writes: the second would wait for the other side's delayed acknowledgement, 40 ms an image */
    int at_once = 1;
    (void)setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
    int place = place_for(own, address);
    if (place < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        turn_away(peer);
        return;
    }
    pid_t pid = announce(number, address, ends[0]) ? fork() : -1;
    close(ends[0]);
    if (pid == 0) {
        close(listener);
        serve(own, number, peer, ends[1]);
    }
    close(ends[1]);
    if (pid < 0) return;
    places[place].pid = pid;
    cn_strcpy(places[place].address, CN_NET_ADDRESS, address);
}

static bool parse(setting *own, int argc, char **argv)
{
    if (argc != 6) return false;
    own->spool = argv[1];
    return cn_parse_i64(argv[2], 1, 3600, &own->idle_s) && cn_parse_i64(argv[3], 1, INT64_MAX, &own->bytes) &&
           cn_parse_i64(argv[4], 1, PLACES, &own->associations) && cn_parse_i64(argv[5], 1, PLACES, &own->per_address);
}

int main(int argc, char **argv)
{
    setting own;
    if (!parse(&own, argc, argv)) {
        fprintf(stderr, "consilium-dicom-listener is started by consilium, not by hand\n");
        return 2;
    }
    int listener = receive_listener();
    if (listener < 0 || cn_association_prepare() != 0) return 1;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file beyond the bound is refused as such */
    uint32_t number = 0;
    /* what a listener before this one had in the spool may still be looked at */
    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) return 1;
    for (;;) {
        struct pollfd waits[] = {{.fd = listener, .events = POLLIN}, {.fd = SERVER, .events = POLLIN}};
        if (poll(waits, 2, 1000) < 0 && errno != EINTR) return 1;
        reap();
        if (waits[1].revents) return 0; /* it ended, or says what it should not */
        if (waits[0].revents & POLLIN) accept_one(&own, listener, number++);
    }
}
