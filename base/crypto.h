/* Small wrappers over OpenSSL 3: random, digests, HMAC, AES-256-GCM. */
#ifndef CN_BASE_CRYPTO_H
#define CN_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_SHA256_LEN 32
#define CN_ID_TEXT 27

/** Cryptographically strong random bytes; aborts the process when the kernel gives none. */
void cn_random(void *bytes, size_t len);

/** A new identifier: 26 characters of Crockford base32: 48 bits of wall ms, 16 that count within the ms, 64 random
 * ones. The ids of one process sort as they were made; none can be guessed. */
void cn_id_new(char out[CN_ID_TEXT]);

/** True for 26 characters of the alphabet above. */
bool cn_id_valid(const char *text);

/** An unguessable token of `bits` random bits (multiple of 8, at most 512) as base64url; out needs bits / 6 + 2 bytes.
 */
void cn_token_new(char *out, size_t bits);

/** Constant-time comparison. */
bool cn_equal_ct(const void *left, const void *right, size_t len);

void cn_sha256(const void *bytes, size_t len, uint8_t out[CN_SHA256_LEN]);
void cn_hmac_sha256(const void *key, size_t key_n, const void *bytes, size_t len, uint8_t out[CN_SHA256_LEN]);

/** Incremental SHA-256. */
typedef struct cn_sha256_ctx cn_sha256_ctx;
cn_err cn_sha256_new(cn_sha256_ctx **out);
void cn_sha256_add(cn_sha256_ctx *ctx, const void *bytes, size_t len);
void cn_sha256_final(cn_sha256_ctx *ctx, uint8_t out[CN_SHA256_LEN]);
void cn_sha256_free(cn_sha256_ctx *ctx);

/**
 * AES-256-GCM. Sealed form: 12-byte random IV, ciphertext, 16-byte tag (n + 28 bytes in all).
 * `aad` binds the value to its place (table.column:row), so that values cannot be swapped between rows.
 */
#define CN_SEAL_OVERHEAD 28
cn_err cn_seal(const uint8_t key[32], const void *aad, size_t aad_n, const void *plain, size_t len, uint8_t *out);
/** Writes len - 28 bytes; CN_ERR_CRYPTO when the tag does not match. */
cn_err cn_unseal(const uint8_t key[32], const void *aad, size_t aad_n, const uint8_t *sealed, size_t len, uint8_t *out);

#endif
