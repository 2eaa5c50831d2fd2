#include "media/transport/transport.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/transport/port_impl.h"
#include "media/wire/prefetch.h"

#define PWD_MIN 22 /* RFC 8839 §5.4 */
#define UFRAG_MIN 4

cn_err cn_transport_new(cn_transport **out, cn_port *port, const cn_transport_events *events, void *arg)
{
    if (!events || !events->connected || !events->rtp || !events->rtcp || !events->closed) return CN_ERR_INVALID;
    if (port->transports_n == port->limits.transports_max) return CN_ERR_FULL;
    cn_transport *t = CN_NEW(cn_transport);
    if (!t) return CN_ERR_NOMEM;
    t->port = port;
    t->events = events;
    t->arg = arg;
    t->last_sign_ns = cn_loop_now_ns(port->loop);
    cn_err err = cn_timer_new(&t->dtls_timer, port->loop, cn_transport_on_dtls_timer, t);
    if (!err) err = cn_transport_credentials_new(t);
    if (err) {
        cn_timer_free(t->dtls_timer);
        free(t);
        return err;
    }
    t->next = port->transports;
    if (t->next) t->next->prev = t;
    port->transports = t;
    port->transports_n++;
    *out = t;
    return CN_OK;
}

void cn_transport_credentials(const cn_transport *t, const char **ufrag, const char **pwd)
{
    *ufrag = t->local[0].ufrag;
    *pwd = t->local[0].pwd;
}

cn_err cn_transport_remote(cn_transport *t, const char *ufrag, const char *pwd, const char *fingerprint_alg,
                           const char *fingerprint)
{
    if (!cn_ice_text_valid(ufrag, UFRAG_MIN) || !cn_ice_text_valid(pwd, PWD_MIN)) return CN_ERR_INVALID;
    cn_fingerprint f;
    CN_TRY(cn_fingerprint_parse(&f, fingerprint_alg, fingerprint));
    if (t->dtls && !cn_fingerprint_equal(&f, &t->fingerprint)) return CN_ERR_STATE;
    t->fingerprint = f;
    return CN_OK;
}

bool cn_transport_connected(const cn_transport *t)
{
    return t->connected && !t->closed;
}

const char *cn_transport_profile(const cn_transport *t)
{
    return cn_srtp_profile_name(t->profile);
}

bool cn_transport_tcp(const cn_transport *t)
{
    return t->current && t->current->at.conn;
}

uint64_t cn_transport_last_sign_ns(const cn_transport *t)
{
    return t->last_sign_ns;
}

/* sending */

uint8_t *cn_transport_rtp_buffer(cn_transport *t, size_t n)
{
    if (!cn_transport_connected(t) || !t->current || n > CN_TRANSPORT_PACKET) return NULL;
    uint8_t *space = cn_batch_space(t->port->batch, n);
    if (space) return space;
    cn_port_flush(t->port);
    return cn_batch_space(t->port->batch, n);
}

static void stream_send(void *conn, const struct iovec *packets, size_t n)
{
    cn_conn_send(conn, packets, n);
}

static void enqueue(cn_transport *t, size_t n, bool rtcp)
{
    const cn_origin *at = &t->current->at;
    t->egress.srtp = t->srtp;
    t->egress.to = &at->peer;
    t->egress.sock = at->sock;
    t->egress.from = at->local.family == AF_UNSPEC ? NULL : &at->local;
    t->egress.stream = at->conn ? stream_send : NULL;
    t->egress.stream_arg = at->conn;
    cn_batch_add(t->port->batch, &t->egress, n, rtcp);
}

void cn_transport_rtp_send(cn_transport *t, uint8_t *buf, size_t n)
{
    if (!cn_transport_connected(t) || !t->current || n < 12 || !cn_batch_holds(t->port->batch, buf, n)) {
        t->port->totals.protect_failed++;
        return;
    }
    enqueue(t, n, false);
}

void cn_transport_rtcp_send(cn_transport *t, const uint8_t *packet, size_t n)
{
    if (n < 8) return;
    uint8_t *slot = cn_transport_rtp_buffer(t, n);
    if (!slot) return;
    memcpy(slot, packet, n);
    enqueue(t, n, true);
}

void cn_transport_prefetch(const cn_transport *t)
{
    cn_prefetch(t, offsetof(cn_transport, last_sign_ns));
}

void cn_transport_rate(cn_transport *t, uint32_t bps)
{
    if (t->current && t->current->at.conn) cn_conn_rate(t->current->at.conn, bps);
}

bool cn_transport_streams(const cn_transport *t)
{
    return t->current && t->current->at.conn;
}

bool cn_transport_full(const cn_transport *t, unsigned ms)
{
    return t->current && t->current->at.conn && cn_conn_full(t->current->at.conn, ms);
}

/* receiving */

/**
 * The peer proved with a key that only it has that it is at this address: from now on we send there (and nowhere else
 * before, since a STUN check can be replayed from anywhere).
 */
static void peer_is_at(cn_transport *t, cn_path *path)
{
    t->last_sign_ns = cn_loop_now_ns(t->port->loop);
    t->current = path;
}

static bool unprotected(cn_transport *t, cn_err err, uint64_t *bad)
{
    if (!err) return true;
    if (err == CN_ERR_CONFLICT) {
        t->port->totals.replayed++;
    } else {
        (*bad)++;
    }
    return false;
}

void cn_transport_on_rtp(cn_path *path, uint8_t *data, size_t n)
{
    cn_transport *t = path->transport;
    if (!t->connected) {
        t->port->totals.unknown_source++;
        return;
    }
    if (!unprotected(t, cn_srtp_unprotect_rtp(t->srtp, data, &n), &t->port->totals.bad_rtp)) return;
    peer_is_at(t, path);
    t->events->rtp(t->arg, data, n, t->last_sign_ns);
}

void cn_transport_on_rtcp(cn_path *path, uint8_t *data, size_t n)
{
    cn_transport *t = path->transport;
    if (!t->connected) {
        t->port->totals.unknown_source++;
        return;
    }
    if (!unprotected(t, cn_srtp_unprotect_rtcp(t->srtp, data, &n), &t->port->totals.bad_rtcp)) return;
    peer_is_at(t, path);
    t->events->rtcp(t->arg, data, n, t->last_sign_ns);
}

/* the end */

/** Leaves nothing behind by which a datagram could reach the transport; sends what is queued first. */
static void silence(cn_transport *t)
{
    if (t->egress.listed) cn_port_flush(t->port);
    cn_transport_dtls_stop(t);
    t->closed = true;
    cn_transport_credentials_clear(t);
    cn_transport_paths_clear(t);
    cn_srtp_free(t->srtp);
    t->srtp = NULL;
    t->egress.srtp = NULL;
    t->current = NULL;
}

void cn_transport_close(cn_transport *t, cn_transport_cause cause)
{
    if (t->closed) return;
    silence(t);
    t->events->closed(t->arg, cause);
}

void cn_transport_sweep(cn_transport *t, uint64_t now_ns)
{
    if (t->closed || now_ns < t->last_sign_ns) return;
    if (now_ns - t->last_sign_ns > (uint64_t)t->port->limits.timeout_ms * 1000000) {
        cn_transport_close(t, CN_TRANSPORT_TIMEOUT);
    }
}

void cn_transport_reap(cn_transport *t)
{
    cn_port *p = t->port;
    if (t->prev) {
        t->prev->next = t->next;
    } else {
        p->transports = t->next;
    }
    if (t->next) t->next->prev = t->prev;
    p->transports_n--;
    cn_timer_free(t->dtls_timer);
    free(t);
}

void cn_transport_free(cn_transport *t)
{
    if (!t || t->freed) return;
    if (!t->closed) silence(t);
    t->freed = true;
    t->port->reap = true;
    if (!t->port->depth) cn_transport_reap(t);
}
