/* Logins and sessions. */
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/people/accounts.h"
#include "consult/people/attempts.h"
#include "consult/people/lifetime.h"
#include "consult/people/password.h"
#include "consult/sums.h"

#define REMEMBER_MS 2000
#define CACHE 1024

static void hash_token(const char *token, char out[65])
{
    uint8_t digest[CN_SHA256_LEN];
    cn_sha256(token, strlen(token), digest);
    cn_hex(digest, sizeof(digest), out);
}

/* ---- login ---- */

typedef struct account {
    char id[CN_ID_TEXT], hash[CN_PASSWORD_HASH];
    bool active;
} account;

static cn_err load_account(cn_consult *consult, const char *username, account *out)
{
    char name[40];
    cn_strcpy(name, sizeof(name), username);
    for (char *s = name; *s; s++)
        if (*s >= 'A' && *s <= 'Z') *s = (char)(*s + 32);
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT id, password, active FROM users WHERE username = $1", cn_text(name)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    *out = (account){.active = cn_rows_int(rows, 2) != 0};
    cn_strcpy(out->id, sizeof(out->id), cn_rows_text(rows, 0));
    cn_strcpy(out->hash, sizeof(out->hash), cn_rows_text(rows, 1));
    return CN_OK;
}

static cn_err say_address(cn_problem *problem)
{
    (void)cn_problem_set(problem, CN_ERR_RATE, "", "too many attempts from this address; wait a minute");
    return cn_problem_say(problem, CN_ERR_RATE, CN_WRONG_ADDRESS, 1, 0);
}

static cn_err say_locked(cn_problem *problem, cn_err err, int64_t left_ms)
{
    (void)cn_problem_set(problem, err, "", "this account is locked for some minutes after too many wrong passwords");
    return cn_problem_say(problem, err, CN_WRONG_LOCKED, (left_ms + 59999) / 60000, 0);
}

static cn_err say_wrong(cn_problem *problem, int64_t failures)
{
    if (failures >= CN_ATTEMPTS) return say_locked(problem, CN_ERR_UNAUTH, CN_LOGIN_LOCK_MS);
    (void)cn_problem_set(problem, CN_ERR_UNAUTH, "", "the username or the password is wrong");
    return cn_problem_say(problem, CN_ERR_UNAUTH, CN_WRONG_PASSWORD, CN_ATTEMPTS - failures, 0);
}

/* An unknown name costs the same time as a known one, so that names cannot be guessed by the clock. */
static bool verify(const account *user, const char *password)
{
    static const char nobody[] =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    bool right = cn_password_verify(user->id[0] ? user->hash : nobody, password);
    return right && user->id[0];
}

/* Rows of this kind are bounded: so many a minute and address fail, and those beyond are summed up. */
static void note_failure(cn_consult *consult, const cn_actor *actor, const cn_attempt *attempt)
{
    char object[48];
    bool locks = attempt->failures >= CN_ATTEMPTS;
    cn_fmt(object, sizeof(object), "user:%s", *actor->user ? actor->user : "unknown");
    cn_audit_note(consult, actor, locks ? "login.locked" : "login.failed", object, "denied", NULL);
}

static cn_err open_session(cn_consult *consult, const cn_actor *actor, const account *user, const cn_attempt *attempt,
                           cn_session *out)
{
    cn_act act;
    cn_instant now;
    cn_session session = {.user = ""};
    char hash[65], object[48];
    cn_instant_now(&now);
    cn_token_new(session.token, 256);
    cn_token_new(session.csrf, 256);
    hash_token(session.token, hash);
    cn_strcpy(session.user, sizeof(session.user), user->id);
    cn_fmt(object, sizeof(object), "user:%s", user->id);
    cn_err err = cn_act_begin(&act, consult, actor);
    if (err != CN_OK) {
        cn_attempt_failed(attempt);
        return err;
    }
    err = cn_attempt_right(attempt, act.conn);
    if (err == CN_OK)
        err = cn_db_exec(act.conn, NULL, "UPDATE users SET last_login_ms = $1 WHERE id = $2", cn_int(now.wall_ms),
                         cn_text(user->id));
    if (err == CN_OK)
        err = cn_db_exec(act.conn, NULL,
                         "INSERT INTO sessions (token_hash, user_id, csrf, address, created_ms, seen_ms, seen_boot, "
                         "seen_mono_ms, life_ms, life_boot, life_mono_ms) "
                         "VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $5, $6, $7)",
                         cn_text(hash), cn_text(user->id), cn_text(session.csrf), cn_text(actor->address),
                         cn_int(now.wall_ms), cn_text(now.boot), cn_int(now.mono_ms));
    CN_TRY(cn_act_end(&act, err, "login", object, NULL));
    *out = session;
    return CN_OK;
}

cn_err cn_login(cn_consult *consult, const char *username, const char *password, const char *address, cn_session *out,
                cn_problem *problem)
{
    account user = {.active = false};
    cn_attempt attempt;
    cn_actor actor = {.user = ""};
    cn_strcpy(actor.address, sizeof(actor.address), address);
    cn_err err = strlen(username) < 40 ? load_account(consult, username, &user) : CN_ERR_NOTFOUND;
    if (err != CN_OK && err != CN_ERR_NOTFOUND) return err;
    cn_strcpy(actor.user, sizeof(actor.user), user.id);
    err = cn_attempt_begin(&attempt, consult, username, user.id, address);
    if (err == CN_ERR_RATE) {
        *actor.user = '\0'; /* summed up like a stranger's */
        cn_audit_sum(consult, &actor, "login", attempt.left_ms ? "user:locked" : "", "denied", NULL);
        return attempt.left_ms ? say_locked(problem, err, attempt.left_ms) : say_address(problem);
    }
    if (err != CN_OK) return err;
    if (!verify(&user, password) || !user.active) {
        cn_attempt_failed(&attempt);
        note_failure(consult, &actor, &attempt);
        return say_wrong(problem, attempt.failures);
    }
    return open_session(consult, &actor, &user, &attempt, out);
}

/* ---- resolving, with answers remembered for a moment ---- */

typedef struct remembered {
    char hash[65];
    cn_session_found found;
    uint64_t until_ms;
} remembered;

static struct {
    pthread_mutex_t lock;
    remembered rows[CACHE];
} cache = {.lock = PTHREAD_MUTEX_INITIALIZER};

static remembered *cache_row_locked(const char *hash)
{
    uint8_t at[2] = {0};
    char four[5] = {hash[0], hash[1], hash[2], hash[3], 0};
    cn_unhex(four, at, 2);
    return &cache.rows[(at[0] << 8 | at[1]) % CACHE];
}

/* As long as it cannot have ended meanwhile. */
static bool recall(const char *hash, cn_session_found *found)
{
    pthread_mutex_lock(&cache.lock);
    remembered *memory = cache_row_locked(hash);
    uint64_t now = cn_mono_ms();
    bool known = memory->until_ms > now && strcmp(memory->hash, hash) == 0;
    if (known) {
        int64_t since = REMEMBER_MS - (int64_t)(memory->until_ms - now);
        *found = memory->found;
        found->idle_left_ms -= since;
        found->life_left_ms -= since;
        known = found->idle_left_ms > 0 && found->life_left_ms > 0;
    }
    pthread_mutex_unlock(&cache.lock);
    return known;
}

static void remember(const char *hash, const cn_session_found *found)
{
    pthread_mutex_lock(&cache.lock);
    remembered *memory = cache_row_locked(hash);
    *memory = (remembered){.found = *found, .until_ms = cn_mono_ms() + REMEMBER_MS};
    cn_strcpy(memory->hash, sizeof(memory->hash), hash);
    pthread_mutex_unlock(&cache.lock);
}

static void forget_user(const char *user)
{
    pthread_mutex_lock(&cache.lock);
    for (size_t i = 0; i < CACHE; i++)
        if (strcmp(cache.rows[i].found.actor.user, user) == 0) cache.rows[i].until_ms = 0;
    pthread_mutex_unlock(&cache.lock);
}

static cn_err load_rights(cn_conn *conn, cn_actor *actor)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT role FROM user_roles WHERE user_id = $1", cn_text(actor->user)));
    while (cn_rows_next(rows)) actor->rights |= cn_role_rights(cn_rows_text(rows, 0));
    return CN_OK;
}

cn_err cn_actor_load(cn_consult *consult, const char *user, cn_actor *out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_actor actor = {.user = ""};
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT hospital_id, department_id FROM users WHERE id = $1 AND active = 1",
                       cn_text(user)));
    if (!cn_rows_next(rows)) return CN_ERR_UNAUTH;
    cn_strcpy(actor.user, sizeof(actor.user), user);
    cn_strcpy(actor.hospital, sizeof(actor.hospital), cn_rows_text(rows, 0));
    cn_strcpy(actor.department, sizeof(actor.department), cn_rows_text(rows, 1));
    CN_TRY(load_rights(conn, &actor));
    *out = actor;
    return CN_OK;
}

static cn_err write_times(cn_conn *conn, const char *hash, const cn_login_times *times)
{
    return cn_db_exec(conn, NULL,
                      "UPDATE sessions SET seen_ms = $1, seen_boot = $2, seen_mono_ms = $3, life_ms = $4, "
                      "life_boot = $5, life_mono_ms = $6 WHERE token_hash = $7",
                      cn_int(times->seen.wall_ms), cn_text(times->seen.boot), cn_int(times->seen.mono_ms),
                      cn_int(times->life.wall_ms), cn_text(times->life.boot), cn_int(times->life.mono_ms),
                      cn_text(hash));
}

/* Three columns of a row. */
static void read_instant(cn_rows *rows, size_t from, cn_instant *out)
{
    *out = (cn_instant){.wall_ms = cn_rows_int(rows, from), .mono_ms = cn_rows_int(rows, from + 2)};
    cn_strcpy(out->boot, sizeof(out->boot), cn_rows_text(rows, from + 1));
}

static cn_err load_session(cn_conn *conn, const char *hash, const cn_session_ask *ask, cn_session_found *found)
{
    cn_instant now;
    cn_login_times times;
    cn_actor *actor = &found->actor;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT s.user_id, s.csrf, u.hospital_id, u.department_id, s.seen_ms, s.seen_boot, "
                       "s.seen_mono_ms, s.life_ms, s.life_boot, s.life_mono_ms "
                       "FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1 AND u.active = 1",
                       cn_text(hash)));
    if (!cn_rows_next(rows)) return CN_ERR_UNAUTH;
    cn_instant_now(&now);
    read_instant(rows, 4, &times.seen);
    read_instant(rows, 7, &times.life);
    const cn_login_verdict verdict = cn_login_judge(&ask->limits, ask->sign, ask->ago_ms, &now, &times);
    if (verdict.ended) {
        CN_TRY(cn_db_exec(conn, NULL, "DELETE FROM sessions WHERE token_hash = $1", cn_text(hash)));
        return CN_ERR_UNAUTH;
    }
    if (verdict.moved) CN_TRY(write_times(conn, hash, &times));
    found->idle_left_ms = verdict.idle_left_ms;
    found->life_left_ms = verdict.life_left_ms;
    cn_strcpy(actor->user, sizeof(actor->user), cn_rows_text(rows, 0));
    cn_strcpy(found->csrf, sizeof(found->csrf), cn_rows_text(rows, 1));
    cn_strcpy(actor->hospital, sizeof(actor->hospital), cn_rows_text(rows, 2));
    cn_strcpy(actor->department, sizeof(actor->department), cn_rows_text(rows, 3));
    return load_rights(conn, actor);
}

static bool is_token(const char *token)
{
    return token && token[0] && strlen(token) < CN_SESSION_TOKEN;
}

bool cn_session_recall(const cn_session_ask *ask, cn_session_found *out)
{
    char hash[65];
    if (!is_token(ask->token) || ask->sign != CN_LOGIN_NONE) return false;
    hash_token(ask->token, hash);
    if (!recall(hash, out)) return false;
    cn_strcpy(out->actor.address, sizeof(out->actor.address), ask->address);
    return true;
}

/* A sign of the person is always written down, whatever is remembered. */
cn_err cn_session_resolve(cn_consult *consult, const cn_session_ask *ask, cn_session_found *out)
{
    char hash[65];
    cn_session_found found = {.csrf = ""};
    if (!is_token(ask->token)) return CN_ERR_UNAUTH;
    hash_token(ask->token, hash);
    if (ask->sign != CN_LOGIN_NONE || !recall(hash, &found)) {
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_TRY(cn_conn_acquire(consult->db, &conn));
        CN_TRY(load_session(conn, hash, ask, &found));
        remember(hash, &found);
    }
    cn_strcpy(found.actor.address, sizeof(found.actor.address), ask->address);
    *out = found;
    return CN_OK;
}

cn_err cn_logout(cn_consult *consult, const cn_actor *actor, const char *token)
{
    cn_act act;
    char hash[65], object[48];
    hash_token(token, hash);
    cn_fmt(object, sizeof(object), "user:%s", actor->user);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_db_exec(act.conn, NULL, "DELETE FROM sessions WHERE token_hash = $1", cn_text(hash));
    err = cn_act_end(&act, err, "logout", object, NULL);
    forget_user(actor->user);
    return err;
}

/* ---- own password ---- */

static cn_err load_password(cn_consult *consult, const char *user, char username[40], char hash[CN_PASSWORD_HASH])
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_query(conn, &rows, "SELECT username, password FROM users WHERE id = $1", cn_text(user)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    cn_strcpy(username, 40, cn_rows_text(rows, 0));
    cn_strcpy(hash, CN_PASSWORD_HASH, cn_rows_text(rows, 1));
    return CN_OK;
}

cn_err cn_password_change(cn_consult *consult, const cn_actor *actor, const char *token, const char *old_password,
                          const char *new_password, cn_problem *problem)
{
    cn_act act;
    char username[40], hash[CN_PASSWORD_HASH], fresh[CN_PASSWORD_HASH], session[65], object[48];
    CN_TRY(load_password(consult, actor->user, username, hash));
    if (!cn_address_may_try(actor->address)) return say_address(problem);
    bool right = cn_password_verify(hash, old_password);
    cn_address_tried(actor->address, !right);
    if (!right) return cn_problem_set(problem, CN_ERR_INVALID, "old", "the present password is wrong");
    CN_TRY(cn_password_check(username, new_password, problem));
    if (cn_password_verify(hash, new_password))
        return cn_problem_set(problem, CN_ERR_INVALID, "new", "must differ from the present password");
    CN_TRY(cn_password_hash(new_password, fresh));
    hash_token(token, session);
    cn_fmt(object, sizeof(object), "user:%s", actor->user);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_db_exec(act.conn, NULL, "UPDATE users SET password = $1, password_changed_ms = $2 WHERE id = $3",
                            cn_text(fresh), cn_int(cn_wall_ms()), cn_text(actor->user));
    if (err == CN_OK)
        err = cn_db_exec(act.conn, NULL, "DELETE FROM sessions WHERE user_id = $1 AND token_hash <> $2",
                         cn_text(actor->user), cn_text(session));
    err = cn_act_end(&act, err, "password.change", object, NULL);
    forget_user(actor->user);
    return err;
}
