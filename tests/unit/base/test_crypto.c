#include "cn_test.h"

#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/str.h"

static void digests_match_the_published_vectors(void **state)
{
    (void)state;
    uint8_t digest[CN_SHA256_LEN];
    char text[2 * CN_SHA256_LEN + 1];
    cn_sha256("abc", 3, digest); /* FIPS 180-2 B.1 */
    cn_hex(digest, sizeof digest, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cn_sha256(NULL, 0, digest);
    cn_hex(digest, sizeof digest, text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");

    cn_sha256_ctx *ctx = NULL;
    assert_ok(cn_sha256_new(&ctx));
    cn_sha256_add(ctx, "a", 1);
    cn_sha256_add(ctx, "bc", 2);
    cn_sha256_final(ctx, digest);
    cn_sha256_free(ctx);
    cn_sha256_free(NULL);
    cn_hex(digest, sizeof digest, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    cn_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest); /* RFC 4231 §4.3 */
    cn_hex(digest, sizeof digest, text);
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void ids_sort_by_time_and_differ(void **state)
{
    (void)state;
    char ids[100][CN_ID_TEXT];
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        cn_id_new(ids[i]);
        assert_true(cn_id_valid(ids[i]));
        for (size_t j = 0; j < i; j++) assert_string_not_equal(ids[i], ids[j]);
        if (i) assert_true(strncmp(ids[i - 1], ids[i], 10) <= 0);
    }
    /* the first ten characters are the milliseconds */
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    int64_t ms = 0;
    for (int i = 0; i < 10; i++) ms = ms * 32 + (strchr(alphabet, ids[99][i]) - alphabet);
    assert_in_range(cn_wall_ms() - ms, 0, 60000);

    assert_false(cn_id_valid(NULL));
    assert_false(cn_id_valid(""));
    assert_false(cn_id_valid("0123456789ABCDEFGHJKMNPQR"));
    assert_false(cn_id_valid("0123456789ABCDEFGHJKMNPQRSS"));
    assert_false(cn_id_valid("0123456789ABCDEFGHJKMNPQRI"));
    assert_false(cn_id_valid("0123456789ABCDEFGHJKMNPQ/."));
}

static void tokens_fit_the_promised_size(void **state)
{
    (void)state;
    for (size_t bits = 8; bits <= 512; bits += 8) {
        char text[600], back[64];
        memset(text, 'z', sizeof text);
        cn_token_new(text, bits);
        assert_true(strlen(text) + 1 <= bits / 6 + 2);
        size_t n = 0;
        assert_true(cn_unb64(text, strlen(text), back, sizeof back, &n));
        assert_int_equal(n, bits / 8);
    }
    char a[40], b[40];
    cn_token_new(a, 128);
    cn_token_new(b, 128);
    assert_string_not_equal(a, b);
    assert_true(cn_equal_ct("abc", "abc", 3));
    assert_false(cn_equal_ct("abc", "abd", 3));
}

static void sealing_binds_text_place_and_key(void **state)
{
    (void)state;
    uint8_t key[32], other[32], sealed[5 + CN_SEAL_OVERHEAD], again[5 + CN_SEAL_OVERHEAD], plain[5];
    cn_random(key, sizeof key);
    memcpy(other, key, sizeof key);
    other[31] ^= 1;
    assert_ok(cn_seal(key, "user.name:1", 11, "hello", 5, sealed));
    assert_ok(cn_seal(key, "user.name:1", 11, "hello", 5, again));
    assert_memory_not_equal(sealed, again, sizeof sealed);
    assert_ok(cn_unseal(key, "user.name:1", 11, sealed, sizeof sealed, plain));
    assert_memory_equal(plain, "hello", 5);

    assert_err(cn_unseal(key, "user.name:2", 11, sealed, sizeof sealed, plain), CN_ERR_CRYPTO);
    assert_memory_equal(plain, "\0\0\0\0\0", 5); /* nothing unauthenticated is left */
    assert_err(cn_unseal(other, "user.name:1", 11, sealed, sizeof sealed, plain), CN_ERR_CRYPTO);
    assert_err(cn_unseal(key, "user.name:1", 11, sealed, sizeof sealed - 1, plain), CN_ERR_CRYPTO);
    assert_err(cn_unseal(key, "user.name:1", 11, sealed, CN_SEAL_OVERHEAD - 1, plain), CN_ERR_CRYPTO);
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 0x10;
        assert_err(cn_unseal(key, "user.name:1", 11, sealed, sizeof sealed, plain), CN_ERR_CRYPTO);
        sealed[i] ^= 0x10;
    }
    assert_ok(cn_unseal(key, "user.name:1", 11, sealed, sizeof sealed, plain));
}

static void nothing_can_be_sealed_too(void **state)
{
    (void)state;
    uint8_t key[32] = {1}, sealed[CN_SEAL_OVERHEAD];
    assert_ok(cn_seal(key, NULL, 0, "", 0, sealed));
    assert_ok(cn_unseal(key, NULL, 0, sealed, sizeof sealed, NULL));
    sealed[27] ^= 1;
    assert_err(cn_unseal(key, NULL, 0, sealed, sizeof sealed, NULL), CN_ERR_CRYPTO);
}

/* NIST GCM test case 14 (256-bit zero key, zero IV, one zero block) pins the layout of the sealed form. */
static void the_sealed_form_is_iv_text_tag(void **state)
{
    (void)state;
    uint8_t key[32] = {0}, sealed[12 + 16 + 16] = {0}, plain[16];
    assert_true(cn_unhex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919", sealed + 12, 32));
    assert_ok(cn_unseal(key, NULL, 0, sealed, sizeof sealed, plain));
    assert_memory_equal(plain, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_match_the_published_vectors), cmocka_unit_test(ids_sort_by_time_and_differ),
        cmocka_unit_test(tokens_fit_the_promised_size),        cmocka_unit_test(sealing_binds_text_place_and_key),
        cmocka_unit_test(nothing_can_be_sealed_too),           cmocka_unit_test(the_sealed_form_is_iv_text_tag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
