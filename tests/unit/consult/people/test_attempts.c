/* Wrong passwords by name and address, on both databases. */
#include "cn_test.h"

#include <pthread.h>

#include "base/str.h"
#include "consult/people/accounts.h"
#include "consult/people/attempts.h"
#include "support_consult.h"
#include "support_db.h"

/* A try without the password's look, which takes its time on purpose. */
static cn_err attempt(support_consult *support, const char *name, const char *address, bool right)
{
    cn_attempt one;
    CN_AUTO_CONN cn_conn *conn = NULL;
    cn_err err = cn_attempt_begin(&one, &support->c, name, "", address);
    if (err != CN_OK) return err;
    if (!right) {
        cn_attempt_failed(&one);
        return CN_OK;
    }
    assert_ok(cn_conn_acquire(support->c.db, &conn));
    return cn_attempt_right(&one, conn);
}

static void right_passwords_are_not_counted(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session session;
    cn_problem problem = {.err = CN_OK};
    static int base; /* addresses are counted in memory: other ones for each database */
    char inside[48], outside[48];
    assert_true(cn_fmt(inside, sizeof inside, "2001:db8:%d::99", ++base));
    assert_true(cn_fmt(outside, sizeof outside, "2001:db8:%d:1::1", base));
    for (int i = 0; i < 35; i++) assert_ok(attempt(support, "expert1", inside, true));
    /* wrong ones are, whatever the names: 30 a minute from one address, or from the network of one customer */
    for (int i = 0; i < 30; i++) {
        char name[32], address[48];
        assert_true(cn_fmt(name, sizeof name, "stranger%d", i));
        assert_true(cn_fmt(address, sizeof address, "2001:db8:%d::%x", base, i));
        assert_ok(attempt(support, name, address, false));
    }
    assert_err(cn_login(&support->c, "expert1", SUPPORT_PASSWORD, inside, &session, &problem), CN_ERR_RATE);
    assert_int_equal(problem.wrong, CN_WRONG_ADDRESS);
    assert_ok(cn_login(&support->c, "expert1", SUPPORT_PASSWORD, outside, &session, &problem));
    support_consult_free(support);
}

static void many_addresses_guess_no_faster_for_ever(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session session;
    cn_problem problem = {.err = CN_OK};
    for (int i = 0; i < 50; i++) {
        char address[48];
        assert_true(cn_fmt(address, sizeof address, "10.1.%d.1", i / 4));
        assert_ok(attempt(support, "Expert1", address, false));
    }
    assert_err(cn_login(&support->c, "expert1", SUPPORT_PASSWORD, "10.2.0.1", &session, &problem), CN_ERR_RATE);
    assert_int_equal(problem.wrong, CN_WRONG_LOCKED);
    assert_ok(cn_login(&support->c, "expert2", SUPPORT_PASSWORD, "10.2.0.1", &session, &problem));
    support_consult_free(support);
}

typedef struct guesser {
    support_consult *support;
    const char *address;
    pthread_t thread;
    int looked_at; /* whose password was compared */
} guesser;

static void *guess(void *arg)
{
    guesser *one = arg;
    cn_session session;
    for (int i = 0; i < 4; i++) {
        cn_err err = cn_login(&one->support->c, "expert1", "wrong-pass-1", one->address, &session, NULL);
        one->looked_at += err == CN_ERR_UNAUTH;
    }
    return NULL;
}

static void forty_guesses_at_once_are_five(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    guesser all[10];
    int looked_at = 0;
    static int number; /* addresses are counted in memory */
    char address[48];
    assert_true(cn_fmt(address, sizeof address, "10.0.7.%d", ++number));
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        all[i] = (guesser){.support = support, .address = address};
        assert_int_equal(pthread_create(&all[i].thread, NULL, guess, &all[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        pthread_join(all[i].thread, NULL);
        looked_at += all[i].looked_at;
    }
    assert_int_equal(looked_at, 5);
    support_consult_free(support);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(right_passwords_are_not_counted),
        CN_DB_TESTS(many_addresses_guess_no_faster_for_ever),
        CN_DB_TESTS(forty_guesses_at_once_are_five),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
