/*
 * RTP that is sent with AES_CM_128_HMAC_SHA1_80 (RFC 3711 §4.1.1, §4.2.1) on contexts that keep their keys: for peers
 * that offer nothing newer. libsrtp is the oracle that this is tested against; what comes in and all SRTCP is its
 * (srtp_lib.h). Private to media/secure/srtp.c. Owner thread.
 */
#ifndef CN_MEDIA_SRTP_CM_H
#define CN_MEDIA_SRTP_CM_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/secure/srtp_parts.h"

#define CN_CM_SALT 14
#define CN_CM_TAG 10

typedef struct cn_cm cn_cm;

/** From the master key and its salt. */
cn_err cn_cm_new(cn_cm **out, const uint8_t key[CN_SRTP_KEY], const uint8_t salt[CN_CM_SALT]);

/** In place; results as for cn_srtp_protect_rtp. */
cn_err cn_cm_protect_rtp(cn_cm *cm, uint8_t *packet, size_t *len);

/** Wipes the keys. NULL allowed. */
void cn_cm_free(cn_cm *cm);

#endif
