#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "signaling/live/turn.h"

static cn_turn *open_with(const char *urls, const char *secret, cn_err expected)
{
    char path[] = "/tmp/consilium-turn-XXXXXX", text[512];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, secret, strlen(secret)), (ssize_t)strlen(secret));
    close(fd);
    cn_fmt(text, sizeof text, "[turn]\nurls = %s\nsecret = %s\nttl_minutes = 60\n", urls, path);
    cn_config *config = NULL;
    cn_problem problem;
    assert_ok(cn_config_parse(&config, text, strlen(text), &problem));
    cn_turn *turn = NULL;
    assert_err(cn_turn_open(&turn, config), expected);
    cn_config_free(config);
    unlink(path);
    return turn;
}

/* The password was made with: printf %s 1700003600:u1 | openssl dgst -sha1 -hmac north -binary | base64 */
static void gives_credentials_that_coturn_takes(void **state)
{
    (void)state;
    cn_turn *turn =
        open_with("turn:relay.example:3478?transport=udp, turns:relay.example:443?transport=tcp", "north\n", CN_OK);
    json_t *servers = cn_turn_servers(turn, "u1", 1700000000);
    assert_int_equal(json_array_size(servers), 1);
    const json_t *object = json_array_get(servers, 0);
    assert_int_equal(json_array_size(json_object_get(object, "urls")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(object, "urls"), 1)),
                        "turns:relay.example:443?transport=tcp");
    assert_string_equal(json_string_value(json_object_get(object, "username")), "1700003600:u1");
    assert_string_equal(json_string_value(json_object_get(object, "credential")), "v/htRUiFiOnpNCbrnctUyh6uZAg=");
    json_decref(servers);
    cn_turn_close(turn);
}

static void without_a_relay_there_is_none(void **state)
{
    (void)state;
    cn_turn *turn = open_with("", "north", CN_OK);
    assert_null(turn);
    json_t *servers = cn_turn_servers(turn, "u1", 1700000000);
    assert_int_equal(json_array_size(servers), 0);
    json_decref(servers);
}

static void refuses_what_is_no_relay(void **state)
{
    (void)state;
    assert_null(open_with("https://relay.example", "north", CN_ERR_INVALID));
    assert_null(open_with("turn:relay.example", "\n", CN_ERR_INVALID));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_credentials_that_coturn_takes),
        cmocka_unit_test(without_a_relay_there_is_none),
        cmocka_unit_test(refuses_what_is_no_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
