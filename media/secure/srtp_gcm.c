#include "media/secure/srtp_gcm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/wire/prefetch.h"
#include "media/wire/rtp.h"
#include "media/secure/srtp.h"
#include "media/secure/srtp_parts.h"

#define CONTEXT_BYTES 192 /* of OpenSSL's context, as far as every packet touches it */

struct cn_gcm {
    EVP_CIPHER_CTX *ctx;
    uint8_t salt[CN_GCM_SALT];
    int64_t rtcp_next; /* index of the next SRTCP packet sent, over all SSRCs: unique for each of them */
    cn_srtp_streams streams;
};

static const struct {
    uint8_t key_label, salt_label; /* RFC 3711 §4.3.1 */
    int encrypt;
} uses[] = {
    [CN_SRTP_RTP_OUT] = {0, 2, 1},
    [CN_SRTP_RTP_IN] = {0, 2, 0},
    [CN_SRTP_RTCP_OUT] = {3, 5, 1},
    [CN_SRTP_RTCP_IN] = {3, 5, 0},
};

cn_err cn_gcm_new(cn_gcm **out, cn_srtp_use use, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT])
{
    cn_gcm *g = CN_NEW(cn_gcm);
    if (!g) return CN_ERR_NOMEM;
    memcpy(g->salt, salt, CN_GCM_SALT);
    g->ctx = EVP_CIPHER_CTX_new();
    if (cn_srtp_streams_open(&g->streams, use) != CN_OK || !g->ctx ||
        EVP_CipherInit_ex(g->ctx, EVP_aes_128_gcm(), NULL, key, NULL, uses[use].encrypt) != 1) {
        cn_gcm_free(g);
        return CN_ERR_CRYPTO;
    }
    *out = g;
    return CN_OK;
}

cn_err cn_gcm_new_master(cn_gcm **out, cn_srtp_use use, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT])
{
    uint8_t padded[14] = {0}, session_key[CN_GCM_KEY], session_salt[CN_GCM_SALT];
    memcpy(padded, salt, CN_GCM_SALT);
    cn_err err = cn_srtp_kdf(key, padded, uses[use].key_label, session_key, sizeof session_key);
    if (!err) err = cn_srtp_kdf(key, padded, uses[use].salt_label, session_salt, sizeof session_salt);
    if (!err) err = cn_gcm_new(out, use, session_key, session_salt);
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(session_key, sizeof session_key);
    OPENSSL_cleanse(session_salt, sizeof session_salt);
    return err;
}

/** RFC 7714 §8.1: two zero bytes, SSRC, 48 bits of index. §9.1, SRTCP: the same with the 31-bit index. */
static void iv_make(const cn_gcm *g, uint8_t iv[CN_GCM_SALT], uint32_t ssrc, int64_t index)
{
    iv[0] = iv[1] = 0;
    cn_put32(iv + 2, ssrc);
    iv[6] = (uint8_t)(index >> 40);
    iv[7] = (uint8_t)(index >> 32);
    cn_put32(iv + 8, (uint32_t)index);
    for (size_t i = 0; i < CN_GCM_SALT; i++) iv[i] ^= g->salt[i];
}

void cn_gcm_prefetch(const cn_gcm *g)
{
    cn_prefetch(g, sizeof *g);
}

void cn_gcm_prefetch_stream(const cn_gcm *g, uint32_t ssrc)
{
    cn_srtp_stream_prefetch(&g->streams, ssrc);
    cn_prefetch(g->ctx, CONTEXT_BYTES);
}

typedef struct span {
    const uint8_t *p;
    size_t n;
} span;

/** IV, then up to two pieces of associated data. */
static bool begin(cn_gcm *g, uint32_t ssrc, int64_t index, span a, span b)
{
    uint8_t iv[CN_GCM_SALT];
    int len = 0;
    iv_make(g, iv, ssrc, index);
    return EVP_CipherInit_ex(g->ctx, NULL, NULL, NULL, iv, -1) == 1 &&
           EVP_CipherUpdate(g->ctx, NULL, &len, a.p, (int)a.n) == 1 &&
           (!b.n || EVP_CipherUpdate(g->ctx, NULL, &len, b.p, (int)b.n) == 1);
}

/** In place; the tag goes behind the n bytes. */
static bool encrypt(cn_gcm *g, uint8_t *p, size_t n)
{
    int len = 0, end = 0;
    return EVP_CipherUpdate(g->ctx, p, &len, p, (int)n) == 1 && EVP_CipherFinal_ex(g->ctx, p + len, &end) == 1 &&
           EVP_CIPHER_CTX_ctrl(g->ctx, EVP_CTRL_AEAD_GET_TAG, CN_GCM_TAG, p + n) == 1;
}

/** In place; the tag stands behind the n bytes. */
static bool decrypt(cn_gcm *g, uint8_t *p, size_t n)
{
    int len = 0, end = 0;
    return EVP_CIPHER_CTX_ctrl(g->ctx, EVP_CTRL_AEAD_SET_TAG, CN_GCM_TAG, p + n) == 1 &&
           EVP_CipherUpdate(g->ctx, p, &len, p, (int)n) == 1 && EVP_CipherFinal_ex(g->ctx, p + len, &end) == 1;
}

cn_err cn_gcm_protect_rtp(cn_gcm *g, uint8_t *p, size_t *n)
{
    size_t header = cn_srtp_header_length(p, *n);
    if (!header || *n > UINT16_MAX) return CN_ERR_PARSE;
    uint32_t ssrc = cn_be32(p + 8);
    cn_srtp_stream *s = cn_srtp_stream_find(&g->streams, ssrc);
    if (!s) CN_TRY(cn_srtp_stream_add(&g->streams, ssrc, &s));
    int64_t index = cn_srtp_stream_index(s, (uint16_t)(p[2] << 8 | p[3]));
    if (index < 0 || index > CN_SRTP_INDEX_MAX || cn_srtp_stream_seen(s, index)) return CN_ERR_CONFLICT;
    cn_srtp_stream_mark(s, index); /* before it may fail: an index is spent once it met the key */
    if (!begin(g, ssrc, index, (span){p, header}, (span){NULL, 0}) || !encrypt(g, p + header, *n - header))
        return CN_ERR_CRYPTO;
    *n += CN_GCM_TAG;
    return CN_OK;
}

cn_err cn_gcm_unprotect_rtp(cn_gcm *g, uint8_t *p, size_t *n)
{
    if (*n < CN_SRTP_RTP_HEADER + CN_GCM_TAG || *n > UINT16_MAX) return CN_ERR_PARSE;
    size_t plain = *n - CN_GCM_TAG, header = cn_srtp_header_length(p, plain);
    if (!header) return CN_ERR_PARSE;
    uint32_t ssrc = cn_be32(p + 8);
    cn_srtp_stream *s = cn_srtp_stream_find(&g->streams, ssrc);
    if (!s && cn_srtp_streams_full(&g->streams)) return CN_ERR_FULL;
    int64_t index = cn_srtp_stream_index(s, (uint16_t)(p[2] << 8 | p[3]));
    if (index < 0 || index > CN_SRTP_INDEX_MAX || cn_srtp_stream_seen(s, index)) return CN_ERR_CONFLICT;
    if (!begin(g, ssrc, index, (span){p, header}, (span){NULL, 0}) || !decrypt(g, p + header, plain - header))
        return CN_ERR_CRYPTO;
    *n = plain;
    return cn_srtp_stream_authentic(&g->streams, s, ssrc, index);
}

cn_err cn_gcm_protect_rtcp(cn_gcm *g, uint8_t *p, size_t *n)
{
    if (*n < CN_SRTP_RTCP_HEADER || *n > UINT16_MAX) return CN_ERR_PARSE;
    if (g->rtcp_next > CN_SRTP_RTCP_INDEX_MAX) return CN_ERR_FULL;
    int64_t index = g->rtcp_next++;
    uint8_t trailer[CN_SRTP_RTCP_TRAILER];
    cn_put32(trailer, CN_SRTP_RTCP_ENCRYPTED | (uint32_t)index);
    if (!begin(g, cn_be32(p + 4), index, (span){p, CN_SRTP_RTCP_HEADER}, (span){trailer, sizeof trailer}) ||
        !encrypt(g, p + CN_SRTP_RTCP_HEADER, *n - CN_SRTP_RTCP_HEADER))
        return CN_ERR_CRYPTO;
    memcpy(p + *n + CN_GCM_TAG, trailer, sizeof trailer);
    *n += CN_GCM_TAG + sizeof trailer;
    return CN_OK;
}

cn_err cn_gcm_unprotect_rtcp(cn_gcm *g, uint8_t *p, size_t *n)
{
    if (*n < CN_SRTP_RTCP_HEADER + CN_GCM_TAG + CN_SRTP_RTCP_TRAILER || *n > UINT16_MAX || p[0] >> 6 != 2)
        return CN_ERR_PARSE;
    size_t plain = *n - CN_GCM_TAG - CN_SRTP_RTCP_TRAILER;
    const uint8_t *trailer = p + *n - CN_SRTP_RTCP_TRAILER;
    uint32_t ssrc = cn_be32(p + 4), word = cn_be32(trailer);
    if (!(word & CN_SRTP_RTCP_ENCRYPTED)) return CN_ERR_CRYPTO; /* the profile encrypts */
    int64_t index = word & CN_SRTP_RTCP_INDEX_MAX;
    cn_srtp_stream *s = cn_srtp_stream_find(&g->streams, ssrc);
    if (!s && cn_srtp_streams_full(&g->streams)) return CN_ERR_FULL;
    if (cn_srtp_stream_seen(s, index)) return CN_ERR_CONFLICT;
    if (!begin(g, ssrc, index, (span){p, CN_SRTP_RTCP_HEADER}, (span){trailer, CN_SRTP_RTCP_TRAILER}) ||
        !decrypt(g, p + CN_SRTP_RTCP_HEADER, plain - CN_SRTP_RTCP_HEADER))
        return CN_ERR_CRYPTO;
    *n = plain;
    return cn_srtp_stream_authentic(&g->streams, s, ssrc, index);
}

void cn_gcm_free(cn_gcm *g)
{
    if (!g) return;
    EVP_CIPHER_CTX_free(g->ctx); /* wipes the key schedule */
    cn_srtp_streams_close(&g->streams);
    cn_free_secret(g, sizeof *g);
}
