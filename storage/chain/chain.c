#include "storage/chain/chain.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/chain/chain_private.h"

#define WHERE "storage.chain"
#define OWN_WAIT_MS 5000
#define SYSLOG_MS 9000

/* Rows of one caller, waiting for whoever leads the next group commit. */
typedef struct batch {
    const cn_audit_row *audit;
    const cn_ledger_row *ledger;
    size_t n;
    int64_t last; /* counter of its last row */
    cn_err err;
    bool done;
    struct batch *next;
} batch;

struct cn_chain {
    const cn_chain_def *def;
    cn_db *db;
    uint8_t key[32];
    char node[CN_CHAIN_NODE];
    char boot[CN_ID_TEXT];
    cn_heads *heads;
    pthread_t teller;
    bool has_teller;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    pthread_cond_t tick;
    bool closing;

    /* One transaction at a time owns the chain, from its first row until it has ended. */
    bool owned;
    pthread_t owner;
    const cn_conn *owner_conn;
    bool uncertain; /* a transaction failed: whether it was committed must be asked of the database */
    int64_t counter;
    uint8_t link[CN_CHAIN_LINK];
    int64_t next_counter; /* the owner's alone, without the lock */
    uint8_t next_link[CN_CHAIN_LINK];

    batch *first;
    batch **end;
    bool leading;

    bool head_busy;
    int64_t head_counter; /* in the file of heads */
    uint8_t head_link[CN_CHAIN_LINK];
    int64_t told_counter; /* in syslog */
};

/* ---- ownership ---- */

static bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t at_ns)
{
    struct timespec t = {.tv_sec = (time_t)(at_ns / 1000000000), .tv_nsec = (long)(at_ns % 1000000000)};
    return pthread_cond_timedwait(cond, lock, &t) != ETIMEDOUT;
}

static cn_err own_locked(cn_chain *c, const cn_conn *conn)
{
    uint64_t until = cn_mono_ns() + (uint64_t)OWN_WAIT_MS * 1000000;
    while (c->owned)
        if (!wait_until(&c->changed, &c->lock, until) && c->owned) return CN_ERR_AGAIN;
    c->owned = true;
    c->owner = pthread_self();
    c->owner_conn = conn;
    c->next_counter = c->counter;
    memcpy(c->next_link, c->link, CN_CHAIN_LINK);
    return CN_OK;
}

static bool is_mine_locked(const cn_chain *c)
{
    return c->owned && pthread_equal(c->owner, pthread_self());
}

static void disown(cn_chain *c, bool committed)
{
    pthread_mutex_lock(&c->lock);
    if (committed) {
        c->counter = c->next_counter;
        memcpy(c->link, c->next_link, CN_CHAIN_LINK);
    } else {
        c->uncertain = true;
    }
    c->owned = false;
    c->owner_conn = NULL;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

/* A commit whose answer got lost may have happened: go on from what the database has. Owner only. */
static cn_err resync(cn_chain *c, cn_conn *conn)
{
    pthread_mutex_lock(&c->lock);
    bool uncertain = c->uncertain;
    pthread_mutex_unlock(&c->lock);
    if (!uncertain) return CN_OK;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, c->def->tail, cn_text(c->node), cn_text(c->boot)));
    size_t n = CN_CHAIN_LINK;
    int64_t counter = cn_rows_next(rows) ? cn_rows_int(rows, 0) : 0;
    const void *link = counter ? cn_rows_blob(rows, 1, &n) : NULL;
    if (n != CN_CHAIN_LINK) return CN_ERR_CORRUPT;
    c->next_counter = counter;
    if (link)
        memcpy(c->next_link, link, n);
    else
        memset(c->next_link, 0, CN_CHAIN_LINK);
    pthread_mutex_lock(&c->lock);
    c->counter = c->next_counter;
    memcpy(c->link, c->next_link, CN_CHAIN_LINK);
    c->uncertain = false;
    pthread_mutex_unlock(&c->lock);
    return CN_OK;
}

/* Appends one row in the transaction of `conn`. Owner only. */
static cn_err append(cn_chain *c, cn_conn *conn, const cn_val *values)
{
    cn_val all[CN_CHAIN_VALUES_MAX + 4];
    cn_chain_place at = {.node = c->node, .boot = c->boot, .counter = c->next_counter + 1};
    uint8_t link[CN_CHAIN_LINK];
    size_t n = strlen(c->def->kinds);
    CN_TRY(cn_chain_link(c->def, c->key, c->next_link, &at, values, link));
    all[0] = cn_text(at.node);
    all[1] = cn_text(at.boot);
    all[2] = cn_int(at.counter);
    memcpy(all + 3, values, n * sizeof *values);
    all[3 + n] = cn_blob(link, sizeof link);
    CN_TRY(cn_db_exec_v(conn, NULL, c->def->insert, all, n + 4));
    c->next_counter = at.counter;
    memcpy(c->next_link, link, sizeof link);
    return CN_OK;
}

/* ---- heads ---- */

static cn_err head_write(cn_chain *c, int64_t counter, const uint8_t link[CN_CHAIN_LINK])
{
    cn_head h = {.counter = counter};
    cn_strcpy(h.log, sizeof h.log, c->def->name);
    cn_strcpy(h.node, sizeof h.node, c->node);
    cn_strcpy(h.boot, sizeof h.boot, c->boot);
    memcpy(h.link, link, CN_CHAIN_LINK);
    cn_err e = cn_heads_append(c->heads, &h);
    if (e != CN_OK) cn_error(WHERE, "the head of the %s chain is not on disk: %s", c->def->name, cn_err_text(e));
    return e;
}

/* Returns once a head that covers row `counter` is on disk; one thread writes for all that wait. */
static cn_err head_sync(cn_chain *c, int64_t counter)
{
    cn_err e = CN_OK;
    pthread_mutex_lock(&c->lock);
    while (e == CN_OK && c->head_counter < counter) {
        if (c->head_busy) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        uint8_t link[CN_CHAIN_LINK];
        int64_t upto = c->counter;
        if (upto < counter) { /* a committed row is gone */
            e = CN_ERR_CORRUPT;
            break;
        }
        memcpy(link, c->link, sizeof link);
        c->head_busy = true;
        pthread_mutex_unlock(&c->lock);
        e = head_write(c, upto, link);
        pthread_mutex_lock(&c->lock);
        c->head_busy = false;
        if (e == CN_OK) {
            c->head_counter = upto;
            memcpy(c->head_link, link, sizeof link);
            pthread_cond_signal(&c->tick);
        }
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return e;
}

static void tell_locked(cn_chain *c)
{
    char link[2 * CN_CHAIN_LINK + 1];
    int64_t counter = c->head_counter;
    cn_hex(c->head_link, CN_CHAIN_LINK, link);
    pthread_mutex_unlock(&c->lock);
    syslog(LOG_AUTHPRIV | LOG_NOTICE, "consilium %s chain: %s %s %" PRId64 " %s", c->def->name, c->node, c->boot,
           counter, link);
    pthread_mutex_lock(&c->lock);
    c->told_counter = counter;
}

/* Sends the latest head to syslog within 10 s of its writing, and the last one at the end. */
static void *tell(void *arg)
{
    cn_chain *c = arg;
    pthread_mutex_lock(&c->lock);
    while (!c->closing || c->told_counter < c->head_counter) {
        if (c->told_counter == c->head_counter) {
            pthread_cond_wait(&c->tick, &c->lock);
            continue;
        }
        uint64_t until = cn_mono_ns() + (uint64_t)SYSLOG_MS * 1000000;
        while (!c->closing && wait_until(&c->tick, &c->lock, until)) {
        }
        tell_locked(c);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- rows in a transaction of their own: group commit ---- */

static cn_err append_batch(cn_chain *c, cn_conn *conn, batch *b)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    for (size_t i = 0; i < b->n; i++) {
        if (b->audit)
            cn_chain_audit_values(b->audit, values);
        else
            cn_chain_ledger_values(&b->ledger[i], values);
        CN_TRY(append(c, conn, values));
    }
    b->last = c->next_counter;
    return CN_OK;
}

static cn_err append_batches(cn_chain *c, cn_conn *conn, batch *b)
{
    CN_TRY(resync(c, conn));
    for (; b; b = b->next) CN_TRY(append_batch(c, conn, b));
    return cn_tx_commit(conn);
}

static batch *take_locked(cn_chain *c)
{
    batch *all = c->first;
    c->first = NULL;
    c->end = &c->first;
    return all;
}

/*
 * The transaction is begun before the chain is owned, in the same order as callers of cn_chain_audit_tx do: on SQLite,
 * where a transaction excludes other writers, the other order would be a deadlock. Rows that arrive while this waits
 * are taken along.
 */
static cn_err commit_waiting(cn_chain *c, batch **taken)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    cn_err e = cn_conn_acquire(c->db, &conn);
    if (e == CN_OK) e = cn_tx_begin(conn);
    pthread_mutex_lock(&c->lock);
    if (e == CN_OK) e = own_locked(c, conn);
    *taken = take_locked(c);
    pthread_mutex_unlock(&c->lock);
    if (e != CN_OK) return e;
    e = append_batches(c, conn, *taken);
    disown(c, e == CN_OK);
    return e;
}

static void lead(cn_chain *c)
{
    batch *taken = NULL;
    cn_err e = commit_waiting(c, &taken);
    pthread_mutex_lock(&c->lock);
    for (batch *b = taken, *next = NULL; b; b = next) {
        next = b->next; /* it is its owner's again as soon as it is done */
        b->err = e;
        b->done = true;
    }
    c->leading = false;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static cn_err submit(cn_chain *c, batch *b)
{
    pthread_mutex_lock(&c->lock);
    *c->end = b;
    c->end = &b->next;
    while (!b->done) {
        if (c->leading) {
            pthread_cond_wait(&c->changed, &c->lock);
            continue;
        }
        c->leading = true;
        pthread_mutex_unlock(&c->lock);
        lead(c);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    CN_TRY(b->err);
    return head_sync(c, b->last);
}

cn_err cn_chain_audit(cn_chain *c, const cn_audit_row *row)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    if (c->def != cn_chain_def_of(CN_CHAIN_AUDIT)) return CN_ERR_INVALID;
    cn_chain_audit_values(row, values);
    CN_TRY(cn_chain_values_check(c->def, values));
    batch b = {.audit = row, .n = 1};
    return submit(c, &b);
}

cn_err cn_chain_ledger(cn_chain *c, const cn_ledger_row *rows, size_t n)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    if (c->def != cn_chain_def_of(CN_CHAIN_LEDGER)) return CN_ERR_INVALID;
    for (size_t i = 0; i < n; i++) {
        cn_chain_ledger_values(&rows[i], values);
        CN_TRY(cn_chain_values_check(c->def, values));
    }
    if (n == 0) return CN_OK;
    batch b = {.ledger = rows, .n = n};
    return submit(c, &b);
}

/* ---- rows in the caller's transaction ---- */

cn_err cn_chain_audit_tx(cn_chain *c, cn_conn *conn, const cn_audit_row *row)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    if (c->def != cn_chain_def_of(CN_CHAIN_AUDIT)) return CN_ERR_INVALID;
    pthread_mutex_lock(&c->lock);
    bool again = is_mine_locked(c) && c->owner_conn == conn;
    cn_err e = again ? CN_OK : own_locked(c, conn);
    pthread_mutex_unlock(&c->lock);
    CN_TRY(e);
    cn_chain_audit_values(row, values);
    e = cn_chain_values_check(c->def, values);
    if (e == CN_OK && !again) e = resync(c, conn);
    if (e == CN_OK) e = append(c, conn, values);
    if (e != CN_OK) disown(c, false);
    return e;
}

cn_err cn_chain_committed(cn_chain *c)
{
    pthread_mutex_lock(&c->lock);
    bool mine = is_mine_locked(c);
    int64_t last = c->next_counter;
    pthread_mutex_unlock(&c->lock);
    if (!mine) return CN_ERR_STATE;
    disown(c, true);
    return head_sync(c, last);
}

void cn_chain_rolled_back(cn_chain *c)
{
    pthread_mutex_lock(&c->lock);
    bool mine = is_mine_locked(c);
    pthread_mutex_unlock(&c->lock);
    if (mine) disown(c, false);
}

cn_err cn_chain_commit(cn_chain *c, cn_conn *conn)
{
    cn_err e = cn_tx_commit(conn);
    if (e != CN_OK) {
        cn_chain_rolled_back(c);
        return e;
    }
    e = cn_chain_committed(c);
    return e == CN_ERR_STATE ? CN_OK : e;
}

/* ---- life ---- */

static bool node_is_good(const char *node)
{
    size_t n = strlen(node);
    if (n == 0 || n >= CN_CHAIN_NODE) return false;
    for (; *node; node++)
        if (*node <= ' ' || *node > '~') return false;
    return true;
}

static void conds_init(cn_chain *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, &attr);
    pthread_cond_init(&c->tick, &attr);
    pthread_condattr_destroy(&attr);
}

cn_err cn_chain_open(cn_chain **out, cn_chain_log log, cn_db *db, const cn_vault *v, const char *node,
                     const char *heads_path)
{
    if (!node_is_good(node)) return CN_ERR_INVALID;
    cn_chain *c = CN_NEW(cn_chain);
    if (!c) return CN_ERR_NOMEM;
    c->def = cn_chain_def_of(log);
    c->db = db;
    c->end = &c->first;
    memcpy(c->key, cn_vault_chain_key(v), sizeof c->key);
    cn_strcpy(c->node, sizeof c->node, node);
    cn_id_new(c->boot);
    conds_init(c);
    cn_err e = cn_heads_open(&c->heads, heads_path);
    if (e == CN_OK) c->has_teller = pthread_create(&c->teller, NULL, tell, c) == 0;
    if (e == CN_OK && !c->has_teller) e = CN_ERR_NOMEM;
    if (e != CN_OK) {
        cn_chain_close(c);
        return e;
    }
    *out = c;
    return CN_OK;
}

void cn_chain_close(cn_chain *c)
{
    if (!c) return;
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    pthread_cond_signal(&c->tick);
    pthread_mutex_unlock(&c->lock);
    if (c->has_teller) pthread_join(c->teller, NULL);
    cn_heads_close(c->heads);
    pthread_cond_destroy(&c->tick);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    cn_free_secret(c, sizeof *c);
}
