/*
 * One peer's way in and out: ICE-lite (RFC 8445, RFC 6544), DTLS server (RFC 5763, RFC 6347), SRTP (RFC 3711,
 * RFC 7714) on a port's sockets, over UDP or TCP.
 *
 *   1. cn_transport_new makes the local ufrag and pwd for the answer; cn_transport_remote takes what the offer says.
 *   2. A valid STUN check makes its source address known; DTLS is answered there only. The handshake's end is
 * `connected`.
 *   3. From then on the send address moves only when authentic SRTP or SRTCP comes from another checked address.
 *      A TCP connection that ends takes its address with it; until the peer proves another one, nothing is sent.
 *   4. `closed` comes at most once: after it nothing is received or sent; the transport stays until cn_transport_free.
 *
 * Threads: the port's owner thread only; events come on it, never from within a call of the user into this transport.
 * cn_transport_free may be called from any event.
 */
#ifndef CN_MEDIA_TRANSPORT_H
#define CN_MEDIA_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/transport/figures.h"

typedef struct cn_port cn_port;
typedef struct cn_transport cn_transport;

typedef enum cn_transport_cause {
    CN_TRANSPORT_TIMEOUT,     /* no authenticated sign of life */
    CN_TRANSPORT_CLOSED,      /* DTLS close_notify or fatal alert of the peer */
    CN_TRANSPORT_FINGERPRINT, /* the peer's certificate is not the one its SDP named */
    CN_TRANSPORT_FAILED       /* handshake failed: no common cipher, no SRTP profile … */
} cn_transport_cause;

/** All members are required. Packets lie in the receive batch: writable, valid until the event returns; copy what is
 * kept. `now_ns` is the turn's monotonic time. */
typedef struct cn_transport_events {
    void (*connected)(void *arg);
    /** Decrypted RTP, header checked for size and version only. */
    void (*rtp)(void *arg, uint8_t *packet, size_t len, uint64_t now_ns);
    /** Decrypted compound RTCP, not parsed. */
    void (*rtcp)(void *arg, uint8_t *packet, size_t len, uint64_t now_ns);
    void (*closed)(void *arg, cn_transport_cause cause);
} cn_transport_events;

/** `events` must live as long as the transport. CN_ERR_FULL at the port's bound. */
cn_err cn_transport_new(cn_transport **out, cn_port *port, const cn_transport_events *events, void *arg);

/** Local credentials (the newest after a restart); valid until the next restart. */
void cn_transport_credentials(const cn_transport *transport, const char **ufrag, const char **pwd);

/**
 * What the peer's SDP says. `fingerprint_alg` "sha-256", "sha-384" or "sha-512", `fingerprint` hex pairs with colons
 * (RFC 8122). After the handshake a changed fingerprint is CN_ERR_STATE. CN_ERR_INVALID when malformed,
 * CN_ERR_UNSUPPORTED for another algorithm.
 */
cn_err cn_transport_remote(cn_transport *transport, const char *ufrag, const char *pwd, const char *fingerprint_alg,
                           const char *fingerprint);

/** Before the first check: the peer's SDP is setup:passive, so this side begins the DTLS handshake (RFC 5763 §5). */
void cn_transport_begins(cn_transport *transport);
bool cn_transport_is_client(const cn_transport *transport);

/** ICE restart (RFC 8445 §9): new local credentials; the old ones stay valid until the first check with the new ones.
 * DTLS and SRTP go on. */
cn_err cn_transport_restart(cn_transport *transport);

bool cn_transport_connected(const cn_transport *transport);

/** Whether what is sent to the peer goes over TCP now; false before the first check. */
bool cn_transport_tcp(const cn_transport *transport);

/** Monotonic ns of the last authenticated sign of life (STUN check from the peer's address, SRTP, SRTCP); time of
 * creation before the first. */
uint64_t cn_transport_last_sign_ns(const cn_transport *transport);

/**
 * Space for an RTP packet of at most len ≤ CN_TRANSPORT_PACKET bytes in the port's send batch; NULL when len is too
 * large, before `connected` or after `closed`. Valid until cn_transport_rtp_send or the next call of any transport of
 * this port; not sending it is allowed.
 */
uint8_t *cn_transport_rtp_buffer(cn_transport *transport, size_t len);

/**
 * Queues the packet in `buf` (from cn_transport_rtp_buffer), len bytes; it is protected and leaves with cn_port_flush,
 * or at once when the batch is full. A (SSRC, rollover, sequence number) that was sent before is refused and counted:
 * retransmissions use the RTX SSRC.
 */
void cn_transport_rtp_send(cn_transport *transport, uint8_t *buf, size_t len);

/** The same for compound RTCP; `packet` is copied. Silently nothing before `connected` or after `closed`. */
void cn_transport_rtcp_send(cn_transport *transport, const uint8_t *packet, size_t len);

/** Brings nearer what the next packet will touch. */
void cn_transport_prefetch(const cn_transport *transport);
/**
 * What waits for a peer on TCP, who may read more slowly than we send. cn_transport_rate: the rate that is expected to
 * fit. cn_transport_full: whether what waits takes longer than `ms` at the rate at which it leaves: then no further
 * frame of a picture should be begun. On UDP nothing waits.
 */
void cn_transport_rate(cn_transport *transport, uint32_t bps);
bool cn_transport_streams(const cn_transport *transport);
bool cn_transport_full(const cn_transport *transport, unsigned ms);

/** Sends what is queued, then close_notify when connected. No event follows. NULL allowed. */
void cn_transport_free(cn_transport *transport);

#endif
