#include "cn_test.h"

#include <string.h>

#include "base/str.h"
#include "media/transport/ice.h"

static const char *known_ufrag, *known_pwd;

static const char *find(void *arg, const char *ufrag, size_t len)
{
    unsigned *asked = arg;
    if (asked) (*asked)++;
    return len == strlen(known_ufrag) && memcmp(ufrag, known_ufrag, len) == 0 ? known_pwd : NULL;
}

/* RFC 5769 §2.1: a check of a controlled agent, with the user name padded by blanks */
static const char rfc5769[] = "000100582112a442b7e7a701bc34d686fa87dfae"
                              "802200105354554e207465737420636c69656e74"
                              "002400046e0001ff"
                              "80290008932ff9b151263b36"
                              "000600096576746a3a68367659202020"
                              "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
                              "80280004e57a3bcf";

static size_t message(uint8_t out[256])
{
    size_t n = (sizeof rfc5769 - 1) / 2;
    assert_true(cn_unhex(rfc5769, out, n));
    return n;
}

static cn_ice_verdict verdict_of(const uint8_t *bytes, size_t len, cn_ice_check *check)
{
    cn_ice *ice = NULL;
    assert_ok(cn_ice_new(&ice));
    cn_sockaddr from;
    assert_ok(cn_sockaddr_parse(&from, "192.0.2.1", 32853));
    cn_ice_receive(ice, check, bytes, len, &from, find, NULL);
    cn_ice_free(ice);
    return check->verdict;
}

static void the_rfcs_request_is_authentic(void **state)
{
    (void)state;
    uint8_t p[256];
    size_t n = message(p);
    assert_int_equal(n, 108);
    cn_ice_check check;
    known_ufrag = "evtj", known_pwd = "VOkJxbRl1RmTxUk/WvJxBt";
    /* its sender claims our role: an error response, which needs the right password */
    assert_int_equal(verdict_of(p, n, &check), CN_ICE_ANSWER);
    assert_true(check.role_conflict);
    assert_true(check.reply_n > 20);
    assert_int_equal(check.reply[0], 1);
    assert_int_equal(check.reply[1], 0x11);
    assert_memory_equal(check.reply + 4, p + 4, 16);

    known_pwd = "VOkJxbRl1RmTxUk/WvJxBu";
    assert_int_equal(verdict_of(p, n, &check), CN_ICE_IGNORE);
    assert_int_equal(check.reply_n, 0);
    known_ufrag = "evtk", known_pwd = "VOkJxbRl1RmTxUk/WvJxBt";
    assert_int_equal(verdict_of(p, n, &check), CN_ICE_IGNORE);
    known_ufrag = "evtj";
    for (size_t i = 0; i < n; i++) { /* no byte may change, no byte may be missing */
        p[i] ^= 1;
        assert_true(verdict_of(p, n, &check) != CN_ICE_CHECKED);
        assert_int_equal(check.reply_n, 0);
        p[i] ^= 1;
        assert_int_equal(verdict_of(p, i, &check), CN_ICE_IGNORE);
    }
}

/* RFC 5769 §2.2: a response is nobody's request */
static void responses_are_ignored(void **state)
{
    (void)state;
    uint8_t p[80];
    assert_true(
        cn_unhex("0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
                 "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96",
                 p, 80));
    known_ufrag = "evtj", known_pwd = "VOkJxbRl1RmTxUk/WvJxBt";
    cn_ice_check check;
    assert_int_equal(verdict_of(p, sizeof p, &check), CN_ICE_IGNORE);
}

static void texts_are_ice_chars(void **state)
{
    (void)state;
    char a[CN_ICE_PWD + 1], b[CN_ICE_PWD + 1], big[300];
    cn_ice_text_new(a, CN_ICE_PWD);
    cn_ice_text_new(b, CN_ICE_PWD);
    assert_int_equal(strlen(a), CN_ICE_PWD);
    assert_true(cn_ice_text_valid(a, 22));
    assert_string_not_equal(a, b);
    memset(big, 'a', sizeof big);
    big[257] = '\0';
    assert_false(cn_ice_text_valid(big, 4));
    big[256] = '\0';
    assert_true(cn_ice_text_valid(big, 4));
    static const char *const bad[] = {NULL, "", "abc", "a b c", "ab:cd", "abcd\r", "ab-cd"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) assert_false(cn_ice_text_valid(bad[i], 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_request_is_authentic),
        cmocka_unit_test(responses_are_ignored),
        cmocka_unit_test(texts_are_ice_chars),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
