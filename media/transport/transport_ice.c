#include "media/transport/transport_ice.h"

#include <openssl/crypto.h>
#include <string.h>

#include "media/transport/port_send.h"
#include "media/transport/transport_dtls.h"

/** A peer's address that belongs to a transport with so recent a sign of life is not given to another one, whose checks
 * may carry a forged source. */
#define ADDRESS_HELD_NS 5000000000ull

/* credentials */

static bool ufrag_key(cn_key *out, const char *ufrag, size_t len)
{
    if (len != CN_ICE_UFRAG) return false;
    *out = (cn_key){{0, 0, 0}};
    memcpy(out->w, ufrag, len);
    return true;
}

static void local_forget(cn_transport *transport, cn_ice_local *local)
{
    cn_key key;
    if (ufrag_key(&key, local->ufrag, strlen(local->ufrag))) cn_keymap_remove(transport->port->by_ufrag, &key);
    OPENSSL_cleanse(local, sizeof *local);
}

static cn_err local_new(cn_transport *transport, cn_ice_local *out)
{
    cn_key key;
    do {
        cn_ice_text_new(out->ufrag, CN_ICE_UFRAG);
        (void)ufrag_key(&key, out->ufrag, CN_ICE_UFRAG);
    } while (cn_keymap_get(transport->port->by_ufrag, &key));
    cn_ice_text_new(out->pwd, CN_ICE_PWD);
    return cn_keymap_set(transport->port->by_ufrag, &key, transport);
}

cn_err cn_transport_credentials_new(cn_transport *transport)
{
    return local_new(transport, &transport->local[0]);
}

void cn_transport_credentials_clear(cn_transport *transport)
{
    local_forget(transport, &transport->local[0]);
    local_forget(transport, &transport->local[1]);
}

cn_err cn_transport_credentials_renew(cn_transport *transport)
{
    /* restarted twice without a check in between: the peer still uses the oldest, the middle one was never used */
    cn_ice_local *superseded = transport->local[1].ufrag[0] ? &transport->local[0] : &transport->local[1];
    if (superseded == &transport->local[0]) {
        local_forget(transport, superseded);
    } else {
        transport->local[1] = transport->local[0];
    }
    return local_new(transport, &transport->local[0]);
}

typedef struct finder {
    cn_port *port;
    cn_transport *transport; /* whom the last found ufrag belongs to */
    unsigned generation;
} finder;

static const char *find_password(void *arg, const char *ufrag, size_t len)
{
    finder *sought = arg;
    cn_key key;
    sought->transport = ufrag_key(&key, ufrag, len) ? cn_keymap_get(sought->port->by_ufrag, &key) : NULL;
    if (!sought->transport) return NULL;
    sought->generation = memcmp(sought->transport->local[0].ufrag, ufrag, len) == 0 ? 0 : 1;
    return sought->transport->local[sought->generation].pwd;
}

/* addresses */

static void path_forget(cn_path *path)
{
    if (!path->transport) return;
    cn_key key = cn_sockaddr_key(&path->at.peer, path->at.sock);
    cn_keymap_remove(path->transport->port->by_address, &key);
    if (path->at.conn) cn_tcp_conn_user_set(path->at.conn, NULL);
    path->transport = NULL;
}

/** Forgets it; a connection is of no use without. */
static void path_close(cn_path *path)
{
    cn_tcp_conn *conn = path->transport ? path->at.conn : NULL;
    path_forget(path);
    if (conn) cn_tcp_conn_close(conn);
}

void cn_transport_paths_clear(cn_transport *transport)
{
    for (size_t i = 0; i < CN_PATHS; i++) path_close(&transport->paths[i]);
}

/** The transport has no use of this path any more. */
static void path_leave(cn_path *path)
{
    cn_transport *transport = path->transport;
    if (transport->current == path) {
        transport->current = NULL;
        transport->nominated = false; /* the next check decides */
        transport->egress.stream = NULL;
        transport->egress.srtp = NULL; /* what is queued has nowhere to go */
    }
    if (transport->dtls_path == path) transport->dtls_path = NULL;
}

void cn_transport_path_lost(cn_path *path)
{
    path_leave(path);
    path_forget(path);
}

/** A free path, else the one checked longest ago; never the one that is in use. */
static cn_path *path_slot(cn_transport *transport)
{
    cn_path *oldest = NULL;
    for (size_t i = 0; i < CN_PATHS; i++) {
        cn_path *path = &transport->paths[i];
        if (!path->transport) return path;
        if (path != transport->current && path != transport->dtls_path &&
            (!oldest || path->checked_ns < oldest->checked_ns))
            oldest = path;
    }
    path_close(oldest);
    return oldest;
}

/** The path of an address from which a valid check for `transport` came; NULL when the address stays with another
 * transport. */
static cn_path *path_of(cn_transport *transport, const cn_origin *from, uint64_t now)
{
    cn_key key = cn_sockaddr_key(&from->peer, from->sock);
    cn_path *path = cn_keymap_get(transport->port->by_address, &key);
    if (path && path->transport == transport) {
        path->at.local = from->local;
        return path;
    }
    if (path) {
        cn_transport *holder = path->transport;
        if (holder->connected && holder->current == path && now - holder->last_sign_ns < ADDRESS_HELD_NS) return NULL;
        path_leave(path);
        path_forget(path);
    }
    path = path_slot(transport);
    path->at = *from;
    if (cn_keymap_set(transport->port->by_address, &key, path)) return NULL;
    path->transport = transport;
    if (from->conn) cn_tcp_conn_user_set(from->conn, path);
    return path;
}

static void checked(cn_transport *transport, cn_path *path, bool use_candidate, uint64_t now)
{
    path->checked_ns = now;
    if (transport->connected) {
        /* a check from elsewhere may be a replay: neither a sign of life nor a reason to send there */
        if (path == transport->current) transport->last_sign_ns = now;
        return;
    }
    transport->last_sign_ns = now;
    if (!transport->current || use_candidate || !transport->nominated) transport->current = path;
    if (use_candidate) transport->nominated = true;
}

void cn_transport_on_stun(cn_port *port, const cn_origin *from, const uint8_t *data, size_t len)
{
    finder sought = {.port = port};
    cn_ice_check check;
    cn_path *path = NULL;
    cn_ice_receive(port->ice, &check, data, len, &from->peer, find_password, &sought);
    if (check.verdict == CN_ICE_IGNORE) port->totals.bad_stun++;
    if (check.role_conflict) port->totals.role_conflicts++;
    if (check.verdict == CN_ICE_CHECKED) {
        uint64_t now = cn_loop_now_ns(port->loop);
        path = path_of(sought.transport, from, now);
        if (!path) {
            port->totals.bad_stun++;
            return;
        }
        if (sought.generation == 0) local_forget(sought.transport, &sought.transport->local[1]);
        if (from->conn) cn_tcp_conn_checked(from->conn);
        checked(sought.transport, path, check.use_candidate, now);
    }
    if (check.reply_n) cn_port_send_now(port, from, check.reply, check.reply_n);
    if (path) cn_transport_dtls_begin(path);
}
