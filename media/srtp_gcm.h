/*
 * Outbound SRTP with AEAD_AES_128_GCM (RFC 7714) on one cached OpenSSL context: half the cost of libsrtp's, which every
 * forwarded packet pays. RTP only; inbound and RTCP stay with libsrtp, which is also the oracle that this is tested
 * against. Private to media/srtp.c. Owner thread.
 */
#ifndef CN_MEDIA_SRTP_GCM_H
#define CN_MEDIA_SRTP_GCM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_GCM_KEY 16
#define CN_GCM_SALT 12
#define CN_GCM_TAG 16

typedef struct cn_gcm cn_gcm;

/** RFC 3711 §4.3 with AES-128 and a key derivation rate of 0: `n` bytes of session key for a label. `salt` is 14 bytes.
 */
cn_err cn_srtp_kdf(const uint8_t key[CN_GCM_KEY], const uint8_t salt[14], uint8_t label, uint8_t *out, size_t n);

/** From session key and salt. */
cn_err cn_gcm_new(cn_gcm **out, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT]);

/** From the master key and its 12-byte salt (RFC 7714 §11). */
cn_err cn_gcm_new_master(cn_gcm **out, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT]);

/** In place, `*n` grows by CN_GCM_TAG; results as for cn_srtp_protect_rtp. */
cn_err cn_gcm_protect(cn_gcm *g, uint8_t *p, size_t *n);

/** Wipes the keys. NULL allowed. */
void cn_gcm_free(cn_gcm *g);

#endif
