#include "media/secure/srtp_parts.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/wire/prefetch.h"

#define EXTENSION_HEADER 4
#define WORD 64
#define STREAMS_FIRST 8

cn_err cn_srtp_kdf(const uint8_t key[CN_SRTP_KEY], const uint8_t salt[14], uint8_t label, uint8_t *out, size_t n)
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

size_t cn_srtp_header_length(const uint8_t *p, size_t n)
{
    if (n < CN_SRTP_RTP_HEADER || p[0] >> 6 != 2) return 0;
    size_t len = CN_SRTP_RTP_HEADER + 4u * (p[0] & 15u);
    if (p[0] & 0x10) {
        if (len + EXTENSION_HEADER > n) return 0;
        len += EXTENSION_HEADER + 4u * ((size_t)p[len + 2] << 8 | p[len + 3]);
    }
    return len <= n ? len : 0;
}

cn_err cn_srtp_streams_open(cn_srtp_streams *x, cn_srtp_use use)
{
    bool out = use == CN_SRTP_RTP_OUT || use == CN_SRTP_RTCP_OUT;
    *x = (cn_srtp_streams){.mask = STREAMS_FIRST - 1, .max = out ? CN_SRTP_SSRCS_OUT : CN_SRTP_SSRCS_IN};
    x->table = cn_calloc(STREAMS_FIRST, sizeof *x->table);
    return x->table ? CN_OK : CN_ERR_NOMEM;
}

void cn_srtp_streams_close(cn_srtp_streams *x)
{
    free(x->table);
}

static cn_srtp_stream *slot_of(cn_srtp_stream *streams, size_t mask, uint32_t ssrc)
{
    size_t i = (ssrc * 2654435761u >> 8) & mask;
    while (streams[i].used && streams[i].ssrc != ssrc) i = (i + 1) & mask;
    return &streams[i];
}

static cn_err grow(cn_srtp_streams *x)
{
    size_t n = 2 * (x->mask + 1);
    cn_srtp_stream *bigger = cn_calloc(n, sizeof *bigger);
    if (!bigger) return CN_ERR_NOMEM;
    for (size_t i = 0; i <= x->mask; i++) {
        if (x->table[i].used) *slot_of(bigger, n - 1, x->table[i].ssrc) = x->table[i];
    }
    free(x->table);
    x->table = bigger;
    x->mask = n - 1;
    return CN_OK;
}

void cn_srtp_stream_prefetch(const cn_srtp_streams *x, uint32_t ssrc)
{
    cn_prefetch(&x->table[(ssrc * 2654435761u >> 8) & x->mask], sizeof(cn_srtp_stream));
}

cn_srtp_stream *cn_srtp_stream_find(const cn_srtp_streams *x, uint32_t ssrc)
{
    cn_srtp_stream *s = slot_of(x->table, x->mask, ssrc);
    return s->used ? s : NULL;
}

cn_err cn_srtp_stream_add(cn_srtp_streams *x, uint32_t ssrc, cn_srtp_stream **out)
{
    if (x->count == x->max) return CN_ERR_FULL;
    if (2 * (x->count + 1) > x->mask + 1) CN_TRY(grow(x));
    x->count++;
    *out = slot_of(x->table, x->mask, ssrc);
    **out = (cn_srtp_stream){.ssrc = ssrc, .used = true, .newest = -1};
    return CN_OK;
}

int64_t cn_srtp_stream_index(const cn_srtp_stream *s, uint16_t seq)
{
    if (!s || s->newest < 0) return seq;
    return s->newest + (int16_t)(uint16_t)(seq - (uint16_t)s->newest);
}

static size_t word_of(int64_t index)
{
    return (size_t)(index % CN_SRTP_WINDOW) / WORD;
}

static uint64_t bit_of(int64_t index)
{
    return 1ull << (index % WORD);
}

bool cn_srtp_stream_seen(const cn_srtp_stream *s, int64_t index)
{
    if (!s || index > s->newest) return false;
    return s->newest - index >= CN_SRTP_WINDOW || (s->seen[word_of(index)] & bit_of(index));
}

void cn_srtp_stream_mark(cn_srtp_stream *s, int64_t index)
{
    if (s->newest < 0 || index - s->newest >= CN_SRTP_WINDOW) {
        memset(s->seen, 0, sizeof s->seen);
    } else {
        for (int64_t i = s->newest + 1; i < index; i++) s->seen[word_of(i)] &= ~bit_of(i);
    }
    s->seen[word_of(index)] |= bit_of(index);
    if (index > s->newest) s->newest = index;
}

cn_err cn_srtp_stream_authentic(cn_srtp_streams *x, cn_srtp_stream *s, uint32_t ssrc, int64_t index)
{
    if (!s) CN_TRY(cn_srtp_stream_add(x, ssrc, &s));
    cn_srtp_stream_mark(s, index);
    return CN_OK;
}
