#include "ws.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"

#define WAIT_MS 20000
#define IN_MAX (8u << 20)

struct ws {
    int fd;
    bool closed;
    uint8_t *in;      /* as it came */
    size_t in_n, cap; /* used and there */
    size_t taken;     /* of `in`, by messages given out */
    cn_buf message;   /* of several frames, or given out */
    bool given;
};

static int connect_to(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0) return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    return -1;
}

static bool send_all(int fd, const void *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t sent = send(fd, (const uint8_t *)bytes + at, len - at, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += (size_t)sent;
    }
    return true;
}

static ssize_t receive_within(int fd, void *bytes, size_t len, uint64_t until_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    uint64_t now = cn_mono_ms();
    if (now >= until_ms || poll(&polled, 1, (int)(until_ms - now)) != 1) return -1;
    return recv(fd, bytes, len, 0);
}

int ws_http(uint16_t port, const char *method, const char *path, const char *headers, const char *body, char *answer,
            size_t size)
{
    cn_buf buf = {0};
    int fd = connect_to(port), status = 0;
    cn_buf_fmt(&buf, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n%s",
               method, path, port, strlen(body), headers, body);
    bool ok = fd >= 0 && !buf.err && send_all(fd, buf.p, buf.n);
    cn_buf_free(&buf);
    size_t n = 0;
    uint64_t until = cn_mono_ms() + WAIT_MS;
    for (ssize_t got; ok && n + 1 < size && (got = receive_within(fd, answer + n, size - 1 - n, until)) > 0;)
        n += (size_t)got;
    answer[n] = '\0';
    if (fd >= 0) close(fd);
    return sscanf(answer, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* Head of the answer to the upgrade; what follows it stays in `in`. */
static bool upgraded(ws *socket)
{
    uint64_t until = cn_mono_ms() + WAIT_MS;
    while (socket->in_n < socket->cap - 1) {
        ssize_t got = receive_within(socket->fd, socket->in + socket->in_n, socket->cap - 1 - socket->in_n, until);
        if (got <= 0) return false;
        socket->in_n += (size_t)got;
        socket->in[socket->in_n] = 0;
        char *end = strstr((char *)socket->in, "\r\n\r\n");
        if (!end) continue;
        if (strncmp((char *)socket->in, "HTTP/1.1 101", 12) != 0) return false;
        socket->taken = (size_t)((uint8_t *)end + 4 - socket->in);
        return true;
    }
    return false;
}

ws *ws_open(uint16_t port, const char *path, const char *headers)
{
    ws *socket = CN_NEW(ws);
    if (!socket) return NULL;
    socket->cap = 16384;
    socket->in = cn_calloc(1, socket->cap);
    socket->fd = connect_to(port);
    cn_buf buf = {0};
    cn_buf_fmt(&buf,
               "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: Y29uc2lsaXVtLWJlbmNoIQ==\r\n%s\r\n",
               path, port, headers);
    bool ok = socket->in && socket->fd >= 0 && !buf.err && send_all(socket->fd, buf.p, buf.n) && upgraded(socket);
    cn_buf_free(&buf);
    if (ok) return socket;
    ws_free(socket);
    return NULL;
}

int ws_fd(const ws *socket)
{
    return socket->fd;
}

static bool frame_send(ws *socket, uint8_t opcode, const void *bytes, size_t len)
{
    uint8_t head[14] = {(uint8_t)(0x80 | opcode)}, mask[4];
    size_t at = 2;
    head[1] = (uint8_t)(0x80 | (len < 126 ? len : len < 65536 ? 126 : 127));
    for (int shift = len < 126 ? -8 : len < 65536 ? 8 : 56; shift >= 0; shift -= 8)
        head[at++] = (uint8_t)(len >> shift);
    cn_random(mask, sizeof mask);
    memcpy(head + at, mask, 4);
    at += 4;
    uint8_t *frame = cn_calloc(1, at + len);
    if (!frame) return false;
    memcpy(frame, head, at);
    for (size_t i = 0; i < len; i++) frame[at + i] = ((const uint8_t *)bytes)[i] ^ mask[i % 4];
    bool ok = send_all(socket->fd, frame, at + len);
    free(frame);
    if (!ok) socket->closed = true;
    return ok;
}

bool ws_send(ws *socket, const char *text)
{
    return frame_send(socket, 1, text, strlen(text));
}

static void read_more(ws *socket)
{
    if (socket->taken) {
        memmove(socket->in, socket->in + socket->taken, socket->in_n - socket->taken);
        socket->in_n -= socket->taken;
        socket->taken = 0;
    }
    for (;;) {
        if (socket->cap - socket->in_n < 4096) {
            uint8_t *more = socket->cap < IN_MAX ? reallocarray(socket->in, socket->cap, 2) : NULL;
            if (!more) return;
            socket->in = more;
            socket->cap *= 2;
        }
        ssize_t got = recv(socket->fd, socket->in + socket->in_n, socket->cap - socket->in_n, MSG_DONTWAIT);
        if (got == 0) socket->closed = true;
        if (got <= 0) return;
        socket->in_n += (size_t)got;
    }
}

/* One frame off `in`; false when it is not there as a whole. */
static bool frame_take(ws *socket, bool *whole)
{
    const uint8_t *p = socket->in + socket->taken;
    size_t there = socket->in_n - socket->taken, at = 2, n;
    if (there < 2) return false;
    n = p[1] & 127u;
    size_t more = n == 126 ? 2 : n == 127 ? 8 : 0;
    if (there < at + more) return false;
    if (more) n = 0;
    for (size_t i = 0; i < more; i++) n = n << 8 | p[at++];
    if (n > IN_MAX || there - at < n) return false;
    uint8_t opcode = p[0] & 15;
    socket->taken += at + n;
    *whole = false;
    if (opcode == 8) socket->closed = true;
    if (opcode == 9) (void)frame_send(socket, 10, p + at, n);
    if (opcode <= 2) {
        cn_buf_add(&socket->message, p + at, n);
        *whole = (p[0] & 0x80) != 0;
    }
    return true;
}

const char *ws_next(ws *socket)
{
    if (socket->given) cn_buf_free(&socket->message);
    socket->given = false;
    bool whole = false;
    for (int tries = 0; tries < 2; tries++) {
        while (frame_take(socket, &whole)) {
            if (!whole || !socket->message.p) continue;
            socket->given = true;
            return socket->message.p;
        }
        if (tries == 0) read_more(socket);
    }
    return NULL;
}

bool ws_closed(const ws *socket)
{
    return socket->closed;
}

void ws_free(ws *socket)
{
    if (!socket) return;
    if (socket->fd >= 0) close(socket->fd);
    cn_buf_free(&socket->message);
    free(socket->in);
    free(socket);
}
