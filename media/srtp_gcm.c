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
#define WINDOW 1024 /* packets behind the newest that may still be sent */
#define WORD 64
#define INDEX_MAX ((1ll << 48) - 1)
#define LABEL_RTP_KEY 0x00
#define LABEL_RTP_SALT 0x02
#define STREAMS_FIRST 8

/** What was sent with one SSRC. */
typedef struct stream {
    uint32_t ssrc;
    bool used;
    int64_t newest;               /* 48-bit packet index (RFC 3711 §3.3.1): rollover counter and sequence number */
    uint64_t sent[WINDOW / WORD]; /* bit i % WINDOW: index i was sent, for the WINDOW newest */
} stream;

struct cn_gcm {
    EVP_CIPHER_CTX *ctx;
    uint8_t salt[CN_GCM_SALT];
    stream *streams; /* open addressing, at most half full */
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

cn_err cn_gcm_new(cn_gcm **out, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT])
{
    cn_gcm *g = CN_NEW(cn_gcm);
    if (!g) return CN_ERR_NOMEM;
    memcpy(g->salt, salt, CN_GCM_SALT);
    g->mask = STREAMS_FIRST - 1;
    g->streams = cn_calloc(STREAMS_FIRST, sizeof *g->streams);
    g->ctx = EVP_CIPHER_CTX_new();
    if (!g->streams || !g->ctx || EVP_EncryptInit_ex(g->ctx, EVP_aes_128_gcm(), NULL, key, NULL) != 1) {
        cn_gcm_free(g);
        return CN_ERR_CRYPTO;
    }
    *out = g;
    return CN_OK;
}

cn_err cn_gcm_new_master(cn_gcm **out, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT])
{
    uint8_t padded[14] = {0}, session_key[CN_GCM_KEY], session_salt[CN_GCM_SALT];
    memcpy(padded, salt, CN_GCM_SALT);
    cn_err err = cn_srtp_kdf(key, padded, LABEL_RTP_KEY, session_key, sizeof session_key);
    if (!err) err = cn_srtp_kdf(key, padded, LABEL_RTP_SALT, session_salt, sizeof session_salt);
    if (!err) err = cn_gcm_new(out, session_key, session_salt);
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

/** The SSRC's stream, made when new; its `newest` is then -1. */
static cn_err stream_of(cn_gcm *g, uint32_t ssrc, stream **out)
{
    stream *s = slot_of(g->streams, g->mask, ssrc);
    if (!s->used) {
        if (g->count == CN_SRTP_SSRCS_OUT) return CN_ERR_FULL;
        if (2 * (g->count + 1) > g->mask + 1) {
            CN_TRY(grow(g));
            s = slot_of(g->streams, g->mask, ssrc);
        }
        g->count++;
        *s = (stream){.ssrc = ssrc, .used = true, .newest = -1};
    }
    *out = s;
    return CN_OK;
}

/** The packet index nearest to the newest one (RFC 3711 §3.3.1); negative or past the end when there is none. */
static int64_t index_of(const stream *s, uint16_t seq)
{
    if (s->newest < 0) return seq;
    return s->newest + (int16_t)(uint16_t)(seq - (uint16_t)s->newest);
}

static uint64_t *word_of(stream *s, int64_t index)
{
    return &s->sent[(size_t)(index % WINDOW) / WORD];
}

static uint64_t bit_of(int64_t index)
{
    return 1ull << (index % WORD);
}

static bool was_sent(stream *s, int64_t index)
{
    if (index > s->newest) return false;
    return s->newest - index >= WINDOW || (*word_of(s, index) & bit_of(index));
}

static void mark_sent(stream *s, int64_t index)
{
    if (s->newest < 0 || index - s->newest >= WINDOW) {
        memset(s->sent, 0, sizeof s->sent);
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

static bool encrypt(cn_gcm *g, const uint8_t iv[CN_GCM_SALT], uint8_t *p, size_t header, size_t n)
{
    int len = 0, end = 0;
    return EVP_EncryptInit_ex(g->ctx, NULL, NULL, NULL, iv) == 1 &&
           EVP_EncryptUpdate(g->ctx, NULL, &len, p, (int)header) == 1 &&
           EVP_EncryptUpdate(g->ctx, p + header, &len, p + header, (int)(n - header)) == 1 &&
           EVP_EncryptFinal_ex(g->ctx, p + header + len, &end) == 1 &&
           EVP_CIPHER_CTX_ctrl(g->ctx, EVP_CTRL_AEAD_GET_TAG, CN_GCM_TAG, p + n) == 1;
}

cn_err cn_gcm_protect(cn_gcm *g, uint8_t *p, size_t *n)
{
    size_t header = header_length(p, *n);
    if (!header || *n > UINT16_MAX) return CN_ERR_PARSE;
    uint16_t seq = (uint16_t)(p[2] << 8 | p[3]);
    uint32_t ssrc = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11];
    stream *s;
    CN_TRY(stream_of(g, ssrc, &s));
    int64_t index = index_of(s, seq);
    if (index < 0 || index > INDEX_MAX || was_sent(s, index)) return CN_ERR_CONFLICT;
    /* RFC 7714 §8.1: two zero bytes, SSRC, rollover counter, sequence number; all under the salt */
    uint32_t roc = (uint32_t)(index >> 16);
    uint8_t iv[CN_GCM_SALT] = {0,
                               0,
                               p[8],
                               p[9],
                               p[10],
                               p[11],
                               (uint8_t)(roc >> 24),
                               (uint8_t)(roc >> 16),
                               (uint8_t)(roc >> 8),
                               (uint8_t)roc,
                               p[2],
                               p[3]};
    for (size_t i = 0; i < sizeof iv; i++) iv[i] ^= g->salt[i];
    mark_sent(s, index); /* before it may fail: an index is spent once it met the key */
    if (!encrypt(g, iv, p, header, *n)) return CN_ERR_CRYPTO;
    *n += CN_GCM_TAG;
    return CN_OK;
}

void cn_gcm_free(cn_gcm *g)
{
    if (!g) return;
    EVP_CIPHER_CTX_free(g->ctx); /* wipes the key schedule */
    free(g->streams);
    cn_free_secret(g, sizeof *g);
}
