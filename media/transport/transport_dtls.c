/* The DTLS side of a transport: when a session starts, its budget, its timer, and what follows from its end. */
#include <openssl/crypto.h>

#include "media/transport/port_impl.h"

#define DATAGRAMS_PER_SECOND \
    64                 /* a handshake needs under ten; the rest of a flood is dropped before OpenSSL stores it */
#define RESTARTS_MAX 8 /* sessions that failed before a ServerHello was sent */
#define SECOND_NS 1000000000ull

static void on_dtls_output(void *arg, const uint8_t *bytes, size_t len)
{
    cn_transport *transport = arg;
    const cn_path *path = transport->dtls_path ? transport->dtls_path : transport->current;
    if (path && path->transport) cn_port_send_now(transport->port, &path->at, bytes, len);
}

static void session_free(cn_transport *transport)
{
    if (!transport->dtls) return;
    cn_timer_disarm(transport->dtls_timer);
    if (!transport->connected) transport->port->handshakes--;
    cn_dtls_free(transport->dtls);
    transport->dtls = NULL;
}

void cn_transport_dtls_stop(cn_transport *transport)
{
    transport->dtls_path = NULL;
    if (transport->dtls && transport->connected && transport->current) cn_dtls_close(transport->dtls);
    session_free(transport);
}

static bool within_budget(cn_transport *transport, uint64_t now)
{
    if (now - transport->dtls_window_ns >= SECOND_NS) {
        transport->dtls_window_ns = now;
        transport->dtls_count = 0;
    }
    return ++transport->dtls_count <= DATAGRAMS_PER_SECOND;
}

static bool may_start(const cn_transport *transport, const uint8_t *data, size_t len)
{
    return transport->fingerprint.digest && cn_dtls_is_client_hello(data, len) &&
           transport->dtls_restarts < RESTARTS_MAX &&
           transport->port->handshakes < transport->port->limits.handshakes_max;
}

/** Keys for SRTP, then the user hears of it. The address that finished the handshake is the peer's. */
static void handshake_done(cn_transport *transport)
{
    cn_srtp_keys keys;
    cn_err err = cn_dtls_keys(transport->dtls, &keys);
    if (!err) err = cn_srtp_new(&transport->srtp, &keys);
    if (!err) transport->profile = keys.profile;
    OPENSSL_cleanse(&keys, sizeof keys);
    if (err) {
        cn_transport_close(transport, CN_TRANSPORT_FAILED);
        return;
    }
    transport->port->handshakes--;
    transport->connected = true;
    transport->current = transport->dtls_path;
    transport->last_sign_ns = cn_loop_now_ns(transport->port->loop);
    transport->events->connected(transport->arg);
}

static void failed(cn_transport *transport, cn_transport_cause cause)
{
    if (!transport->connected && cause == CN_TRANSPORT_FAILED && !cn_dtls_answered(transport->dtls)) {
        /* whatever that was, the real ClientHello may still come */
        transport->dtls_restarts++;
        transport->port->totals.bad_dtls++;
        session_free(transport);
        return;
    }
    cn_transport_close(transport, cause);
}

static void follow(cn_transport *transport, cn_dtls_state state)
{
    static const cn_transport_cause causes[] = {
        [CN_DTLS_CLOSED] = CN_TRANSPORT_CLOSED,
        [CN_DTLS_FINGERPRINT] = CN_TRANSPORT_FINGERPRINT,
        [CN_DTLS_FAILED] = CN_TRANSPORT_FAILED,
    };
    uint64_t ms;
    if (state == CN_DTLS_OPEN && !transport->connected) {
        handshake_done(transport);
    } else if (state != CN_DTLS_OPEN && state != CN_DTLS_HANDSHAKE) {
        failed(transport, causes[state]);
    }
    if (transport->dtls && cn_dtls_timeout(transport->dtls, &ms)) {
        cn_timer_arm(transport->dtls_timer, ms);
    } else {
        cn_timer_disarm(transport->dtls_timer);
    }
}

void cn_transport_on_dtls(cn_path *path, const uint8_t *data, size_t len)
{
    cn_transport *transport = path->transport;
    cn_port *port = transport->port;
    if (transport->connected && path != transport->current) {
        port->totals.unknown_source++; /* a replayed check made this address known: it draws no retransmissions */
        return;
    }
    if (!cn_dtls_well_formed(data, len) || !within_budget(transport, cn_loop_now_ns(port->loop))) {
        port->totals.bad_dtls++;
        return;
    }
    if (!transport->dtls) {
        if (!may_start(transport, data, len) ||
            cn_dtls_new(&transport->dtls, port->identity, &transport->fingerprint, on_dtls_output, transport)) {
            port->totals.bad_dtls++;
            return;
        }
        port->handshakes++;
    }
    transport->dtls_path = path;
    follow(transport, cn_dtls_receive(transport->dtls, data, len));
    if (transport->connected) transport->dtls_path = NULL; /* whatever else it says goes where the media goes */
}

void cn_transport_on_dtls_timer(void *transport)
{
    cn_transport *t = transport;
    if (!t->dtls) return;
    cn_port_enter(t->port);
    follow(t, cn_dtls_tick(t->dtls));
    cn_port_leave(t->port);
}
