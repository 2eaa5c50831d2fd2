#include "client_impl.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BATCH 32

/** On loopback the kernel completes a connection before anybody accepts it. */
static bool stream_open(rtc_client *client)
{
    client->stream_n = 0;
    client->fd = socket(client->server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1, few = 4096;
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (client->line_bps) (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
    return client->fd >= 0 && connect(client->fd, (struct sockaddr *)&client->server, client->server_n) == 0 &&
           fcntl(client->fd, F_SETFL, O_NONBLOCK) == 0;
}

void rtc_client_passive(rtc_client *client, bool on)
{
    client->passive = on;
}

void rtc_client_tcp(rtc_client *client, bool on)
{
    client->tcp = on;
}

void rtc_client_line(rtc_client *client, uint32_t bps)
{
    client->line_bps = bps;
}

/** Bytes that the line has carried since it was asked last, at most `max`. */
static size_t line_carries(rtc_client *client, size_t max)
{
    if (!client->line_bps) return max;
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    uint64_t now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
    if (now - client->line_ns > 100000000)
        client->line_ns = now - 100000000; /* what was not sent in time is no credit */
    uint64_t bytes = (now - client->line_ns) * client->line_bps / 8000000000;
    if (bytes > max) bytes = max;
    client->line_ns += bytes * 8000000000 / client->line_bps;
    return bytes;
}

static bool socket_open(rtc_client *client)
{
    if (client->tcp) return stream_open(client);
    client->fd = socket(client->server.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int bytes = 1 << 20;
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    int stamps = client->events.arrived != NULL;
    (void)setsockopt(client->fd, SOL_SOCKET, SO_TIMESTAMPNS, &stamps, sizeof stamps);
    return client->fd >= 0 && connect(client->fd, (struct sockaddr *)&client->server, client->server_n) == 0;
}

bool rtc_client_target(rtc_client *client, const char *address, uint16_t port, const char *ufrag, const char *pwd,
                       const char *fingerprint)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&client->server;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&client->server;
    memset(&client->server, 0, sizeof client->server);
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        client->server_n = sizeof *v4;
    } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        client->server_n = sizeof *v6;
    } else {
        return false;
    }
    snprintf(client->server_ufrag, sizeof client->server_ufrag, "%s", ufrag);
    snprintf(client->server_pwd, sizeof client->server_pwd, "%s", pwd);
    snprintf(client->server_fingerprint, sizeof client->server_fingerprint, "%s", fingerprint ? fingerprint : "");
    return client->fd >= 0 || socket_open(client);
}

bool rtc_client_move(rtc_client *client)
{
    int old = client->fd; /* closed last, or the new socket might get the same port */
    bool ok = socket_open(client);
    if (old >= 0) close(old);
    return ok;
}

int rtc_client_fd(const rtc_client *client)
{
    return client->fd;
}

bool rtc_client_raw(rtc_client *client, const uint8_t *bytes, size_t len)
{
    if (!client->tcp) return send(client->fd, bytes, len, 0) == (ssize_t)len;
    uint8_t frame[2 + 65535] = {(uint8_t)(len >> 8), (uint8_t)len};
    memcpy(frame + 2, bytes, len);
    return send(client->fd, frame, len + 2, MSG_NOSIGNAL) == (ssize_t)(len + 2);
}

static void tell_arrival(rtc_client *client, struct msghdr *hdr, const uint8_t *bytes, size_t len)
{
    if (!client->events.arrived || len < 8 || bytes[0] < 128 || bytes[0] >= 192) return;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(hdr); control; control = CMSG_NXTHDR(hdr, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec ts;
        memcpy(&ts, CMSG_DATA(control), sizeof ts);
        client->events.arrived(client->arg, client, len, (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
    }
}

static void receive_stream(rtc_client *client, void (*fn)(rtc_client *client, uint8_t *bytes, size_t len))
{
    ssize_t got = 0;
    size_t most;
    while ((most = line_carries(client, sizeof client->stream - client->stream_n)) > 0 &&
           (got = recv(client->fd, client->stream + client->stream_n, most, MSG_DONTWAIT)) > 0) {
        client->stream_n += (size_t)got;
        size_t at = 0, len = 0;
        for (; client->stream_n - at >= 2; at += 2 + len) {
            len = (size_t)client->stream[at] << 8 | client->stream[at + 1];
            if (client->stream_n - at < 2 + len) break;
            fn(client, client->stream + at + 2, len);
        }
        memmove(client->stream, client->stream + at, client->stream_n - at);
        client->stream_n -= at;
    }
    if (most && got == 0) client->closed = true;
}

void rtc_path_receive(rtc_client *client, void (*fn)(rtc_client *client, uint8_t *bytes, size_t len))
{
    if (client->tcp) {
        receive_stream(client, fn);
        return;
    }
    static _Thread_local uint8_t data[BATCH][RTC_DATAGRAM];
    struct mmsghdr hdrs[BATCH];
    struct iovec iov[BATCH];
    _Alignas(struct cmsghdr) uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    int got;
    do {
        for (size_t i = 0; i < BATCH; i++) {
            iov[i] = (struct iovec){data[i], RTC_DATAGRAM};
            hdrs[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[i], .msg_iovlen = 1}};
            if (!client->events.arrived) continue;
            hdrs[i].msg_hdr.msg_control = control[i];
            hdrs[i].msg_hdr.msg_controllen = sizeof control[i];
        }
        got = recvmmsg(client->fd, hdrs, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < got; i++) {
            tell_arrival(client, &hdrs[i].msg_hdr, data[i], hdrs[i].msg_len);
            fn(client, data[i], hdrs[i].msg_len);
        }
    } while (got == BATCH);
}
