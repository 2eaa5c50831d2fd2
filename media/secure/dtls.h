/*
 * The DTLS 1.2 side towards one peer (RFC 6347, RFC 5763, RFC 5764), server or client: datagrams in and out through memory, keys for
 * SRTP at the end. Does not know sockets or timers. Owner thread.
 */
#ifndef CN_MEDIA_DTLS_H
#define CN_MEDIA_DTLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/secure/srtp.h"

#define CN_DTLS_MTU 1200 /* bytes of the largest datagram that a handshake sends */
#define CN_DIGEST_MAX 64

typedef struct cn_dtls cn_dtls;
typedef struct cn_identity cn_identity;

typedef enum cn_dtls_state {
    CN_DTLS_HANDSHAKE,
    CN_DTLS_OPEN,
    CN_DTLS_CLOSED,      /* close_notify or a fatal alert of the peer */
    CN_DTLS_FINGERPRINT, /* the certificate is not the expected one */
    CN_DTLS_FAILED
} cn_dtls_state;

/** The certificate's digest that the peer's SDP names. */
typedef struct cn_fingerprint {
    const char *digest; /* OpenSSL's name; NULL: none known */
    size_t n;
    uint8_t bytes[CN_DIGEST_MAX];
} cn_fingerprint;

/** RFC 8122: "sha-256", "sha-384" or "sha-512" in any case (CN_ERR_UNSUPPORTED otherwise) and hex pairs with colons
 * (CN_ERR_INVALID). */
cn_err cn_fingerprint_parse(cn_fingerprint *out, const char *alg, const char *text);
/** Constant time. */
bool cn_fingerprint_equal(const cn_fingerprint *left, const cn_fingerprint *right);

/** One datagram to the peer. */
typedef void (*cn_dtls_send_fn)(void *arg, const uint8_t *bytes, size_t len);

/** Sets what all sessions of a context share: how peers' certificates are judged. Called once by cn_identity_new. */
void cn_dtls_context_prepare(SSL_CTX *ctx);

/** `expected` is copied. `client`: for a peer whose SDP is setup:passive; cn_dtls_begin sends the first flight. */
cn_err cn_dtls_new(cn_dtls **out, const cn_identity *id, const cn_fingerprint *expected, bool client,
                   cn_dtls_send_fn send, void *arg);
/** Sends a client's ClientHello. */
cn_dtls_state cn_dtls_begin(cn_dtls *dtls);

/** Whether a datagram consists of whole DTLS records (RFC 6347 §4.1). */
bool cn_dtls_well_formed(const uint8_t *bytes, size_t length);
/** Whether it begins with (a fragment of) a ClientHello: the only thing that may start a session. */
bool cn_dtls_is_client_hello(const uint8_t *bytes, size_t len);

/** Takes one datagram; answers leave through `send` within the call. */
cn_dtls_state cn_dtls_receive(cn_dtls *dtls, const uint8_t *bytes, size_t len);

/** True once a ServerHello was sent, never of a client: what fails before that was not necessarily the peer's doing. */
bool cn_dtls_answered(const cn_dtls *dtls);

/** Milliseconds until cn_dtls_tick is due, rounded up; false when no retransmission is pending. */
bool cn_dtls_timeout(cn_dtls *dtls, uint64_t *ms);
/** Retransmits what is due. */
cn_dtls_state cn_dtls_tick(cn_dtls *dtls);

/** SRTP keys (RFC 5764 §4.2) in the OPEN state; the caller wipes them. CN_ERR_UNSUPPORTED when no profile was
 * negotiated. */
cn_err cn_dtls_keys(cn_dtls *dtls, cn_srtp_keys *out);

/** Sends close_notify when open. */
void cn_dtls_close(cn_dtls *dtls);

/** NULL allowed. */
void cn_dtls_free(cn_dtls *dtls);

#endif
