#include "media/secure/srtp_gcm.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/wire/prefetch.h"
#include "media/wire/rtp.h"
#include "media/secure/srtp_aead.h"
#include "media/secure/srtp_parts.h"

struct cn_gcm {
    cn_aead *aead;
    uint8_t salt[CN_GCM_SALT];
    cn_srtp_streams streams;
};

/* RFC 3711 §4.3.1 */
static const struct {
    uint8_t key, salt;
} labels[] = {
    [CN_GCM_RTP] = {0, 2},
    [CN_GCM_RTCP] = {3, 5},
};
#define RTCP_ENCRYPTED 0x80000000u
#define RTCP_INDEX_MAX 0x7fffffff
#define RTCP_HEAD (CN_SRTP_RTCP_HEADER + CN_SRTP_RTCP_TRAILER)

cn_err cn_gcm_new(cn_gcm **out, cn_srtp_way way, const uint8_t key[CN_GCM_KEY], const uint8_t salt[CN_GCM_SALT])
{
    cn_gcm *gcm = CN_NEW(cn_gcm);
    if (!gcm) return CN_ERR_NOMEM;
    memcpy(gcm->salt, salt, CN_GCM_SALT);
    cn_err err = cn_srtp_streams_open(&gcm->streams, way);
    if (!err) err = cn_aead_new(&gcm->aead, cn_aead_best(), way == CN_SRTP_OUT, key);
    if (err) {
        cn_gcm_free(gcm);
        return err;
    }
    *out = gcm;
    return CN_OK;
}

cn_err cn_gcm_new_master(cn_gcm **out, cn_srtp_way way, cn_gcm_use use, const uint8_t key[CN_GCM_KEY],
                         const uint8_t salt[CN_GCM_SALT])
{
    uint8_t padded[14] = {0}, session_key[CN_GCM_KEY], session_salt[CN_GCM_SALT];
    memcpy(padded, salt, CN_GCM_SALT);
    cn_err err = cn_srtp_kdf(key, padded, labels[use].key, session_key, sizeof session_key);
    if (!err) err = cn_srtp_kdf(key, padded, labels[use].salt, session_salt, sizeof session_salt);
    if (!err) err = cn_gcm_new(out, way, session_key, session_salt);
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(session_key, sizeof session_key);
    OPENSSL_cleanse(session_salt, sizeof session_salt);
    return err;
}

/** RFC 7714 §8.1: two zero bytes, SSRC, 48 bits of index. */
static void iv_make(const cn_gcm *gcm, uint8_t iv[CN_GCM_SALT], uint32_t ssrc, int64_t index)
{
    iv[0] = iv[1] = 0;
    cn_put32(iv + 2, ssrc);
    iv[6] = (uint8_t)(index >> 40);
    iv[7] = (uint8_t)(index >> 32);
    cn_put32(iv + 8, (uint32_t)index);
    for (size_t i = 0; i < CN_GCM_SALT; i++) iv[i] ^= gcm->salt[i];
}

void cn_gcm_prefetch(const cn_gcm *gcm)
{
    cn_prefetch(gcm, sizeof *gcm);
}

void cn_gcm_prefetch_stream(const cn_gcm *gcm, uint32_t ssrc)
{
    cn_srtp_stream_prefetch(&gcm->streams, ssrc);
    cn_aead_prefetch(gcm->aead);
}

cn_err cn_gcm_protect_rtp(cn_gcm *gcm, uint8_t *bytes, size_t *len)
{
    size_t header = cn_srtp_header_length(bytes, *len);
    if (!header || *len > UINT16_MAX) return CN_ERR_PARSE;
    uint32_t ssrc = cn_be32(bytes + 8);
    cn_srtp_stream *stream = cn_srtp_stream_find(&gcm->streams, ssrc);
    if (!stream) CN_TRY(cn_srtp_stream_add(&gcm->streams, ssrc, &stream));
    int64_t index = cn_srtp_stream_index(stream, (uint16_t)(bytes[2] << 8 | bytes[3]));
    if (index < 0 || index > CN_SRTP_INDEX_MAX || cn_srtp_stream_seen(stream, index)) return CN_ERR_CONFLICT;
    cn_srtp_stream_mark(stream, index); /* before it may fail: an index is spent once it met the key */
    uint8_t iv[CN_GCM_SALT];
    iv_make(gcm, iv, ssrc, index);
    if (!cn_aead_seal(gcm->aead, iv, bytes, header, bytes + header, bytes + header, *len - header))
        return CN_ERR_CRYPTO;
    *len += CN_GCM_TAG;
    return CN_OK;
}

cn_err cn_gcm_unprotect_rtp(cn_gcm *gcm, uint8_t *bytes, size_t *len)
{
    if (*len < CN_SRTP_RTP_HEADER + CN_GCM_TAG || *len > UINT16_MAX) return CN_ERR_PARSE;
    size_t plain = *len - CN_GCM_TAG, header = cn_srtp_header_length(bytes, plain);
    if (!header) return CN_ERR_PARSE;
    uint32_t ssrc = cn_be32(bytes + 8);
    cn_srtp_stream *stream = cn_srtp_stream_find(&gcm->streams, ssrc);
    if (!stream && cn_srtp_streams_full(&gcm->streams)) return CN_ERR_FULL;
    int64_t index = cn_srtp_stream_index(stream, (uint16_t)(bytes[2] << 8 | bytes[3]));
    if (index < 0 || index > CN_SRTP_INDEX_MAX || cn_srtp_stream_seen(stream, index)) return CN_ERR_CONFLICT;
    uint8_t iv[CN_GCM_SALT];
    iv_make(gcm, iv, ssrc, index);
    if (!cn_aead_open(gcm->aead, iv, bytes, header, bytes + header, plain - header)) return CN_ERR_CRYPTO;
    *len = plain;
    return cn_srtp_stream_authentic(&gcm->streams, stream, ssrc, index);
}

/* RFC 7714 §9.2: what is authentic besides the encrypted part is the header and, at the packet's end, flag and index. */
static void rtcp_head(uint8_t head[RTCP_HEAD], const uint8_t *bytes, const uint8_t trailer[CN_SRTP_RTCP_TRAILER])
{
    memcpy(head, bytes, CN_SRTP_RTCP_HEADER);
    memcpy(head + CN_SRTP_RTCP_HEADER, trailer, CN_SRTP_RTCP_TRAILER);
}

cn_err cn_gcm_protect_rtcp(cn_gcm *gcm, uint8_t *bytes, size_t *len)
{
    if (*len < CN_SRTP_RTCP_HEADER || *len > UINT16_MAX) return CN_ERR_PARSE;
    uint32_t ssrc = cn_be32(bytes + 4);
    cn_srtp_stream *stream = cn_srtp_stream_find(&gcm->streams, ssrc);
    if (!stream) CN_TRY(cn_srtp_stream_add(&gcm->streams, ssrc, &stream));
    if (stream->newest == RTCP_INDEX_MAX) return CN_ERR_FULL;
    int64_t index = stream->newest = stream->newest < 0 ? 1 : stream->newest + 1;
    uint8_t iv[CN_GCM_SALT], trailer[CN_SRTP_RTCP_TRAILER], head[RTCP_HEAD], *text = bytes + CN_SRTP_RTCP_HEADER;
    cn_put32(trailer, RTCP_ENCRYPTED | (uint32_t)index);
    rtcp_head(head, bytes, trailer);
    iv_make(gcm, iv, ssrc, index);
    if (!cn_aead_seal(gcm->aead, iv, head, sizeof head, text, text, *len - CN_SRTP_RTCP_HEADER)) return CN_ERR_CRYPTO;
    memcpy(bytes + *len + CN_GCM_TAG, trailer, sizeof trailer);
    *len += CN_GCM_TAG + sizeof trailer;
    return CN_OK;
}

cn_err cn_gcm_unprotect_rtcp(cn_gcm *gcm, uint8_t *bytes, size_t *len)
{
    if (*len < CN_SRTP_RTCP_HEADER + CN_GCM_TAG + CN_SRTP_RTCP_TRAILER || *len > UINT16_MAX || bytes[0] >> 6 != 2)
        return CN_ERR_PARSE;
    size_t plain = *len - CN_GCM_TAG - CN_SRTP_RTCP_TRAILER;
    const uint8_t *trailer = bytes + *len - CN_SRTP_RTCP_TRAILER;
    uint32_t ssrc = cn_be32(bytes + 4), word = cn_be32(trailer);
    if (!(word & RTCP_ENCRYPTED)) return CN_ERR_CRYPTO; /* the profile encrypts */
    int64_t index = word & RTCP_INDEX_MAX;
    cn_srtp_stream *stream = cn_srtp_stream_find(&gcm->streams, ssrc);
    if (!stream && cn_srtp_streams_full(&gcm->streams)) return CN_ERR_FULL;
    if (cn_srtp_stream_seen(stream, index)) return CN_ERR_CONFLICT;
    uint8_t iv[CN_GCM_SALT], head[RTCP_HEAD];
    rtcp_head(head, bytes, trailer);
    iv_make(gcm, iv, ssrc, index);
    if (!cn_aead_open(gcm->aead, iv, head, sizeof head, bytes + CN_SRTP_RTCP_HEADER, plain - CN_SRTP_RTCP_HEADER))
        return CN_ERR_CRYPTO;
    *len = plain;
    return cn_srtp_stream_authentic(&gcm->streams, stream, ssrc, index);
}

void cn_gcm_free(cn_gcm *gcm)
{
    if (!gcm) return;
    cn_aead_free(gcm->aead);
    cn_srtp_streams_close(&gcm->streams);
    cn_free_secret(gcm, sizeof *gcm);
}
