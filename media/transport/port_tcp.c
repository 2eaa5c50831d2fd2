/* The TCP side of a port: connections' datagrams go where UDP's go. */
#include "media/wire/demux.h"
#include "media/transport/port_impl.h"

#define BAD_CHECKS_MAX 8 /* of a connection that never sent a good one */

/** Before its first valid check a connection may send checks only. */
static bool on_stun(cn_port *port, cn_conn *conn, const uint8_t *data, size_t len)
{
    uint64_t bad = port->totals.bad_stun;
    cn_transport_on_stun(port, &(cn_origin){.peer = *cn_conn_peer(conn), .sock = cn_conn_sock(conn), .conn = conn},
                         data, len);
    return port->totals.bad_stun == bad || cn_conn_is_checked(conn) || cn_conn_strike(conn) < BAD_CHECKS_MAX;
}

static bool dispatch(cn_port *port, cn_conn *conn, uint8_t *data, size_t len)
{
    cn_datagram kind = cn_demux(data, len);
    if (kind == CN_DATAGRAM_STUN) return on_stun(port, conn, data, len);
    cn_path *path = cn_conn_user(conn);
    if (kind == CN_DATAGRAM_OTHER) {
        port->totals.unknown_kind++;
        return false;
    }
    if (!path || path->transport->closed) {
        port->totals.unknown_source++;
        return cn_conn_is_checked(conn);
    }
    if (kind == CN_DATAGRAM_DTLS) {
        cn_transport_on_dtls(path, data, len);
    } else if (kind == CN_DATAGRAM_SRTP) {
        cn_transport_on_rtp(path, data, len);
    } else {
        cn_transport_on_rtcp(path, data, len);
    }
    return true;
}

static bool on_frame(void *arg, cn_conn *conn, uint8_t *data, size_t len)
{
    cn_port *port = arg;
    cn_port_enter(port);
    bool wanted = dispatch(port, conn, data, len);
    cn_port_received(port);
    cn_port_leave(port);
    return wanted;
}

static void on_gone(void *arg, cn_conn *conn)
{
    (void)arg;
    cn_path *path = cn_conn_user(conn);
    if (path) cn_transport_path_lost(path);
}

cn_err cn_port_tcp_new(cn_port *port)
{
    static const cn_tcp_events events = {on_frame, on_gone};
    const cn_port_limits *port_limits = &port->limits;
    const cn_tcp_limits limits = {.conns_max = port_limits->tcp_max,
                                  .per_address_max = port_limits->tcp_per_address,
                                  .unchecked_max = port_limits->tcp_unchecked_max,
                                  .check_ms = port_limits->tcp_check_ms,
                                  .idle_ms = port_limits->tcp_idle_ms};
    return cn_tcp_new(&port->tcp, port->loop, &limits, &events, port);
}

cn_err cn_port_tcp_listen(cn_port *port)
{
    for (size_t i = 0; i < port->sockets_n; i++)
        CN_TRY(cn_tcp_listen(port->tcp, &port->sockets[i].bound, CN_SOCK_TCP + (unsigned)i));
    return CN_OK;
}
