/*
 * AES-128-GCM (NIST SP 800-38D) for packets: one call each, on a key that stays, from one place to another or in place.
 * By Intel's multi-buffer library where the processor has what that needs, otherwise by OpenSSL, whose general
 * interface costs a short packet more than the cipher itself. Private to media/secure/srtp*.c. Owner thread.
 */
#ifndef CN_MEDIA_SRTP_AEAD_H
#define CN_MEDIA_SRTP_AEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_AEAD_KEY 16
#define CN_AEAD_IV 12
#define CN_AEAD_TAG 16

typedef struct cn_aead cn_aead;

typedef enum cn_aead_by {
    CN_AEAD_OPENSSL, /* every processor */
    CN_AEAD_VECTOR   /* x86-64 with AES, carry-less multiplication and AVX */
} cn_aead_by;

/** The fastest that this processor can do. */
cn_aead_by cn_aead_best(void);

/** For one direction: `seals`, or opens. CN_ERR_UNSUPPORTED: not on this processor. */
cn_err cn_aead_new(cn_aead **out, cn_aead_by by, bool seals, const uint8_t key[CN_AEAD_KEY]);

/** Brings nearer what the next packet will touch. */
void cn_aead_prefetch(const cn_aead *aead);

/** `length` bytes from `in` to `out`, which may be the same, and CN_AEAD_TAG bytes behind them. False: not done. */
bool cn_aead_seal(cn_aead *aead, const uint8_t iv[CN_AEAD_IV], const uint8_t *head, size_t head_n, uint8_t *out,
                  const uint8_t *in, size_t length);

/** In place; the tag stands behind the `length` bytes. False: not authentic, the `length` bytes are destroyed. */
bool cn_aead_open(cn_aead *aead, const uint8_t iv[CN_AEAD_IV], const uint8_t *head, size_t head_n, uint8_t *bytes,
                  size_t length);

/** Wipes the key. NULL allowed. */
void cn_aead_free(cn_aead *aead);

#endif
