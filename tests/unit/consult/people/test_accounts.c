/* Accounts and logins, on both databases. */
#include "cn_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/people/manage.h"
#include "consult/people/password.h"
#include "support_consult.h"
#include "support_db.h"

#define IDLE_MS 900000

static void a_login_gives_a_session_until_logout(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session session;
    cn_actor actor;
    char csrf[CN_SESSION_TOKEN];
    assert_ok(cn_login(&support->c, "Referrer1", SUPPORT_PASSWORD, "10.0.0.1", &session, NULL));
    assert_ok(cn_session_resolve(&support->c, session.token, "10.0.0.1", IDLE_MS, &actor, csrf));
    assert_string_equal(actor.user, support->referrer.user);
    assert_string_equal(csrf, session.csrf);
    assert_true(cn_actor_may(&actor, CN_RIGHT_REQUEST_CREATE));
    assert_false(cn_actor_may(&actor, CN_RIGHT_MINUTES_READ));
    assert_err(cn_session_resolve(&support->c, "wrong", "10.0.0.1", IDLE_MS, &actor, csrf), CN_ERR_UNAUTH);
    assert_err(cn_session_resolve(&support->c, "", "10.0.0.1", IDLE_MS, &actor, csrf), CN_ERR_UNAUTH);
    assert_ok(cn_logout(&support->c, &actor, session.token));
    assert_err(cn_session_resolve(&support->c, session.token, "10.0.0.1", IDLE_MS, &actor, csrf), CN_ERR_UNAUTH);
    support_consult_free(support);
}

static void change_session(support_consult *support, const char *sql, int64_t value)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_ok(cn_conn_acquire(support->c.db, &conn));
    assert_ok(cn_db_exec(conn, NULL, sql, cn_int(value)));
}

static int64_t seen_mono(support_consult *support)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    assert_ok(cn_conn_acquire(support->c.db, &conn));
    assert_ok(cn_db_query_v(conn, &rows, "SELECT seen_mono_ms FROM sessions", NULL, 0));
    assert_true(cn_rows_next(rows));
    return cn_rows_int(rows, 0);
}

/* Each with a login of its own, since answers are remembered. */
static void idle_is_what_the_monotonic_clock_says(void **state)
{
    static const struct {
        const char *sql;
        int64_t by;
        int64_t idle_ms;
        cn_err err;
    } cases[] = {
        /* the wall clock was set an hour forward, or back, since this login was seen */
        {"UPDATE sessions SET seen_ms = seen_ms - $1", 3600000, IDLE_MS, CN_OK},
        {"UPDATE sessions SET seen_ms = seen_ms + $1", 3600000, IDLE_MS, CN_OK},
        {"UPDATE sessions SET seen_mono_ms = seen_mono_ms - $1", IDLE_MS + 60000, IDLE_MS, CN_ERR_UNAUTH},
        /* who is in a room is not idle */
        {"UPDATE sessions SET seen_mono_ms = seen_mono_ms - $1", IDLE_MS + 60000, INT64_MAX, CN_OK},
        /* the machine was started anew meanwhile, or another one answered last */
        {"UPDATE sessions SET seen_boot = 'other', seen_ms = seen_ms - $1", 60000, IDLE_MS, CN_OK},
        {"UPDATE sessions SET seen_boot = 'other', seen_ms = seen_ms - $1", IDLE_MS + 60000, IDLE_MS, CN_ERR_UNAUTH},
        /* logins of before this was counted */
        {"UPDATE sessions SET seen_boot = '', seen_mono_ms = 0, seen_ms = seen_ms - $1", 60000, IDLE_MS, CN_OK},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
        cn_session session;
        cn_actor actor;
        char csrf[CN_SESSION_TOKEN];
        assert_ok(cn_login(&support->c, "referrer1", SUPPORT_PASSWORD, "10.0.0.9", &session, NULL));
        int64_t before = seen_mono(support);
        change_session(support, cases[i].sql, cases[i].by);
        assert_err(cn_session_resolve(&support->c, session.token, "10.0.0.9", cases[i].idle_ms, &actor, csrf),
                   cases[i].err);
        if (!cases[i].err) assert_true(seen_mono(support) >= before); /* seen now, as far as it was long ago */
        support_consult_free(support);
    }
}

/* What a page does by itself while nobody is there does not keep a login alive. */
static void looking_is_no_use(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session session;
    cn_actor actor;
    char csrf[CN_SESSION_TOKEN];
    assert_ok(cn_login(&support->c, "referrer1", SUPPORT_PASSWORD, "10.0.0.9", &session, NULL));
    change_session(support, "UPDATE sessions SET seen_mono_ms = seen_mono_ms - $1", IDLE_MS / 2);
    int64_t before = seen_mono(support);
    assert_ok(cn_session_look(&support->c, session.token, "10.0.0.9", IDLE_MS, &actor));
    assert_int_equal(seen_mono(support), before);
    /* and a request right after it counts */
    assert_ok(cn_session_resolve(&support->c, session.token, "10.0.0.9", IDLE_MS, &actor, csrf));
    assert_true(seen_mono(support) > before);
    support_consult_free(support);
}

static void five_wrong_passwords_lock(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session session;
    cn_problem problem = {.err = CN_OK};
    assert_err(cn_login(&support->c, "nobody99", SUPPORT_PASSWORD, "10.0.0.2", &session, &problem), CN_ERR_UNAUTH);
    char nobody[32]; /* is told the same; another one for each database, since names are counted in memory */
    static int number;
    assert_true(cn_fmt(nobody, sizeof nobody, "stranger%d", ++number));
    const char *const names[] = {"expert1", nobody};
    for (size_t who = 0; who < COUNT_OF(names); who++) {
        for (int i = 1; i <= 5; i++) {
            assert_err(cn_login(&support->c, names[who], "wrong-pass-1", "10.0.0.2", &session, &problem),
                       CN_ERR_UNAUTH);
            assert_int_equal(problem.wrong, i < 5 ? CN_WRONG_PASSWORD : CN_WRONG_LOCKED);
            assert_int_equal(problem.number[0], i < 5 ? 5 - i : 5); /* tries, then minutes */
        }
        assert_err(cn_login(&support->c, names[who], SUPPORT_PASSWORD, "10.0.0.2", &session, &problem), CN_ERR_RATE);
        assert_int_equal(problem.wrong, CN_WRONG_LOCKED);
        assert_int_equal(problem.number[0], 5);
    }
    assert_ok(cn_login(&support->c, "expert2", SUPPORT_PASSWORD, "10.0.0.2", &session, &problem));
    support_consult_free(support);
}

static void an_administrator_lets_people_in_again(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    const cn_actor system = cn_actor_system();
    cn_session session;
    cn_actor actor;
    cn_problem problem = {.err = CN_OK};
    char id[CN_ID_TEXT], csrf[CN_SESSION_TOKEN];
    assert_err(cn_user_find(&support->c, "nobody99", id), CN_ERR_NOTFOUND);
    assert_ok(cn_user_find(&support->c, "EXPERT2", id));
    for (int i = 0; i < 5; i++)
        assert_err(cn_login(&support->c, "expert2", "wrong-pass-1", "10.0.0.4", &session, NULL), CN_ERR_UNAUTH);
    CN_AUTO_JSON json_t *list = NULL;
    assert_ok(cn_user_list(&support->c, &system, &list));
    size_t i, locked = 0;
    json_t *item;
    json_array_foreach(json_object_get(list, "items"), i, item) locked +=
        json_integer_value(json_object_get(item, "locked_ms")) > 0;
    assert_int_equal(locked, 1);
    assert_ok(cn_user_unlock(&support->c, &system, id));
    assert_ok(cn_login(&support->c, "expert2", SUPPORT_PASSWORD, "10.0.0.4", &session, NULL));
    assert_err(cn_user_password(&support->c, &system, id, "short-1", &problem), CN_ERR_INVALID);
    assert_ok(cn_user_password(&support->c, &system, id, "another-horse-8", &problem));
    assert_err(cn_session_resolve(&support->c, session.token, "10.0.0.4", IDLE_MS, &actor, csrf), CN_ERR_UNAUTH);
    assert_err(cn_login(&support->c, "expert2", SUPPORT_PASSWORD, "10.0.0.4", &session, NULL), CN_ERR_UNAUTH);
    assert_ok(cn_login(&support->c, "expert2", "another-horse-8", "10.0.0.4", &session, NULL));
    assert_err(cn_user_unlock(&support->c, &system, "nobody"), CN_ERR_NOTFOUND);
    assert_err(cn_user_unlock(&support->c, &support->referrer, id), CN_ERR_FORBIDDEN);
    assert_err(cn_user_password(&support->c, &support->referrer, id, "another-horse-9", &problem), CN_ERR_FORBIDDEN);
    json_t *none = NULL;
    assert_err(cn_user_list(&support->c, &support->referrer, &none), CN_ERR_FORBIDDEN);
    support_consult_free(support);
}

static void changing_the_password_ends_other_sessions(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session here, there;
    cn_actor actor;
    char csrf[CN_SESSION_TOKEN];
    cn_problem problem = {.err = CN_OK};
    assert_ok(cn_login(&support->c, "expert1", SUPPORT_PASSWORD, "10.0.0.3", &here, &problem));
    assert_ok(cn_login(&support->c, "expert1", SUPPORT_PASSWORD, "10.0.0.3", &there, &problem));
    assert_ok(cn_session_resolve(&support->c, here.token, "10.0.0.3", IDLE_MS, &actor, csrf));
    assert_err(cn_password_change(&support->c, &actor, here.token, "wrong-pass-1", "another-horse-8", &problem),
               CN_ERR_INVALID);
    assert_err(cn_password_change(&support->c, &actor, here.token, SUPPORT_PASSWORD, "short-1", &problem),
               CN_ERR_INVALID);
    assert_err(cn_password_change(&support->c, &actor, here.token, SUPPORT_PASSWORD, "my-expert1-name", &problem),
               CN_ERR_INVALID);
    assert_ok(cn_password_change(&support->c, &actor, here.token, SUPPORT_PASSWORD, "another-horse-8", &problem));
    assert_ok(cn_session_resolve(&support->c, here.token, "10.0.0.3", IDLE_MS, &actor, csrf));
    assert_err(cn_session_resolve(&support->c, there.token, "10.0.0.3", IDLE_MS, &actor, csrf), CN_ERR_UNAUTH);
    assert_ok(cn_login(&support->c, "expert1", "another-horse-8", "10.0.0.3", &there, &problem));
    support_consult_free(support);
}

static void the_directory_names_doctors_only(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    json_t *object = NULL, *json = NULL;
    assert_ok(cn_directory(&support->c, &object));
    assert_int_equal(json_array_size(json_object_get(object, "doctors")), 5);
    assert_int_equal(json_array_size(json_object_get(object, "hospitals")), 1);
    json_decref(object);
    assert_ok(cn_user_json(&support->c, support->admin.user, &json));
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "roles"), 0)), "consult_admin");
    json_decref(json);
    support_consult_free(support);
}

static void generated_passwords_pass_the_check(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char password[16];
        cn_password_generate(password);
        assert_int_equal(strlen(password), 14);
        assert_ok(cn_password_check("referrer", password, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(a_login_gives_a_session_until_logout),
        CN_DB_TESTS(five_wrong_passwords_lock),
        CN_DB_TESTS(an_administrator_lets_people_in_again),
        CN_DB_TESTS(idle_is_what_the_monotonic_clock_says),
        CN_DB_TESTS(looking_is_no_use),
        CN_DB_TESTS(changing_the_password_ends_other_sessions),
        CN_DB_TESTS(the_directory_names_doctors_only),
        cmocka_unit_test(generated_passwords_pass_the_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
