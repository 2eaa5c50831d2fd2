#include "consult/people/attempts.h"

#include <pthread.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/str.h"
#include "consult/people/accounts.h"

#define ADDRESSES 1024
#define MINUTE_MS 60000

/* ---- by address: a small table, the oldest forgotten first ---- */

typedef struct neighbour {
    char address[CN_ADDRESS_TEXT];
    int64_t window_ms; /* when it began, monotonic */
    unsigned failures, under_way;
} neighbour;

static struct {
    pthread_mutex_t lock;
    neighbour rows[ADDRESSES];
} addresses = {.lock = PTHREAD_MUTEX_INITIALIZER};

static neighbour *find_locked(const char *address)
{
    for (size_t i = 0; i < ADDRESSES; i++)
        if (strcmp(addresses.rows[i].address, address) == 0) return &addresses.rows[i];
    return NULL;
}

static neighbour *row_locked(const char *address, int64_t now)
{
    neighbour *row = find_locked(address), *oldest = NULL;
    if (!row) {
        for (size_t i = 0; i < ADDRESSES; i++)
            if (!addresses.rows[i].under_way && (!oldest || addresses.rows[i].window_ms < oldest->window_ms))
                oldest = &addresses.rows[i];
        if (!oldest) return NULL;
        *(row = oldest) = (neighbour){.window_ms = now};
        cn_strcpy(row->address, sizeof row->address, address);
    }
    if (now - row->window_ms > MINUTE_MS) {
        row->window_ms = now;
        row->failures = 0;
    }
    return row;
}

bool cn_address_may_try(const char *address)
{
    char group[CN_ADDRESS_TEXT];
    cn_address_neighbour(address, group);
    pthread_mutex_lock(&addresses.lock);
    neighbour *row = row_locked(group, (int64_t)cn_mono_ms());
    /* a try that is being looked at may fail yet; where none has, many people begin their day at once */
    bool may = row && (!row->failures || row->failures + row->under_way < CN_ATTEMPTS_ADDRESS);
    if (may) row->under_way++;
    pthread_mutex_unlock(&addresses.lock);
    return may;
}

void cn_address_tried(const char *address, bool failed)
{
    char group[CN_ADDRESS_TEXT];
    cn_address_neighbour(address, group);
    pthread_mutex_lock(&addresses.lock);
    neighbour *row = find_locked(group);
    if (row && row->under_way) {
        row->under_way--;
        if (failed) row->failures++;
    }
    pthread_mutex_unlock(&addresses.lock);
}

/* ---- by name ---- */

/* Counts one in a statement that nobody comes between. The last one that is allowed is the beginning of the lock, and those
 * beyond it leave its time as it is. What is older than a lock lasts is over, and so is what was written long before the clock was set back;
 * a little later than now is only another who waited less. */
static cn_err count(cn_conn *conn, const cn_attempt *attempt, const char *address, const char *user, int64_t most,
                    int64_t *failures, int64_t *left_ms)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    int64_t now = cn_wall_ms();
    CN_TRY(cn_db_query(
        conn, &rows,
        "INSERT INTO login_failures (name_token, address, user_id, failures, at_ms) VALUES ($1, $2, $3, 1, $4) "
        "ON CONFLICT (name_token, address) DO UPDATE SET user_id = excluded.user_id, "
        "failures = CASE WHEN login_failures.at_ms < $5 OR login_failures.at_ms > $7 THEN 1 "
        "WHEN login_failures.failures > $6 THEN login_failures.failures ELSE login_failures.failures + 1 END, "
        "at_ms = CASE WHEN login_failures.at_ms < $5 OR login_failures.at_ms > $7 OR "
        "login_failures.failures < $6 THEN excluded.at_ms ELSE login_failures.at_ms END RETURNING failures, at_ms",
        cn_text(attempt->token), cn_text(address), cn_text(user), cn_int(now), cn_int(now - CN_LOGIN_LOCK_MS),
        cn_int(most), cn_int(now + CN_LOGIN_LOCK_MS)));
    if (!cn_rows_next(rows)) return CN_ERR_DB;
    *failures = cn_rows_int(rows, 0);
    int64_t left = cn_rows_int(rows, 1) + CN_LOGIN_LOCK_MS - now;
    *left_ms = left < 1 ? 1 : left > CN_LOGIN_LOCK_MS ? CN_LOGIN_LOCK_MS : left;
    return *failures > most ? CN_ERR_RATE : CN_OK;
}

static cn_err count_both(cn_consult *consult, cn_attempt *attempt, const char *user)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    int64_t all = 0, left = 0;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(cn_db_exec(conn, NULL, "DELETE FROM login_failures WHERE at_ms < $1",
                      cn_int(cn_wall_ms() - 2 * CN_LOGIN_LOCK_MS)));
    CN_TRY(count(conn, attempt, attempt->address, user, CN_ATTEMPTS, &attempt->failures, &attempt->left_ms));
    /* what is locked here is not counted there: whoever hammers on one address does not lock the name for others */
    cn_err err = count(conn, attempt, "", user, CN_ATTEMPTS_ALL, &all, &left);
    if (err == CN_ERR_RATE) attempt->left_ms = left;
    return err;
}

cn_err cn_attempt_begin(cn_attempt *attempt, cn_consult *consult, const char *name, const char *user,
                        const char *address)
{
    *attempt = (cn_attempt){.failures = 0};
    cn_vault_token(consult->vault, "login.name", name, attempt->token);
    cn_address_neighbour(address, attempt->address);
    if (!cn_address_may_try(address)) return CN_ERR_RATE;
    cn_err err = count_both(consult, attempt, user);
    if (err != CN_OK) cn_address_tried(address, err == CN_ERR_RATE);
    return err;
}

void cn_attempt_failed(const cn_attempt *attempt)
{
    cn_address_tried(attempt->address, true);
}

cn_err cn_attempt_right(const cn_attempt *attempt, cn_conn *conn)
{
    cn_address_tried(attempt->address, false);
    return cn_db_exec(conn, NULL, "DELETE FROM login_failures WHERE name_token = $1 AND address IN ($2, '')",
                      cn_text(attempt->token), cn_text(attempt->address));
}

cn_err cn_attempts_forget(cn_conn *conn, const char *user)
{
    return cn_db_exec(conn, NULL, "DELETE FROM login_failures WHERE user_id = $1", cn_text(user));
}
