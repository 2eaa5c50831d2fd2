#include "consult/people/manage.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "consult/people/attempts.h"
#include "consult/people/password.h"

static bool may(const cn_actor *actor)
{
    return cn_actor_may(actor, CN_RIGHT_USER_MANAGE);
}

/* In how many consultations that are not over he is to take part as an expert; after the talk that is the lead alone. */
#define STILL_HAS(user)                                                                                              \
    "(SELECT COUNT(*) FROM request_experts x JOIN requests q ON q.id = x.request_id WHERE x.user_id = " user " AND " \
    "(q.state IN ('SCHEDULED', 'IN_SESSION') OR (q.state = 'AWAITING_REPORT' AND x.lead = 1)))"

static json_t *user_item(const cn_rows *rows)
{
    int64_t at = cn_rows_int(rows, 7), left = at ? at + CN_LOGIN_LOCK_MS - cn_wall_ms() : 0;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:[], s:b, s:I, s:I}", "id", cn_rows_text(rows, 0), "username",
                     cn_rows_text(rows, 1), "name", cn_rows_text(rows, 2), "title", cn_rows_text(rows, 3), "hospital",
                     cn_rows_text(rows, 4), "department", cn_rows_text(rows, 5), "roles", "active",
                     cn_rows_int(rows, 6) != 0, "locked_ms",
                     (json_int_t)(left > 0 && left <= CN_LOGIN_LOCK_MS ? left : 0), "consultations",
                     (json_int_t)cn_rows_int(rows, 9));
}

cn_err cn_user_list(cn_consult *consult, const cn_actor *actor, json_t **out)
{
    if (!may(actor)) return CN_ERR_FORBIDDEN;
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    json_t *items = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query_v(conn, &rows,
                         "SELECT u.id, u.username, u.display_name, u.title, h.name, d.name, u.active, "
                         "(SELECT MAX(f.at_ms) FROM login_failures f WHERE f.user_id = u.id AND f.failures >= "
                         "CASE WHEN f.address = '' THEN $2 ELSE $1 END), COALESCE(r.role, ''), " STILL_HAS(
                             "u.id") " FROM users u "
                                     "LEFT JOIN user_roles r ON r.user_id = u.id "
                                     "JOIN hospitals h ON h.id = u.hospital_id JOIN departments d "
                                     "ON d.id = u.department_id ORDER BY u.username, r.role",
                         (const cn_val[]){cn_int(CN_ATTEMPTS), cn_int(CN_ATTEMPTS_ALL)}, 2));
    items = json_array();
    while (cn_rows_next(rows)) {
        json_t *last = json_array_get(items, json_array_size(items) - 1);
        if (!last || strcmp(json_string_value(json_object_get(last, "id")), cn_rows_text(rows, 0)) != 0) {
            last = user_item(rows);
            json_array_append_new(items, last);
        }
        if (cn_rows_text(rows, 8)[0])
            json_array_append_new(json_object_get(last, "roles"), json_string(cn_rows_text(rows, 8)));
    }
    *out = json_pack("{s:o}", "items", items);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_user_find(cn_consult *consult, const char *username, char id[CN_ID_TEXT])
{
    char name[40];
    if (!cn_strcpy(name, sizeof name, username)) return CN_ERR_NOTFOUND;
    for (char *at = name; *at; at++)
        if (*at >= 'A' && *at <= 'Z') *at = (char)(*at + 32);
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT id FROM users WHERE username = $1", cn_text(name)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    return cn_strcpy(id, CN_ID_TEXT, cn_rows_text(rows, 0)) ? CN_OK : CN_ERR_CORRUPT;
}

static cn_err must_exist(cn_conn *conn, const char *user)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT 1 FROM users WHERE id = $1", cn_text(user)));
    return cn_rows_next(rows) ? CN_OK : CN_ERR_NOTFOUND;
}

/* One change of an account, and its row in the audit log. */
static cn_err change(cn_consult *consult, const cn_actor *actor, const char *user, const char *action,
                     cn_err (*apply)(cn_conn *conn, const char *user))
{
    cn_act act;
    char object[48];
    if (!may(actor)) return CN_ERR_FORBIDDEN;
    if (!cn_fmt(object, sizeof object, "user:%s", user)) return CN_ERR_NOTFOUND;
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = must_exist(act.conn, user);
    if (err == CN_OK) err = apply(act.conn, user);
    return cn_act_end(&act, err, action, object, NULL);
}

cn_err cn_user_unlock(cn_consult *consult, const cn_actor *actor, const char *user)
{
    return change(consult, actor, user, "user.unlock", cn_attempts_forget);
}

static cn_err username_of(cn_consult *consult, const char *user, char out[40])
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT username FROM users WHERE id = $1", cn_text(user)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    return cn_strcpy(out, 40, cn_rows_text(rows, 0)) ? CN_OK : CN_ERR_CORRUPT;
}

static cn_err end_sessions(cn_conn *conn, const char *user)
{
    return cn_db_exec(conn, NULL, "DELETE FROM sessions WHERE user_id = $1", cn_text(user));
}

static cn_err set_password(cn_conn *conn, const char *user, const char *hash)
{
    CN_TRY(cn_attempts_forget(conn, user));
    CN_TRY(cn_db_exec(conn, NULL, "UPDATE users SET password = $1, password_changed_ms = $2 WHERE id = $3",
                      cn_text(hash), cn_int(cn_wall_ms()), cn_text(user)));
    return end_sessions(conn, user);
}

cn_err cn_user_password(cn_consult *consult, const cn_actor *actor, const char *user, const char *password,
                        cn_problem *problem)
{
    cn_act act;
    char object[48], username[40], hash[CN_PASSWORD_HASH];
    if (!may(actor)) return CN_ERR_FORBIDDEN;
    if (!cn_fmt(object, sizeof object, "user:%s", user)) return CN_ERR_NOTFOUND;
    CN_TRY(username_of(consult, user, username));
    CN_TRY(cn_password_check(username, password, problem));
    CN_TRY(cn_password_hash(password, hash));
    CN_TRY(cn_act_begin(&act, consult, actor));
    return cn_act_end(&act, set_password(act.conn, user, hash), "user.password", object, NULL);
}

cn_err cn_user_logout(cn_consult *consult, const cn_actor *actor, const char *user)
{
    return change(consult, actor, user, "user.logout", end_sessions);
}

static cn_err enable(cn_conn *conn, const char *user)
{
    return cn_db_exec(conn, NULL, "UPDATE users SET active = 1 WHERE id = $1", cn_text(user));
}

static cn_err disable(cn_conn *conn, const char *user)
{
    CN_TRY(end_sessions(conn, user));
    return cn_db_exec(conn, NULL, "UPDATE users SET active = 0 WHERE id = $1", cn_text(user));
}

cn_err cn_user_consultations(cn_consult *consult, const char *user, int64_t *count)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT " STILL_HAS("$1"), cn_text(user)));
    *count = cn_rows_next(rows) ? cn_rows_int(rows, 0) : 0;
    return CN_OK;
}

cn_err cn_user_enable(cn_consult *consult, const cn_actor *actor, const char *user, bool on, cn_problem *problem)
{
    if (!on && may(actor) && strcmp(actor->user, user) == 0)
        return cn_problem_set(problem, CN_ERR_STATE, "id", "nobody disables his own account");
    return change(consult, actor, user, on ? "user.enable" : "user.disable", on ? enable : disable);
}
