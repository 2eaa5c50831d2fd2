#include "consult/accounts.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "consult/accounts_private.h"

#define CACHE 1024
#define SEEN_EVERY_MS 30000      /* how often the use of a login is written down */
#define ADDRESS_FAILURES 30      /* from one address … */
#define ADDRESS_WINDOW_MS 300000 /* … within so long */

typedef struct cached {
    char hash[65];
    uint64_t until_ms;
    cn_session session;
} cached;

struct cn_accounts {
    cn_consult *c;
    int64_t idle_ms;
    cn_failures *failures;
    pthread_mutex_t lock;
    cached cache[CACHE];
};

uint32_t cn_role_rights(const char *role)
{
    static const struct {
        const char *role;
        uint32_t rights;
    } table[] = {
#define X(role, rights) {role, rights},
        CN_ROLE_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].role, role) == 0) return table[i].rights;
    return 0;
}

void cn_token_hash(const char *token, char out[65])
{
    uint8_t sum[CN_SHA256_LEN];
    cn_sha256(token, strlen(token), sum);
    cn_hex(sum, sizeof sum, out);
}

cn_err cn_accounts_new(cn_accounts **out, cn_consult *c, int64_t idle_ms)
{
    cn_accounts *a = CN_NEW(cn_accounts);
    if (!a) return CN_ERR_NOMEM;
    pthread_mutex_init(&a->lock, NULL);
    a->c = c;
    a->idle_ms = idle_ms;
    cn_err err = cn_failures_new(&a->failures);
    if (err != CN_OK) {
        cn_accounts_free(a);
        return err;
    }
    *out = a;
    return CN_OK;
}

void cn_accounts_free(cn_accounts *a)
{
    if (!a) return;
    cn_failures_free(a->failures);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* ---- login ---- */

typedef struct login_row {
    char id[CN_ID_TEXT];
    char *password;
    bool active;
    int64_t locked_until;
} login_row;

static cn_err load_login(cn_consult *c, const char *username, login_row *out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT u.id, u.password, u.active * h.active, u.locked_until_ms FROM users u "
                       "JOIN hospitals h ON h.id = u.hospital_id WHERE u.username = $1",
                       cn_text(username)));
    if (!cn_rows_next(rows)) return CN_OK;
    cn_strcpy(out->id, sizeof out->id, cn_rows_text(rows, 0));
    out->active = cn_rows_int(rows, 2) == 1;
    out->locked_until = cn_rows_int(rows, 3);
    out->password = cn_strdup(cn_rows_text(rows, 1));
    return out->password ? CN_OK : CN_ERR_NOMEM;
}

/* The failure is counted in one statement: two at once count twice. */
static cn_err count_failure(cn_accounts *a, const login_row *row, int64_t now)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(a->c->db, &conn));
    return cn_db_exec(conn, NULL,
                      "UPDATE users SET locked_until_ms = CASE WHEN failures + 1 >= $2 THEN $3 ELSE locked_until_ms END, "
                      "failures = CASE WHEN failures + 1 >= $2 THEN 0 ELSE failures + 1 END WHERE id = $1",
                      cn_text(row->id), cn_int(CN_LOGIN_FAILURES), cn_int(now + CN_LOGIN_LOCK_MS));
}

static cn_err open_session(cn_accounts *a, const cn_actor *who, int64_t now, cn_login *out)
{
    cn_act act;
    char hash[65], object[48];
    cn_token_new(out->token, 256);
    cn_token_new(out->csrf, 256);
    cn_strcpy(out->user, sizeof out->user, who->user);
    cn_token_hash(out->token, hash);
    cn_fmt(object, sizeof object, "user:%s", who->user);
    CN_TRY(cn_act_begin(&act, a->c, who));
    cn_err err = cn_db_exec(act.conn, NULL, "UPDATE users SET failures = 0, last_login_ms = $2 WHERE id = $1", cn_text(who->user), cn_int(now));
    if (err == CN_OK)
        err = cn_db_exec(act.conn, NULL, "DELETE FROM sessions WHERE seen_ms < $1 OR created_ms < $2", cn_int(now - a->idle_ms),
                         cn_int(now - CN_SESSION_MAX_MS));
    if (err == CN_OK)
        err = cn_db_exec(act.conn, NULL,
                         "INSERT INTO sessions (token_hash, user_id, csrf, address, created_ms, seen_ms) VALUES ($1, $2, $3, $4, $5, $5)",
                         cn_text(hash), cn_text(who->user), cn_text(out->csrf), cn_text(who->address), cn_int(now));
    return cn_act_end(&act, err, "login", object, "{}");
}

static cn_err refused(cn_accounts *a, const cn_actor *nobody, const login_row *row, const char *why)
{
    char object[48], detail[48];
    cn_fmt(object, sizeof object, "user:%s", row->id);
    cn_fmt(detail, sizeof detail, "{\"why\":\"%s\"}", why);
    cn_audit_note(a->c, nobody, "login", object, "denied", detail);
    return CN_ERR_UNAUTH;
}

static cn_err locked(cn_problem *p)
{
    return cn_problem_set(p, CN_ERR_RATE, "", "too many wrong passwords; try again in %d minutes", CN_LOGIN_LOCK_MS / 60000);
}

static cn_err judge_login(cn_accounts *a, const char *name, const char *password, const cn_actor *nobody, login_row *row, cn_problem *p)
{
    int64_t now = cn_wall_ms();
    bool known = *row->id != '\0';
    if (cn_failures_over(a->failures, nobody->address, now, ADDRESS_FAILURES, ADDRESS_WINDOW_MS)) {
        refused(a, nobody, row, "address");
        return cn_problem_set(p, CN_ERR_RATE, "", "too many wrong passwords from this address");
    }
    if (known ? row->locked_until > now : cn_failures_over(a->failures, name, now, CN_LOGIN_FAILURES, CN_LOGIN_LOCK_MS)) {
        refused(a, nobody, row, "locked");
        return locked(p);
    }
    bool right = cn_password_verify(row->password, password);
    if (right && row->active) return CN_OK;
    cn_failures_add(a->failures, nobody->address, now);
    if (!known) cn_failures_add(a->failures, name, now);
    else if (!right) CN_TRY(count_failure(a, row, now));
    refused(a, nobody, row, right ? "inactive" : "password");
    return cn_problem_set(p, CN_ERR_UNAUTH, "", "wrong username or password");
}

/* ≥ 6 letters and digits (1.16), lower case; false otherwise. */
static bool username_parse(const char *text, char out[49])
{
    size_t n = strlen(text);
    if (n < 6 || n > 48) return false;
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)text[i])) return false;
        out[i] = (char)tolower((unsigned char)text[i]);
    }
    out[n] = '\0';
    return true;
}

cn_err cn_account_login(cn_accounts *a, const char *username, const char *password, const char *address, cn_login *out, cn_problem *p)
{
    char name[49] = "";
    login_row row = {.id = ""};
    cn_actor who = {.rights = 0};
    cn_strcpy(who.address, sizeof who.address, address);
    if (!username_parse(username, name)) cn_strcpy(name, sizeof name, "-");
    cn_err err = load_login(a->c, name, &row);
    if (err == CN_OK) err = judge_login(a, name, password, &who, &row, p);
    if (err == CN_OK) {
        cn_strcpy(who.user, sizeof who.user, row.id);
        err = open_session(a, &who, cn_wall_ms(), out);
    }
    free(row.password);
    return err;
}

/* ---- the login behind a cookie ---- */

static cached *slot_of(cn_accounts *a, const char *hash)
{
    uint8_t first[2] = {0};
    char digits[5] = "";
    memcpy(digits, hash, 4);
    cn_unhex(digits, first, 2);
    return &a->cache[((unsigned)first[0] << 8 | first[1]) % CACHE];
}

static cn_err load_rights(cn_conn *conn, cn_actor *actor)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT role FROM user_roles WHERE user_id = $1", cn_text(actor->user)));
    while (cn_rows_next(rows)) actor->rights |= cn_role_rights(cn_rows_text(rows, 0));
    return CN_OK;
}

static cn_err load_session(cn_accounts *a, const char *hash, bool touch, cn_session *out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    int64_t now = cn_wall_ms();
    CN_TRY(cn_conn_acquire(a->c->db, &conn));
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT s.user_id, s.csrf, s.seen_ms, s.created_ms, u.hospital_id, u.department_id FROM sessions s "
                       "JOIN users u ON u.id = s.user_id JOIN hospitals h ON h.id = u.hospital_id "
                       "WHERE s.token_hash = $1 AND u.active = 1 AND h.active = 1",
                       cn_text(hash)));
    if (!cn_rows_next(rows)) return CN_ERR_UNAUTH;
    int64_t seen = cn_rows_int(rows, 2);
    if (now - seen > a->idle_ms || now - cn_rows_int(rows, 3) > CN_SESSION_MAX_MS) return CN_ERR_UNAUTH;
    *out = (cn_session){.actor = {.rights = 0}};
    cn_strcpy(out->actor.user, sizeof out->actor.user, cn_rows_text(rows, 0));
    cn_strcpy(out->csrf, sizeof out->csrf, cn_rows_text(rows, 1));
    cn_strcpy(out->actor.hospital, sizeof out->actor.hospital, cn_rows_text(rows, 4));
    cn_strcpy(out->actor.department, sizeof out->actor.department, cn_rows_text(rows, 5));
    CN_TRY(load_rights(conn, &out->actor));
    if (touch && now - seen > SEEN_EVERY_MS)
        CN_TRY(cn_db_exec(conn, NULL, "UPDATE sessions SET seen_ms = $2 WHERE token_hash = $1", cn_text(hash), cn_int(now)));
    return CN_OK;
}

static bool from_cache(cn_accounts *a, const char *hash, cn_session *out)
{
    pthread_mutex_lock(&a->lock);
    const cached *s = slot_of(a, hash);
    bool hit = strcmp(s->hash, hash) == 0 && cn_mono_ms() < s->until_ms;
    if (hit) *out = s->session;
    pthread_mutex_unlock(&a->lock);
    return hit;
}

static void to_cache(cn_accounts *a, const char *hash, const cn_session *session)
{
    pthread_mutex_lock(&a->lock);
    cached *s = slot_of(a, hash);
    cn_strcpy(s->hash, sizeof s->hash, hash);
    s->until_ms = cn_mono_ms() + CN_SESSION_CACHE_MS;
    s->session = *session;
    pthread_mutex_unlock(&a->lock);
}

static void cache_clear(cn_accounts *a)
{
    pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < CACHE; i++) a->cache[i].until_ms = 0;
    pthread_mutex_unlock(&a->lock);
}

cn_err cn_session_resolve(cn_accounts *a, const char *token, const char *address, bool touch, cn_session *out)
{
    char hash[65];
    if (strlen(token) != CN_SESSION_TOKEN - 1) return CN_ERR_UNAUTH;
    cn_token_hash(token, hash);
    if (!from_cache(a, hash, out)) {
        CN_TRY(load_session(a, hash, touch, out));
        /* what did not touch must not keep a later call from doing so */
        if (touch) to_cache(a, hash, out);
    }
    cn_strcpy(out->actor.address, sizeof out->actor.address, address);
    return CN_OK;
}

cn_err cn_session_end(cn_accounts *a, const cn_actor *actor, const char *token)
{
    cn_act act;
    char hash[65], object[48];
    cn_token_hash(token, hash);
    cn_fmt(object, sizeof object, "user:%s", actor->user);
    CN_TRY(cn_act_begin(&act, a->c, actor));
    cn_err err = cn_db_exec(act.conn, NULL, "DELETE FROM sessions WHERE token_hash = $1", cn_text(hash));
    err = cn_act_end(&act, err, "logout", object, "{}");
    cache_clear(a);
    return err;
}

/* ---- password ---- */

static cn_err load_password(cn_consult *c, const char *user, char username[49], char **encoded)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(c->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT username, password FROM users WHERE id = $1", cn_text(user)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    cn_strcpy(username, 49, cn_rows_text(rows, 0));
    *encoded = cn_strdup(cn_rows_text(rows, 1));
    return *encoded ? CN_OK : CN_ERR_NOMEM;
}

static cn_err store_password(cn_accounts *a, const cn_actor *actor, const char *token, const char *encoded)
{
    cn_act act;
    char hash[65], object[48];
    cn_token_hash(token, hash);
    cn_fmt(object, sizeof object, "user:%s", actor->user);
    CN_TRY(cn_act_begin(&act, a->c, actor));
    cn_err err = cn_db_exec(act.conn, NULL, "UPDATE users SET password = $2, password_changed_ms = $3 WHERE id = $1", cn_text(actor->user),
                            cn_text(encoded), cn_int(cn_wall_ms()));
    if (err == CN_OK)
        err = cn_db_exec(act.conn, NULL, "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2", cn_text(actor->user), cn_text(hash));
    err = cn_act_end(&act, err, "password.change", object, "{}");
    cache_clear(a);
    return err;
}

cn_err cn_account_password(cn_accounts *a, const cn_actor *actor, const char *token, const char *old, const char *new_one, cn_problem *p)
{
    char username[49], failures[64];
    CN_AUTO_FREE char *encoded = NULL;
    CN_AUTO_FREE char *fresh = NULL;
    CN_TRY(load_password(a->c, actor->user, username, &encoded));
    cn_fmt(failures, sizeof failures, "pw:%s", actor->user);
    int64_t now = cn_wall_ms();
    if (cn_failures_over(a->failures, failures, now, CN_LOGIN_FAILURES, CN_LOGIN_LOCK_MS)) return locked(p);
    if (!cn_password_verify(encoded, old)) {
        cn_failures_add(a->failures, failures, now);
        cn_audit_note(a->c, actor, "password.change", "", "denied", "{}");
        return cn_problem_set(p, CN_ERR_INVALID, "old", "is not the present password");
    }
    CN_TRY(cn_password_check(username, new_one, p));
    if (strcmp(old, new_one) == 0) return cn_problem_set(p, CN_ERR_INVALID, "new", "must differ from the old one");
    CN_TRY(cn_password_hash(new_one, &fresh));
    return store_password(a, actor, token, fresh);
}

/* ---- adding ---- */

static cn_err check_new(const cn_account_new *n, char username[49], cn_problem *p)
{
    if (!username_parse(n->username, username)) return cn_problem_set(p, CN_ERR_INVALID, "username", "6 to 48 letters and digits");
    CN_TRY(cn_password_check(username, n->password, p));
    if (!*n->name || strlen(n->name) > 200) return cn_problem_set(p, CN_ERR_INVALID, "name", "1 to 200 bytes");
    for (const char *const *role = n->roles; *role; role++)
        if (!cn_role_rights(*role)) return cn_problem_set(p, CN_ERR_INVALID, "roles", "\"%.32s\" is not a role", *role);
    return CN_OK;
}

static cn_err insert_user(cn_act *act, const cn_account_new *n, const char *username, const char *encoded, const char *id)
{
    char place[64];
    CN_AUTO_FREE void *phone = NULL;
    size_t phone_n = 0;
    int64_t now = cn_wall_ms();
    cn_fmt(place, sizeof place, "users.phone:%s", id);
    CN_TRY(cn_vault_seal(act->c->vault, place, n->phone, &phone, &phone_n));
    CN_TRY(cn_db_exec(act->conn, NULL,
                      "INSERT INTO users (id, username, display_name, title, hospital_id, department_id, phone_sealed, password, active, "
                      "failures, locked_until_ms, password_changed_ms, last_login_ms, created_ms) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, 0, 0, $9, 0, $9)",
                      cn_text(id), cn_text(username), cn_text(n->name), cn_text(n->title ? n->title : ""), cn_text(n->hospital),
                      cn_text(n->department), cn_blob(phone, phone_n), cn_text(encoded), cn_int(now)));
    for (const char *const *role = n->roles; *role; role++)
        CN_TRY(cn_db_exec(act->conn, NULL, "INSERT INTO user_roles (user_id, role) VALUES ($1, $2) ON CONFLICT DO NOTHING", cn_text(id),
                          cn_text(*role)));
    return CN_OK;
}

cn_err cn_account_add(cn_consult *c, const cn_actor *actor, const cn_account_new *n, char id[CN_ID_TEXT], cn_problem *p)
{
    cn_act act;
    char username[49], object[48];
    CN_AUTO_FREE char *encoded = NULL;
    if (!cn_actor_may(actor, CN_RIGHT_USER_MANAGE)) return CN_ERR_FORBIDDEN;
    CN_TRY(check_new(n, username, p));
    CN_TRY(cn_password_hash(n->password, &encoded));
    cn_id_new(id);
    cn_fmt(object, sizeof object, "user:%s", id);
    CN_TRY(cn_act_begin(&act, c, actor));
    cn_err err = cn_act_end(&act, insert_user(&act, n, username, encoded, id), "user.create", object, "{}");
    return err == CN_ERR_CONFLICT ? cn_problem_set(p, err, "username", "is taken, or hospital or department do not exist") : err;
}

static cn_err find_id(cn_conn *conn, const char *sql, const char *a, const char *b, char id[CN_ID_TEXT])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    *id = '\0';
    if (b) CN_TRY(cn_db_query(conn, &rows, sql, cn_text(a), cn_text(b)));
    else CN_TRY(cn_db_query(conn, &rows, sql, cn_text(a)));
    if (cn_rows_next(rows)) cn_strcpy(id, CN_ID_TEXT, cn_rows_text(rows, 0));
    return CN_OK;
}

cn_err cn_hospital_add(cn_consult *c, const cn_actor *actor, const char *name, const char *city, char id[CN_ID_TEXT])
{
    cn_act act;
    if (!cn_actor_may(actor, CN_RIGHT_USER_MANAGE)) return CN_ERR_FORBIDDEN;
    CN_TRY(cn_act_begin(&act, c, actor));
    cn_err err = find_id(act.conn, "SELECT id FROM hospitals WHERE name = $1 ORDER BY id LIMIT 1", name, NULL, id);
    if (err == CN_OK && !*id) {
        cn_id_new(id);
        err = cn_db_exec(act.conn, NULL, "INSERT INTO hospitals (id, name, city, active, created_ms) VALUES ($1, $2, $3, 1, $4)",
                         cn_text(id), cn_text(name), cn_text(city), cn_int(cn_wall_ms()));
    }
    char object[48];
    cn_fmt(object, sizeof object, "hospital:%s", id);
    return cn_act_end(&act, err, "hospital.create", object, "{}");
}

cn_err cn_department_add(cn_consult *c, const cn_actor *actor, const char *hospital, const char *name, const char *code, char id[CN_ID_TEXT])
{
    cn_act act;
    if (!cn_actor_may(actor, CN_RIGHT_USER_MANAGE)) return CN_ERR_FORBIDDEN;
    CN_TRY(cn_act_begin(&act, c, actor));
    cn_err err = find_id(act.conn, "SELECT id FROM departments WHERE hospital_id = $1 AND code = $2", hospital, code, id);
    if (err == CN_OK && !*id) {
        cn_id_new(id);
        err = cn_db_exec(act.conn, NULL, "INSERT INTO departments (id, hospital_id, name, code, active) VALUES ($1, $2, $3, $4, 1)",
                         cn_text(id), cn_text(hospital), cn_text(name), cn_text(code));
    }
    char object[48];
    cn_fmt(object, sizeof object, "department:%s", id);
    return cn_act_end(&act, err, "department.create", object, "{}");
}
