/* Accounts and logins, on both databases. */
#include "cn_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "support_consult.h"
#include "support_db.h"

#define IDLE_MS 900000

static void a_login_gives_a_session_until_logout(void **state)
{
    support_consult *s = support_consult_new(SUPPORT_DB_KIND(state));
    cn_accounts *a = NULL;
    cn_login l;
    cn_session session;
    assert_ok(cn_accounts_new(&a, &s->c, IDLE_MS));
    assert_ok(cn_account_login(a, "Referrer1", SUPPORT_PASSWORD, "10.0.0.1", &l, NULL));
    assert_ok(cn_session_resolve(a, l.token, "10.0.0.1", true, &session));
    assert_string_equal(session.actor.user, s->referrer.user);
    assert_string_equal(session.csrf, l.csrf);
    assert_true(cn_actor_may(&session.actor, CN_RIGHT_REQUEST_CREATE));
    assert_false(cn_actor_may(&session.actor, CN_RIGHT_MINUTES_READ));
    assert_err(cn_session_resolve(a, "wrong", "10.0.0.1", true, &session), CN_ERR_UNAUTH);
    assert_err(cn_session_resolve(a, "", "10.0.0.1", true, &session), CN_ERR_UNAUTH);
    assert_ok(cn_session_end(a, &s->referrer, l.token));
    assert_err(cn_session_resolve(a, l.token, "10.0.0.1", true, &session), CN_ERR_UNAUTH);
    cn_accounts_free(a);
    support_consult_free(s);
}

static void five_wrong_passwords_lock(void **state)
{
    support_consult *s = support_consult_new(SUPPORT_DB_KIND(state));
    cn_accounts *a = NULL;
    cn_login l;
    assert_ok(cn_accounts_new(&a, &s->c, IDLE_MS));
    assert_err(cn_account_login(a, "nobody99", SUPPORT_PASSWORD, "10.0.0.2", &l, NULL), CN_ERR_UNAUTH);
    for (int i = 0; i < 5; i++) assert_err(cn_account_login(a, "expert1", "wrong-pass-1", "10.0.0.2", &l, NULL), CN_ERR_UNAUTH);
    assert_err(cn_account_login(a, "expert1", SUPPORT_PASSWORD, "10.0.0.2", &l, NULL), CN_ERR_RATE);
    assert_ok(cn_account_login(a, "expert2", SUPPORT_PASSWORD, "10.0.0.2", &l, NULL));
    cn_accounts_free(a);
    support_consult_free(s);
}

static void changing_the_password_ends_other_sessions(void **state)
{
    support_consult *s = support_consult_new(SUPPORT_DB_KIND(state));
    cn_accounts *a = NULL;
    cn_login here, there;
    cn_session session;
    assert_ok(cn_accounts_new(&a, &s->c, IDLE_MS));
    assert_ok(cn_account_login(a, "expert1", SUPPORT_PASSWORD, "10.0.0.3", &here, NULL));
    assert_ok(cn_account_login(a, "expert1", SUPPORT_PASSWORD, "10.0.0.3", &there, NULL));
    const cn_actor *me = &s->lead;
    assert_true(cn_account_password(a, me, here.token, "wrong-pass-1", "another-horse-8", NULL) != CN_OK);
    assert_true(cn_account_password(a, me, here.token, SUPPORT_PASSWORD, "short-1", NULL) != CN_OK);
    assert_true(cn_account_password(a, me, here.token, SUPPORT_PASSWORD, "my-expert1-name", NULL) != CN_OK);
    assert_ok(cn_account_password(a, me, here.token, SUPPORT_PASSWORD, "another-horse-8", NULL));
    assert_ok(cn_session_resolve(a, here.token, "10.0.0.3", true, &session));
    assert_err(cn_session_resolve(a, there.token, "10.0.0.3", true, &session), CN_ERR_UNAUTH);
    assert_ok(cn_account_login(a, "expert1", "another-horse-8", "10.0.0.3", &there, NULL));
    cn_accounts_free(a);
    support_consult_free(s);
}

static void the_directory_names_doctors_only(void **state)
{
    support_consult *s = support_consult_new(SUPPORT_DB_KIND(state));
    json_t *d = NULL, *u = NULL;
    assert_ok(cn_directory(&s->c, &s->admin, &d));
    assert_int_equal(json_array_size(json_object_get(d, "doctors")), 5);
    assert_int_equal(json_array_size(json_object_get(d, "hospitals")), 1);
    json_decref(d);
    assert_ok(cn_account_json(&s->c, s->admin.user, &u));
    assert_string_equal(json_string_value(json_array_get(json_object_get(u, "roles"), 0)), "consult_admin");
    json_decref(u);
    support_consult_free(s);
}

static void generated_passwords_pass_the_check(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char password[20];
        cn_password_new(password);
        assert_ok(cn_password_check("referrer", password, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(a_login_gives_a_session_until_logout),      CN_DB_TESTS(five_wrong_passwords_lock),
        CN_DB_TESTS(changing_the_password_ends_other_sessions), CN_DB_TESTS(the_directory_names_doctors_only),
        cmocka_unit_test(generated_passwords_pass_the_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
