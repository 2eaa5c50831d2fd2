#include "consult/people/accounts.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/people/password.h"

#define R(id) (1u << CN_RIGHT_##id)

static const struct {
    const char *role;
    uint32_t rights;
} roles[] = {
    {"referrer", R(REQUEST_CREATE) | R(SLIDE_LABEL)},
    {"expert", R(REPORT_WRITE) | R(SLIDE_LABEL)},
    {"consult_admin", R(REQUEST_REVIEW) | R(REQUEST_READ_ALL) | R(MINUTES_READ) | R(ROOM_MODERATE) | R(SLIDE_LABEL)},
    {"sys_admin", R(USER_MANAGE)},
    {"config_admin", R(CONFIG_MANAGE)},
    {"audit_admin", R(AUDIT_READ)},
};

uint32_t cn_role_rights(const char *role)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (strcmp(roles[i].role, role) == 0) return roles[i].rights;
    return 0;
}

/* ---- creating ---- */

static bool username_valid(const char *text)
{
    size_t n = strlen(text);
    return n >= 6 && n <= 32 && text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz")] == 0;
}

static void lower(const char *text, char *out, size_t size)
{
    cn_strcpy(out, size, text);
    for (char *p = out; *p; p++)
        if (*p >= 'A' && *p <= 'Z') *p = (char)(*p + 32);
}

static cn_err seal_phone(cn_consult *consult, const char *id, const char *phone, void **out, size_t *len)
{
    char place[64];
    cn_fmt(place, sizeof(place), "users.phone:%s", id);
    return cn_vault_seal(consult->vault, place, phone, out, len);
}

static cn_err insert_user(cn_consult *consult, cn_conn *conn, const cn_user_new *user, const char *username,
                          const char *id, const char *hash, cn_problem *problem)
{
    CN_AUTO_FREE void *phone = NULL;
    size_t phone_n = 0;
    CN_TRY(seal_phone(consult, id, user->phone, &phone, &phone_n));
    cn_err err =
        cn_db_exec(conn, NULL,
                   "INSERT INTO users (id, username, display_name, title, hospital_id, department_id, "
                   "phone_sealed, password, active, failures, "
                   "locked_until_ms, password_changed_ms, last_login_ms, created_ms) VALUES ($1, $2, $3, $4, "
                   "$5, $6, $7, $8, 1, 0, 0, $9, 0, $9)",
                   cn_text(id), cn_text(username), cn_text(user->name), cn_text(user->title), cn_text(user->hospital),
                   cn_text(user->department), cn_blob(phone, phone_n), cn_text(hash), cn_int(cn_wall_ms()));
    if (err == CN_ERR_CONFLICT)
        return cn_problem_set(problem, err, "username",
                              "this username is taken, or there is no such hospital or department");
    CN_TRY(err);
    for (size_t i = 0; user->roles[i]; i++)
        CN_TRY(cn_db_exec(conn, NULL, "INSERT INTO user_roles (user_id, role) VALUES ($1, $2)", cn_text(id),
                          cn_text(user->roles[i])));
    return CN_OK;
}

static cn_err check_roles(const char *const *names, cn_problem *problem)
{
    for (size_t i = 0; names[i]; i++) {
        if (!cn_role_rights(names[i]))
            return cn_problem_set(problem, CN_ERR_INVALID, "roles", "'%.32s' is not a role", names[i]);
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0)
                return cn_problem_set(problem, CN_ERR_INVALID, "roles", "'%s' stands there twice", names[i]);
    }
    return CN_OK;
}

static cn_err check_free(cn_consult *consult, const char *username, cn_problem *problem)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT 1 FROM users WHERE username = $1", cn_text(username)));
    if (!cn_rows_next(rows)) return CN_OK;
    return cn_problem_set(problem, CN_ERR_CONFLICT, "username", "this username is taken");
}

cn_err cn_user_check(cn_consult *consult, const cn_user_new *user, cn_problem *problem)
{
    char username[40];
    lower(user->username, username, sizeof(username));
    if (!username_valid(username))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "username", "must be 6 to 32 letters and digits");
    CN_TRY(check_roles(user->roles, problem));
    CN_TRY(cn_password_check(username, user->password, problem));
    return check_free(consult, username, problem);
}

cn_err cn_user_add(cn_consult *consult, const cn_actor *actor, const cn_user_new *user, char id[CN_ID_TEXT],
                   cn_problem *problem)
{
    cn_act act;
    char username[40], hash[CN_PASSWORD_HASH], object[48], fresh[CN_ID_TEXT];
    lower(user->username, username, sizeof(username));
    CN_TRY(cn_user_check(consult, user, problem));
    CN_TRY(cn_password_hash(user->password, hash));
    cn_id_new(fresh);
    cn_fmt(object, sizeof(object), "user:%s", fresh);
    CN_TRY(cn_act_begin(&act, consult, actor));
    CN_TRY(cn_act_end(&act, insert_user(consult, act.conn, user, username, fresh, hash, problem), "user.add", object,
                      NULL));
    memcpy(id, fresh, CN_ID_TEXT);
    return CN_OK;
}

cn_err cn_hospital_add(cn_consult *consult, const cn_actor *actor, const char *name, const char *city,
                       char id[CN_ID_TEXT])
{
    cn_act act;
    char object[48];
    cn_id_new(id);
    cn_fmt(object, sizeof(object), "hospital:%s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_db_exec(act.conn, NULL,
                            "INSERT INTO hospitals (id, name, city, active, created_ms) VALUES ($1, $2, $3, 1, $4)",
                            cn_text(id), cn_text(name), cn_text(city), cn_int(cn_wall_ms()));
    return cn_act_end(&act, err, "hospital.add", object, NULL);
}

cn_err cn_department_add(cn_consult *consult, const cn_actor *actor, const char *hospital, const char *name,
                         const char *code, char id[CN_ID_TEXT])
{
    cn_act act;
    char object[48];
    cn_id_new(id);
    cn_fmt(object, sizeof(object), "department:%s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_db_exec(act.conn, NULL,
                            "INSERT INTO departments (id, hospital_id, name, code, active) VALUES ($1, $2, $3, $4, 1)",
                            cn_text(id), cn_text(hospital), cn_text(name), cn_text(code));
    return cn_act_end(&act, err, "department.add", object, NULL);
}

cn_err cn_accounts_unlogged(cn_consult *consult, bool *emptied)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query_v(
        conn, &rows, "SELECT 1 WHERE EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM audit_log)", NULL, 0));
    *emptied = cn_rows_next(rows);
    return CN_OK;
}

cn_err cn_accounts_empty(cn_consult *consult, bool *empty)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query_v(conn, &rows, "SELECT 1 FROM users LIMIT 1", NULL, 0));
    *empty = !cn_rows_next(rows);
    return CN_OK;
}

/* ---- showing ---- */

static cn_err add_roles(cn_conn *conn, const char *user, json_t *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT role FROM user_roles WHERE user_id = $1 ORDER BY role", cn_text(user)));
    json_t *names = json_array(), *rights = json_array();
    uint32_t bits = 0;
    while (cn_rows_next(rows)) {
        json_array_append_new(names, json_string(cn_rows_text(rows, 0)));
        bits |= cn_role_rights(cn_rows_text(rows, 0));
    }
    for (unsigned i = 0; i < CN_RIGHT_COUNT; i++)
        if (bits >> i & 1u) json_array_append_new(rights, json_string(cn_right_name((cn_right)i)));
    json_object_set_new(out, "roles", names);
    json_object_set_new(out, "rights", rights);
    return CN_OK;
}

cn_err cn_user_json(cn_consult *consult, const char *user, json_t **out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT u.id, u.username, u.display_name, u.title, h.id, h.name, d.id, d.name FROM users u JOIN "
                       "hospitals h ON h.id = u.hospital_id "
                       "JOIN departments d ON d.id = u.department_id WHERE u.id = $1",
                       cn_text(user)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}}", "id", cn_rows_text(rows, 0), "username",
                  cn_rows_text(rows, 1), "name", cn_rows_text(rows, 2), "title", cn_rows_text(rows, 3), "hospital",
                  "id", cn_rows_text(rows, 4), "name", cn_rows_text(rows, 5), "department", "id", cn_rows_text(rows, 6),
                  "name", cn_rows_text(rows, 7));
    if (!object) return CN_ERR_NOMEM;
    cn_err err = add_roles(conn, user, object);
    if (err != CN_OK)
        json_decref(object);
    else
        *out = object;
    return err;
}

static json_t *find_item(const json_t *list, const char *id)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (strcmp(json_string_value(json_object_get(item, "id")), id) == 0) return item;
    return NULL;
}

static cn_err list_hospitals(cn_conn *conn, json_t *hospitals)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query_v(conn, &rows,
                         "SELECT h.id, h.name, h.city, d.id, d.name FROM hospitals h LEFT JOIN departments d ON "
                         "d.hospital_id = h.id AND d.active = 1 "
                         "WHERE h.active = 1 ORDER BY h.id, d.id",
                         NULL, 0));
    while (cn_rows_next(rows)) {
        json_t *object = find_item(hospitals, cn_rows_text(rows, 0));
        if (!object) {
            object = json_pack("{s:s, s:s, s:s, s:[]}", "id", cn_rows_text(rows, 0), "name", cn_rows_text(rows, 1),
                               "city", cn_rows_text(rows, 2), "departments");
            json_array_append_new(hospitals, object);
        }
        if (!cn_rows_null(rows, 3))
            json_array_append_new(json_object_get(object, "departments"),
                                  json_pack("{s:s, s:s}", "id", cn_rows_text(rows, 3), "name", cn_rows_text(rows, 4)));
    }
    return CN_OK;
}

static cn_err list_doctors(cn_conn *conn, json_t *doctors)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query_v(conn, &rows,
                         "SELECT u.id, u.display_name, u.title, h.name, d.name, o.role FROM users u JOIN hospitals h "
                         "ON h.id = u.hospital_id "
                         "JOIN departments d ON d.id = u.department_id JOIN user_roles o ON o.user_id = u.id "
                         "WHERE u.active = 1 AND o.role IN ('referrer', 'expert') ORDER BY h.id, d.id, u.id, o.role",
                         NULL, 0));
    while (cn_rows_next(rows)) {
        json_t *doctor = find_item(doctors, cn_rows_text(rows, 0));
        if (!doctor) {
            doctor = json_pack("{s:s, s:s, s:s, s:s, s:s, s:[]}", "id", cn_rows_text(rows, 0), "name",
                               cn_rows_text(rows, 1), "title", cn_rows_text(rows, 2), "hospital", cn_rows_text(rows, 3),
                               "department", cn_rows_text(rows, 4), "roles");
            json_array_append_new(doctors, doctor);
        }
        json_array_append_new(json_object_get(doctor, "roles"), json_string(cn_rows_text(rows, 5)));
    }
    return CN_OK;
}

/* Experts whose accounts are disabled: their consultations are still looked for. */
static cn_err list_former(cn_conn *conn, json_t *former)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query_v(conn, &rows,
                         "SELECT u.id, u.display_name FROM users u WHERE u.active = 0 AND EXISTS (SELECT 1 FROM "
                         "request_experts e WHERE e.user_id = u.id) ORDER BY u.id",
                         NULL, 0));
    while (cn_rows_next(rows))
        json_array_append_new(former,
                              json_pack("{s:s, s:s}", "id", cn_rows_text(rows, 0), "name", cn_rows_text(rows, 1)));
    return CN_OK;
}

cn_err cn_directory(cn_consult *consult, json_t **out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    json_t *hospitals = json_array(), *doctors = json_array(), *former = json_array();
    cn_err err = list_hospitals(conn, hospitals);
    if (err == CN_OK) err = list_doctors(conn, doctors);
    if (err == CN_OK) err = list_former(conn, former);
    *out = json_pack("{s:o, s:o, s:o}", "hospitals", hospitals, "doctors", doctors, "former_experts", former);
    if (err != CN_OK) json_decref(*out);
    return err == CN_OK && !*out ? CN_ERR_NOMEM : err;
}

static cn_err first_id(cn_consult *consult, const char *sql, const cn_val *params, size_t count, char id[CN_ID_TEXT])
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    *id = 0;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query_v(conn, &rows, sql, params, count));
    if (cn_rows_next(rows)) cn_strcpy(id, CN_ID_TEXT, cn_rows_text(rows, 0));
    return CN_OK;
}

cn_err cn_hospital_find(cn_consult *consult, const char *name, char id[CN_ID_TEXT])
{
    const cn_val params[] = {cn_text(name)};
    return first_id(consult, "SELECT id FROM hospitals WHERE name = $1 ORDER BY id LIMIT 1", params, 1, id);
}

cn_err cn_department_find(cn_consult *consult, const char *hospital, const char *name, char id[CN_ID_TEXT])
{
    const cn_val params[] = {cn_text(hospital), cn_text(name)};
    return first_id(consult,
                    "SELECT id FROM departments WHERE hospital_id = $1 AND (name = $2 OR code = $2) ORDER BY CASE WHEN "
                    "name = $2 THEN 0 ELSE 1 END, id LIMIT 1",
                    params, 2, id);
}
