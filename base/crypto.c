#include "base/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define GCM_IV 12
#define GCM_TAG 16
#define TOKEN_MAX_BITS 512

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

struct cn_sha256_ctx {
    EVP_MD_CTX *md;
};

/* Going on without randomness or digests would be worse than stopping. */
static void die(const char *what)
{
    cn_error("base.crypto", "%s failed; stopping", what);
    abort();
}

void cn_random(void *bytes, size_t len)
{
    uint8_t *to = bytes;
    while (len) {
        ssize_t got = getrandom(to, len, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) die("getrandom");
        to += got;
        len -= (size_t)got;
    }
}

/* Wall ms and 16 bits that start at random in every ms and count up within it: one process's ids sort as they were
 * made. */
static uint64_t next_stamp(void)
{
    static _Atomic uint64_t last;
    uint16_t start;
    cn_random(&start, sizeof start);
    uint64_t now = (uint64_t)cn_wall_ms() << 16 | (start & 0x7fff), before = atomic_load(&last), next;
    do next = now > before ? now : before + 1;
    while (!atomic_compare_exchange_weak(&last, &before, next));
    return next;
}

void cn_id_new(char out[CN_ID_TEXT])
{
    uint8_t raw[16];
    uint64_t stamp = next_stamp();
    for (int i = 0; i < 8; i++) raw[i] = (uint8_t)(stamp >> (56 - 8 * i));
    cn_random(raw + 8, sizeof raw - 8);
    unsigned bits = 0, held = 2; /* 128 bits in 26 × 5: two zero bits in front */
    size_t n = 0;
    for (size_t i = 0; i < sizeof raw; i++) {
        bits = (bits << 8 | raw[i]) & 0xffff;
        for (held += 8; held >= 5; held -= 5) out[n++] = crockford[bits >> (held - 5) & 31];
    }
    out[n] = 0;
}

bool cn_id_valid(const char *text)
{
    return text && strlen(text) == CN_ID_TEXT - 1 && strspn(text, crockford) == CN_ID_TEXT - 1;
}

void cn_token_new(char *out, size_t bits)
{
    uint8_t raw[TOKEN_MAX_BITS / 8];
    if (!bits || bits % 8 || bits > TOKEN_MAX_BITS) die("a token of such a size");
    cn_random(raw, bits / 8);
    cn_b64url(raw, bits / 8, out);
    OPENSSL_cleanse(raw, sizeof raw);
}

bool cn_equal_ct(const void *left, const void *right, size_t len)
{
    return CRYPTO_memcmp(left, right, len) == 0;
}

void cn_sha256(const void *bytes, size_t len, uint8_t out[CN_SHA256_LEN])
{
    if (!EVP_Digest(bytes, len, out, NULL, EVP_sha256(), NULL)) die("SHA-256");
}

void cn_hmac_sha256(const void *key, size_t key_n, const void *bytes, size_t len, uint8_t out[CN_SHA256_LEN])
{
    unsigned length = CN_SHA256_LEN;
    if (key_n > INT_MAX || !HMAC(EVP_sha256(), key ? key : "", (int)key_n, bytes, len, out, &length))
        die("HMAC-SHA-256");
}

cn_err cn_sha256_new(cn_sha256_ctx **out)
{
    cn_sha256_ctx *ctx = calloc(1, sizeof *ctx);
    if (ctx) ctx->md = EVP_MD_CTX_new();
    if (!ctx || !ctx->md || !EVP_DigestInit_ex(ctx->md, EVP_sha256(), NULL)) {
        cn_sha256_free(ctx);
        return CN_ERR_NOMEM;
    }
    *out = ctx;
    return CN_OK;
}

void cn_sha256_add(cn_sha256_ctx *ctx, const void *bytes, size_t len)
{
    if (!EVP_DigestUpdate(ctx->md, bytes, len)) die("SHA-256");
}

void cn_sha256_final(cn_sha256_ctx *ctx, uint8_t out[CN_SHA256_LEN])
{
    if (!EVP_DigestFinal_ex(ctx->md, out, NULL)) die("SHA-256");
}

void cn_sha256_free(cn_sha256_ctx *ctx)
{
    if (!ctx) return;
    EVP_MD_CTX_free(ctx->md);
    free(ctx);
}

cn_err cn_seal(const uint8_t key[32], const void *aad, size_t aad_n, const void *plain, size_t len, uint8_t *out)
{
    if (len > INT_MAX - CN_SEAL_OVERHEAD || aad_n > INT_MAX) return CN_ERR_TOOBIG;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    if (!c) return CN_ERR_NOMEM;
    int length = 0;
    cn_random(out, GCM_IV);
    bool ok = EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, out) &&
              (!aad_n || EVP_EncryptUpdate(c, NULL, &length, aad, (int)aad_n)) &&
              (!len || EVP_EncryptUpdate(c, out + GCM_IV, &length, plain, (int)len)) &&
              EVP_EncryptFinal_ex(c, out + GCM_IV + len, &length) &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, GCM_TAG, out + GCM_IV + len);
    EVP_CIPHER_CTX_free(c);
    return ok ? CN_OK : CN_ERR_CRYPTO;
}

cn_err cn_unseal(const uint8_t key[32], const void *aad, size_t aad_n, const uint8_t *sealed, size_t len, uint8_t *out)
{
    if (len < CN_SEAL_OVERHEAD) return CN_ERR_CRYPTO;
    if (len > INT_MAX || aad_n > INT_MAX) return CN_ERR_TOOBIG;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    if (!c) return CN_ERR_NOMEM;
    size_t body = len - CN_SEAL_OVERHEAD;
    int length = 0;
    uint8_t tag[GCM_TAG], end[GCM_TAG];
    memcpy(tag, sealed + GCM_IV + body, GCM_TAG);
    bool ok = EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, sealed) &&
              (!aad_n || EVP_DecryptUpdate(c, NULL, &length, aad, (int)aad_n)) &&
              (!body || EVP_DecryptUpdate(c, out, &length, sealed + GCM_IV, (int)body)) &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, GCM_TAG, tag) && EVP_DecryptFinal_ex(c, end, &length);
    EVP_CIPHER_CTX_free(c);
    if (!ok && body) OPENSSL_cleanse(out, body); /* unauthenticated plain text must not be used */
    return ok ? CN_OK : CN_ERR_CRYPTO;
}
