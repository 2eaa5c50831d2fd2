#include "media/srtp_gcm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/srtp.h"

#define RTP_HEADER 12
#define EXTENSION_HEADER 4
#define WINDOW 1024 /* packets behind the newest that may still come */
#define WORD 64
#define INDEX_MAX ((1ll << 48) - 1)
#define RTCP_HEADER 8
#define RTCP_TRAILER 4             /* E flag and SRTCP index, behind the tag */
#define RTCP_ENCRYPTED 0x80000000u /* the E flag */
#define RTCP_INDEX_MAX 0x7fffffff
#define STREAMS_FIRST 8

/** What was sent or received with one SSRC. */
typedef struct stream {
    uint32_t ssrc;
    bool used;
    int64_t
        newest; /* packet index (RFC 3711 §3.3.1), rollover counter and sequence number; the SRTCP index; -1: none */
    uint64_t seen[WINDOW / WORD]; /* bit i % WINDOW: index i was there, for the WINDOW newest */
} stream;

struct cn_gcm {
    EVP_CIPHER_CTX *ctx;
    uint8_t salt[CN_GCM_SALT];
    int64_t rtcp_next; /* index of the next SRTCP packet sent, over all SSRCs: unique for each of them */
    size_t max;        /* SSRCs */
    stream *streams;   /* open addressing, at most half full */
    size_t mask, count;
};

cn_err cn_srtp_kdf(const uint8_t key[CN_GCM_KEY], const uint8_t salt[14], uint8_t label, uint8_t *out, size_t n)
{
    uint8_t iv[16] = {0};
    memcpy(iv, salt, 14);
    iv[7] ^= label; /* key id = label, shifted so that its last bits meet the salt's; the counter's two bytes are 0 */
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    memset(out, 0, n);
    bool ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, key, iv) == 1 &&
              EVP_EncryptUpdate(ctx, out, &len, out, (int)n) == 1 && len == (int)n;
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(iv, sizeof iv);
    return ok ? CN_OK : CN_ERR_CRYPTO;
}

static const struct {
    uint8_t key_label, salt_label; /* RFC 3711 §4.3.1 */
    int encrypt;
    size_t ssrcs;
} uses[] = {
    [CN_GCM_RTP_OUT] = {0, 2, 1, CN_SRTP_SSRCS_OUT},
    [CN_GCM_RTP_IN] = {0, 2, 0, CN_SRTP_SSRCS_IN},
    [CN_GCM_RTCP_OUT] = {3, 5, 1, CN_SRTP_SSRCS_OUT},
    [CN_GCM_RTCP_IN] = {3, 5, 0, CN_SRTP_SSRCS_IN},
};

cn_err cn_gcm_new(cn_gcm **out, cn_gcm_use use, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT])
{
    cn_gcm *g = CN_NEW(cn_gcm);
    if (!g) return CN_ERR_NOMEM;
    memcpy(g->salt, salt, CN_GCM_SALT);
    g->max = uses[use].ssrcs;
    g->mask = STREAMS_FIRST - 1;
    g->streams = cn_calloc(STREAMS_FIRST, sizeof *g->streams);
    g->ctx = EVP_CIPHER_CTX_new();
    if (!g->streams || !g->ctx ||
        EVP_CipherInit_ex(g->ctx, EVP_aes_128_gcm(), NULL, key, NULL, uses[use].encrypt) != 1) {
        cn_gcm_free(g);
        return CN_ERR_CRYPTO;
    }
    *out = g;
    return CN_OK;
}

cn_err cn_gcm_new_master(cn_gcm **out, cn_gcm_use use, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT])
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

static stream *slot_of(stream *streams, size_t mask, uint32_t ssrc)
{
    size_t i = (ssrc * 2654435761u >> 8) & mask;
    while (streams[i].used && streams[i].ssrc != ssrc) i = (i + 1) & mask;
    return &streams[i];
}

static cn_err grow(cn_gcm *g)
{
    size_t n = 2 * (g->mask + 1);
    stream *bigger = cn_calloc(n, sizeof *bigger);
    if (!bigger) return CN_ERR_NOMEM;
    for (size_t i = 0; i <= g->mask; i++) {
        if (g->streams[i].used) *slot_of(bigger, n - 1, g->streams[i].ssrc) = g->streams[i];
    }
    free(g->streams);
    g->streams = bigger;
    g->mask = n - 1;
    return CN_OK;
}

/** The SSRC's stream, NULL when there is none yet. */
static stream *stream_find(const cn_gcm *g, uint32_t ssrc)
{
    stream *s = slot_of(g->streams, g->mask, ssrc);
    return s->used ? s : NULL;
}

/** A stream for an SSRC that has none. */
static cn_err stream_add(cn_gcm *g, uint32_t ssrc, stream **out)
{
    if (g->count == g->max) return CN_ERR_FULL;
    if (2 * (g->count + 1) > g->mask + 1) CN_TRY(grow(g));
    g->count++;
    *out = slot_of(g->streams, g->mask, ssrc);
    **out = (stream){.ssrc = ssrc, .used = true, .newest = -1};
    return CN_OK;
}

/** The packet index nearest to the newest one (RFC 3711 §3.3.1); negative or past the end when there is none. */
static int64_t index_of(const stream *s, uint16_t seq)
{
    if (!s || s->newest < 0) return seq;
    return s->newest + (int16_t)(uint16_t)(seq - (uint16_t)s->newest);
}

static uint64_t *word_of(stream *s, int64_t index)
{
    return &s->seen[(size_t)(index % WINDOW) / WORD];
}

static uint64_t bit_of(int64_t index)
{
    return 1ull << (index % WORD);
}

static bool was_seen(stream *s, int64_t index)
{
    if (!s || index > s->newest) return false;
    return s->newest - index >= WINDOW || (*word_of(s, index) & bit_of(index));
}

static void mark_seen(stream *s, int64_t index)
{
    if (s->newest < 0 || index - s->newest >= WINDOW) {
        memset(s->seen, 0, sizeof s->seen);
    } else {
        for (int64_t i = s->newest + 1; i < index; i++) *word_of(s, i) &= ~bit_of(i);
    }
    *word_of(s, index) |= bit_of(index);
    if (index > s->newest) s->newest = index;
}

/** Bytes of the RTP header with CSRCs and extension (RFC 3550 §5.1, §5.3.1); 0 when it is not one. */
static size_t header_length(const uint8_t *p, size_t n)
{
    if (n < RTP_HEADER || p[0] >> 6 != 2) return 0;
    size_t len = RTP_HEADER + 4u * (p[0] & 15u);
    if (p[0] & 0x10) {
        if (len + EXTENSION_HEADER > n) return 0;
        len += EXTENSION_HEADER + 4u * ((size_t)p[len + 2] << 8 | p[len + 3]);
    }
    return len <= n ? len : 0;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/** RFC 7714 §8.1: two zero bytes, SSRC, 48 bits of index. §9.1, SRTCP: the same with the 31-bit index. */
static void iv_make(const cn_gcm *g, uint8_t iv[CN_GCM_SALT], uint32_t ssrc, int64_t index)
{
    iv[0] = iv[1] = 0;
    put32(iv + 2, ssrc);
    iv[6] = (uint8_t)(index >> 40);
    iv[7] = (uint8_t)(index >> 32);
    put32(iv + 8, (uint32_t)index);
    for (size_t i = 0; i < CN_GCM_SALT; i++) iv[i] ^= g->salt[i];
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
    size_t header = header_length(p, *n);
    if (!header || *n > UINT16_MAX) return CN_ERR_PARSE;
    uint32_t ssrc = get32(p + 8);
    stream *s = stream_find(g, ssrc);
    if (!s) CN_TRY(stream_add(g, ssrc, &s));
    int64_t index = index_of(s, (uint16_t)(p[2] << 8 | p[3]));
    if (index < 0 || index > INDEX_MAX || was_seen(s, index)) return CN_ERR_CONFLICT;
    mark_seen(s, index); /* before it may fail: an index is spent once it met the key */
    if (!begin(g, ssrc, index, (span){p, header}, (span){NULL, 0}) || !encrypt(g, p + header, *n - header))
        return CN_ERR_CRYPTO;
    *n += CN_GCM_TAG;
    return CN_OK;
}

/** Remembers an index that proved authentic; an SSRC is remembered only then. */
static cn_err authentic(cn_gcm *g, stream *s, uint32_t ssrc, int64_t index)
{
    if (!s) CN_TRY(stream_add(g, ssrc, &s));
    mark_seen(s, index);
    return CN_OK;
}

cn_err cn_gcm_unprotect_rtp(cn_gcm *g, uint8_t *p, size_t *n)
{
    if (*n < RTP_HEADER + CN_GCM_TAG || *n > UINT16_MAX) return CN_ERR_PARSE;
    size_t plain = *n - CN_GCM_TAG, header = header_length(p, plain);
    if (!header) return CN_ERR_PARSE;
    uint32_t ssrc = get32(p + 8);
    stream *s = stream_find(g, ssrc);
    if (!s && g->count == g->max) return CN_ERR_FULL;
    int64_t index = index_of(s, (uint16_t)(p[2] << 8 | p[3]));
    if (index < 0 || index > INDEX_MAX || was_seen(s, index)) return CN_ERR_CONFLICT;
    if (!begin(g, ssrc, index, (span){p, header}, (span){NULL, 0}) || !decrypt(g, p + header, plain - header))
        return CN_ERR_CRYPTO;
    *n = plain;
    return authentic(g, s, ssrc, index);
}

cn_err cn_gcm_protect_rtcp(cn_gcm *g, uint8_t *p, size_t *n)
{
    if (*n < RTCP_HEADER || *n > UINT16_MAX) return CN_ERR_PARSE;
    if (g->rtcp_next > RTCP_INDEX_MAX) return CN_ERR_FULL;
    int64_t index = g->rtcp_next++;
    uint8_t trailer[RTCP_TRAILER];
    put32(trailer, RTCP_ENCRYPTED | (uint32_t)index);
    if (!begin(g, get32(p + 4), index, (span){p, RTCP_HEADER}, (span){trailer, sizeof trailer}) ||
        !encrypt(g, p + RTCP_HEADER, *n - RTCP_HEADER))
        return CN_ERR_CRYPTO;
    memcpy(p + *n + CN_GCM_TAG, trailer, sizeof trailer);
    *n += CN_GCM_TAG + sizeof trailer;
    return CN_OK;
}

cn_err cn_gcm_unprotect_rtcp(cn_gcm *g, uint8_t *p, size_t *n)
{
    if (*n < RTCP_HEADER + CN_GCM_TAG + RTCP_TRAILER || *n > UINT16_MAX || p[0] >> 6 != 2) return CN_ERR_PARSE;
    size_t plain = *n - CN_GCM_TAG - RTCP_TRAILER;
    const uint8_t *trailer = p + *n - RTCP_TRAILER;
    uint32_t ssrc = get32(p + 4), word = get32(trailer);
    if (!(word & RTCP_ENCRYPTED)) return CN_ERR_CRYPTO; /* the profile encrypts */
    int64_t index = word & RTCP_INDEX_MAX;
    stream *s = stream_find(g, ssrc);
    if (!s && g->count == g->max) return CN_ERR_FULL;
    if (was_seen(s, index)) return CN_ERR_CONFLICT;
    if (!begin(g, ssrc, index, (span){p, RTCP_HEADER}, (span){trailer, RTCP_TRAILER}) ||
        !decrypt(g, p + RTCP_HEADER, plain - RTCP_HEADER))
        return CN_ERR_CRYPTO;
    *n = plain;
    return authentic(g, s, ssrc, index);
}

void cn_gcm_free(cn_gcm *g)
{
    if (!g) return;
    EVP_CIPHER_CTX_free(g->ctx); /* wipes the key schedule */
    free(g->streams);
    cn_free_secret(g, sizeof *g);
}
