/*
 * A WebRTC client's way in and out, for tests and load: one UDP socket or TCP connection (RFC 4571 framing), STUN
 * checks (libnice), a DTLS client (OpenSSL) and SRTP (libsrtp), written apart from media/'s server side so that the two
 * cannot agree on the same mistake. Not thread-safe; one thread per client.
 */
#ifndef CN_SUPPORT_CLIENT_H
#define CN_SUPPORT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/rate/twcc.h"

typedef struct cn_client cn_client;

typedef struct cn_client_events {
    void (*rtp)(void *arg, cn_client *client, const uint8_t *packet, size_t len);  /* decrypted; NULL allowed */
    void (*rtcp)(void *arg, cn_client *client, const uint8_t *packet, size_t len); /* decrypted; NULL allowed */
    /** Every SRTP and SRTCP datagram as it came, with the kernel's time of arrival (wall clock, ns); NULL: no time
     * stamps are asked for. */
    void (*arrived)(void *arg, cn_client *client, size_t count, int64_t wall_ns);
} cn_client_events;

typedef struct cn_client_counts {
    uint64_t stun_ok, stun_error, datagrams_in, rtp_in, rtp_bytes, rtp_bad, rtcp_in, rtcp_bad;
} cn_client_counts;

/**
 * `profiles`: what use_srtp offers, in OpenSSL's form ("SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"); NULL offers
 * none. `long_hello`: the ClientHello is over 1,400 bytes and leaves in fragments, as Chromium's does. NULL when
 * anything fails.
 */
cn_client *cn_client_new(const char *profiles, bool long_hello, const cn_client_events *events, void *arg);
const char *cn_client_ufrag(const cn_client *client);
const char *cn_client_pwd(const cn_client *client);
/** SHA-256 of its certificate, with colons. */
const char *cn_client_fingerprint(const cn_client *client);

/** From the next cn_client_target or cn_client_move on over TCP, or over UDP again. */
void cn_client_tcp(cn_client *client, bool on);
/** Over TCP it reads no faster than this, with a small buffer in the kernel: a slow line. To be set before the
 * connection is made; 0: as fast as it can. */
void cn_client_line(cn_client *client, uint32_t bps);
/** Where the server is and what its answer said; `fingerprint` NULL: not checked. Connects the socket. */
bool cn_client_target(cn_client *client, const char *address, uint16_t port, const char *ufrag, const char *pwd,
                      const char *fingerprint);
/** A new local port, as after a change of network. */
bool cn_client_move(cn_client *client);
/** Non-blocking descriptor to poll for reading. */
int cn_client_fd(const cn_client *client);

/** Sends one connectivity check. `controlled`: claims the role that belongs to the server. */
bool cn_client_check(cn_client *client, bool use_candidate, bool controlled);
/** The bytes of the last check, to be replayed. */
size_t cn_client_last_check(const cn_client *client, const uint8_t **bytes);
/** Error code of the last STUN error response, 0 when there was none. */
int cn_client_stun_error(const cn_client *client);

/** Starts DTLS as a client, once a check was answered. cn_client_start does both by itself as answers come in. */
void cn_client_handshake(cn_client *client);
void cn_client_start(cn_client *client);
/** Reads and handles everything that waits. */
void cn_client_receive(cn_client *client);
/** Retransmits what is due; call it every 10…100 ms until connected, and every second for fresh consent. */
void cn_client_tick(cn_client *client);
bool cn_client_connected(const cn_client *client);
/** The handshake failed, or the server said good-bye. */
bool cn_client_closed(const cn_client *client);
const char *cn_client_profile(const cn_client *client);

/** Protects and sends; `packet` is a whole RTP or RTCP packet, copied. */
bool cn_client_rtp(cn_client *client, const uint8_t *packet, size_t len);
bool cn_client_rtcp(cn_client *client, const uint8_t *packet, size_t len);
/** Reports by transport-wide feedback what came since the last report. */
void cn_client_feedback(cn_client *client, cn_twcc_in *came, uint64_t now_ns);
/** Bytes of the last protected packet, to be replayed. */
size_t cn_client_last_sent(const cn_client *client, const uint8_t **bytes);
/** Any bytes, as they are. */
bool cn_client_raw(cn_client *client, const uint8_t *bytes, size_t len);
/** Retransmits the last flight of the handshake, or sends DTLS close_notify. */
void cn_client_bye(cn_client *client);

const cn_client_counts *cn_client_counts_get(const cn_client *client);
void cn_client_free(cn_client *client);

#endif
