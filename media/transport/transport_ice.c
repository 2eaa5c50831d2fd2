/* The ICE side of a transport: its credentials, and the addresses from which valid checks came. */
#include <openssl/crypto.h>
#include <string.h>

#include "media/transport/port_impl.h"

/** A peer's address that belongs to a transport with so recent a sign of life is not given to another one, whose checks
 * may carry a forged source. */
#define ADDRESS_HELD_NS 5000000000ull

/* credentials */

static bool ufrag_key(cn_key *out, const char *ufrag, size_t n)
{
    if (n != CN_ICE_UFRAG) return false;
    *out = (cn_key){{0, 0, 0}};
    memcpy(out->w, ufrag, n);
    return true;
}

static void local_forget(cn_transport *t, cn_ice_local *local)
{
    cn_key key;
    if (ufrag_key(&key, local->ufrag, strlen(local->ufrag))) cn_keymap_remove(t->port->by_ufrag, &key);
    OPENSSL_cleanse(local, sizeof *local);
}

static cn_err local_new(cn_transport *t, cn_ice_local *out)
{
    cn_key key;
    do {
        cn_ice_text_new(out->ufrag, CN_ICE_UFRAG);
        (void)ufrag_key(&key, out->ufrag, CN_ICE_UFRAG);
    } while (cn_keymap_get(t->port->by_ufrag, &key));
    cn_ice_text_new(out->pwd, CN_ICE_PWD);
    return cn_keymap_set(t->port->by_ufrag, &key, t);
}

cn_err cn_transport_credentials_new(cn_transport *t)
{
    return local_new(t, &t->local[0]);
}

void cn_transport_credentials_clear(cn_transport *t)
{
    local_forget(t, &t->local[0]);
    local_forget(t, &t->local[1]);
}

cn_err cn_transport_restart(cn_transport *t)
{
    if (t->closed) return CN_ERR_STATE;
    /* restarted twice without a check in between: the peer still uses the oldest, the middle one was never used */
    cn_ice_local *superseded = t->local[1].ufrag[0] ? &t->local[0] : &t->local[1];
    if (superseded == &t->local[0]) {
        local_forget(t, superseded);
    } else {
        t->local[1] = t->local[0];
    }
    return local_new(t, &t->local[0]);
}

typedef struct finder {
    cn_port *port;
    cn_transport *transport; /* whom the last found ufrag belongs to */
    unsigned generation;
} finder;

static const char *find_password(void *arg, const char *ufrag, size_t n)
{
    finder *f = arg;
    cn_key key;
    f->transport = ufrag_key(&key, ufrag, n) ? cn_keymap_get(f->port->by_ufrag, &key) : NULL;
    if (!f->transport) return NULL;
    f->generation = memcmp(f->transport->local[0].ufrag, ufrag, n) == 0 ? 0 : 1;
    return f->transport->local[f->generation].pwd;
}

/* addresses */

static void path_forget(cn_path *path)
{
    if (!path->transport) return;
    cn_key key = cn_sockaddr_key(&path->at.peer, path->at.sock);
    cn_keymap_remove(path->transport->port->by_address, &key);
    if (path->at.conn) cn_conn_user_set(path->at.conn, NULL);
    path->transport = NULL;
}

/** Forgets it; a connection is of no use without. */
static void path_close(cn_path *path)
{
    cn_conn *conn = path->transport ? path->at.conn : NULL;
    path_forget(path);
    if (conn) cn_conn_close(conn);
}

void cn_transport_paths_clear(cn_transport *t)
{
    for (size_t i = 0; i < CN_PATHS; i++) path_close(&t->paths[i]);
}

/** The transport has no use of this path any more. */
static void path_leave(cn_path *path)
{
    cn_transport *t = path->transport;
    if (t->current == path) {
        t->current = NULL;
        t->nominated = false; /* the next check decides */
        t->egress.stream = NULL;
        t->egress.srtp = NULL; /* what is queued has nowhere to go */
    }
    if (t->dtls_path == path) t->dtls_path = NULL;
}

void cn_transport_path_lost(cn_path *path)
{
    path_leave(path);
    path_forget(path);
}

/** A free path, else the one checked longest ago; never the one that is in use. */
static cn_path *path_slot(cn_transport *t)
{
    cn_path *oldest = NULL;
    for (size_t i = 0; i < CN_PATHS; i++) {
        cn_path *path = &t->paths[i];
        if (!path->transport) return path;
        if (path != t->current && path != t->dtls_path && (!oldest || path->checked_ns < oldest->checked_ns))
            oldest = path;
    }
    path_close(oldest);
    return oldest;
}

/** The path of an address from which a valid check for `t` came; NULL when the address stays with another transport. */
static cn_path *path_of(cn_transport *t, const cn_origin *from, uint64_t now)
{
    cn_key key = cn_sockaddr_key(&from->peer, from->sock);
    cn_path *path = cn_keymap_get(t->port->by_address, &key);
    if (path && path->transport == t) {
        path->at.local = from->local;
        return path;
    }
    if (path) {
        cn_transport *holder = path->transport;
        if (holder->connected && holder->current == path && now - holder->last_sign_ns < ADDRESS_HELD_NS) return NULL;
        path_leave(path);
        path_forget(path);
    }
    path = path_slot(t);
    path->at = *from;
    if (cn_keymap_set(t->port->by_address, &key, path)) return NULL;
    path->transport = t;
    if (from->conn) cn_conn_user_set(from->conn, path);
    return path;
}

static void checked(cn_transport *t, cn_path *path, bool use_candidate, uint64_t now)
{
    path->checked_ns = now;
    if (t->connected) {
        /* a check from elsewhere may be a replay: neither a sign of life nor a reason to send there */
        if (path == t->current) t->last_sign_ns = now;
        return;
    }
    t->last_sign_ns = now;
    if (!t->current || use_candidate || !t->nominated) t->current = path;
    if (use_candidate) t->nominated = true;
}

void cn_transport_on_stun(cn_port *p, const cn_origin *from, const uint8_t *data, size_t n)
{
    finder f = {.port = p};
    cn_ice_check check;
    cn_ice_receive(p->ice, &check, data, n, &from->peer, find_password, &f);
    if (check.verdict == CN_ICE_IGNORE) p->totals.bad_stun++;
    if (check.role_conflict) p->totals.role_conflicts++;
    if (check.verdict == CN_ICE_CHECKED) {
        uint64_t now = cn_loop_now_ns(p->loop);
        cn_path *path = path_of(f.transport, from, now);
        if (!path) {
            p->totals.bad_stun++;
            return;
        }
        if (f.generation == 0) local_forget(f.transport, &f.transport->local[1]);
        if (from->conn) cn_conn_checked(from->conn);
        checked(f.transport, path, check.use_candidate, now);
    }
    if (check.reply_n) cn_port_send_now(p, from, check.reply, check.reply_n);
}
