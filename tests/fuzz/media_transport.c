/* What a datagram meets before it is decrypted, and STUN attributes of every shape behind a right MESSAGE-INTEGRITY: a
 * participant who knows its password may be hostile too. */
// covers: media/transport/ice.c media/wire/demux.c media/secure/srtp_gcm.c media/secure/srtp_cm.c
// media/secure/srtp_parts.c
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "media/wire/demux.h"
#include "media/secure/dtls.h"
#include "media/transport/ice.h"
#include "media/secure/srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char ufrag[] = "abcd", pwd[] = "0123456789012345678901";

static const char *find(void *arg, const char *asked, size_t len)
{
    (void)arg;
    return len == sizeof ufrag - 1 && memcmp(asked, ufrag, len) == 0 ? pwd : NULL;
}

static uint32_t crc32_of(const uint8_t *bytes, size_t len)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (unsigned k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void length_set(uint8_t *bytes, size_t len)
{
    bytes[2] = (uint8_t)((len - 20) >> 8);
    bytes[3] = (uint8_t)(len - 20);
}

/** Header and user name, the input as attributes, integrity and fingerprint. */
static size_t signed_request(uint8_t *out, const uint8_t *data, size_t length)
{
    static const uint8_t head[] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1,   2,   3,   4,   5,   6,   7,   8, 9, 1,
                                   2, 3, 0, 6, 0,    9,    'a',  'b',  'c', 'd', ':', 'x', 'y', 'z', 't', 0, 0, 0};
    length &= ~(size_t)3;
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, data, length);
    length += sizeof head;
    length_set(out, length + 24);
    const uint8_t integrity[4] = {0, 8, 0, 20};
    memcpy(out + length, integrity, 4);
    unsigned len = 20;
    HMAC(EVP_sha1(), pwd, sizeof pwd - 1, out, length, out + length + 4, &len);
    length += 24;
    length_set(out, length + 8);
    uint32_t crc = crc32_of(out, length) ^ 0x5354554e;
    const uint8_t fingerprint[8] = {
        0x80, 0x28, 0, 4, (uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc};
    memcpy(out + length, fingerprint, 8);
    return length + 8;
}

/* Each way, on keys that stay; what one side protected the other reads: the keys of both directions are the same. */
static void protect_both_ways(cn_srtp *srtp, const uint8_t *data, size_t len)
{
    uint8_t copy[2048];
    size_t m = len;
    memcpy(copy, data, len);
    (void)cn_srtp_unprotect_rtp(srtp, copy, &m);
    memcpy(copy, data, m = len);
    (void)cn_srtp_unprotect_rtcp(srtp, copy, &m);
    memcpy(copy, data, m = len);
    if (cn_srtp_protect_rtp(srtp, copy, &m) == CN_OK) {
        assert(m == len + cn_srtp_tag(srtp));
        cn_err err = cn_srtp_unprotect_rtp(srtp, copy, &m);
        assert(err != CN_ERR_CRYPTO && err != CN_ERR_PARSE);
        assert(err || (m == len && memcmp(copy, data, len) == 0));
    }
    memcpy(copy, data, m = len);
    if (cn_srtp_protect_rtcp(srtp, copy, &m) == CN_OK && data[0] >> 6 == 2)
        assert(cn_srtp_unprotect_rtcp(srtp, copy, &m) != CN_ERR_CRYPTO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cn_ice *ice;
    static cn_srtp *gcm, *cm;
    if (!ice && cn_ice_new(&ice)) return 0;
    if (!gcm && cn_srtp_new(&gcm, &(cn_srtp_keys){.profile = CN_SRTP_AEAD_AES_128_GCM})) return 0;
    if (!cm && cn_srtp_new(&cm, &(cn_srtp_keys){.profile = CN_SRTP_AES128_CM_SHA1_80})) return 0;
    cn_sockaddr from;
    if (size > 1200 || cn_sockaddr_parse(&from, "192.0.2.1", 5000)) return 0;

    cn_ice_check check;
    cn_ice_receive(ice, &check, data, size, &from, find, NULL);
    uint8_t copy[2048];
    size_t m = signed_request(copy, data, size);
    assert(cn_demux(copy, m) == CN_DATAGRAM_STUN);
    cn_ice_receive(ice, &check, copy, m, &from, find, NULL);
    assert(check.reply_n <= sizeof check.reply);
    assert(check.verdict != CN_ICE_CHECKED || check.reply_n);

    (void)cn_dtls_well_formed(data, size);
    (void)cn_dtls_is_client_hello(data, size);
    protect_both_ways(gcm, data, size);
    protect_both_ways(cm, data, size);
    return 0;
}
