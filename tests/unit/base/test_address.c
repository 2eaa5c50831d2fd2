#include "cn_test.h"

#include <string.h>

#include "base/address.h"

static void addresses_are_read_as_others_write_them(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: none */
    } table[] = {{"192.0.2.1", "192.0.2.1"},
                 {"192.0.2.1:4711", "192.0.2.1"},
                 {"::ffff:192.0.2.1", "192.0.2.1"},
                 {"2001:db8::1", "2001:db8::1"},
                 {"[2001:db8::1]", "2001:db8::1"},
                 {"[2001:db8::1]:80", "2001:db8::1"},
                 {"[192.0.2.1]", NULL},
                 {"[2001:db8::1", NULL},
                 {"[2001:db8::1]x", NULL},
                 {"unknown", NULL},
                 {"_hidden", NULL},
                 {"192.0.2.256", NULL},
                 {"", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cn_address at;
        char text[CN_ADDRESS_TEXT];
        bool read = cn_address_parse(table[i].text, strlen(table[i].text), &at);
        assert_int_equal(read, table[i].want != NULL);
        if (!read) continue;
        cn_address_format(&at, text);
        assert_string_equal(text, table[i].want);
    }
}

static bool inside(const cn_networks *networks, const char *text)
{
    cn_address at;
    assert_true(cn_address_parse(text, strlen(text), &at));
    return cn_networks_have(networks, &at);
}

static void networks_hold_what_is_theirs(void **state)
{
    cn_networks networks;
    (void)state;
    assert_true(cn_networks_parse(&networks, "10.0.0.0/8, 192.0.2.1 2001:db8::/33,::1"));
    assert_int_equal(networks.count, 4);
    assert_true(inside(&networks, "10.255.0.1"));
    assert_false(inside(&networks, "11.0.0.1"));
    assert_true(inside(&networks, "::ffff:10.0.0.1"));
    assert_true(inside(&networks, "192.0.2.1"));
    assert_false(inside(&networks, "192.0.2.2"));
    assert_true(inside(&networks, "2001:db8:7fff::1"));
    assert_false(inside(&networks, "2001:db8:8000::1"));
    assert_true(cn_networks_parse(&networks, ""));
    assert_false(inside(&networks, "127.0.0.1"));
    assert_true(cn_networks_parse(&networks, "0.0.0.0/0"));
    assert_true(inside(&networks, "198.51.100.7"));
    assert_false(inside(&networks, "2001:db8::1"));
    static const char *const bad[] = {"10.0.0.0/33", "10.0.0.0/", "::1/129", "here", "10.0.0.0/8/8", "10.0.0.0/-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(cn_networks_parse(&networks, bad[i]));
}

static void a_neighbour_is_an_address_or_a_network_of_one_customer(void **state)
{
    char left[CN_ADDRESS_TEXT], right[CN_ADDRESS_TEXT];
    (void)state;
    cn_address_neighbour("2001:db8:1:2:3:4:5:6", left);
    cn_address_neighbour("2001:db8:1:2::9", right);
    assert_string_equal(left, right);
    cn_address_neighbour("2001:db8:1:3::9", right);
    assert_string_not_equal(left, right);
    cn_address_neighbour("::ffff:192.0.2.1", left);
    assert_string_equal(left, "192.0.2.1");
    cn_address_neighbour("unix", left);
    assert_string_equal(left, "unix");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read_as_others_write_them),
        cmocka_unit_test(networks_hold_what_is_theirs),
        cmocka_unit_test(a_neighbour_is_an_address_or_a_network_of_one_customer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
