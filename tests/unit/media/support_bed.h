/* A port on loopback and clients on its loop: what the transport's tests share. One thread, real sockets, ephemeral
 * ports. */
#ifndef CN_SUPPORT_BED_H
#define CN_SUPPORT_BED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "media/transport/port.h"
#include "media/transport/transport.h"
#include "client/client.h"

#define BED_PEERS 8
#define BED_PACKET 1500

/** One transport, its client, and what each saw. */
typedef struct bed_peer {
    struct bed *bed;
    cn_transport *t;
    rtc_client *c;
    int watched; /* descriptor on the loop, -1: none */
    unsigned connected, closed, rtp_in, rtcp_in;
    cn_transport_cause cause;
    uint8_t last_rtp[BED_PACKET];
    size_t last_rtp_n;
    uint8_t client_rtp[BED_PACKET];
    size_t client_rtp_n;
    unsigned client_rtp_in, client_rtcp_in;
    bool free_on_close;
} bed_peer;

typedef struct bed {
    cn_loop *loop;
    cn_identity *identity;
    cn_port *port;
    cn_timer *tick;
    bed_peer peers[BED_PEERS];
    bool (*until)(void *arg);
    void *until_arg;
    uint64_t deadline_ms;
} bed;

/** `limits` NULL: defaults. `address` "127.0.0.1" or "::1"; "0.0.0.0" and "::" announce those. */
void bed_new(bed *testbed, const char *address, const cn_port_limits *limits);
/** A transport and a client that know of each other. `wrong`: 0, or what is wrong: 'f' the client's fingerprint, 'p'
 * the password. */
bed_peer *bed_peer_new(bed *testbed, const char *address, const char *profiles, bool long_hello, char wrong);
/** The same over TCP. */
bed_peer *bed_peer_tcp(bed *testbed, const char *address, const char *profiles);
/** The client's socket changed. */
void bed_watch(bed_peer *peer);
/** Starts the client and waits until both sides are connected; fails the test after 5 s. */
void bed_connect(bed_peer *peer);
/** Turns the loop until `fn` says true, at most `ms`; false when it never did. */
bool bed_until(bed *testbed, bool (*fn)(void *arg), void *arg, unsigned ms);
/** Turns the loop for so long. */
void bed_turn(bed *testbed, unsigned ms);
/** Frees clients, transports, port and loop. */
void bed_free(bed *testbed);

/** A minimal RTP packet of `len` bytes; payload bytes are `fill`. */
size_t bed_rtp(uint8_t out[BED_PACKET], uint32_t ssrc, uint16_t seq, size_t len, uint8_t fill);
/** The same through the transport: buffer and send. False when there was no buffer. */
bool bed_send(bed_peer *peer, uint32_t ssrc, uint16_t seq, size_t len, uint8_t fill);

#endif
