/*
 * SRTP and SRTCP with AEAD_AES_128_GCM (RFC 7714) on cached OpenSSL contexts: a fraction of the cost of libsrtp's,
 * which every forwarded packet and every report would pay. libsrtp is the oracle that this is tested against. Private
 * to media/srtp.c. Owner thread.
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

/** One direction of RTP or of RTCP: they have keys of their own. */
typedef enum cn_gcm_use { CN_GCM_RTP_OUT, CN_GCM_RTP_IN, CN_GCM_RTCP_OUT, CN_GCM_RTCP_IN } cn_gcm_use;

/** From session key and salt. */
cn_err cn_gcm_new(cn_gcm **out, cn_gcm_use use, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT]);

/** From the master key and its 12-byte salt (RFC 7714 §11). */
cn_err cn_gcm_new_master(cn_gcm **out, cn_gcm_use use, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT]);

/** In place, each for the use that it is named after; results as for cn_srtp_protect_rtp and its siblings. */
cn_err cn_gcm_protect_rtp(cn_gcm *g, uint8_t *p, size_t *n);
cn_err cn_gcm_unprotect_rtp(cn_gcm *g, uint8_t *p, size_t *n);
cn_err cn_gcm_protect_rtcp(cn_gcm *g, uint8_t *p, size_t *n);
cn_err cn_gcm_unprotect_rtcp(cn_gcm *g, uint8_t *p, size_t *n);

/** Wipes the keys. NULL allowed. */
void cn_gcm_free(cn_gcm *g);

#endif
