/* Accounts and logins, on both databases. */
#include "cn_test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/people/manage.h"
#include "consult/people/password.h"
#include "support_consult.h"
#include "support_db.h"

static const cn_login_limits limits = {.idle_ms = 900000, .life_ms = 12 * 3600000};
#define IDLE_MS limits.idle_ms

static cn_err look(support_consult *support, const char *token, cn_login_sign sign, cn_session_found *out)
{
    const cn_session_ask ask = {.token = token, .address = "10.0.0.9", .limits = limits, .sign = sign};
    return cn_session_resolve(&support->c, &ask, out);
}

static void a_login_gives_a_session_until_logout(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session session;
    cn_session_found found;
    assert_ok(cn_login(&support->c, "Referrer1", SUPPORT_PASSWORD, "10.0.0.1", &session, NULL));
    assert_ok(look(support, session.token, CN_LOGIN_NONE, &found));
    assert_string_equal(found.actor.user, support->referrer.user);
    assert_string_equal(found.csrf, session.csrf);
    assert_string_equal(found.actor.address, "10.0.0.9");
    assert_true(cn_actor_may(&found.actor, CN_RIGHT_REQUEST_CREATE));
    assert_false(cn_actor_may(&found.actor, CN_RIGHT_MINUTES_READ));
    assert_err(look(support, "wrong", CN_LOGIN_NONE, &found), CN_ERR_UNAUTH);
    assert_err(look(support, "", CN_LOGIN_NONE, &found), CN_ERR_UNAUTH);
    assert_ok(cn_logout(&support->c, &found.actor, session.token));
    assert_err(look(support, session.token, CN_LOGIN_NONE, &found), CN_ERR_UNAUTH);
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

#define SEEN_EARLIER "UPDATE sessions SET seen_mono_ms = seen_mono_ms - $1"
#define BEGUN_EARLIER "UPDATE sessions SET life_mono_ms = life_mono_ms - $1"

/* What test_lifetime.c says, in the rows of both databases; each with a login of its own, since answers are remembered. */
static void a_login_lasts_by_its_row(void **state)
{
    static const struct {
        const char *sql;
        int64_t by;
        cn_login_sign sign;
        cn_err err;
    } cases[] = {
        /* the wall clock was set an hour forward, or back, since this login was seen */
        {"UPDATE sessions SET seen_ms = seen_ms - $1", 3600000, CN_LOGIN_NONE, CN_OK},
        {"UPDATE sessions SET seen_ms = seen_ms + $1", 3600000, CN_LOGIN_NONE, CN_OK},
        {SEEN_EARLIER, 960000, CN_LOGIN_NONE, CN_ERR_UNAUTH},
        {SEEN_EARLIER, 960000, CN_LOGIN_HAND, CN_ERR_UNAUTH},
        {SEEN_EARLIER, 960000, CN_LOGIN_ROOM, CN_OK},
        {BEGUN_EARLIER, 12 * 3600000 + 1, CN_LOGIN_HAND, CN_ERR_UNAUTH},
        {BEGUN_EARLIER, 12 * 3600000 + 1, CN_LOGIN_ROOM, CN_OK},
        /* the machine was started anew meanwhile, or another one answered last */
        {"UPDATE sessions SET seen_boot = 'other', seen_ms = seen_ms - $1", 60000, CN_LOGIN_NONE, CN_OK},
        {"UPDATE sessions SET seen_boot = 'other', seen_ms = seen_ms - $1", 960000, CN_LOGIN_NONE, CN_ERR_UNAUTH},
        /* logins of before this was counted */
        {"UPDATE sessions SET seen_boot = '', seen_mono_ms = 0, seen_ms = seen_ms - $1", 60000, CN_LOGIN_NONE, CN_OK},
        {"UPDATE sessions SET life_boot = '', life_mono_ms = 0, life_ms = life_ms - $1", 60000, CN_LOGIN_NONE, CN_OK},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
        cn_session session;
        cn_session_found found;
        assert_ok(cn_login(&support->c, "referrer1", SUPPORT_PASSWORD, "10.0.0.9", &session, NULL));
        change_session(support, cases[i].sql, cases[i].by);
        cn_err err = look(support, session.token, cases[i].sign, &found);
        if (err != cases[i].err) fail_msg("case %zu: %s", i, cn_err_name(err));
        /* what an end deleted no sign brings back; what a room kept, others find */
        assert_err(look(support, session.token, CN_LOGIN_HAND, &found), cases[i].err);
        support_consult_free(support);
    }
}

/* What a page does by itself while nobody is there does not keep a login alive. */
static void asking_is_no_sign(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session session;
    cn_session_found found;
    assert_ok(cn_login(&support->c, "referrer1", SUPPORT_PASSWORD, "10.0.0.9", &session, NULL));
    change_session(support, SEEN_EARLIER, IDLE_MS / 2);
    int64_t before = seen_mono(support);
    for (int i = 0; i < 3; i++) assert_ok(look(support, session.token, CN_LOGIN_NONE, &found));
    assert_int_equal(seen_mono(support), before);
    assert_in_range(found.idle_left_ms, IDLE_MS / 2 - 10000, IDLE_MS / 2);
    /* and a key right after it counts, though the answer is remembered */
    assert_ok(look(support, session.token, CN_LOGIN_HAND, &found));
    assert_true(seen_mono(support) > before);
    assert_int_equal(found.idle_left_ms, IDLE_MS);
    /* also for who only asks */
    assert_ok(look(support, session.token, CN_LOGIN_NONE, &found));
    assert_in_range(found.idle_left_ms, IDLE_MS - 10000, IDLE_MS);
    support_consult_free(support);
}

/* An answer is not remembered beyond the login's end. */
static void the_end_comes_in_time(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session session;
    cn_session_found found;
    assert_ok(cn_login(&support->c, "referrer1", SUPPORT_PASSWORD, "10.0.0.9", &session, NULL));
    change_session(support, SEEN_EARLIER, IDLE_MS - 400);
    cn_err err = CN_OK;
    for (int i = 0; i < 30 && err == CN_OK; i++) {
        err = look(support, session.token, CN_LOGIN_NONE, &found);
        usleep(20000);
    }
    assert_err(err, CN_ERR_UNAUTH);
    support_consult_free(support);
}

static void five_wrong_passwords_lock(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    cn_session session;
    cn_problem problem = {.err = CN_OK};
    assert_err(cn_login(&support->c, "nobody99", SUPPORT_PASSWORD, "10.0.0.2", &session, &problem), CN_ERR_UNAUTH);
    const char *const names[] = {"expert1", "stranger1"}; /* whom nobody is, who is told the same */
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
    /* whoever locks a name from his address locks it for himself only */
    assert_ok(cn_login(&support->c, "expert1", SUPPORT_PASSWORD, "10.0.0.3", &session, &problem));
    assert_err(cn_login(&support->c, "expert1", SUPPORT_PASSWORD, "10.0.0.2", &session, &problem), CN_ERR_RATE);
    support_consult_free(support);
}

static void an_administrator_lets_people_in_again(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    const cn_actor system = cn_actor_system();
    cn_session session;
    cn_session_found found;
    cn_problem problem = {.err = CN_OK};
    char id[CN_ID_TEXT];
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
    assert_err(look(support, session.token, CN_LOGIN_NONE, &found), CN_ERR_UNAUTH);
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
    cn_session_found found;
    cn_problem problem = {.err = CN_OK};
    assert_ok(cn_login(&support->c, "expert1", SUPPORT_PASSWORD, "10.0.0.3", &here, &problem));
    assert_ok(cn_login(&support->c, "expert1", SUPPORT_PASSWORD, "10.0.0.3", &there, &problem));
    assert_ok(look(support, here.token, CN_LOGIN_NONE, &found));
    assert_err(cn_password_change(&support->c, &found.actor, here.token, "wrong-pass-1", "another-horse-8", &problem),
               CN_ERR_INVALID);
    assert_err(cn_password_change(&support->c, &found.actor, here.token, SUPPORT_PASSWORD, "short-1", &problem),
               CN_ERR_INVALID);
    assert_err(cn_password_change(&support->c, &found.actor, here.token, SUPPORT_PASSWORD, "my-expert1-name", &problem),
               CN_ERR_INVALID);
    assert_ok(cn_password_change(&support->c, &found.actor, here.token, SUPPORT_PASSWORD, "another-horse-8", &problem));
    assert_ok(look(support, here.token, CN_LOGIN_NONE, &found));
    assert_err(look(support, there.token, CN_LOGIN_NONE, &found), CN_ERR_UNAUTH);
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

/* Who will be refused is told so before a hospital is made for him; a department is found by its name, whatever its code. */
static void who_is_added_is_looked_at_first(void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    const char *const expert[] = {"expert", NULL}, *const twice[] = {"expert", "expert", NULL},
                      *const none[] = {"x", NULL};
    cn_user_new user = {.username = "fresh01", .password = "Good-pass-1x", .name = "张", .title = "", .roles = expert};
    cn_problem problem = {.err = CN_OK};
    char hospital[CN_ID_TEXT], department[CN_ID_TEXT], made[CN_ID_TEXT];
    assert_ok(cn_user_check(&support->c, &user, &problem));
    user.roles = twice;
    assert_err(cn_user_check(&support->c, &user, &problem), CN_ERR_INVALID);
    user.roles = none;
    assert_err(cn_user_check(&support->c, &user, &problem), CN_ERR_INVALID);
    user.roles = expert;
    user.password = "weak";
    assert_err(cn_user_check(&support->c, &user, &problem), CN_ERR_INVALID);
    user = (cn_user_new){.username = "short", .password = "Good-pass-1x", .roles = expert};
    assert_err(cn_user_check(&support->c, &user, &problem), CN_ERR_INVALID);
    assert_ok(cn_hospital_add(&support->c, &support->admin, "白水县中医院", "", hospital));
    assert_ok(cn_department_add(&support->c, &support->admin, hospital, "病理科", "PATH", made));
    assert_ok(cn_department_find(&support->c, hospital, "病理科", department));
    assert_string_equal(department, made);
    assert_ok(cn_department_find(&support->c, hospital, "PATH", department));
    assert_string_equal(department, made);
    assert_ok(cn_department_find(&support->c, hospital, "内科", department));
    assert_string_equal(department, "");
    user = (cn_user_new){.username = "Fresh01",
                         .password = "Good-pass-1x",
                         .name = "张",
                         .title = "",
                         .hospital = hospital,
                         .department = made,
                         .roles = expert};
    assert_ok(cn_user_add(&support->c, &support->admin, &user, made, &problem));
    assert_err(cn_user_check(&support->c, &user, &problem), CN_ERR_CONFLICT);
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
        CN_DB_TESTS(a_login_lasts_by_its_row),
        CN_DB_TESTS(asking_is_no_sign),
        CN_DB_TESTS(the_end_comes_in_time),
        CN_DB_TESTS(changing_the_password_ends_other_sessions),
        CN_DB_TESTS(the_directory_names_doctors_only),
        CN_DB_TESTS(who_is_added_is_looked_at_first),
        cmocka_unit_test(generated_passwords_pass_the_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
