#include "media/wire/demux.h"

#include <string.h>

#include "media/wire/bytes.h"

enum { STUN_HEADER = 20, DTLS_HEADER = 13, RTP_HEADER = 12, RTCP_HEADER = 8, STUN_ATTRIBUTES = 32 };
enum { ATTR_USERNAME = 0x0006, ATTR_INTEGRITY = 0x0008, ATTR_USE_CANDIDATE = 0x0025, ATTR_FINGERPRINT = 0x8028 };
#define STUN_MAGIC 0x2112a442u
#define FINGERPRINT_XOR 0x5354554eu

cn_datagram cn_demux(const uint8_t *bytes, size_t len)
{
    if (len < RTCP_HEADER) return CN_DATAGRAM_OTHER;
    unsigned first = bytes[0];
    if (first <= 3) return len >= STUN_HEADER ? CN_DATAGRAM_STUN : CN_DATAGRAM_OTHER;
    if (first >= 20 && first <= 63) return len >= DTLS_HEADER ? CN_DATAGRAM_DTLS : CN_DATAGRAM_OTHER;
    if (first < 128 || first > 191) return CN_DATAGRAM_OTHER;
    unsigned pt = bytes[1] & 0x7f;
    if (pt >= 64 && pt <= 95) return CN_DATAGRAM_SRTCP;
    return len >= RTP_HEADER ? CN_DATAGRAM_SRTP : CN_DATAGRAM_OTHER;
}

/* CRC-32 of ITU V.42, four bits at a time: checks are rare and 60 to 120 bytes long. */
static uint32_t crc32(const uint8_t *bytes, size_t len)
{
    static const uint32_t nibble[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < len; i++) {
        crc = crc >> 4 ^ nibble[(crc ^ bytes[i]) & 15];
        crc = crc >> 4 ^ nibble[(crc ^ bytes[i] >> 4) & 15];
    }
    return ~crc;
}

static void username(cn_stun *stun, const uint8_t *value, size_t len)
{
    stun->username = (const char *)value;
    stun->username_len = len;
    const uint8_t *colon = len ? memchr(value, ':', len) : NULL;
    stun->ufrag_len = colon ? (size_t)(colon - value) : len;
}

/* Attributes behind MESSAGE-INTEGRITY are not protected by it and do not count (RFC 8489 §14.5). */
static bool attribute(cn_stun *stun, unsigned type, const uint8_t *value, size_t len)
{
    if (stun->has_integrity) return true;
    switch (type) {
    case ATTR_USERNAME: username(stun, value, len); return len <= 513;
    case ATTR_INTEGRITY: stun->has_integrity = true; return len == 20;
    case ATTR_USE_CANDIDATE: stun->use_candidate = true; return len == 0;
    default: return true;
    }
}

static bool fingerprint_right(const uint8_t *bytes, size_t at, size_t len)
{
    return len == 4 && cn_be32(bytes + at + 4) == (crc32(bytes, at) ^ FINGERPRINT_XOR);
}

cn_err cn_stun_check(const uint8_t *bytes, size_t length, cn_stun *out)
{
    if (length < STUN_HEADER || bytes[0] > 3 || length % 4 != 0) return CN_ERR_PARSE;
    if (cn_be16(bytes + 2) != length - STUN_HEADER || cn_be32(bytes + 4) != STUN_MAGIC) return CN_ERR_PARSE;
    unsigned type = cn_be16(bytes);
    cn_stun stun = {.cls = (cn_stun_class)((type >> 4 & 1) | (type >> 7 & 2)),
                    .method = (uint16_t)((type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80)),
                    .transaction = bytes + 8};
    size_t at = STUN_HEADER;
    for (int count = 0; at < length && count < STUN_ATTRIBUTES; count++) {
        unsigned attr = cn_be16(bytes + at);
        size_t len = cn_be16(bytes + at + 2), padded = (len + 3) & ~(size_t)3;
        if (padded > length - at - 4) return CN_ERR_PARSE;
        if (attr == ATTR_FINGERPRINT) {
            if (at + 8 != length || !fingerprint_right(bytes, at, len)) return CN_ERR_PARSE;
            *out = stun;
            return CN_OK;
        }
        if (!attribute(&stun, attr, bytes + at + 4, len)) return CN_ERR_PARSE;
        at += 4 + padded;
    }
    return CN_ERR_PARSE;
}
