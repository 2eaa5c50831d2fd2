#include "cn_test.h"

#include "signaling/door/crowd.h"

static char places[4000]; /* connections are addresses here */

static void one_address_holds_so_many(void **state)
{
    cn_crowd crowd;
    (void)state;
    cn_crowd_init(&crowd, 3000);
    for (int i = 0; i < CN_CROWD_HERE; i++) assert_null(cn_crowd_come(&crowd, &places[i], "192.0.2.1"));
    cn_crowd_busy(&crowd, &places[0], true); /* what is being worked on stays */
    cn_crowd_busy(&crowd, &places[1], true);
    cn_crowd_busy(&crowd, &places[1], false); /* was active last */
    cn_crowd_know(&crowd, &places[2]);        /* is logged in: no bound counts it */
    assert_null(cn_crowd_come(&crowd, &places[1000], "192.0.2.1"));
    assert_ptr_equal(cn_crowd_come(&crowd, &places[1001], "::ffff:192.0.2.1"), &places[3]);
    assert_null(cn_crowd_come(&crowd, &places[1002], "192.0.2.2"));
    cn_crowd_go(&crowd, &places[3]);
    assert_ptr_equal(cn_crowd_come(&crowd, &places[1003], "192.0.2.1"), &places[4]);
    /* a proxy of ours stands for many */
    for (int i = 0; i < 1000; i++) assert_null(cn_crowd_come(&crowd, &places[2000 + i], NULL));
    cn_crowd_end(&crowd);
    assert_int_equal(crowd.unknown, 0);
}

static void strangers_leave_room_for_others(void **state)
{
    cn_crowd crowd;
    (void)state;
    cn_crowd_init(&crowd, 100);
    for (int i = 0; i < 50; i++) {
        assert_null(cn_crowd_come(&crowd, &places[i], "192.0.2.1"));
        cn_crowd_know(&crowd, &places[i]);
    }
    for (int i = 50; i < 150; i++) assert_null(cn_crowd_come(&crowd, &places[i], NULL));
    assert_ptr_equal(cn_crowd_come(&crowd, &places[150], "2001:db8::1"), &places[50]);
    cn_crowd_go(&crowd, &places[50]);
    for (int i = 51; i < 150; i++) cn_crowd_busy(&crowd, &places[i], true);
    cn_crowd_busy(&crowd, &places[150], true);
    assert_ptr_equal(cn_crowd_come(&crowd, &places[151], NULL), &places[151]); /* all are served: the new one waits */
    cn_crowd_end(&crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_address_holds_so_many),
        cmocka_unit_test(strangers_leave_room_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
