#include "media/transport/transport_dtls.h"

#include <openssl/crypto.h>

#include "media/transport/port_send.h"

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

static bool may_start(const cn_transport *transport)
{
    return transport->fingerprint.digest && transport->dtls_restarts < RESTARTS_MAX &&
           transport->port->handshakes < transport->port->limits.handshakes_max;
}

static bool session_new(cn_transport *transport)
{
    cn_port *port = transport->port;
    if (!may_start(transport) || cn_dtls_new(&transport->dtls, port->identity, &transport->fingerprint,
                                             transport->dtls_client, on_dtls_output, transport))
        return false;
    port->handshakes++;
    return true;
}

/** Keys for SRTP. The address that finished the handshake is the peer's. */
static cn_dtls_news handshake_done(cn_transport *transport)
{
    cn_srtp_keys keys;
    cn_err err = cn_dtls_keys(transport->dtls, &keys);
    if (!err) err = cn_srtp_new(&transport->srtp, &keys);
    OPENSSL_cleanse(&keys, sizeof keys);
    if (err) return CN_DTLS_NEWS_FAILED;
    transport->port->handshakes--;
    transport->connected = true;
    transport->current = transport->dtls_path;
    transport->last_sign_ns = cn_loop_now_ns(transport->port->loop);
    return CN_DTLS_NEWS_CONNECTED;
}

static cn_dtls_news failed(cn_transport *transport)
{
    if (transport->connected || cn_dtls_answered(transport->dtls)) return CN_DTLS_NEWS_FAILED;
    /* whatever that was, the real ClientHello may still come */
    transport->dtls_restarts++;
    transport->port->totals.bad_dtls++;
    session_free(transport);
    return CN_DTLS_NEWS_NONE;
}

static cn_dtls_news news_of(cn_transport *transport, cn_dtls_state state)
{
    switch (state) {
    case CN_DTLS_OPEN: return transport->connected ? CN_DTLS_NEWS_NONE : handshake_done(transport);
    case CN_DTLS_CLOSED: return CN_DTLS_NEWS_CLOSED;
    case CN_DTLS_FINGERPRINT: return CN_DTLS_NEWS_FINGERPRINT;
    case CN_DTLS_FAILED: return failed(transport);
    default: return CN_DTLS_NEWS_NONE;
    }
}

static cn_dtls_news follow(cn_transport *transport, cn_dtls_state state)
{
    cn_dtls_news news = news_of(transport, state);
    uint64_t ms;
    if (transport->dtls && cn_dtls_timeout(transport->dtls, &ms)) {
        cn_timer_arm(transport->dtls_timer, ms);
    } else {
        cn_timer_disarm(transport->dtls_timer);
    }
    return news;
}

cn_dtls_news cn_transport_dtls_feed(cn_path *path, const uint8_t *data, size_t len)
{
    cn_transport *transport = path->transport;
    cn_port *port = transport->port;
    if (transport->connected && path != transport->current) {
        port->totals.unknown_source++; /* a replayed check made this address known: it draws no retransmissions */
        return CN_DTLS_NEWS_NONE;
    }
    if (!cn_dtls_well_formed(data, len) || !within_budget(transport, cn_loop_now_ns(port->loop))) {
        port->totals.bad_dtls++;
        return CN_DTLS_NEWS_NONE;
    }
    if (!transport->dtls) {
        if (transport->dtls_client || !cn_dtls_is_client_hello(data, len) || !session_new(transport)) {
            port->totals.bad_dtls++;
            return CN_DTLS_NEWS_NONE;
        }
    }
    transport->dtls_path = path;
    cn_dtls_news news = follow(transport, cn_dtls_receive(transport->dtls, data, len));
    if (transport->connected) transport->dtls_path = NULL; /* whatever else it says goes where the media goes */
    return news;
}

void cn_transport_dtls_begin(cn_path *path)
{
    cn_transport *transport = path->transport;
    if (!transport || !transport->dtls_client || transport->dtls || transport->connected || !session_new(transport))
        return;
    transport->dtls_path = path;
    (void)follow(transport, cn_dtls_begin(transport->dtls)); /* what fails here begins again with the next check */
}

cn_dtls_news cn_transport_dtls_tick(cn_transport *transport)
{
    return transport->dtls ? follow(transport, cn_dtls_tick(transport->dtls)) : CN_DTLS_NEWS_NONE;
}
