/* The inside of a port and its transports: shared by port*.c and transport*.c only. Structs alone. Owner thread. */
#ifndef CN_MEDIA_PORT_STATE_H
#define CN_MEDIA_PORT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/secure/dtls.h"
#include "media/secure/srtp.h"
#include "media/transport/address.h"
#include "media/transport/batch.h"
#include "media/transport/ice.h"
#include "media/transport/keymap.h"
#include "media/transport/port.h"
#include "media/transport/tcp.h"

#define CN_PATHS 8 /* checked addresses of one transport; the least recently checked one makes room */

#define CN_SOCK_TCP CN_PORT_ADDRESSES /* connections to the address i have the socket number CN_SOCK_TCP + i */

typedef struct cn_transport cn_transport;

/** Where a datagram came from, and so where its answer goes. */
typedef struct cn_origin {
    cn_sockaddr peer;
    unsigned sock;
    cn_tcp_conn *conn; /* NULL: UDP */
    cn_local local;    /* on a socket that is bound to all addresses */
} cn_origin;

/** An address of the peer from which a valid STUN check came, on one of our sockets. */
typedef struct cn_path {
    cn_transport *transport; /* NULL: free */
    cn_origin at;
    uint64_t checked_ns;
} cn_path;

/** One generation of local ICE credentials. */
typedef struct cn_ice_local {
    char ufrag[CN_ICE_UFRAG + 1]; /* "": none */
    char pwd[CN_ICE_PWD + 1];
} cn_ice_local;

struct cn_transport {
    /* what every packet touches stands first, in few cache lines */
    cn_port *port;
    cn_path *current; /* where we send; NULL before the first check */
    cn_srtp *srtp;
    bool connected, closed, freed;
    bool nominated; /* `current` was nominated by the peer */
    cn_batch_queue egress;
    uint64_t last_sign_ns;
    const struct cn_transport_events *events;
    void *arg;

    cn_transport *prev, *next; /* of the port's list */
    cn_ice_local local[2];     /* [0] the newest; [1] the one before, until the newest is checked */
    cn_fingerprint fingerprint;

    cn_path paths[CN_PATHS];

    cn_dtls *dtls;
    cn_path *dtls_path; /* where the datagram being handled came from */
    cn_timer *dtls_timer;
    bool dtls_client; /* we begin, once a check has shown where the peer is */
    unsigned dtls_restarts;
    uint64_t dtls_window_ns; /* start of the second in which `dtls_count` datagrams came */
    unsigned dtls_count;
};

typedef struct cn_port_socket {
    int fd;
    unsigned index;
    cn_port *port;
    cn_sockaddr bound, announced;
    bool wildcard; /* bound to all addresses: each datagram tells which one was hit */
} cn_port_socket;

struct cn_port {
    cn_loop *loop;
    const cn_identity *identity;
    cn_port_limits limits;
    cn_port_socket sockets[CN_PORT_ADDRESSES];
    size_t sockets_n;
    cn_port_totals totals;
    cn_delay delay;

    cn_transport *transports;
    size_t transports_n, handshakes;
    cn_keymap *by_address; /* cn_path */
    cn_keymap *by_ufrag;   /* cn_transport */
    cn_ice *ice;
    cn_timer *sweep;
    unsigned depth;                        /* of events being delivered: freed transports are reaped when it is 0 */
    void (*reap)(cn_transport *transport); /* takes one out of the port and frees it */
    bool reaps;                            /* some are freed and wait for it */
    void (*after_receive)(void *arg);
    void *after_receive_arg;

    cn_tcp *tcp;

    struct cn_receive *receive;
    cn_batch *batch;
};

#endif
