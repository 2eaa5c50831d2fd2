/*
 * One direction of a peer's SRTP and SRTCP in a libsrtp session: replay windows, rollover and the SRTCP index are its.
 * What is not worth a fast path of its own: AES-CM that comes in, and its SRTCP. Private to media/secure/srtp.c. Owner
 * thread, but for cn_srtp_lib_start.
 */
#ifndef CN_MEDIA_SRTP_LIB_H
#define CN_MEDIA_SRTP_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/secure/srtp_types.h"

typedef struct cn_srtp_lib cn_srtp_lib;

/** Starts the library once; it takes a quarter of a second. Any thread. */
cn_err cn_srtp_lib_start(void);

/** `outward`: protects, otherwise unprotects. Copies the key. */
cn_err cn_srtp_lib_new(cn_srtp_lib **out, bool outward, cn_srtp_profile profile, const cn_srtp_master *master);

/** In place; results as for cn_srtp_protect_rtcp and its siblings. */
cn_err cn_srtp_lib_protect_rtcp(cn_srtp_lib *lib, uint8_t *bytes, size_t *len);
cn_err cn_srtp_lib_unprotect_rtcp(cn_srtp_lib *lib, uint8_t *bytes, size_t *len);
cn_err cn_srtp_lib_unprotect_rtp(cn_srtp_lib *lib, uint8_t *bytes, size_t *len);

/** Wipes the keys. NULL allowed. */
void cn_srtp_lib_free(cn_srtp_lib *lib);

#endif
