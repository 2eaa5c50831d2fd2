#include "cn_test.h"

#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "media/wire/rtp.h"
#include "media/secure/srtp.h"
#include "media/secure/srtp_aead.h"
#include "media/secure/srtp_gcm.h"

#define PACKET 1600

static void bytes(const char *hex, uint8_t *out, size_t len)
{
    assert_true(cn_unhex(hex, out, len));
}

/* RFC 3711 appendix B.3 */
static void key_derivation_matches_the_rfc(void **state)
{
    (void)state;
    uint8_t key[16], salt[14], out[32], expected[32];
    bytes("e1f97a0d3e018be0d64fa32c06de4139", key, sizeof key);
    bytes("0ec675ad498afeebb6960b3aabe6", salt, sizeof salt);
    assert_ok(cn_srtp_kdf(key, salt, 0, out, 16));
    bytes("c61e7a93744f39ee10734afe3ff7a087", expected, 16);
    assert_memory_equal(out, expected, 16);
    assert_ok(cn_srtp_kdf(key, salt, 2, out, 14));
    bytes("30cbbc08863d8c85d49db34a9ae1", expected, 14);
    assert_memory_equal(out, expected, 14);
    assert_ok(cn_srtp_kdf(key, salt, 1, out, 32));
    bytes("cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce", expected, 32);
    assert_memory_equal(out, expected, 32);
}

/* RFC 7714 §16.1.1: SRTP AEAD_AES_128_GCM, session key and salt given */
static void gcm_matches_the_rfc(void **state)
{
    (void)state;
    uint8_t key[16], salt[12], p[PACKET], expected[54 + 12 + 16];
    bytes("000102030405060708090a0b0c0d0e0f", key, sizeof key);
    bytes("517569642070726f2071756f", salt, sizeof salt);
    bytes("8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573", p,
          50);
    bytes("8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27"
          "beb1"
          "6a9152cf765ee4390cce",
          expected, 66);
    cn_gcm *gcm = NULL;
    assert_ok(cn_gcm_new(&gcm, CN_SRTP_OUT, key, salt));
    size_t n = 50;
    assert_ok(cn_gcm_protect_rtp(gcm, p, &n));
    assert_int_equal(n, 66);
    assert_memory_equal(p, expected, 66);
    cn_gcm_free(gcm);
    gcm = NULL;
    assert_ok(cn_gcm_new(&gcm, CN_SRTP_IN, key, salt));
    assert_ok(cn_gcm_unprotect_rtp(gcm, expected, &n));
    assert_int_equal(n, 50);
    bytes("47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573", p, 38);
    assert_memory_equal(expected + 12, p, 38);
    cn_gcm_free(gcm);
}

/* RFC 7714 §17.1: SRTCP AEAD_AES_128_GCM encryption */
static void gcm_rtcp_matches_the_rfc(void **state)
{
    (void)state;
    uint8_t key[16], salt[12], p[PACKET], expected[PACKET];
    bytes("000102030405060708090a0b0c0d0e0f", key, sizeof key);
    bytes("517569642070726f2071756f", salt, sizeof salt);
    bytes("81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef", p,
          52);
    cn_gcm *out = NULL, *in = NULL;
    assert_ok(cn_gcm_new(&out, CN_SRTP_OUT, key, salt));
    assert_ok(cn_gcm_new(&in, CN_SRTP_IN, key, salt));
    size_t n = 52;
    for (unsigned i = 1; i < 0x5d4; i++) { /* the RFC's index is 0x5d4 */
        memcpy(expected, p, 52);
        assert_ok(cn_gcm_protect_rtcp(out, expected, &n));
        n = 52;
    }
    assert_ok(cn_gcm_protect_rtcp(out, p, &n));
    assert_int_equal(n, 72);
    bytes("81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84a"
          "a45896cf"
          "4d2fc5abf87245d9eade800005d4",
          expected, 72);
    assert_memory_equal(p, expected, 72);
    assert_ok(cn_gcm_unprotect_rtcp(in, p, &n));
    assert_int_equal(n, 52);
    p[52 + 16] &= 0x7f; /* not encrypted: the profile does */
    n = 72;
    assert_err(cn_gcm_unprotect_rtcp(in, p, &n), CN_ERR_CRYPTO);
    cn_gcm_free(out);
    cn_gcm_free(in);
}

static uint32_t seed = 1;

static uint32_t random32(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

/* every length from nothing to a long packet, in place and apart, sealed by one way and opened by the other */
static void both_ciphers_are_one(void **state)
{
    (void)state;
    if (cn_aead_best() == CN_AEAD_OPENSSL) skip();
    uint8_t key[CN_AEAD_KEY], iv[CN_AEAD_IV], head[64], plain[PACKET], a[PACKET], b[PACKET];
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)random32();
    for (size_t i = 0; i < sizeof plain; i++) plain[i] = (uint8_t)random32();
    cn_aead *seals[2] = {NULL}, *opens[2] = {NULL};
    for (int by = 0; by < 2; by++) {
        assert_ok(cn_aead_new(&seals[by], (cn_aead_by)by, true, key));
        assert_ok(cn_aead_new(&opens[by], (cn_aead_by)by, false, key));
    }
    for (size_t n = 0; n < 1500; n++) {
        size_t head_n = 8 + random32() % 56;
        for (size_t i = 0; i < sizeof iv; i++) iv[i] = (uint8_t)random32();
        for (size_t i = 0; i < head_n; i++) head[i] = (uint8_t)random32();
        memcpy(a, plain, n);
        assert_true(cn_aead_seal(seals[0], iv, head, head_n, a, a, n));
        assert_true(cn_aead_seal(seals[1], iv, head, head_n, b, plain, n));
        assert_memory_equal(a, b, n + CN_AEAD_TAG);
        assert_true(cn_aead_open(opens[1], iv, head, head_n, a, n));
        assert_true(cn_aead_open(opens[0], iv, head, head_n, b, n));
        assert_memory_equal(a, plain, n);
        assert_memory_equal(b, plain, n);
        memcpy(a, plain, n);
        assert_true(cn_aead_seal(seals[1], iv, head, head_n, a, a, n));
        a[random32() % (n + CN_AEAD_TAG)] ^= 8;
        assert_false(cn_aead_open(opens[1], iv, head, head_n, a, n));
    }
    for (int by = 0; by < 2; by++) {
        cn_aead_free(seals[by]);
        cn_aead_free(opens[by]);
    }
}

static void keys_make(cn_srtp_keys *server, cn_srtp_keys *client, cn_srtp_profile profile)
{
    for (size_t i = 0; i < sizeof *server; i++) ((uint8_t *)server)[i] = (uint8_t)random32();
    server->profile = profile;
    *client = *server;
    client->in = server->out;
    client->out = server->in;
}

static srtp_t oracle_new(cn_srtp_profile profile, const cn_srtp_master *srtp_master, srtp_ssrc_type_t direction)
{
    bool gcm = profile == CN_SRTP_AEAD_AES_128_GCM;
    srtp_profile_t lib = gcm ? srtp_profile_aead_aes_128_gcm : srtp_profile_aes128_cm_sha1_80;
    uint8_t master[30];
    memcpy(master, srtp_master->key, 16);
    memcpy(master + 16, srtp_master->salt, cn_srtp_profile_salt(profile));
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, lib);
    srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, lib);
    policy.ssrc.type = direction;
    policy.key = master;
    policy.window_size = 1024;
    srtp_t s = NULL;
    assert_int_equal(srtp_create(&s, &policy), srtp_err_status_ok);
    return s;
}

static size_t packet_make(uint8_t *bytes, uint32_t ssrc, uint16_t seq)
{
    size_t payload = random32() % 1200, n = 12;
    unsigned csrcs = random32() % 4 ? 0 : random32() % 16;
    bool extension = random32() % 2;
    bytes[0] = (uint8_t)(0x80 | csrcs | (extension ? 0x10 : 0));
    bytes[1] = (uint8_t)(96 + random32() % 8);
    bytes[2] = (uint8_t)(seq >> 8), bytes[3] = (uint8_t)seq;
    for (size_t i = 4; i < PACKET; i++) bytes[i] = (uint8_t)random32();
    bytes[8] = (uint8_t)(ssrc >> 24), bytes[9] = (uint8_t)(ssrc >> 16), bytes[10] = (uint8_t)(ssrc >> 8),
    bytes[11] = (uint8_t)ssrc;
    n += 4 * csrcs;
    if (extension) {
        unsigned words = random32() % 6;
        bytes[n + 2] = 0, bytes[n + 3] = (uint8_t)words;
        n += 4 + 4 * words;
    }
    return n + payload;
}

/* byte for byte what libsrtp makes, over rollovers, disorder within the window, gaps, CSRCs, extensions and empty
 * payloads */
static void equals_the_oracle(cn_srtp_profile profile)
{
    cn_srtp_keys server, client;
    keys_make(&server, &client, profile);
    cn_srtp *srtp = NULL;
    assert_ok(cn_srtp_new(&srtp, &server));
    srtp_t oracle = oracle_new(profile, &server.out, ssrc_any_outbound);
    /* not at 0: a packet from before the stream's beginning is refused here, while libsrtp takes it for a leap ahead */
    int64_t at[80];
    for (size_t i = 0; i < COUNT_OF(at); i++) at[i] = 2000 + random32() % 20000;
    for (unsigned round = 0; round < 40000; round++) {
        size_t which = random32() % (round % 4 ? 8 : COUNT_OF(at));
        uint32_t kind = random32() % 100;
        at[which] += kind < 90 ? 1 : kind < 98 ? (int64_t)(random32() % 900) : 20000;
        int64_t seq = at[which];
        if (kind % 10 == 3)
            seq -= (int64_t)(random32() % 1100); /* late, perhaps too late, perhaps for the second time */
        uint8_t ours[PACKET], theirs[PACKET];
        size_t n = packet_make(ours, 0x1000 + (uint32_t)which * 7919, (uint16_t)seq);
        memcpy(theirs, ours, sizeof ours);
        int theirs_n = (int)n;
        srtp_err_status_t st = srtp_protect(oracle, theirs, &theirs_n);
        cn_err err = cn_srtp_protect_rtp(srtp, ours, &n);
        if (st == srtp_err_status_ok) {
            assert_ok(err);
            assert_int_equal(n, theirs_n);
            assert_memory_equal(ours, theirs, n);
        } else {
            assert_err(err, CN_ERR_CONFLICT);
        }
    }
    srtp_dealloc(oracle);
    cn_srtp_free(srtp);
}

static void gcm_equals_the_oracle(void **state)
{
    (void)state;
    equals_the_oracle(CN_SRTP_AEAD_AES_128_GCM);
}

static void cm_equals_the_oracle(void **state)
{
    (void)state;
    equals_the_oracle(CN_SRTP_AES128_CM_SHA1_80);
}

/* RTCP byte for byte, several SSRCs in turn */
static void rtcp_equals_the_oracle_with(cn_srtp_profile profile)
{
    cn_srtp_keys server, client;
    keys_make(&server, &client, profile);
    cn_srtp *srtp = NULL;
    assert_ok(cn_srtp_new(&srtp, &server));
    srtp_t oracle = oracle_new(profile, &server.out, ssrc_any_outbound);
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t ours[PACKET], theirs[PACKET];
        size_t n = 8 + 4 * (random32() % 200);
        for (size_t i = 0; i < n; i++) ours[i] = (uint8_t)random32();
        memset(ours, 0, 8);
        ours[0] = 0x80, ours[1] = (uint8_t)(200 + round % 8), ours[7] = (uint8_t)(random32() % 3);
        memcpy(theirs, ours, n);
        int theirs_n = (int)n;
        assert_int_equal(srtp_protect_rtcp(oracle, theirs, &theirs_n), srtp_err_status_ok);
        assert_ok(cn_srtp_protect_rtcp(srtp, ours, &n));
        assert_int_equal(n, theirs_n);
        assert_memory_equal(ours, theirs, n);
    }
    srtp_dealloc(oracle);
    cn_srtp_free(srtp);
}

static void rtcp_equals_the_oracle(void **state)
{
    (void)state;
    rtcp_equals_the_oracle_with(CN_SRTP_AEAD_AES_128_GCM);
    rtcp_equals_the_oracle_with(CN_SRTP_AES128_CM_SHA1_80);
}

/* libsrtp protects, we unprotect: disorder, replays, forgeries; and RTCP both ways */
static void understands_the_oracle(cn_srtp_profile profile)
{
    cn_srtp_keys server, client;
    keys_make(&server, &client, profile);
    cn_srtp *srtp = NULL;
    assert_ok(cn_srtp_new(&srtp, &server));
    srtp_t theirs = oracle_new(profile, &server.in, ssrc_any_outbound),
           judge = oracle_new(profile, &server.in, ssrc_any_inbound),
           reader = oracle_new(profile, &server.out, ssrc_any_inbound);
    static uint8_t kept[64][PACKET];
    static size_t kept_n[64];
    for (unsigned round = 0; round < 20000; round++) {
        size_t slot = round % 64;
        uint8_t *p = kept[slot];
        int len = (int)packet_make(p, 500 + round % 3, (uint16_t)(60000 + round / 3));
        assert_int_equal(srtp_protect(theirs, p, &len), srtp_err_status_ok);
        kept_n[slot] = (size_t)len;
        /* of the last 64 one at random: new, late, or for the second time; now and then damaged */
        size_t pick = round < 64 ? slot : random32() % 64;
        uint8_t a[PACKET], b[PACKET];
        memcpy(a, kept[pick], PACKET);
        if (random32() % 10 == 0) a[random32() % kept_n[pick]] ^= 4;
        memcpy(b, a, PACKET);
        size_t a_n = kept_n[pick];
        int b_n = (int)a_n;
        srtp_err_status_t st = srtp_unprotect(judge, b, &b_n);
        cn_err err = cn_srtp_unprotect_rtp(srtp, a, &a_n);
        assert_int_equal(err == CN_OK, st == srtp_err_status_ok);
        if (err) continue;
        assert_int_equal(a_n, b_n);
        assert_memory_equal(a, b, a_n);
    }
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t p[PACKET], again[PACKET], plain[PACKET];
        size_t n = 8 + 4 * (random32() % 100), before = n;
        for (size_t i = 0; i < n; i++) plain[i] = (uint8_t)random32();
        plain[0] = 0x80, plain[1] = 200, plain[4] = plain[5] = plain[6] = 0, plain[7] = (uint8_t)(round % 3);
        memcpy(p, plain, n);
        assert_ok(cn_srtp_protect_rtcp(srtp, p, &n));
        int len = (int)n;
        assert_int_equal(srtp_unprotect_rtcp(reader, p, &len), srtp_err_status_ok);
        assert_int_equal(len, before);
        assert_memory_equal(p, plain, before);

        len = (int)before;
        assert_int_equal(srtp_protect_rtcp(theirs, p, &len), srtp_err_status_ok);
        memcpy(again, p, sizeof p);
        size_t again_n = n = (size_t)len, at = random32() % n;
        p[at] ^= 1;
        assert_true(cn_srtp_unprotect_rtcp(srtp, p, &n) != CN_OK);
        memcpy(p, again, sizeof p);
        n = again_n;
        assert_ok(cn_srtp_unprotect_rtcp(srtp, p, &n));
        assert_int_equal(n, before);
        assert_memory_equal(p, plain, before);
        assert_err(cn_srtp_unprotect_rtcp(srtp, again, &again_n), CN_ERR_CONFLICT);
    }
    srtp_dealloc(theirs);
    srtp_dealloc(judge);
    srtp_dealloc(reader);
    cn_srtp_free(srtp);
}

static void the_oracles_packets_are_understood(void **state)
{
    (void)state;
    understands_the_oracle(CN_SRTP_AEAD_AES_128_GCM);
    understands_the_oracle(CN_SRTP_AES128_CM_SHA1_80);
}

static void malformed_packets_are_refused_with(cn_srtp_profile profile)
{
    cn_srtp_keys server, client;
    keys_make(&server, &client, profile);
    cn_srtp *srtp = NULL;
    assert_ok(cn_srtp_new(&srtp, &server));
    static const struct {
        uint8_t bytes[20];
        size_t n;
    } bad[] = {
        {{0x80}, 0},
        {{0x80}, 11},
        {{0x40}, 20},                                                    /* version 1 */
        {{0x8f}, 20},                                                    /* 15 CSRCs that are not there */
        {{0x90}, 12},                                                    /* an extension that is not there */
        {{0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 9}, 20}, /* an extension longer than the packet */
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        uint8_t p[64] = {0};
        memcpy(p, bad[i].bytes, sizeof bad[i].bytes);
        size_t n = bad[i].n;
        assert_err(cn_srtp_protect_rtp(srtp, p, &n), CN_ERR_PARSE);
        assert_int_equal(n, bad[i].n);
        assert_true(cn_srtp_unprotect_rtp(srtp, p, &n) != CN_OK);
        assert_true(cn_srtp_unprotect_rtcp(srtp, p, &n) != CN_OK);
    }
    cn_srtp_free(srtp);
}

static void malformed_packets_are_refused(void **state)
{
    (void)state;
    malformed_packets_are_refused_with(CN_SRTP_AEAD_AES_128_GCM);
    malformed_packets_are_refused_with(CN_SRTP_AES128_CM_SHA1_80);
}

static void both_sides_understand_each_other(void **state)
{
    (void)state;
    static const cn_srtp_profile profiles[] = {CN_SRTP_AEAD_AES_128_GCM, CN_SRTP_AES128_CM_SHA1_80};
    for (size_t i = 0; i < COUNT_OF(profiles); i++) {
        cn_srtp_keys server, client;
        keys_make(&server, &client, profiles[i]);
        cn_srtp *srtp = NULL, *b = NULL;
        assert_ok(cn_srtp_new(&srtp, &server));
        assert_ok(cn_srtp_new(&b, &client));
        for (unsigned k = 0; k < 3000; k++) { /* over the first rollover */
            uint8_t p[PACKET], plain[PACKET];
            size_t n = packet_make(p, 77, (uint16_t)(64000 + k)), before = n;
            memcpy(plain, p, sizeof p);
            assert_ok(cn_srtp_protect_rtp(srtp, p, &n));
            assert_int_equal(n, before + cn_srtp_tag(srtp));
            if (k % 5 == 0) {
                uint8_t broken[PACKET];
                size_t broken_n = n;
                memcpy(broken, p, sizeof p);
                broken[random32() % n] ^= 0x10;
                assert_true(cn_srtp_unprotect_rtp(b, broken, &broken_n) != CN_OK);
            }
            uint8_t again[PACKET];
            size_t again_n = n;
            memcpy(again, p, sizeof p);
            assert_ok(cn_srtp_unprotect_rtp(b, p, &n));
            assert_int_equal(n, before);
            assert_memory_equal(p, plain, n);
            assert_err(cn_srtp_unprotect_rtp(b, again, &again_n), CN_ERR_CONFLICT);
        }
        uint8_t report[64] = {0x80, 201, 0, 1, 0, 0, 0, 7};
        size_t n = 8;
        assert_ok(cn_srtp_protect_rtcp(srtp, report, &n));
        assert_int_equal(n, 8 + 4 + cn_srtp_tag(srtp));
        assert_ok(cn_srtp_unprotect_rtcp(b, report, &n));
        assert_int_equal(n, 8);
        cn_srtp_free(srtp);
        cn_srtp_free(b);
    }
}

static void ssrcs_are_bounded_with(cn_srtp_profile profile)
{
    cn_srtp_keys server, client;
    keys_make(&server, &client, profile);
    cn_srtp *srtp = NULL, *b = NULL;
    assert_ok(cn_srtp_new(&srtp, &server));
    assert_ok(cn_srtp_new(&b, &client));
    for (uint32_t i = 0; i <= CN_SRTP_SSRCS_OUT; i++) {
        uint8_t p[PACKET];
        size_t n = packet_make(p, i * 0x01000193, 1);
        assert_err(cn_srtp_protect_rtp(srtp, p, &n), i < CN_SRTP_SSRCS_OUT ? CN_OK : CN_ERR_FULL);
        if (i < CN_SRTP_SSRCS_OUT) {
            assert_err(cn_srtp_unprotect_rtp(b, p, &n), i < CN_SRTP_SSRCS_IN ? CN_OK : CN_ERR_FULL);
        }
    }
    for (uint32_t i = 0; i <= CN_SRTP_SSRCS_OUT; i++) {
        uint8_t report[64] = {0x80, 201, 0, 1, (uint8_t)(i >> 8), (uint8_t)i, 7, 7};
        size_t n = 8;
        assert_err(cn_srtp_protect_rtcp(srtp, report, &n), i < CN_SRTP_SSRCS_OUT ? CN_OK : CN_ERR_FULL);
        if (i == CN_SRTP_SSRCS_OUT) break;
        /* those of RTP count too where one session holds both */
        cn_err err = cn_srtp_unprotect_rtcp(b, report, &n);
        if (profile == CN_SRTP_AEAD_AES_128_GCM)
            assert_err(err, i < CN_SRTP_SSRCS_IN ? CN_OK : CN_ERR_FULL);
        else
            assert_err(err, CN_ERR_FULL);
    }
    cn_srtp_free(srtp);
    cn_srtp_free(b);
}

static void ssrcs_are_bounded(void **state)
{
    (void)state;
    ssrcs_are_bounded_with(CN_SRTP_AEAD_AES_128_GCM);
    ssrcs_are_bounded_with(CN_SRTP_AES128_CM_SHA1_80);
}

static void unknown_profiles_are_refused(void **state)
{
    (void)state;
    cn_srtp_keys keys = {.profile = (cn_srtp_profile)2};
    cn_srtp *srtp = NULL;
    assert_err(cn_srtp_new(&srtp, &keys), CN_ERR_UNSUPPORTED);
    assert_null(srtp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_derivation_matches_the_rfc),
        cmocka_unit_test(gcm_matches_the_rfc),
        cmocka_unit_test(gcm_rtcp_matches_the_rfc),
        cmocka_unit_test(both_sides_understand_each_other),
        cmocka_unit_test(gcm_equals_the_oracle),
        cmocka_unit_test(both_ciphers_are_one),
        cmocka_unit_test(the_oracles_packets_are_understood),
        cmocka_unit_test(malformed_packets_are_refused),
        cmocka_unit_test(ssrcs_are_bounded),
        cmocka_unit_test(unknown_profiles_are_refused),
        cmocka_unit_test(cm_equals_the_oracle),
        cmocka_unit_test(rtcp_equals_the_oracle),
    };
    if (srtp_init() != srtp_err_status_ok) return 1; /* the oracle */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
