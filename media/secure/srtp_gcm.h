/*
 * RTP and RTCP with AEAD_AES_128_GCM (RFC 7714) on keys that stay (srtp_aead.h): a fraction of the cost of libsrtp's,
 * which every packet would pay. libsrtp is the oracle that this is tested against. Private to media/secure/srtp.c.
 * Owner thread.
 */
#ifndef CN_MEDIA_SRTP_GCM_H
#define CN_MEDIA_SRTP_GCM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/secure/srtp_parts.h"

#define CN_GCM_KEY 16
#define CN_GCM_SALT 12
#define CN_GCM_TAG 16

typedef struct cn_gcm cn_gcm;

/** From session key and salt. */
cn_err cn_gcm_new(cn_gcm **out, cn_srtp_way way, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT]);

typedef enum cn_gcm_use { CN_GCM_RTP, CN_GCM_RTCP } cn_gcm_use;

/** From the master key and its 12-byte salt (RFC 7714 §11); RTP and RTCP have session keys and SSRCs of their own. */
cn_err cn_gcm_new_master(cn_gcm **out, cn_srtp_way way, cn_gcm_use use, const uint8_t key[CN_GCM_KEY],
                         const uint8_t salt[CN_GCM_SALT]);

/** Brings nearer what protecting the next packet touches. */
void cn_gcm_prefetch(const cn_gcm *gcm);
void cn_gcm_prefetch_stream(const cn_gcm *gcm, uint32_t ssrc);
/** In place, each for the way and the use that it is named after; results as for cn_srtp_protect_rtp and its siblings.
 * RTCP: each SSRC counts its packets from 1, as libsrtp does; one that is not encrypted is CN_ERR_CRYPTO. */
cn_err cn_gcm_protect_rtp(cn_gcm *gcm, uint8_t *bytes, size_t *len);
cn_err cn_gcm_unprotect_rtp(cn_gcm *gcm, uint8_t *bytes, size_t *len);
cn_err cn_gcm_protect_rtcp(cn_gcm *gcm, uint8_t *bytes, size_t *len);
cn_err cn_gcm_unprotect_rtcp(cn_gcm *gcm, uint8_t *bytes, size_t *len);

/** Wipes the keys. NULL allowed. */
void cn_gcm_free(cn_gcm *gcm);

#endif
