#include "media/transport/transport.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/transport/port_send.h"
#include "media/transport/transport_dtls.h"
#include "media/transport/transport_ice.h"
#include "media/transport/transport_impl.h"
#include "media/wire/prefetch.h"

#define PWD_MIN 22 /* RFC 8839 §5.4 */
#define UFRAG_MIN 4

/* the end */

/** Leaves nothing behind by which a datagram could reach the transport; sends what is queued first. */
static void silence(cn_transport *transport)
{
    if (transport->egress.listed) cn_port_flush(transport->port);
    cn_transport_dtls_stop(transport);
    transport->closed = true;
    cn_transport_credentials_clear(transport);
    cn_transport_paths_clear(transport);
    cn_srtp_free(transport->srtp);
    transport->srtp = NULL;
    transport->egress.srtp = NULL;
    transport->current = NULL;
}

static void end(cn_transport *transport, cn_transport_cause cause)
{
    if (transport->closed) return;
    silence(transport);
    transport->events->closed(transport->arg, cause);
}

/* DTLS */

static void on_dtls_news(cn_transport *transport, cn_dtls_news news)
{
    switch (news) {
    case CN_DTLS_NEWS_NONE: return;
    case CN_DTLS_NEWS_CONNECTED: transport->events->connected(transport->arg); return;
    case CN_DTLS_NEWS_CLOSED: end(transport, CN_TRANSPORT_CLOSED); return;
    case CN_DTLS_NEWS_FINGERPRINT: end(transport, CN_TRANSPORT_FINGERPRINT); return;
    case CN_DTLS_NEWS_FAILED: end(transport, CN_TRANSPORT_FAILED); return;
    }
}

void cn_transport_on_dtls(cn_path *path, const uint8_t *data, size_t len)
{
    cn_transport *transport = path->transport; /* the path may be gone at the end */
    on_dtls_news(transport, cn_transport_dtls_feed(path, data, len));
}

static void on_dtls_timer(void *arg)
{
    cn_transport *transport = arg;
    cn_port *port = transport->port;
    cn_port_enter(port);
    on_dtls_news(transport, cn_transport_dtls_tick(transport));
    cn_port_leave(port);
}

/* making one */

cn_err cn_transport_new(cn_transport **out, cn_port *port, const cn_transport_events *events, void *arg)
{
    if (!events || !events->connected || !events->rtp || !events->rtcp || !events->closed) return CN_ERR_INVALID;
    if (port->transports_n == port->limits.transports_max) return CN_ERR_FULL;
    cn_transport *transport = CN_NEW(cn_transport);
    if (!transport) return CN_ERR_NOMEM;
    transport->port = port;
    transport->events = events;
    transport->arg = arg;
    transport->last_sign_ns = cn_loop_now_ns(port->loop);
    cn_err err = cn_timer_new(&transport->dtls_timer, port->loop, on_dtls_timer, transport);
    if (!err) err = cn_transport_credentials_new(transport);
    if (err) {
        cn_timer_free(transport->dtls_timer);
        free(transport);
        return err;
    }
    transport->next = port->transports;
    if (transport->next) transport->next->prev = transport;
    port->transports = transport;
    port->transports_n++;
    *out = transport;
    return CN_OK;
}

void cn_transport_credentials(const cn_transport *transport, const char **ufrag, const char **pwd)
{
    *ufrag = transport->local[0].ufrag;
    *pwd = transport->local[0].pwd;
}

cn_err cn_transport_remote(cn_transport *transport, const char *ufrag, const char *pwd, const char *fingerprint_alg,
                           const char *fingerprint)
{
    if (!cn_ice_text_valid(ufrag, UFRAG_MIN) || !cn_ice_text_valid(pwd, PWD_MIN)) return CN_ERR_INVALID;
    cn_fingerprint f;
    CN_TRY(cn_fingerprint_parse(&f, fingerprint_alg, fingerprint));
    if (transport->dtls && !cn_fingerprint_equal(&f, &transport->fingerprint)) return CN_ERR_STATE;
    transport->fingerprint = f;
    return CN_OK;
}

void cn_transport_begins(cn_transport *transport)
{
    transport->dtls_client = true;
}

bool cn_transport_is_client(const cn_transport *transport)
{
    return transport->dtls_client;
}

cn_err cn_transport_restart(cn_transport *transport)
{
    return transport->closed ? CN_ERR_STATE : cn_transport_credentials_renew(transport);
}

bool cn_transport_connected(const cn_transport *transport)
{
    return transport->connected && !transport->closed;
}

bool cn_transport_tcp(const cn_transport *transport)
{
    return transport->current && transport->current->at.conn;
}

uint64_t cn_transport_last_sign_ns(const cn_transport *transport)
{
    return transport->last_sign_ns;
}

/* sending */

uint8_t *cn_transport_rtp_buffer(cn_transport *transport, size_t len)
{
    if (!cn_transport_connected(transport) || !transport->current || len > CN_TRANSPORT_PACKET) return NULL;
    uint8_t *space = cn_batch_space(transport->port->batch, len);
    if (space) return space;
    cn_port_flush(transport->port);
    return cn_batch_space(transport->port->batch, len);
}

static void stream_send(void *conn, const struct iovec *packets, size_t count)
{
    cn_tcp_conn_send(conn, packets, count);
}

static void enqueue(cn_transport *transport, size_t len, bool rtcp)
{
    const cn_origin *at = &transport->current->at;
    transport->egress.srtp = transport->srtp;
    transport->egress.to = &at->peer;
    transport->egress.sock = at->sock;
    transport->egress.from = at->local.family == AF_UNSPEC ? NULL : &at->local;
    transport->egress.stream = at->conn ? stream_send : NULL;
    transport->egress.stream_arg = at->conn;
    cn_batch_add(transport->port->batch, &transport->egress, len, rtcp);
}

void cn_transport_rtp_send(cn_transport *transport, uint8_t *buf, size_t len)
{
    if (!cn_transport_connected(transport) || !transport->current || len < 12 ||
        !cn_batch_holds(transport->port->batch, buf, len)) {
        transport->port->totals.protect_failed++;
        return;
    }
    enqueue(transport, len, false);
}

void cn_transport_rtcp_send(cn_transport *transport, const uint8_t *packet, size_t len)
{
    if (len < 8) return;
    uint8_t *slot = cn_transport_rtp_buffer(transport, len);
    if (!slot) return;
    memcpy(slot, packet, len);
    enqueue(transport, len, true);
}

void cn_transport_prefetch(const cn_transport *transport)
{
    cn_prefetch(transport, offsetof(cn_transport, last_sign_ns));
}

void cn_transport_rate(cn_transport *transport, uint32_t bps)
{
    if (transport->current && transport->current->at.conn) cn_tcp_conn_rate(transport->current->at.conn, bps);
}

bool cn_transport_streams(const cn_transport *transport)
{
    return transport->current && transport->current->at.conn;
}

bool cn_transport_full(const cn_transport *transport, unsigned ms)
{
    return transport->current && transport->current->at.conn && cn_tcp_conn_full(transport->current->at.conn, ms);
}

/* receiving */

/**
 * The peer proved with a key that only it has that it is at this address: from now on we send there (and nowhere else
 * before, since a STUN check can be replayed from anywhere).
 */
static void peer_is_at(cn_transport *transport, cn_path *path)
{
    transport->last_sign_ns = cn_loop_now_ns(transport->port->loop);
    transport->current = path;
}

static bool unprotected(cn_transport *transport, cn_err err, uint64_t *bad)
{
    if (!err) return true;
    if (err == CN_ERR_CONFLICT) {
        transport->port->totals.replayed++;
    } else {
        (*bad)++;
    }
    return false;
}

void cn_transport_on_rtp(cn_path *path, uint8_t *data, size_t len)
{
    cn_transport *transport = path->transport;
    if (!transport->connected) {
        transport->port->totals.unknown_source++;
        return;
    }
    if (!unprotected(transport, cn_srtp_unprotect_rtp(transport->srtp, data, &len), &transport->port->totals.bad_rtp))
        return;
    peer_is_at(transport, path);
    transport->events->rtp(transport->arg, data, len, transport->last_sign_ns);
}

void cn_transport_on_rtcp(cn_path *path, uint8_t *data, size_t len)
{
    cn_transport *transport = path->transport;
    if (!transport->connected) {
        transport->port->totals.unknown_source++;
        return;
    }
    if (!unprotected(transport, cn_srtp_unprotect_rtcp(transport->srtp, data, &len), &transport->port->totals.bad_rtcp))
        return;
    peer_is_at(transport, path);
    transport->events->rtcp(transport->arg, data, len, transport->last_sign_ns);
}

/* how long it lives */

void cn_transport_sweep(cn_transport *transport, uint64_t now_ns)
{
    if (transport->closed || now_ns < transport->last_sign_ns) return;
    if (now_ns - transport->last_sign_ns > (uint64_t)transport->port->limits.timeout_ms * 1000000) {
        end(transport, CN_TRANSPORT_TIMEOUT);
    }
}

void cn_transport_reap(cn_transport *transport)
{
    cn_port *port = transport->port;
    if (transport->prev) {
        transport->prev->next = transport->next;
    } else {
        port->transports = transport->next;
    }
    if (transport->next) transport->next->prev = transport->prev;
    port->transports_n--;
    cn_timer_free(transport->dtls_timer);
    free(transport);
}

void cn_transport_free(cn_transport *transport)
{
    if (!transport || transport->freed) return;
    if (!transport->closed) silence(transport);
    transport->freed = true;
    transport->port->reaps = true;
    if (!transport->port->depth) cn_transport_reap(transport);
}
