/* The TCP side of a port: connections' datagrams go where UDP's go. */
#include "media/wire/demux.h"
#include "media/transport/port_impl.h"

#define BAD_CHECKS_MAX 8 /* of a connection that never sent a good one */

/** Before its first valid check a connection may send checks only. */
static bool on_stun(cn_port *p, cn_conn *c, const uint8_t *data, size_t n)
{
    uint64_t bad = p->totals.bad_stun;
    cn_transport_on_stun(p, &(cn_origin){.peer = *cn_conn_peer(c), .sock = cn_conn_sock(c), .conn = c}, data, n);
    return p->totals.bad_stun == bad || cn_conn_is_checked(c) || cn_conn_strike(c) < BAD_CHECKS_MAX;
}

static bool dispatch(cn_port *p, cn_conn *c, uint8_t *data, size_t n)
{
    cn_datagram kind = cn_demux(data, n);
    if (kind == CN_DATAGRAM_STUN) return on_stun(p, c, data, n);
    cn_path *path = cn_conn_user(c);
    if (kind == CN_DATAGRAM_OTHER) {
        p->totals.unknown_kind++;
        return false;
    }
    if (!path || path->transport->closed) {
        p->totals.unknown_source++;
        return cn_conn_is_checked(c);
    }
    if (kind == CN_DATAGRAM_DTLS) {
        cn_transport_on_dtls(path, data, n);
    } else if (kind == CN_DATAGRAM_SRTP) {
        cn_transport_on_rtp(path, data, n);
    } else {
        cn_transport_on_rtcp(path, data, n);
    }
    return true;
}

static bool on_frame(void *arg, cn_conn *c, uint8_t *data, size_t n)
{
    cn_port *p = arg;
    cn_port_enter(p);
    bool wanted = dispatch(p, c, data, n);
    cn_port_received(p);
    cn_port_leave(p);
    return wanted;
}

static void on_gone(void *arg, cn_conn *c)
{
    (void)arg;
    cn_path *path = cn_conn_user(c);
    if (path) cn_transport_path_lost(path);
}

cn_err cn_port_tcp_new(cn_port *p)
{
    static const cn_tcp_events events = {on_frame, on_gone};
    const cn_port_limits *l = &p->limits;
    const cn_tcp_limits limits = {.conns_max = l->tcp_max,
                                  .per_address_max = l->tcp_per_address,
                                  .unchecked_max = l->tcp_unchecked_max,
                                  .check_ms = l->tcp_check_ms,
                                  .idle_ms = l->tcp_idle_ms};
    return cn_tcp_new(&p->tcp, p->loop, &limits, &events, p);
}

cn_err cn_port_tcp_listen(cn_port *p)
{
    for (size_t i = 0; i < p->sockets_n; i++)
        CN_TRY(cn_tcp_listen(p->tcp, &p->sockets[i].bound, CN_SOCK_TCP + (unsigned)i));
    return CN_OK;
}
