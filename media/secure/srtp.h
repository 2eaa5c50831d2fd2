/*
 * SRTP and SRTCP of one peer (RFC 3711, RFC 7714): keys in, packets protected and unprotected in place. AES-GCM, which
 * every browser takes, has a fast path of its own (srtp_gcm.h), as has what leaves with AES-CM (srtp_cm.h); AES-CM that
 * comes in, and its SRTCP, goes through libsrtp (srtp_lib.h). Owner thread.
 */
#ifndef CN_MEDIA_SRTP_H
#define CN_MEDIA_SRTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/secure/srtp_types.h"

#define CN_SRTP_TAIL 24 /* bytes that protection may append: tag, and RTCP's index */

typedef struct cn_srtp_keys {
    cn_srtp_profile profile;
    cn_srtp_master in, out;
} cn_srtp_keys;

typedef struct cn_srtp cn_srtp;

/** Once in a process, before time counts: libsrtp takes a quarter of a second to begin. cn_srtp_new does it otherwise.
 * Any thread. */
cn_err cn_srtp_start(void);

/** Copies the keys; the caller wipes its own. CN_ERR_UNSUPPORTED for a profile outside the list. */
cn_err cn_srtp_new(cn_srtp **out, const cn_srtp_keys *keys);

/** Three steps that bring nearer what cn_srtp_protect_rtp will touch, each after the one before had its time. */
void cn_srtp_prefetch(const cn_srtp *srtp);
void cn_srtp_prefetch_context(const cn_srtp *srtp);
void cn_srtp_prefetch_stream(const cn_srtp *srtp, uint32_t ssrc);

/** Bytes that protection appends to RTP; RTCP gets four more. */
size_t cn_srtp_tag(const cn_srtp *srtp);

/**
 * In place; `*len` grows by cn_srtp_tag, the buffer has CN_SRTP_TAIL bytes to spare. Every (SSRC, rollover, sequence
 * number) is protected at most once: CN_ERR_CONFLICT for one that was (or may have been, over 1,024 behind), the packet
 * untouched. CN_ERR_PARSE, CN_ERR_FULL (too many SSRCs).
 */
cn_err cn_srtp_protect_rtp(cn_srtp *srtp, uint8_t *bytes, size_t *len);
cn_err cn_srtp_protect_rtcp(cn_srtp *srtp, uint8_t *bytes, size_t *len);

/** In place; `*len` shrinks. CN_ERR_CRYPTO: not authentic; CN_ERR_CONFLICT: authentic or not, its index was seen
 * before; CN_ERR_PARSE, CN_ERR_FULL. */
cn_err cn_srtp_unprotect_rtp(cn_srtp *srtp, uint8_t *bytes, size_t *len);
cn_err cn_srtp_unprotect_rtcp(cn_srtp *srtp, uint8_t *bytes, size_t *len);

/** Wipes the keys. NULL allowed. */
void cn_srtp_free(cn_srtp *srtp);

#endif
