#include "cn_test.h"

#include "signaling/api/fragment.h"
#include "signaling/http/cors.h"

static void fragments_are_told_from_garbage(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } table[] = {{"a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n", true},
                 {"m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", true},
                 {"a=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901 \na=end-of-candidates\n", true},
                 {"a=mid:0\r\n", false},
                 {"hello", false},
                 {"", false},
                 {"a=ice-ufrag:abcd\r\n", false},
                 {"a=ice-pwd:0123456789012345678901\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n", false},
                 {"a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n{\"candidate\": 1}\r\n", false}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) assert_int_equal(cn_fragment_valid(table[i].text), table[i].valid);
}

static void credentials_are_known_again(void **state)
{
    const char *offer = "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 x 0\r\n"
                        "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n";
    (void)state;
    uint64_t known = cn_fragment_credentials(offer);
    assert_true(known != 0);
    assert_true(cn_fragment_credentials("a=ice-pwd:0123456789012345678901\na=ice-ufrag:abcd\n") == known);
    assert_true(cn_fragment_credentials("a=ice-pwd:0123456789012345678901\r\na=ice-ufrag:abce\r\n") != known);
    assert_true(cn_fragment_credentials("a=ice-pwd:0123456789012345678902\r\na=ice-ufrag:abcd\r\n") != known);
    assert_true(cn_fragment_credentials("a=ice-ufrag:abcd\r\n") == 0);
}

static void origins_are_those_of_the_list(void **state)
{
    (void)state;
    assert_string_equal(cn_cors_allowed("*", "https://studio.example"), "*");
    assert_string_equal(
        cn_cors_allowed("https://a.example, https://studio.example:8443", "https://studio.example:8443"),
        "https://studio.example:8443");
    assert_null(cn_cors_allowed("https://studio.example", "https://studio.example.evil.example"));
    assert_null(cn_cors_allowed("https://studio.example", "http://studio.example"));
    assert_null(cn_cors_allowed("", "https://studio.example"));
    assert_null(cn_cors_allowed("*", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_are_told_from_garbage),
        cmocka_unit_test(credentials_are_known_again),
        cmocka_unit_test(origins_are_those_of_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
