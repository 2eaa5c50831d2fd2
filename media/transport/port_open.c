#include "media/transport/port_open.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define DEFAULT_TIMEOUT_MS 20000
#define DEFAULT_TRANSPORTS 4096
#define DEFAULT_HANDSHAKES 256
#define DEFAULT_BUFFER (4u << 20)
#define DEFAULT_TCP 4096
#define DEFAULT_TCP_PER_ADDRESS 512
#define DEFAULT_TCP_UNCHECKED 1024
#define DEFAULT_TCP_CHECK_MS 5000
#define DEFAULT_TCP_IDLE_MS 60000
#define BIND_TRIES 32 /* a free port of the first address may be taken on the second */

static void buffer_set(int fd, int forced, int plain, unsigned bytes, const char *which)
{
    int want = (int)bytes;
    if (!setsockopt(fd, SOL_SOCKET, forced, &want, sizeof want)) return;
    (void)setsockopt(fd, SOL_SOCKET, plain, &want, sizeof want);
    int got = 0;
    socklen_t len = sizeof got;
    (void)getsockopt(fd, SOL_SOCKET, plain, &got, &len);
    if (got / 2 < want) { /* the kernel doubles what it grants */
        cn_warn(
            "media.port",
            "the kernel refuses a %s buffer of %d bytes and grants %d: raise net.core.%cmem_max or grant CAP_NET_ADMIN",
            which, want, got / 2, which[0] == 'r' ? 'r' : 'w');
    }
}

static cn_err socket_open(cn_port_socket *sock, uint16_t port, unsigned buffer_bytes)
{
    cn_sockaddr_set_port(&sock->bound, port);
    int fd = socket(sock->bound.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0) return cn_err_from_errno(errno);
    int one = 1;
    if (sock->bound.any.sa_family == AF_INET6) (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    socklen_t len = sizeof sock->bound;
    if (bind(fd, &sock->bound.any, cn_sockaddr_len(&sock->bound)) || getsockname(fd, &sock->bound.any, &len)) {
        cn_err err = errno == EADDRINUSE ? CN_ERR_CONFLICT : cn_err_from_errno(errno);
        close(fd);
        return err;
    }
    sock->wildcard = cn_sockaddr_wildcard(&sock->bound);
    if (sock->wildcard) (void)cn_local_ask(fd, sock->bound.any.sa_family);
    buffer_set(fd, SO_RCVBUFFORCE, SO_RCVBUF, buffer_bytes, "receive");
    buffer_set(fd, SO_SNDBUFFORCE, SO_SNDBUF, buffer_bytes, "send");
    sock->fd = fd;
    return CN_OK;
}

/** TCP beside every UDP socket, on the same number. */
static cn_err tcp_listen(cn_port *port)
{
    for (size_t i = 0; i < port->sockets_n; i++)
        CN_TRY(cn_tcp_listen(port->tcp, &port->sockets[i].bound, CN_SOCK_TCP + (unsigned)i));
    return CN_OK;
}

cn_err cn_port_sockets_open(cn_port *port, uint16_t number)
{
    cn_err err = CN_OK;
    for (unsigned attempt = 0; attempt < BIND_TRIES; attempt++) {
        uint16_t bound = number;
        err = CN_OK;
        for (size_t i = 0; i < port->sockets_n && !err; i++) {
            err = socket_open(&port->sockets[i], bound, port->limits.buffer_bytes);
            if (!err) bound = cn_sockaddr_port(&port->sockets[i].bound);
        }
        if (!err) err = tcp_listen(port);
        if (!err || number || err != CN_ERR_CONFLICT) return err;
        cn_tcp_unlisten(port->tcp);
        for (size_t i = 0; i < port->sockets_n; i++) cn_fd_close(&port->sockets[i].fd);
    }
    return err;
}

static cn_err address_parse(cn_sockaddr *out, const char *text)
{
    cn_err err = cn_sockaddr_parse(out, text, 0);
    if (err) cn_error("media.port", "'%s' is not a numeric IPv4 or IPv6 address", text);
    return err;
}

cn_err cn_port_addresses_set(cn_port *port, const char *const listen[], const char *const announce[], size_t count)
{
    if (!count || count > CN_PORT_ADDRESSES) return CN_ERR_INVALID;
    for (size_t i = 0; i < count; i++) {
        cn_port_socket *socket = &port->sockets[i];
        *socket = (cn_port_socket){.fd = -1, .index = (unsigned)i, .port = port};
        port->sockets_n = i + 1;
        CN_TRY(address_parse(&socket->bound, listen[i]));
        bool told = announce && announce[i] && announce[i][0];
        CN_TRY(address_parse(&socket->announced, told ? announce[i] : listen[i]));
        if (cn_sockaddr_wildcard(&socket->announced)) {
            cn_error("media.port", "nobody can send to %s: the address that clients shall use must be announced",
                     listen[i]);
            return CN_ERR_INVALID;
        }
    }
    return CN_OK;
}

void cn_port_limits_set(cn_port *port, const cn_port_limits *given)
{
    if (given) port->limits = *given;
    if (!port->limits.timeout_ms) port->limits.timeout_ms = DEFAULT_TIMEOUT_MS;
    if (!port->limits.transports_max) port->limits.transports_max = DEFAULT_TRANSPORTS;
    if (!port->limits.handshakes_max) port->limits.handshakes_max = DEFAULT_HANDSHAKES;
    if (!port->limits.buffer_bytes) port->limits.buffer_bytes = DEFAULT_BUFFER;
    if (!port->limits.tcp_max) port->limits.tcp_max = DEFAULT_TCP;
    if (!port->limits.tcp_per_address) port->limits.tcp_per_address = DEFAULT_TCP_PER_ADDRESS;
    if (!port->limits.tcp_unchecked_max) port->limits.tcp_unchecked_max = DEFAULT_TCP_UNCHECKED;
    if (!port->limits.tcp_check_ms) port->limits.tcp_check_ms = DEFAULT_TCP_CHECK_MS;
    if (!port->limits.tcp_idle_ms) port->limits.tcp_idle_ms = DEFAULT_TCP_IDLE_MS;
}
