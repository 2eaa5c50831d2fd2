#include "consult/people/manage.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "consult/people/password.h"

static bool may(const cn_actor *actor)
{
    return cn_actor_may(actor, CN_RIGHT_USER_MANAGE);
}

cn_err cn_user_list(cn_consult *consult, const cn_actor *actor, json_t **out)
{
    if (!may(actor)) return CN_ERR_FORBIDDEN;
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query_v(conn, &rows,
                         "SELECT u.id, u.username, u.display_name, u.title, h.name, d.name, u.active, "
                         "u.locked_until_ms FROM users u JOIN hospitals h ON h.id = u.hospital_id JOIN departments d "
                         "ON d.id = u.department_id ORDER BY u.username",
                         NULL, 0));
    int64_t now = cn_wall_ms();
    json_t *items = json_array();
    while (cn_rows_next(rows)) {
        int64_t left = cn_rows_int(rows, 7) - now;
        json_array_append_new(items,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I}", "id", cn_rows_text(rows, 0),
                                        "username", cn_rows_text(rows, 1), "name", cn_rows_text(rows, 2), "title",
                                        cn_rows_text(rows, 3), "hospital", cn_rows_text(rows, 4), "department",
                                        cn_rows_text(rows, 5), "active", cn_rows_int(rows, 6) != 0, "locked_ms",
                                        (json_int_t)(left > 0 && left <= CN_LOGIN_LOCK_MS ? left : 0)));
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

static cn_err unlock(cn_conn *conn, const char *user)
{
    int64_t changed = 0;
    CN_TRY(
        cn_db_exec(conn, &changed, "UPDATE users SET failures = 0, locked_until_ms = 0 WHERE id = $1", cn_text(user)));
    return changed == 1 ? CN_OK : CN_ERR_NOTFOUND;
}

cn_err cn_user_unlock(cn_consult *consult, const cn_actor *actor, const char *user)
{
    cn_act act;
    char object[48];
    if (!may(actor)) return CN_ERR_FORBIDDEN;
    if (!cn_fmt(object, sizeof object, "user:%s", user)) return CN_ERR_NOTFOUND;
    CN_TRY(cn_act_begin(&act, consult, actor));
    return cn_act_end(&act, unlock(act.conn, user), "user.unlock", object, NULL);
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

static cn_err set_password(cn_conn *conn, const char *user, const char *hash)
{
    CN_TRY(unlock(conn, user));
    CN_TRY(cn_db_exec(conn, NULL, "UPDATE users SET password = $1, password_changed_ms = $2 WHERE id = $3",
                      cn_text(hash), cn_int(cn_wall_ms()), cn_text(user)));
    return cn_db_exec(conn, NULL, "DELETE FROM sessions WHERE user_id = $1", cn_text(user));
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
