/* The DTLS side of a transport: when a session starts, its budget, its timer, and what follows from its end. */
#include <openssl/crypto.h>

#include "media/transport/port_impl.h"

#define DATAGRAMS_PER_SECOND \
    64                 /* a handshake needs under ten; the rest of a flood is dropped before OpenSSL stores it */
#define RESTARTS_MAX 8 /* sessions that failed before a ServerHello was sent */
#define SECOND_NS 1000000000ull

static void on_dtls_output(void *arg, const uint8_t *p, size_t n)
{
    cn_transport *t = arg;
    const cn_path *path = t->dtls_path ? t->dtls_path : t->current;
    if (path && path->transport) cn_port_send_now(t->port, &path->at, p, n);
}

static void session_free(cn_transport *t)
{
    if (!t->dtls) return;
    cn_timer_disarm(t->dtls_timer);
    if (!t->connected) t->port->handshakes--;
    cn_dtls_free(t->dtls);
    t->dtls = NULL;
}

void cn_transport_dtls_stop(cn_transport *t)
{
    t->dtls_path = NULL;
    if (t->dtls && t->connected && t->current) cn_dtls_close(t->dtls);
    session_free(t);
}

static bool within_budget(cn_transport *t, uint64_t now)
{
    if (now - t->dtls_window_ns >= SECOND_NS) {
        t->dtls_window_ns = now;
        t->dtls_count = 0;
    }
    return ++t->dtls_count <= DATAGRAMS_PER_SECOND;
}

static bool may_start(const cn_transport *t, const uint8_t *data, size_t n)
{
    return t->fingerprint.digest && cn_dtls_is_client_hello(data, n) && t->dtls_restarts < RESTARTS_MAX &&
           t->port->handshakes < t->port->limits.handshakes_max;
}

/** Keys for SRTP, then the user hears of it. The address that finished the handshake is the peer's. */
static void handshake_done(cn_transport *t)
{
    cn_srtp_keys keys;
    cn_err err = cn_dtls_keys(t->dtls, &keys);
    if (!err) err = cn_srtp_new(&t->srtp, &keys);
    if (!err) t->profile = keys.profile;
    OPENSSL_cleanse(&keys, sizeof keys);
    if (err) {
        cn_transport_close(t, CN_TRANSPORT_FAILED);
        return;
    }
    t->port->handshakes--;
    t->connected = true;
    t->current = t->dtls_path;
    t->last_sign_ns = cn_loop_now_ns(t->port->loop);
    t->events->connected(t->arg);
}

static void failed(cn_transport *t, cn_transport_cause cause)
{
    if (!t->connected && cause == CN_TRANSPORT_FAILED && !cn_dtls_answered(t->dtls)) {
        /* whatever that was, the real ClientHello may still come */
        t->dtls_restarts++;
        t->port->totals.bad_dtls++;
        session_free(t);
        return;
    }
    cn_transport_close(t, cause);
}

static void follow(cn_transport *t, cn_dtls_state state)
{
    static const cn_transport_cause causes[] = {
        [CN_DTLS_CLOSED] = CN_TRANSPORT_CLOSED,
        [CN_DTLS_FINGERPRINT] = CN_TRANSPORT_FINGERPRINT,
        [CN_DTLS_FAILED] = CN_TRANSPORT_FAILED,
    };
    uint64_t ms;
    if (state == CN_DTLS_OPEN && !t->connected) {
        handshake_done(t);
    } else if (state != CN_DTLS_OPEN && state != CN_DTLS_HANDSHAKE) {
        failed(t, causes[state]);
    }
    if (t->dtls && cn_dtls_timeout(t->dtls, &ms)) {
        cn_timer_arm(t->dtls_timer, ms);
    } else {
        cn_timer_disarm(t->dtls_timer);
    }
}

void cn_transport_on_dtls(cn_path *path, const uint8_t *data, size_t n)
{
    cn_transport *t = path->transport;
    cn_port *p = t->port;
    if (t->connected && path != t->current) {
        p->totals.unknown_source++; /* a replayed check made this address known: it draws no retransmissions */
        return;
    }
    if (!cn_dtls_well_formed(data, n) || !within_budget(t, cn_loop_now_ns(p->loop))) {
        p->totals.bad_dtls++;
        return;
    }
    if (!t->dtls) {
        if (!may_start(t, data, n) || cn_dtls_new(&t->dtls, p->identity, &t->fingerprint, on_dtls_output, t)) {
            p->totals.bad_dtls++;
            return;
        }
        p->handshakes++;
    }
    t->dtls_path = path;
    follow(t, cn_dtls_receive(t->dtls, data, n));
    if (t->connected) t->dtls_path = NULL; /* whatever else it says goes where the media goes */
}

void cn_transport_on_dtls_timer(void *transport)
{
    cn_transport *t = transport;
    if (!t->dtls) return;
    cn_port_enter(t->port);
    follow(t, cn_dtls_tick(t->dtls));
    cn_port_leave(t->port);
}
