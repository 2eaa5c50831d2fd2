#include "cn_test.h"

#include <string.h>

#include "base/str.h"
#include "signaling/http/proxy.h"

static const struct {
    bool forwarded;
    const char *peer;
    cn_proxy_said said;
    const char *client;
    bool secure;
} table[] = {
    {false, "10.0.0.1", {.for_list = "192.0.2.7", .proto = "https"}, "192.0.2.7", true},
    {false, "10.0.0.1", {.for_list = "192.0.2.7", .proto = "http"}, "192.0.2.7", false},
    {false, "10.0.0.1", {.for_list = "192.0.2.7"}, "192.0.2.7", false},
    /* what a client claims stands before what the proxy saw */
    {false, "10.0.0.1", {.for_list = "127.0.0.1, 198.51.100.1,192.0.2.7"}, "192.0.2.7", false},
    {false, "10.0.0.1", {.for_list = "192.0.2.9, 192.0.2.7, 10.0.0.2", .proto = "https"}, "192.0.2.7", true},
    {false, "::ffff:10.0.0.1", {.for_list = "2001:db8::5"}, "2001:db8::5", false},
    /* all of them ours: the farthest */
    {false, "10.0.0.1", {.for_list = "10.0.0.9, 10.0.0.8"}, "10.0.0.9", false},
    {false, "10.0.0.1", {.for_list = "192.0.2.7, unknown"}, "10.0.0.1", false},
    {false, "10.0.0.1", {.for_list = ""}, "10.0.0.1", false},
    {false, "10.0.0.1", {.for_list = NULL}, "10.0.0.1", false},
    {false, "10.0.0.1", {.proto = "https"}, "10.0.0.1", true},
    /* nobody's proxy says anything */
    {false, "192.0.2.50", {.for_list = "192.0.2.7", .proto = "https"}, "192.0.2.50", false},
    {false, "10.0.0.1", {.for_list = "192.0.2.7", .forwarded = "for=198.51.100.9"}, "192.0.2.7", false},
    {true, "10.0.0.1", {.for_list = "192.0.2.7", .forwarded = "for=198.51.100.9;proto=https"}, "198.51.100.9", true},
    {true, "10.0.0.1", {.forwarded = "for=192.0.2.1, For=\"[2001:db8::17]:4711\";Proto=HTTPS"}, "2001:db8::17", true},
    {true, "10.0.0.1", {.forwarded = "by=10.0.0.1; for=192.0.2.60:80 ;proto=http"}, "192.0.2.60", false},
    {true, "10.0.0.1", {.forwarded = "for=192.0.2.60, for=_hidden"}, "10.0.0.1", false},
    {true, "10.0.0.1", {.forwarded = "proto=https"}, "10.0.0.1", true},
};

static void the_client_is_the_last_that_is_not_ours(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        cn_proxies proxies;
        char address[CN_ADDRESS_TEXT];
        bool secure = false;
        assert_ok(cn_proxies_parse(&proxies, "10.0.0.0/8", table[i].forwarded ? "forwarded" : "x-forwarded-for", NULL));
        cn_strcpy(address, sizeof address, table[i].peer);
        cn_proxy_client(&proxies, &table[i].said, address, &secure);
        assert_string_equal(address, table[i].client);
        assert_int_equal(secure, table[i].secure);
    }
}

static void what_cannot_be_read_is_refused_at_the_start(void **state)
{
    cn_proxies proxies;
    cn_problem problem = {.err = CN_OK};
    (void)state;
    assert_err(cn_proxies_parse(&proxies, "nginx", "x-forwarded-for", &problem), CN_ERR_INVALID);
    assert_string_equal(problem.field, "server.trusted_proxies");
    assert_err(cn_proxies_parse(&proxies, "10.0.0.1", "x-real-ip", &problem), CN_ERR_INVALID);
    assert_string_equal(problem.field, "server.proxy_header");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_client_is_the_last_that_is_not_ours),
        cmocka_unit_test(what_cannot_be_read_is_refused_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
