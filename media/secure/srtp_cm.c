/* OpenSSL 3's HMAC and digest contexts allocate for every message when they start from a keyed state; SHA_CTX is a
 * plain value that can be copied. It is deprecated, not gone. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "media/secure/srtp_cm.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "media/wire/rtp.h"

#define AUTH_KEY 20
#define BLOCK 64 /* of SHA-1 */
/* of RTP (RFC 3711 §4.3.1) */
#define LABEL_KEY 0
#define LABEL_AUTH 1
#define LABEL_SALT 2

struct cn_cm {
    EVP_CIPHER_CTX *ctx;
    SHA_CTX inner, outer; /* HMAC (RFC 2104) after its key */
    uint8_t salt[CN_CM_SALT];
    cn_srtp_streams streams;
};

static void hmac_key(cn_cm *cm, const uint8_t key[AUTH_KEY])
{
    uint8_t pad[BLOCK];
    memset(pad, 0x36, sizeof pad);
    for (size_t i = 0; i < AUTH_KEY; i++) pad[i] ^= key[i];
    (void)SHA1_Init(&cm->inner);
    (void)SHA1_Update(&cm->inner, pad, sizeof pad);
    for (size_t i = 0; i < sizeof pad; i++) pad[i] ^= 0x36 ^ 0x5c;
    (void)SHA1_Init(&cm->outer);
    (void)SHA1_Update(&cm->outer, pad, sizeof pad);
    OPENSSL_cleanse(pad, sizeof pad);
}

/* The tag of len bytes and the rollover counter behind them (RFC 3711 §4.2). */
static void tag_make(const cn_cm *cm, const uint8_t *bytes, size_t len, const uint8_t *roc,
                     uint8_t tag[SHA_DIGEST_LENGTH])
{
    SHA_CTX h = cm->inner;
    (void)SHA1_Update(&h, bytes, len);
    (void)SHA1_Update(&h, roc, 4);
    (void)SHA1_Final(tag, &h);
    h = cm->outer;
    (void)SHA1_Update(&h, tag, SHA_DIGEST_LENGTH);
    (void)SHA1_Final(tag, &h);
}

static cn_err keys_set(cn_cm *cm, const uint8_t *key, const uint8_t *salt)
{
    uint8_t session[CN_SRTP_KEY], auth[AUTH_KEY];
    cn_err err = cn_srtp_kdf(key, salt, LABEL_KEY, session, sizeof session);
    if (!err) err = cn_srtp_kdf(key, salt, LABEL_AUTH, auth, sizeof auth);
    if (!err) err = cn_srtp_kdf(key, salt, LABEL_SALT, cm->salt, sizeof cm->salt);
    if (!err && EVP_EncryptInit_ex(cm->ctx, EVP_aes_128_ctr(), NULL, session, NULL) != 1) err = CN_ERR_CRYPTO;
    if (!err) hmac_key(cm, auth);
    OPENSSL_cleanse(session, sizeof session);
    OPENSSL_cleanse(auth, sizeof auth);
    return err;
}

cn_err cn_cm_new(cn_cm **out, const uint8_t key[CN_SRTP_KEY], const uint8_t salt[CN_CM_SALT])
{
    cn_cm *cm = CN_NEW(cn_cm);
    if (!cm) return CN_ERR_NOMEM;
    cn_err err = cn_srtp_streams_open(&cm->streams, CN_SRTP_OUT);
    cm->ctx = EVP_CIPHER_CTX_new();
    if (!err && !cm->ctx) err = CN_ERR_NOMEM;
    if (!err) err = keys_set(cm, key, salt);
    if (err) {
        cn_cm_free(cm);
        return err;
    }
    *out = cm;
    return CN_OK;
}

/* RFC 3711 §4.1.1: the counter's high bits are salt, SSRC and index; both directions are the same operation. */
static bool crypt(cn_cm *cm, uint32_t ssrc, int64_t index, uint8_t *bytes, size_t length)
{
    uint8_t iv[16] = {0};
    int len = 0;
    cn_put32(iv + 4, ssrc);
    iv[8] = (uint8_t)(index >> 40);
    iv[9] = (uint8_t)(index >> 32);
    cn_put32(iv + 10, (uint32_t)index);
    for (size_t i = 0; i < CN_CM_SALT; i++) iv[i] ^= cm->salt[i];
    return EVP_EncryptInit_ex(cm->ctx, NULL, NULL, NULL, iv) == 1 &&
           EVP_EncryptUpdate(cm->ctx, bytes, &len, bytes, (int)length) == 1;
}

static void roc_of(int64_t index, uint8_t out[4])
{
    cn_put32(out, (uint32_t)(index >> 16));
}

cn_err cn_cm_protect_rtp(cn_cm *cm, uint8_t *packet, size_t *len)
{
    size_t header = cn_srtp_header_length(packet, *len);
    if (!header || *len > UINT16_MAX) return CN_ERR_PARSE;
    uint32_t ssrc = cn_be32(packet + 8);
    cn_srtp_stream *stream = cn_srtp_stream_find(&cm->streams, ssrc);
    if (!stream) CN_TRY(cn_srtp_stream_add(&cm->streams, ssrc, &stream));
    int64_t index = cn_srtp_stream_index(stream, cn_be16(packet + 2));
    if (index < 0 || index > CN_SRTP_INDEX_MAX || cn_srtp_stream_seen(stream, index)) return CN_ERR_CONFLICT;
    cn_srtp_stream_mark(stream, index); /* before it may fail: an index is spent once it met the key */
    if (!crypt(cm, ssrc, index, packet + header, *len - header)) return CN_ERR_CRYPTO;
    uint8_t roc[4], tag[SHA_DIGEST_LENGTH];
    roc_of(index, roc);
    tag_make(cm, packet, *len, roc, tag);
    memcpy(packet + *len, tag, CN_CM_TAG);
    *len += CN_CM_TAG;
    return CN_OK;
}

void cn_cm_free(cn_cm *cm)
{
    if (!cm) return;
    EVP_CIPHER_CTX_free(cm->ctx); /* wipes the key schedule */
    cn_srtp_streams_close(&cm->streams);
    cn_free_secret(cm, sizeof *cm);
}
