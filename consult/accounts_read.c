/* Reading accounts (one's own, the directory) and the tokens of rooms. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "consult/accounts_private.h"

static cn_err roles_of(cn_conn *conn, const char *user, json_t *roles, uint32_t *rights)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT role FROM user_roles WHERE user_id = $1 ORDER BY role", cn_text(user)));
    while (cn_rows_next(rows)) {
        json_array_append_new(roles, json_string(cn_rows_text(rows, 0)));
        *rights |= cn_role_rights(cn_rows_text(rows, 0));
    }
    return CN_OK;
}

static json_t *rights_json(uint32_t rights)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < CN_RIGHT_COUNT; i++)
        if (rights >> i & 1u) json_array_append_new(out, json_string(cn_right_name((cn_right)i)));
    return out;
}

cn_err cn_account_json(cn_consult *c, const char *user, json_t **out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    uint32_t rights = 0;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT u.id, u.username, u.display_name, u.title, h.id, h.name, d.id, d.name FROM users u "
                       "JOIN hospitals h ON h.id = u.hospital_id JOIN departments d ON d.id = u.department_id WHERE u.id = $1",
                       cn_text(user)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    json_t *roles = json_array();
    cn_err err = roles_of(conn, user, roles, &rights);
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:o, s:o}", "id", cn_rows_text(rows, 0), "username",
                          cn_rows_text(rows, 1), "name", cn_rows_text(rows, 2), "title", cn_rows_text(rows, 3), "hospital", "id",
                          cn_rows_text(rows, 4), "name", cn_rows_text(rows, 5), "department", "id", cn_rows_text(rows, 6), "name",
                          cn_rows_text(rows, 7), "roles", roles, "rights", rights_json(rights));
    if (err != CN_OK || !o) {
        json_decref(o);
        return err != CN_OK ? err : CN_ERR_NOMEM;
    }
    *out = o;
    return CN_OK;
}

static cn_err hospitals_json(cn_conn *conn, json_t *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    json_t *departments = NULL;
    char last[CN_ID_TEXT] = "";
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT h.id, h.name, h.city, d.id, d.name FROM hospitals h LEFT JOIN departments d ON d.hospital_id = h.id "
                       "AND d.active = 1 WHERE h.active = $1 ORDER BY h.name, h.id, d.code",
                       cn_int(1)));
    while (cn_rows_next(rows)) {
        if (strcmp(last, cn_rows_text(rows, 0)) != 0) {
            cn_strcpy(last, sizeof last, cn_rows_text(rows, 0));
            departments = json_array();
            json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:o}", "id", last, "name", cn_rows_text(rows, 1), "city",
                                                 cn_rows_text(rows, 2), "departments", departments));
        }
        if (!cn_rows_null(rows, 3))
            json_array_append_new(departments, json_pack("{s:s, s:s}", "id", cn_rows_text(rows, 3), "name", cn_rows_text(rows, 4)));
    }
    return CN_OK;
}

/* One row per doctor and role, so that one query serves them all. */
static cn_err doctors_json(cn_conn *conn, json_t *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    json_t *roles = NULL;
    char last[CN_ID_TEXT] = "";
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT u.id, u.display_name, u.title, h.id, h.name, d.id, d.name, r.role FROM users u "
                       "JOIN hospitals h ON h.id = u.hospital_id JOIN departments d ON d.id = u.department_id "
                       "JOIN user_roles r ON r.user_id = u.id AND r.role IN ('referrer', 'expert') WHERE u.active = $1 AND h.active = 1 "
                       "ORDER BY h.name, d.code, u.display_name, u.id, r.role",
                       cn_int(1)));
    while (cn_rows_next(rows)) {
        if (strcmp(last, cn_rows_text(rows, 0)) != 0) {
            cn_strcpy(last, sizeof last, cn_rows_text(rows, 0));
            roles = json_array();
            json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:o}", "id", last, "name",
                                                 cn_rows_text(rows, 1), "title", cn_rows_text(rows, 2), "hospital", "id",
                                                 cn_rows_text(rows, 3), "name", cn_rows_text(rows, 4), "department", "id",
                                                 cn_rows_text(rows, 5), "name", cn_rows_text(rows, 6), "roles", roles));
        }
        if (!cn_rows_null(rows, 7)) json_array_append_new(roles, json_string(cn_rows_text(rows, 7)));
    }
    return CN_OK;
}

cn_err cn_directory(cn_consult *c, const cn_actor *actor, json_t **out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    if (!*actor->user) return CN_ERR_UNAUTH;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    json_t *hospitals = json_array(), *doctors = json_array();
    json_t *o = json_pack("{s:o, s:o}", "hospitals", hospitals, "doctors", doctors);
    cn_err err = o ? hospitals_json(conn, hospitals) : CN_ERR_NOMEM;
    if (err == CN_OK) err = doctors_json(conn, doctors);
    if (err != CN_OK) {
        json_decref(o);
        return err;
    }
    *out = o;
    return CN_OK;
}

cn_err cn_room_token_new(cn_consult *c, const cn_actor *actor, const char *room, bool publish, int64_t lives_ms, char token[CN_SESSION_TOKEN])
{
    cn_act act;
    char hash[65], object[80];
    int64_t now = cn_wall_ms();
    if (!cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE)) return CN_ERR_FORBIDDEN;
    cn_token_new(token, 256);
    cn_token_hash(token, hash);
    cn_fmt(object, sizeof object, "room:%s", room);
    CN_TRY(cn_act_begin(&act, c, actor));
    cn_err err = cn_db_exec(act.conn, NULL, "DELETE FROM room_tokens WHERE expires_ms < $1", cn_int(now));
    if (err == CN_OK)
        err = cn_db_exec(act.conn, NULL,
                         "INSERT INTO room_tokens (token_hash, room_id, may_publish, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5)",
                         cn_text(hash), cn_text(room), cn_int(publish), cn_int(now), cn_int(now + lives_ms));
    return cn_act_end(&act, err, "room.token", object, publish ? "{\"publish\":true}" : "{\"publish\":false}");
}

cn_err cn_room_token_check(cn_consult *c, const char *token, const char *room, bool publish)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    char hash[65];
    cn_token_hash(token, hash);
    CN_TRY(cn_conn_acquire(c->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT may_publish FROM room_tokens WHERE token_hash = $1 AND room_id = $2 AND expires_ms > $3",
                       cn_text(hash), cn_text(room), cn_int(cn_wall_ms())));
    if (!cn_rows_next(rows)) return CN_ERR_UNAUTH;
    return (cn_rows_int(rows, 0) == 1) == publish ? CN_OK : CN_ERR_FORBIDDEN;
}
