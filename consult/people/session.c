/* Logins and sessions. */
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/people/accounts.h"
#include "consult/people/password.h"

#define LOCK_AFTER 5
#define LOCK_MS CN_LOGIN_LOCK_MS
#define STRANGERS 256
#define REMEMBER_MS 2000
#define WRITE_SEEN_MS 30000
#define CACHE 1024
#define ADDRESSES 256
#define ADDRESS_TRIES 30 /* per minute */

static void hash_token(const char *token, char out[65])
{
    uint8_t digest[CN_SHA256_LEN];
    cn_sha256(token, strlen(token), digest);
    cn_hex(digest, sizeof(digest), out);
}

/* ---- attempts per address: a small table, the oldest forgotten first ---- */

static struct {
    pthread_mutex_t lock;
    struct {
        char address[48];
        int64_t window_ms; /* when it began, monotonic */
        unsigned tries;
    } rows[ADDRESSES];
} attempts = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool address_may_try(const char *address)
{
    int64_t now = (int64_t)cn_mono_ms();
    size_t oldest = 0, at = ADDRESSES;
    pthread_mutex_lock(&attempts.lock);
    for (size_t i = 0; i < ADDRESSES && at == ADDRESSES; i++) {
        if (strcmp(attempts.rows[i].address, address) == 0) at = i;
        if (attempts.rows[i].window_ms < attempts.rows[oldest].window_ms) oldest = i;
    }
    if (at == ADDRESSES) {
        at = oldest;
        cn_strcpy(attempts.rows[at].address, sizeof(attempts.rows[at].address), address);
        attempts.rows[at].window_ms = now;
        attempts.rows[at].tries = 0;
    }
    if (now - attempts.rows[at].window_ms > 60000) {
        attempts.rows[at].window_ms = now;
        attempts.rows[at].tries = 0;
    }
    bool may = ++attempts.rows[at].tries <= ADDRESS_TRIES;
    pthread_mutex_unlock(&attempts.lock);
    return may;
}

/* ---- names that nobody has: counted like those of accounts, so that the answers tell nothing ---- */

typedef struct stranger {
    char hash[65]; /* of what was typed: a password often enough */
    int64_t failures, locked_until, at_ms;
} stranger;

static struct {
    pthread_mutex_t lock;
    stranger rows[STRANGERS];
} strangers = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void hash_name(const char *username, char out[65])
{
    char name[64];
    cn_strcpy(name, sizeof(name), username);
    for (char *s = name; *s; s++)
        if (*s >= 'A' && *s <= 'Z') *s = (char)(*s + 32);
    hash_token(name, out);
}

/* The row of a name, or the one that was longest not asked for. */
static stranger *stranger_locked(const char *hash)
{
    stranger *oldest = strangers.rows;
    for (size_t i = 0; i < STRANGERS; i++) {
        if (strcmp(strangers.rows[i].hash, hash) == 0) return &strangers.rows[i];
        if (strangers.rows[i].at_ms < oldest->at_ms) oldest = &strangers.rows[i];
    }
    *oldest = (stranger){.at_ms = 0};
    cn_strcpy(oldest->hash, sizeof(oldest->hash), hash);
    return oldest;
}

/* ---- login ---- */

typedef struct account {
    char id[CN_ID_TEXT], hash[CN_PASSWORD_HASH];
    bool active;
    int64_t failures, locked_until;
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
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT id, password, active, failures, locked_until_ms FROM users WHERE username = $1",
                       cn_text(name)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    *out = (account){
        .active = cn_rows_int(rows, 2) != 0, .failures = cn_rows_int(rows, 3), .locked_until = cn_rows_int(rows, 4)};
    cn_strcpy(out->id, sizeof(out->id), cn_rows_text(rows, 0));
    cn_strcpy(out->hash, sizeof(out->hash), cn_rows_text(rows, 1));
    return CN_OK;
}

static void load_stranger(const char *username, account *out)
{
    char hash[65];
    hash_name(username, hash);
    pthread_mutex_lock(&strangers.lock);
    stranger *known = stranger_locked(hash);
    *out = (account){.failures = known->failures, .locked_until = known->locked_until};
    pthread_mutex_unlock(&strangers.lock);
}

static void count_stranger(const char *username, int64_t failures, int64_t lock, int64_t now)
{
    char hash[65];
    hash_name(username, hash);
    pthread_mutex_lock(&strangers.lock);
    stranger *known = stranger_locked(hash);
    known->failures = failures;
    known->locked_until = lock;
    known->at_ms = now;
    pthread_mutex_unlock(&strangers.lock);
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
    if (failures >= LOCK_AFTER) return say_locked(problem, CN_ERR_UNAUTH, LOCK_MS);
    (void)cn_problem_set(problem, CN_ERR_UNAUTH, "", "the username or the password is wrong");
    return cn_problem_say(problem, CN_ERR_UNAUTH, CN_WRONG_PASSWORD, LOCK_AFTER - failures, 0);
}

/* An unknown name costs the same time as a known one, so that names cannot be guessed by the clock. */
static bool verify(const account *user, const char *password)
{
    static const char nobody[] =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    bool right = cn_password_verify(user->id[0] ? user->hash : nobody, password);
    return right && user->id[0];
}

static cn_err count_failure(cn_consult *consult, const cn_actor *actor, const account *user, const char *username,
                            int64_t now)
{
    cn_act act;
    char object[48];
    int64_t lock = user->failures + 1 >= LOCK_AFTER ? now + LOCK_MS : 0;
    if (!user->id[0]) {
        count_stranger(username, lock ? 0 : user->failures + 1, lock, now);
        cn_audit_note(consult, actor, "login.failed", "user:unknown", "denied", NULL);
        return CN_OK;
    }
    cn_fmt(object, sizeof(object), "user:%s", user->id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_db_exec(act.conn, NULL, "UPDATE users SET failures = $1, locked_until_ms = $2 WHERE id = $3",
                            cn_int(lock ? 0 : user->failures + 1), cn_int(lock), cn_text(user->id));
    return cn_act_end(&act, err, lock ? "login.locked" : "login.failed", object, NULL);
}

static cn_err open_session(cn_consult *consult, const cn_actor *actor, const account *user, cn_session *out)
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
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_db_exec(act.conn, NULL,
                            "UPDATE users SET failures = 0, locked_until_ms = 0, last_login_ms = $1 WHERE id = $2",
                            cn_int(now.wall_ms), cn_text(user->id));
    if (err == CN_OK)
        err = cn_db_exec(act.conn, NULL,
                         "INSERT INTO sessions (token_hash, user_id, csrf, address, created_ms, seen_ms, seen_boot, "
                         "seen_mono_ms) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)",
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
    cn_actor actor = {.user = ""};
    int64_t now = cn_wall_ms();
    cn_strcpy(actor.address, sizeof(actor.address), address);
    if (!address_may_try(address)) return say_address(problem);
    cn_err err = strlen(username) < 40 ? load_account(consult, username, &user) : CN_ERR_NOTFOUND;
    if (err != CN_OK && err != CN_ERR_NOTFOUND) return err;
    if (err == CN_ERR_NOTFOUND) load_stranger(username, &user);
    cn_strcpy(actor.user, sizeof(actor.user), user.id);
    /* a lock that ends later than any lasts was written before the clock was set back */
    if (user.locked_until > now && user.locked_until - now <= LOCK_MS) {
        cn_audit_note(consult, &actor, "login", "user:locked", "denied", NULL);
        return say_locked(problem, CN_ERR_RATE, user.locked_until - now);
    }
    if (!verify(&user, password) || !user.active) {
        CN_TRY(count_failure(consult, &actor, &user, username, now));
        return say_wrong(problem, user.failures + 1);
    }
    return open_session(consult, &actor, &user, out);
}

/* ---- resolving, with answers remembered for a moment ---- */

typedef struct remembered {
    char hash[65], csrf[CN_SESSION_TOKEN];
    cn_actor actor;
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

static bool recall(const char *hash, cn_actor *actor, char csrf[CN_SESSION_TOKEN])
{
    pthread_mutex_lock(&cache.lock);
    remembered *memory = cache_row_locked(hash);
    bool found = memory->until_ms > cn_mono_ms() && strcmp(memory->hash, hash) == 0;
    if (found) {
        *actor = memory->actor;
        memcpy(csrf, memory->csrf, CN_SESSION_TOKEN);
    }
    pthread_mutex_unlock(&cache.lock);
    return found;
}

static void remember(const char *hash, const cn_actor *actor, const char csrf[CN_SESSION_TOKEN])
{
    pthread_mutex_lock(&cache.lock);
    remembered *memory = cache_row_locked(hash);
    *memory = (remembered){.actor = *actor, .until_ms = cn_mono_ms() + REMEMBER_MS};
    cn_strcpy(memory->hash, sizeof(memory->hash), hash);
    memcpy(memory->csrf, csrf, CN_SESSION_TOKEN);
    pthread_mutex_unlock(&cache.lock);
}

static void forget_user(const char *user)
{
    pthread_mutex_lock(&cache.lock);
    for (size_t i = 0; i < CACHE; i++)
        if (strcmp(cache.rows[i].actor.user, user) == 0) cache.rows[i].until_ms = 0;
    pthread_mutex_unlock(&cache.lock);
}

static cn_err load_rights(cn_conn *conn, cn_actor *actor)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT role FROM user_roles WHERE user_id = $1", cn_text(actor->user)));
    while (cn_rows_next(rows)) actor->rights |= cn_role_rights(cn_rows_text(rows, 0));
    return CN_OK;
}

static cn_err touch(cn_conn *conn, const char *hash, const cn_instant *now)
{
    return cn_db_exec(conn, NULL,
                      "UPDATE sessions SET seen_ms = $1, seen_boot = $2, seen_mono_ms = $3 WHERE token_hash = $4",
                      cn_int(now->wall_ms), cn_text(now->boot), cn_int(now->mono_ms), cn_text(hash));
}

static cn_err load_session(cn_conn *conn, const char *hash, int64_t idle_ms, bool counts, cn_actor *actor,
                           char csrf[CN_SESSION_TOKEN])
{
    cn_instant now, seen = {.boot = ""};
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT s.user_id, s.csrf, s.seen_ms, u.hospital_id, u.department_id, s.seen_boot, "
                       "s.seen_mono_ms FROM sessions s JOIN users u ON u.id = s.user_id "
                       "WHERE s.token_hash = $1 AND u.active = 1",
                       cn_text(hash)));
    if (!cn_rows_next(rows)) return CN_ERR_UNAUTH;
    cn_instant_now(&now);
    seen.wall_ms = cn_rows_int(rows, 2);
    seen.mono_ms = cn_rows_int(rows, 6);
    cn_strcpy(seen.boot, sizeof(seen.boot), cn_rows_text(rows, 5));
    int64_t idle = cn_instant_passed(&seen, &now);
    if (idle > idle_ms) {
        CN_TRY(cn_db_exec(conn, NULL, "DELETE FROM sessions WHERE token_hash = $1", cn_text(hash)));
        return CN_ERR_UNAUTH;
    }
    if (counts && (idle > WRITE_SEEN_MS || strcmp(seen.boot, now.boot) != 0)) CN_TRY(touch(conn, hash, &now));
    cn_strcpy(actor->user, sizeof(actor->user), cn_rows_text(rows, 0));
    cn_strcpy(csrf, CN_SESSION_TOKEN, cn_rows_text(rows, 1));
    cn_strcpy(actor->hospital, sizeof(actor->hospital), cn_rows_text(rows, 3));
    cn_strcpy(actor->department, sizeof(actor->department), cn_rows_text(rows, 4));
    return load_rights(conn, actor);
}

/* What is only looked at is not remembered: a real request right after it would not be written down as one. */
static cn_err resolve(cn_consult *consult, const char *token, const char *address, int64_t idle_ms, bool counts,
                      cn_actor *out, char csrf[CN_SESSION_TOKEN])
{
    char hash[65];
    cn_actor actor = {.user = ""};
    if (!token || !token[0] || strlen(token) >= CN_SESSION_TOKEN) return CN_ERR_UNAUTH;
    hash_token(token, hash);
    if (!recall(hash, &actor, csrf)) {
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_TRY(cn_conn_acquire(consult->db, &conn));
        CN_TRY(load_session(conn, hash, idle_ms, counts, &actor, csrf));
        if (counts) remember(hash, &actor, csrf);
    }
    cn_strcpy(actor.address, sizeof(actor.address), address);
    *out = actor;
    return CN_OK;
}

cn_err cn_session_resolve(cn_consult *consult, const char *token, const char *address, int64_t idle_ms, cn_actor *out,
                          char csrf[CN_SESSION_TOKEN])
{
    return resolve(consult, token, address, idle_ms, true, out, csrf);
}

cn_err cn_session_look(cn_consult *consult, const char *token, const char *address, int64_t idle_ms, cn_actor *out)
{
    char csrf[CN_SESSION_TOKEN];
    return resolve(consult, token, address, idle_ms, false, out, csrf);
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
    if (!address_may_try(actor->address)) return say_address(problem);
    CN_TRY(load_password(consult, actor->user, username, hash));
    if (!cn_password_verify(hash, old_password))
        return cn_problem_set(problem, CN_ERR_INVALID, "old", "the present password is wrong");
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
