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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char ufrag[] = "abcd", pwd[] = "0123456789012345678901";

static const char *find(void *arg, const char *asked, size_t n)
{
    (void)arg;
    return n == sizeof ufrag - 1 && memcmp(asked, ufrag, n) == 0 ? pwd : NULL;
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (unsigned k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void length_set(uint8_t *p, size_t n)
{
    p[2] = (uint8_t)((n - 20) >> 8);
    p[3] = (uint8_t)(n - 20);
}

/** Header and user name, the input as attributes, integrity and fingerprint. */
static size_t signed_request(uint8_t *out, const uint8_t *data, size_t n)
{
    static const uint8_t head[] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1,   2,   3,   4,   5,   6,   7,   8, 9, 1,
                                   2, 3, 0, 6, 0,    9,    'a',  'b',  'c', 'd', ':', 'x', 'y', 'z', 't', 0, 0, 0};
    n &= ~(size_t)3;
    memcpy(out, head, sizeof head);
    memcpy(out + sizeof head, data, n);
    n += sizeof head;
    length_set(out, n + 24);
    const uint8_t integrity[4] = {0, 8, 0, 20};
    memcpy(out + n, integrity, 4);
    unsigned len = 20;
    HMAC(EVP_sha1(), pwd, sizeof pwd - 1, out, n, out + n + 4, &len);
    n += 24;
    length_set(out, n + 8);
    uint32_t crc = crc32_of(out, n) ^ 0x5354554e;
    const uint8_t fingerprint[8] = {
        0x80, 0x28, 0, 4, (uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc};
    memcpy(out + n, fingerprint, 8);
    return n + 8;
}

/* Each way, on keys that stay; what one side protected the other reads: the keys of both directions are the same. */
static void protect_both_ways(cn_srtp *srtp, const uint8_t *data, size_t n)
{
    uint8_t copy[2048];
    size_t m = n;
    memcpy(copy, data, n);
    (void)cn_srtp_unprotect_rtp(srtp, copy, &m);
    memcpy(copy, data, m = n);
    (void)cn_srtp_unprotect_rtcp(srtp, copy, &m);
    memcpy(copy, data, m = n);
    if (cn_srtp_protect_rtp(srtp, copy, &m) == CN_OK) {
        assert(m == n + cn_srtp_tag(srtp));
        cn_err err = cn_srtp_unprotect_rtp(srtp, copy, &m);
        assert(err != CN_ERR_CRYPTO && err != CN_ERR_PARSE);
        assert(err || (m == n && memcmp(copy, data, n) == 0));
    }
    memcpy(copy, data, m = n);
    if (cn_srtp_protect_rtcp(srtp, copy, &m) == CN_OK && data[0] >> 6 == 2)
        assert(cn_srtp_unprotect_rtcp(srtp, copy, &m) != CN_ERR_CRYPTO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static cn_ice *ice;
    static cn_srtp *gcm, *cm;
    if (!ice && cn_ice_new(&ice)) return 0;
    if (!gcm && cn_srtp_new(&gcm, &(cn_srtp_keys){.profile = CN_SRTP_AEAD_AES_128_GCM})) return 0;
    if (!cm && cn_srtp_new(&cm, &(cn_srtp_keys){.profile = CN_SRTP_AES128_CM_SHA1_80})) return 0;
    cn_sockaddr from;
    if (n > 1200 || cn_sockaddr_parse(&from, "192.0.2.1", 5000)) return 0;

    cn_ice_check check;
    cn_ice_receive(ice, &check, data, n, &from, find, NULL);
    uint8_t copy[2048];
    size_t m = signed_request(copy, data, n);
    assert(cn_demux(copy, m) == CN_DATAGRAM_STUN);
    cn_ice_receive(ice, &check, copy, m, &from, find, NULL);
    assert(check.reply_n <= sizeof check.reply);
    assert(check.verdict != CN_ICE_CHECKED || check.reply_n);

    (void)cn_dtls_well_formed(data, n);
    (void)cn_dtls_is_client_hello(data, n);
    protect_both_ways(gcm, data, n);
    protect_both_ways(cm, data, n);
    return 0;
}
