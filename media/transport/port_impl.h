/* The inside of a port and its transports: shared by port*.c and transport*.c only. Owner thread. */
#ifndef CN_MEDIA_PORT_IMPL_H
#define CN_MEDIA_PORT_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "media/transport/address.h"
#include "media/transport/batch.h"
#include "media/secure/dtls.h"
#include "media/transport/ice.h"
#include "media/transport/keymap.h"
#include "media/transport/port.h"
#include "media/secure/srtp.h"
#include "media/transport/tcp.h"
#include "media/transport/transport.h"

#define CN_PATHS 8       /* checked addresses of one transport; the least recently checked one makes room */
#define CN_RECV_BATCH 64 /* datagrams per readable turn */
#define CN_RECV_SIZE 2048

#define CN_SOCK_TCP CN_PORT_ADDRESSES /* connections to the address i have the socket number CN_SOCK_TCP + i */

/** Where a datagram came from, and so where its answer goes. */
typedef struct cn_origin {
    cn_sockaddr peer;
    unsigned sock;
    cn_conn *conn;  /* NULL: UDP */
    cn_local local; /* on a socket that is bound to all addresses */
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
    cn_srtp_profile profile;
    cn_batch_queue egress;
    uint64_t last_sign_ns;
    const cn_transport_events *events;
    void *arg;

    cn_transport *prev, *next; /* of the port's list */
    cn_ice_local local[2];     /* [0] the newest; [1] the one before, until the newest is checked */
    cn_fingerprint fingerprint;

    cn_path paths[CN_PATHS];

    cn_dtls *dtls;
    cn_path *dtls_path; /* where the datagram being handled came from */
    cn_timer *dtls_timer;
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
    unsigned depth; /* of events being delivered: freed transports are reaped when it is 0 */
    bool reap;      /* there are some */
    void (*after_receive)(void *arg);
    void *after_receive_arg;

    cn_tcp *tcp;

    struct cn_receive *receive;
    cn_batch *batch;
};

/** While events may be delivered, freed transports stay in memory; the last leave reaps them. */
void cn_port_enter(cn_port *port);
void cn_port_leave(cn_port *port);
/** All that was read at once has been delivered. */
void cn_port_received(cn_port *port);

/** One datagram at once, outside the batch: STUN and DTLS. */
void cn_port_send_now(cn_port *port, const cn_origin *to, const uint8_t *data, size_t len);

/* what port.c hands to a transport; called between enter and leave */
void cn_transport_on_stun(cn_port *port, const cn_origin *from, const uint8_t *data, size_t len);
void cn_transport_on_dtls(cn_path *path, const uint8_t *data, size_t len);
void cn_transport_on_rtp(cn_path *path, uint8_t *data, size_t len);
void cn_transport_on_rtcp(cn_path *path, uint8_t *data, size_t len);
/** Closes the transport when it gave no sign of life for the port's timeout. */
void cn_transport_sweep(cn_transport *transport, uint64_t now_ns);
/** Takes the transport out of the port and frees it. */
void cn_transport_reap(cn_transport *transport);
/** Ends it and tells the user why. */
void cn_transport_close(cn_transport *transport, cn_transport_cause cause);

/** The connection of a path has gone: nothing is sent there any more. */
void cn_transport_path_lost(cn_path *path);

/* port_tcp.c */
cn_err cn_port_tcp_new(cn_port *port);
/** Listens beside every UDP socket, on the same number. */
cn_err cn_port_tcp_listen(cn_port *port);

/* transport_ice.c */
void cn_transport_paths_clear(cn_transport *transport);
void cn_transport_credentials_clear(cn_transport *transport);
cn_err cn_transport_credentials_new(cn_transport *transport);

/* transport_dtls.c */
void cn_transport_dtls_stop(cn_transport *transport);
void cn_transport_on_dtls_timer(void *transport);

#endif
