#include "media/wire/rtcp.h"

#include <string.h>

#include "media/wire/bytes.h"

enum { PT_SR = 200, PT_RR, PT_SDES, PT_BYE, PT_APP, PT_RTPFB, PT_PSFB };
enum { HEADER = 4, BLOCK = 24, FEEDBACK = 8 };
#define REMB_NAME 0x52454d42u

/* ---- structure of each kind of body; true when it is complete ---- */

static bool sr_whole(const cn_rtcp *rtcp)
{
    return rtcp->body_len >= 24 + rtcp->count * (size_t)BLOCK;
}

static bool rr_whole(const cn_rtcp *rtcp)
{
    return rtcp->body_len >= 4 + rtcp->count * (size_t)BLOCK;
}

static bool bye_whole(const cn_rtcp *rtcp)
{
    return rtcp->body_len >= rtcp->count * (size_t)4;
}

static bool pli_whole(const cn_rtcp *rtcp)
{
    return rtcp->body_len >= FEEDBACK;
}

static bool nack_whole(const cn_rtcp *rtcp)
{
    return rtcp->body_len >= FEEDBACK + 4;
}

static bool fir_whole(const cn_rtcp *rtcp)
{
    return rtcp->body_len >= FEEDBACK + 8 && (rtcp->body_len - FEEDBACK) % 8 == 0;
}

static bool remb_whole(const cn_rtcp *rtcp)
{
    return rtcp->body_len >= FEEDBACK + 8 && rtcp->body_len >= FEEDBACK + 8 + rtcp->body[12] * (size_t)4;
}

/* End of the chunk that begins at `at`, its items checked; 0 when it runs out of the body. Chunks end with at least one
 * zero byte (RFC 3550 §6.5). */
static size_t sdes_chunk_end(const cn_rtcp *rtcp, size_t at)
{
    if (rtcp->body_len - at < 8) return 0;
    size_t i = at + 4;
    while (i < rtcp->body_len && rtcp->body[i] != 0) {
        if (rtcp->body_len - i < 2 || rtcp->body[i + 1] > rtcp->body_len - i - 2) return 0;
        i += 2u + rtcp->body[i + 1];
    }
    i = (i + 4) & ~(size_t)3;
    return i <= rtcp->body_len ? i : 0;
}

static bool sdes_whole(const cn_rtcp *rtcp)
{
    size_t at = 0;
    for (unsigned i = 0; i < rtcp->count; i++)
        if ((at = sdes_chunk_end(rtcp, at)) == 0) return false;
    return true;
}

static bool twcc_whole(const cn_rtcp *rtcp);

/* ---- compound ---- */

static const struct kind {
    cn_rtcp_type type;
    uint8_t pt;
    int format; /* feedback format, −1 for packets without */
    bool (*whole)(const cn_rtcp *rtcp);
} kinds[] = {
    {CN_RTCP_SR, PT_SR, -1, sr_whole},       {CN_RTCP_RR, PT_RR, -1, rr_whole},
    {CN_RTCP_SDES, PT_SDES, -1, sdes_whole}, {CN_RTCP_BYE, PT_BYE, -1, bye_whole},
    {CN_RTCP_NACK, PT_RTPFB, 1, nack_whole}, {CN_RTCP_TWCC, PT_RTPFB, 15, twcc_whole},
    {CN_RTCP_PLI, PT_PSFB, 1, pli_whole},    {CN_RTCP_FIR, PT_PSFB, 4, fir_whole},
    {CN_RTCP_REMB, PT_PSFB, 15, remb_whole},
};

static bool kind_is(const struct kind *which, const cn_rtcp *rtcp)
{
    if (which->pt != rtcp->pt || (which->format >= 0 && which->format != rtcp->count)) return false;
    return which->type != CN_RTCP_REMB ||
           (rtcp->body_len >= FEEDBACK + 4 && cn_be32(rtcp->body + FEEDBACK) == REMB_NAME);
}

static const struct kind *kind_of(const cn_rtcp *rtcp)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kind_is(&kinds[i], rtcp)) return &kinds[i];
    return NULL;
}

/* Takes the first packet's header and body off [bytes, length); its length on the wire, or 0. */
static size_t packet_take(const uint8_t *bytes, size_t length, cn_rtcp *out)
{
    if (length < HEADER || bytes[0] >> 6 != 2) return 0;
    size_t len = HEADER + cn_be16(bytes + 2) * (size_t)4;
    if (len > length) return 0;
    size_t padding = 0;
    if (bytes[0] & 0x20) {
        /* RFC 3550 §6.4.1 wants whole words, and only in the last packet; Chromium fills transport-wide feedback up to
         * a word with 1 to 3 bytes */
        padding = len > HEADER ? bytes[len - 1] : 0;
        if (padding == 0 || padding > len - HEADER) return 0;
    }
    *out =
        (cn_rtcp){.count = bytes[0] & 31, .pt = bytes[1], .body = bytes + HEADER, .body_len = len - HEADER - padding};
    return len;
}

cn_err cn_rtcp_open(cn_rtcp_it *it, const uint8_t *bytes, size_t length)
{
    *it = (cn_rtcp_it){bytes, length};
    if (length == 0) return CN_ERR_PARSE;
    while (length > 0) {
        cn_rtcp pkt;
        size_t len = packet_take(bytes, length, &pkt);
        if (len == 0) return CN_ERR_PARSE;
        const struct kind *which = kind_of(&pkt);
        if (which && !which->whole(&pkt)) return CN_ERR_PARSE;
        bytes += len;
        length -= len;
    }
    return CN_OK;
}

bool cn_rtcp_next(cn_rtcp_it *it, cn_rtcp *out)
{
    size_t len = packet_take(it->p, it->n, out);
    if (len == 0) return false;
    const struct kind *which = kind_of(out);
    out->type = which ? which->type : CN_RTCP_UNKNOWN;
    it->p += len;
    it->n -= len;
    return true;
}

/* ---- views ---- */

bool cn_rtcp_sr_read(const cn_rtcp *pkt, cn_rtcp_sr *out)
{
    if (pkt->type != CN_RTCP_SR) return false;
    const uint8_t *b = pkt->body;
    *out = (cn_rtcp_sr){cn_be32(b), cn_be64(b + 4), cn_be32(b + 12), cn_be32(b + 16), cn_be32(b + 20)};
    return true;
}

uint32_t cn_rtcp_media(const cn_rtcp *pkt)
{
    if (pkt->type != CN_RTCP_NACK && pkt->type != CN_RTCP_TWCC && pkt->type != CN_RTCP_PLI) return 0;
    return cn_be32(pkt->body + 4);
}

bool cn_rtcp_block_read(const cn_rtcp *pkt, size_t index, cn_rtcp_block *out)
{
    if ((pkt->type != CN_RTCP_SR && pkt->type != CN_RTCP_RR) || index >= pkt->count) return false;
    const uint8_t *b = pkt->body + (pkt->type == CN_RTCP_SR ? 24 : 4) + index * BLOCK;
    int32_t lost = (int32_t)cn_be24(b + 5);
    *out = (cn_rtcp_block){.ssrc = cn_be32(b),
                           .fraction_lost = b[4],
                           .lost = lost >= 1 << 23 ? lost - (1 << 24) : lost,
                           .highest_seq = cn_be32(b + 8),
                           .jitter = cn_be32(b + 12),
                           .lsr = cn_be32(b + 16),
                           .dlsr = cn_be32(b + 20)};
    return true;
}

bool cn_rtcp_fir_read(const cn_rtcp *pkt, size_t index, uint32_t *ssrc, uint8_t *number)
{
    if (pkt->type != CN_RTCP_FIR || index >= (pkt->body_len - FEEDBACK) / 8) return false;
    const uint8_t *entry = pkt->body + FEEDBACK + index * 8;
    *ssrc = cn_be32(entry);
    *number = entry[4];
    return true;
}

bool cn_rtcp_remb_read(const cn_rtcp *pkt, uint64_t *bps, size_t *ssrcs)
{
    if (pkt->type != CN_RTCP_REMB) return false;
    const uint8_t *b = pkt->body + FEEDBACK + 4;
    unsigned exponent = b[1] >> 2;
    uint64_t mantissa = (uint64_t)(b[1] & 3) << 16 | cn_be16(b + 2), most = (uint64_t)1 << 63;
    *bps = mantissa > most >> exponent ? most : mantissa << exponent;
    *ssrcs = b[0];
    return true;
}

bool cn_rtcp_nack_next(cn_rtcp_nack_it *it, uint16_t *seq)
{
    const cn_rtcp *pkt = it->pkt;
    while (pkt->type == CN_RTCP_NACK && it->entry < (pkt->body_len - FEEDBACK) / 4) {
        const uint8_t *entry = pkt->body + FEEDBACK + it->entry * 4;
        for (unsigned bit = it->bit; bit <= 16; bit++) {
            if (bit > 0 && !(cn_be16(entry + 2) >> (bit - 1) & 1)) continue;
            *seq = (uint16_t)(cn_be16(entry) + bit);
            it->bit = bit + 1;
            return true;
        }
        it->entry++;
        it->bit = 0;
    }
    return false;
}

/* ---- transport-wide feedback ---- */

enum { TWCC_FIXED = 16, SYMBOL_NONE = 0, SYMBOL_SMALL = 1, SYMBOL_LARGE = 2 };

static unsigned chunk_length(unsigned chunk)
{
    if (!(chunk & 0x8000)) return chunk & 0x1fff;
    return chunk & 0x4000 ? 7 : 14;
}

/* Status of the k-th packet of a chunk: a run has one for all, a vector 14 of one bit or 7 of two. */
static unsigned chunk_symbol(unsigned chunk, unsigned index)
{
    if (!(chunk & 0x8000)) return chunk >> 13 & 3;
    return chunk & 0x4000 ? chunk >> (12 - 2 * index) & 3u : chunk >> (13 - index) & 1u;
}

static size_t symbol_bytes(unsigned symbol)
{
    return symbol == SYMBOL_SMALL ? 1 : symbol == SYMBOL_LARGE ? 2 : 0;
}

/* Bytes of deltas that the first `count` statuses of a chunk announce. */
static size_t chunk_deltas(unsigned chunk, unsigned count)
{
    if (!(chunk & 0x8000)) return count * symbol_bytes(chunk_symbol(chunk, 0));
    size_t bytes = 0;
    for (unsigned k = 0; k < count; k++) bytes += symbol_bytes(chunk_symbol(chunk, k));
    return bytes;
}

/* Walks the chunks; `*deltas` gets the offset of the first delta, `*bytes` how many bytes of them there must be. */
static bool twcc_walk(const cn_rtcp *rtcp, size_t *deltas, size_t *bytes)
{
    if (rtcp->body_len < TWCC_FIXED) return false;
    unsigned left = cn_be16(rtcp->body + 10);
    size_t at = TWCC_FIXED;
    *bytes = 0;
    while (left > 0) {
        if (rtcp->body_len - at < 2) return false;
        unsigned chunk = cn_be16(rtcp->body + at);
        unsigned n = chunk_length(chunk);
        if (n == 0) return false;
        if (n > left) n = left;
        *bytes += chunk_deltas(chunk, n);
        left -= n;
        at += 2;
    }
    *deltas = at;
    return *bytes <= rtcp->body_len - at;
}

static bool twcc_whole(const cn_rtcp *rtcp)
{
    size_t deltas, bytes;
    return twcc_walk(rtcp, &deltas, &bytes);
}

bool cn_rtcp_twcc_open(cn_rtcp_twcc_it *it, const cn_rtcp *pkt)
{
    size_t deltas, bytes;
    if (pkt->type != CN_RTCP_TWCC || !twcc_walk(pkt, &deltas, &bytes)) return false;
    const uint8_t *b = pkt->body;
    int32_t reference = (int32_t)cn_be24(b + 12);
    *it = (cn_rtcp_twcc_it){.base_seq = cn_be16(b + 8),
                            .count = cn_be16(b + 10),
                            .reference = reference >= 1 << 23 ? reference - (1 << 24) : reference,
                            .number = b[15],
                            .chunk = b + TWCC_FIXED,
                            .delta = b + deltas};
    return true;
}

bool cn_rtcp_twcc_next(cn_rtcp_twcc_it *it, cn_rtcp_twcc *out)
{
    if (it->at == it->count) return false;
    unsigned chunk = cn_be16(it->chunk);
    unsigned symbol = chunk_symbol(chunk, it->in_chunk);
    *out = (cn_rtcp_twcc){.seq = (uint16_t)(it->base_seq + it->at), .received = symbol_bytes(symbol) != 0};
    if (symbol == SYMBOL_SMALL) out->delta_250us = *it->delta;
    if (symbol == SYMBOL_LARGE) out->delta_250us = (int16_t)cn_be16(it->delta);
    it->delta += symbol_bytes(symbol);
    it->at++;
    if (++it->in_chunk == chunk_length(chunk)) {
        it->in_chunk = 0;
        it->chunk += 2;
    }
    return true;
}
