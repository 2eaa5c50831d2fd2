#include "media/transport/port_send.h"

#include <sys/socket.h>

#include "base/clock.h"

void cn_port_enter(cn_port *port)
{
    port->depth++;
}

void cn_port_leave(cn_port *port)
{
    if (--port->depth || !port->reaps) return;
    port->reaps = false;
    for (cn_transport *transport = port->transports, *next; transport; transport = next) {
        next = transport->next;
        if (transport->freed) port->reap(transport);
    }
}

void cn_port_send_now(cn_port *port, const cn_origin *to, const uint8_t *data, size_t len)
{
    if (to->conn) {
        cn_tcp_conn_send(to->conn, &(struct iovec){(void *)(uintptr_t)data, len}, 1);
        return;
    }
    port->totals.send_calls++;
    _Alignas(struct cmsghdr) uint8_t control[CN_LOCAL_CONTROL];
    struct iovec iov = {(void *)(uintptr_t)data, len}; /* the kernel only reads these */
    struct msghdr hdr = {.msg_name = (void *)(uintptr_t)&to->peer,
                         .msg_namelen = cn_sockaddr_len(&to->peer),
                         .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_controllen = cn_local_put(&to->local, control)};
    if (hdr.msg_controllen) hdr.msg_control = control;
    ssize_t sent = sendmsg(port->sockets[to->sock].fd, &hdr, MSG_DONTWAIT);
    if (sent < 0) {
        port->totals.send_failed++;
        return;
    }
    port->totals.datagrams_out++;
    port->totals.bytes_out += len;
}

void cn_port_flush(cn_port *port)
{
    if (cn_batch_empty(port->batch)) return;
    int fds[CN_PORT_ADDRESSES];
    for (size_t i = 0; i < port->sockets_n; i++) fds[i] = port->sockets[i].fd;
    cn_batch_flush(port->batch, fds, port->sockets_n, &port->totals);
    cn_delay_sent(&port->delay, cn_mono_ns());
}
