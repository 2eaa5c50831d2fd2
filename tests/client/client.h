/*
 * A WebRTC client's way in and out, for tests and load: one UDP socket or TCP connection (RFC 4571 framing), STUN
 * checks (libnice), a DTLS client (OpenSSL) and SRTP (libsrtp), written apart from media/'s server side so that the two
 * cannot agree on the same mistake. Not thread-safe; one thread per client.
 */
#ifndef CN_CLIENT_H
#define CN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct rtc_client rtc_client;

typedef struct rtc_client_events {
    void (*rtp)(void *arg, rtc_client *client, const uint8_t *packet, size_t len);  /* decrypted; NULL allowed */
    void (*rtcp)(void *arg, rtc_client *client, const uint8_t *packet, size_t len); /* decrypted; NULL allowed */
    /** Every SRTP and SRTCP datagram as it came, with the kernel's time of arrival (wall clock, ns); NULL: no time
     * stamps are asked for. */
    void (*arrived)(void *arg, rtc_client *client, size_t count, int64_t wall_ns);
} rtc_client_events;

typedef struct rtc_client_counts {
    uint64_t stun_ok, stun_error, datagrams_in, rtp_in, rtp_bytes, rtp_bad, rtcp_in, rtcp_bad;
} rtc_client_counts;

/**
 * `profiles`: what use_srtp offers, in OpenSSL's form ("SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"); NULL offers
 * none. `long_hello`: the ClientHello is over 1,400 bytes and leaves in fragments, as Chromium's does. NULL when
 * anything fails.
 */
rtc_client *rtc_client_new(const char *profiles, bool long_hello, const rtc_client_events *events, void *arg);
const char *rtc_client_ufrag(const rtc_client *client);
const char *rtc_client_pwd(const rtc_client *client);
/** SHA-256 of its certificate, with colons. */
const char *rtc_client_fingerprint(const rtc_client *client);

/** Its offer says setup:passive: the server begins the DTLS handshake. */
void rtc_client_passive(rtc_client *client, bool on);
/** From the next rtc_client_target or rtc_client_move on over TCP, or over UDP again. */
void rtc_client_tcp(rtc_client *client, bool on);
/** Over TCP it reads no faster than this, with a small buffer in the kernel: a slow line. To be set before the
 * connection is made; 0: as fast as it can. */
void rtc_client_line(rtc_client *client, uint32_t bps);
/** Where the server is and what its answer said; `fingerprint` NULL: not checked. Connects the socket. */
bool rtc_client_target(rtc_client *client, const char *address, uint16_t port, const char *ufrag, const char *pwd,
                       const char *fingerprint);
/** A new local port, as after a change of network. */
bool rtc_client_move(rtc_client *client);
/** Non-blocking descriptor to poll for reading. */
int rtc_client_fd(const rtc_client *client);

/** Sends one connectivity check. `controlled`: claims the role that belongs to the server. */
bool rtc_client_check(rtc_client *client, bool use_candidate, bool controlled);
/** The bytes of the last check, to be replayed. */
size_t rtc_client_last_check(const rtc_client *client, const uint8_t **bytes);
/** Error code of the last STUN error response, 0 when there was none. */
int rtc_client_stun_error(const rtc_client *client);

/** Starts DTLS as a client, once a check was answered. rtc_client_start does both by itself as answers come in. */
void rtc_client_handshake(rtc_client *client);
void rtc_client_start(rtc_client *client);
/** Reads and handles everything that waits. */
void rtc_client_receive(rtc_client *client);
/** Retransmits what is due; call it every 10…100 ms until connected, and every second for fresh consent. */
void rtc_client_tick(rtc_client *client);
bool rtc_client_connected(const rtc_client *client);
/** The handshake failed, or the server said good-bye. */
bool rtc_client_closed(const rtc_client *client);
const char *rtc_client_profile(const rtc_client *client);

/** Protects and sends; `packet` is a whole RTP or RTCP packet, copied. */
bool rtc_client_rtp(rtc_client *client, const uint8_t *packet, size_t len);
bool rtc_client_rtcp(rtc_client *client, const uint8_t *packet, size_t len);
/** Bytes of the last protected packet, to be replayed. */
size_t rtc_client_last_sent(const rtc_client *client, const uint8_t **bytes);
/** Any bytes, as they are. */
bool rtc_client_raw(rtc_client *client, const uint8_t *bytes, size_t len);
/** Retransmits the last flight of the handshake, or sends DTLS close_notify. */
void rtc_client_bye(rtc_client *client);

const rtc_client_counts *rtc_client_counts_get(const rtc_client *client);
void rtc_client_free(rtc_client *client);

#endif
