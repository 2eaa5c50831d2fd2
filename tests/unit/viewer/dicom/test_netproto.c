/* Words between server and listener, and who may send: what is whole is read, everything else is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "viewer/dicom/netproto.h"
#include "viewer/dicom/peers.h"

static void whole_messages_are_read(void **state)
{
    (void)state;
    cn_net_hello hello = {CN_NET_HELLO, "SCANNER 1", "CONSILIUM"}, read;
    cn_net_file file = {CN_NET_FILE, 7, "1.2.840", "1.2.3"}, read_file;
    assert_true(cn_net_hello_read(&hello, sizeof(hello), &read));
    assert_string_equal(read.calling, "SCANNER 1");
    assert_true(cn_net_file_read(&file, sizeof(file), &read_file));
    assert_int_equal(read_file.number, 7);
}

static void others_are_not(void **state)
{
    (void)state;
    cn_net_hello hello = {CN_NET_HELLO, "A", "B"}, read;
    cn_net_file file = {CN_NET_FILE, 1, "1.2.840", "../x"}, read_file;
    cn_net_verdict verdict = {CN_NET_VERDICT, 0x10000, ""}, read_verdict;
    cn_net_arrival arrival = {CN_NET_ARRIVAL, 1, "example.org"}, read_arrival;
    assert_false(cn_net_hello_read(&hello, sizeof(hello) - 1, &read));
    memset(hello.called, 'x', sizeof(hello.called)); /* does not end */
    assert_false(cn_net_hello_read(&hello, sizeof(hello), &read));
    assert_false(cn_net_file_read(&file, sizeof(file), &read_file));
    assert_false(cn_net_verdict_read(&verdict, sizeof(verdict), &read_verdict));
    assert_false(cn_net_arrival_read(&arrival, sizeof(arrival), &read_arrival));
    assert_false(cn_net_hello_read(&verdict, sizeof(verdict), &read));
}

static void peers_are_found_by_title_and_address(void **state)
{
    (void)state;
    static cn_dicom_peer peers[CN_PEERS_MAX];
    size_t count = 0;
    cn_problem problem = {.err = CN_OK};
    assert_int_equal(cn_peers_parse("CT 1@10.0.0.1=scan01, MR@2001:DB8::0:1 = scan02", peers, &count, &problem), CN_OK);
    assert_int_equal(count, 2);
    assert_string_equal(cn_peers_find(peers, count, "CT 1", "10.0.0.1")->account, "scan01");
    assert_string_equal(cn_peers_find(peers, count, "MR", "2001:db8::1")->account, "scan02");
    assert_null(cn_peers_find(peers, count, "CT 1", "10.0.0.2"));
    assert_null(cn_peers_find(peers, count, "CT", "10.0.0.1"));
    assert_int_equal(cn_peers_parse("", peers, &count, &problem), CN_OK);
    assert_int_equal(count, 0);
}

static void a_wrong_entry_is_named(void **state)
{
    (void)state;
    static cn_dicom_peer peers[CN_PEERS_MAX];
    static const char *const wrong[] = {
        "CT",          "CT@10.0.0.1", "CT@host=scan01", "@10.0.0.1=scan01", "A TITLE OF SEVENTEEN@10.0.0.1=scan01",
        "CT@10.0.0.1="};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        size_t count = 0;
        cn_problem problem = {.err = CN_OK};
        assert_int_equal(cn_peers_parse(wrong[i], peers, &count, &problem), CN_ERR_INVALID);
        assert_memory_equal(problem.detail, "Entry 1: ", 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_messages_are_read),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(peers_are_found_by_title_and_address),
        cmocka_unit_test(a_wrong_entry_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
