#include "media/secure/srtp_parts.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/wire/prefetch.h"

#define EXTENSION_HEADER 4
#define WORD 64
#define STREAMS_FIRST 2

cn_err cn_srtp_kdf(const uint8_t key[CN_SRTP_KEY], const uint8_t salt[14], uint8_t label, uint8_t *out, size_t length)
{
    uint8_t iv[16] = {0};
    memcpy(iv, salt, 14);
    iv[7] ^= label; /* key id = label, shifted so that its last bits meet the salt's; the counter's two bytes are 0 */
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int len = 0;
    memset(out, 0, length);
    bool ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, key, iv) == 1 &&
              EVP_EncryptUpdate(ctx, out, &len, out, (int)length) == 1 && len == (int)length;
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(iv, sizeof iv);
    return ok ? CN_OK : CN_ERR_CRYPTO;
}

size_t cn_srtp_header_length(const uint8_t *bytes, size_t length)
{
    if (length < CN_SRTP_RTP_HEADER || bytes[0] >> 6 != 2) return 0;
    size_t len = CN_SRTP_RTP_HEADER + 4u * (bytes[0] & 15u);
    if (bytes[0] & 0x10) {
        if (len + EXTENSION_HEADER > length) return 0;
        len += EXTENSION_HEADER + 4u * ((size_t)bytes[len + 2] << 8 | bytes[len + 3]);
    }
    return len <= length ? len : 0;
}

cn_err cn_srtp_streams_open(cn_srtp_streams *streams, cn_srtp_way way)
{
    *streams =
        (cn_srtp_streams){.mask = STREAMS_FIRST - 1, .max = way == CN_SRTP_OUT ? CN_SRTP_SSRCS_OUT : CN_SRTP_SSRCS_IN};
    streams->table = cn_calloc(STREAMS_FIRST, sizeof *streams->table);
    return streams->table ? CN_OK : CN_ERR_NOMEM;
}

void cn_srtp_streams_close(cn_srtp_streams *streams)
{
    free(streams->table);
}

static cn_srtp_stream *slot_of(cn_srtp_stream *streams, size_t mask, uint32_t ssrc)
{
    size_t i = (ssrc * 2654435761u >> 8) & mask;
    while (streams[i].used && streams[i].ssrc != ssrc) i = (i + 1) & mask;
    return &streams[i];
}

static cn_err grow(cn_srtp_streams *streams)
{
    size_t n = 2 * (streams->mask + 1);
    cn_srtp_stream *bigger = cn_calloc(n, sizeof *bigger);
    if (!bigger) return CN_ERR_NOMEM;
    for (size_t i = 0; i <= streams->mask; i++) {
        if (streams->table[i].used) *slot_of(bigger, n - 1, streams->table[i].ssrc) = streams->table[i];
    }
    free(streams->table);
    streams->table = bigger;
    streams->mask = n - 1;
    return CN_OK;
}

void cn_srtp_stream_prefetch(const cn_srtp_streams *streams, uint32_t ssrc)
{
    cn_prefetch(&streams->table[(ssrc * 2654435761u >> 8) & streams->mask], sizeof(cn_srtp_stream));
}

cn_srtp_stream *cn_srtp_stream_find(const cn_srtp_streams *streams, uint32_t ssrc)
{
    cn_srtp_stream *stream = slot_of(streams->table, streams->mask, ssrc);
    return stream->used ? stream : NULL;
}

cn_err cn_srtp_stream_add(cn_srtp_streams *streams, uint32_t ssrc, cn_srtp_stream **out)
{
    if (streams->count == streams->max) return CN_ERR_FULL;
    if (2 * (streams->count + 1) > streams->mask + 1) CN_TRY(grow(streams));
    streams->count++;
    *out = slot_of(streams->table, streams->mask, ssrc);
    **out = (cn_srtp_stream){.ssrc = ssrc, .used = true, .newest = -1};
    return CN_OK;
}

int64_t cn_srtp_stream_index(const cn_srtp_stream *stream, uint16_t seq)
{
    if (!stream || stream->newest < 0) return seq;
    return stream->newest + (int16_t)(uint16_t)(seq - (uint16_t)stream->newest);
}

static size_t word_of(int64_t index)
{
    return (size_t)(index % CN_SRTP_WINDOW) / WORD;
}

static uint64_t bit_of(int64_t index)
{
    return 1ull << (index % WORD);
}

bool cn_srtp_stream_seen(const cn_srtp_stream *stream, int64_t index)
{
    if (!stream || index > stream->newest) return false;
    return stream->newest - index >= CN_SRTP_WINDOW || (stream->seen[word_of(index)] & bit_of(index));
}

void cn_srtp_stream_mark(cn_srtp_stream *stream, int64_t index)
{
    if (stream->newest < 0 || index - stream->newest >= CN_SRTP_WINDOW) {
        memset(stream->seen, 0, sizeof stream->seen);
    } else {
        for (int64_t i = stream->newest + 1; i < index; i++) stream->seen[word_of(i)] &= ~bit_of(i);
    }
    stream->seen[word_of(index)] |= bit_of(index);
    if (index > stream->newest) stream->newest = index;
}

cn_err cn_srtp_stream_authentic(cn_srtp_streams *streams, cn_srtp_stream *stream, uint32_t ssrc, int64_t index)
{
    if (!stream) CN_TRY(cn_srtp_stream_add(streams, ssrc, &stream));
    cn_srtp_stream_mark(stream, index);
    return CN_OK;
}
