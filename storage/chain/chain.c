#include "storage/chain/chain.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/chain/chain_private.h"

#define WHERE "storage.chain"
#define OWN_WAIT_MS 5000
#define SYSLOG_MS 9000

/* Rows of one caller, waiting for whoever leads the next group commit. */
typedef struct commit_batch {
    const cn_audit_row *audit;
    const cn_ledger_row *ledger;
    size_t n;
    int64_t last; /* counter of its last row */
    cn_err err;
    bool done;
    struct commit_batch *next;
} commit_batch;

struct cn_chain {
    const cn_chain_def *def;
    cn_db *db;
    uint8_t key[32];
    char node[CN_CHAIN_NODE];
    char boot[CN_ID_TEXT];
    char *path, *copy_path; /* of both files of heads; copy NULL where one place is enough */
    cn_heads *heads, *copy; /* copy: opened with the first head */
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

    commit_batch *first;
    commit_batch **end;
    bool leading;

    bool head_busy;
    int64_t head_counter; /* in the file of heads */
    uint8_t head_link[CN_CHAIN_LINK];
    int64_t told_counter; /* in syslog */
};

/* ---- ownership ---- */

static cn_err own_locked(cn_chain *chain, const cn_conn *conn)
{
    uint64_t until = cn_mono_ns() + (uint64_t)OWN_WAIT_MS * 1000000;
    while (chain->owned)
        if (!cn_cond_wait_until(&chain->changed, &chain->lock, until) && chain->owned) return CN_ERR_AGAIN;
    chain->owned = true;
    chain->owner = pthread_self();
    chain->owner_conn = conn;
    chain->next_counter = chain->counter;
    memcpy(chain->next_link, chain->link, CN_CHAIN_LINK);
    return CN_OK;
}

static bool is_mine_locked(const cn_chain *chain)
{
    return chain->owned && pthread_equal(chain->owner, pthread_self());
}

static void disown(cn_chain *chain, bool committed)
{
    pthread_mutex_lock(&chain->lock);
    if (committed) {
        chain->counter = chain->next_counter;
        memcpy(chain->link, chain->next_link, CN_CHAIN_LINK);
    } else {
        chain->uncertain = true;
    }
    chain->owned = false;
    chain->owner_conn = NULL;
    pthread_cond_broadcast(&chain->changed);
    pthread_mutex_unlock(&chain->lock);
}

/* A commit whose answer got lost may have happened: go on from what the database has. Owner only. */
static cn_err resync(cn_chain *chain, cn_conn *conn)
{
    pthread_mutex_lock(&chain->lock);
    bool uncertain = chain->uncertain;
    pthread_mutex_unlock(&chain->lock);
    if (!uncertain) return CN_OK;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, chain->def->tail, cn_text(chain->node), cn_text(chain->boot)));
    size_t n = CN_CHAIN_LINK;
    int64_t counter = cn_rows_next(rows) ? cn_rows_int(rows, 0) : 0;
    const void *link = counter ? cn_rows_blob(rows, 1, &n) : NULL;
    if (n != CN_CHAIN_LINK) return CN_ERR_CORRUPT;
    chain->next_counter = counter;
    if (link)
        memcpy(chain->next_link, link, n);
    else
        memset(chain->next_link, 0, CN_CHAIN_LINK);
    pthread_mutex_lock(&chain->lock);
    chain->counter = chain->next_counter;
    memcpy(chain->link, chain->next_link, CN_CHAIN_LINK);
    chain->uncertain = false;
    pthread_mutex_unlock(&chain->lock);
    return CN_OK;
}

/* Appends one row in the transaction of `conn`. Owner only. */
static cn_err append(cn_chain *chain, cn_conn *conn, const cn_val *values)
{
    cn_val all[CN_CHAIN_VALUES_MAX + 4];
    cn_chain_place at = {.node = chain->node, .boot = chain->boot, .counter = chain->next_counter + 1};
    uint8_t link[CN_CHAIN_LINK];
    size_t n = strlen(chain->def->kinds);
    CN_TRY(cn_chain_link(chain->def, chain->key, chain->next_link, &at, values, link));
    all[0] = cn_text(at.node);
    all[1] = cn_text(at.boot);
    all[2] = cn_int(at.counter);
    memcpy(all + 3, values, n * sizeof *values);
    all[3 + n] = cn_blob(link, sizeof link);
    CN_TRY(cn_db_exec_v(conn, NULL, chain->def->insert, all, n + 4));
    chain->next_counter = at.counter;
    memcpy(chain->next_link, link, sizeof link);
    return CN_OK;
}

/* ---- heads ---- */

static cn_err append_copy(cn_chain *chain, const cn_head *head)
{
    if (!chain->copy && access(chain->copy_path, F_OK) < 0) {
        cn_info(WHERE, "the second file of heads %s is made from the first one", chain->copy_path);
        CN_TRY(cn_heads_clone(chain->path, chain->copy_path));
    }
    if (!chain->copy) CN_TRY(cn_heads_open(&chain->copy, chain->copy_path));
    return cn_heads_append(chain->copy, head);
}

static cn_err head_write(cn_chain *chain, int64_t counter, const uint8_t link[CN_CHAIN_LINK])
{
    cn_head head = {.counter = counter};
    cn_strcpy(head.log, sizeof head.log, chain->def->name);
    cn_strcpy(head.node, sizeof head.node, chain->node);
    cn_strcpy(head.boot, sizeof head.boot, chain->boot);
    memcpy(head.link, link, CN_CHAIN_LINK);
    cn_err err = cn_heads_append(chain->heads, &head);
    if (err == CN_OK && chain->copy_path) err = append_copy(chain, &head);
    if (err != CN_OK)
        cn_error(WHERE, "the head of the %s chain is not on disk: %s", chain->def->name, cn_err_text(err));
    return err;
}

/* Returns once a head that covers row `counter` is on disk; one thread writes for all that wait. */
static cn_err head_sync(cn_chain *chain, int64_t counter)
{
    cn_err err = CN_OK;
    pthread_mutex_lock(&chain->lock);
    while (err == CN_OK && chain->head_counter < counter) {
        if (chain->head_busy) {
            pthread_cond_wait(&chain->changed, &chain->lock);
            continue;
        }
        uint8_t link[CN_CHAIN_LINK];
        int64_t upto = chain->counter;
        if (upto < counter) { /* a committed row is gone */
            err = CN_ERR_CORRUPT;
            break;
        }
        memcpy(link, chain->link, sizeof link);
        chain->head_busy = true;
        pthread_mutex_unlock(&chain->lock);
        err = head_write(chain, upto, link);
        pthread_mutex_lock(&chain->lock);
        chain->head_busy = false;
        if (err == CN_OK) {
            chain->head_counter = upto;
            memcpy(chain->head_link, link, sizeof link);
            pthread_cond_signal(&chain->tick);
        }
        pthread_cond_broadcast(&chain->changed);
    }
    pthread_mutex_unlock(&chain->lock);
    return err;
}

static void tell_locked(cn_chain *chain)
{
    char link[2 * CN_CHAIN_LINK + 1];
    int64_t counter = chain->head_counter;
    cn_hex(chain->head_link, CN_CHAIN_LINK, link);
    pthread_mutex_unlock(&chain->lock);
    syslog(LOG_AUTHPRIV | LOG_NOTICE, "consilium %s chain: %s %s %" PRId64 " %s", chain->def->name, chain->node,
           chain->boot, counter, link);
    pthread_mutex_lock(&chain->lock);
    chain->told_counter = counter;
}

/* Sends the latest head to syslog within 10 s of its writing, and the last one at the end. */
static void *tell(void *arg)
{
    cn_chain *chain = arg;
    pthread_mutex_lock(&chain->lock);
    while (!chain->closing || chain->told_counter < chain->head_counter) {
        if (chain->told_counter == chain->head_counter) {
            pthread_cond_wait(&chain->tick, &chain->lock);
            continue;
        }
        uint64_t until = cn_mono_ns() + (uint64_t)SYSLOG_MS * 1000000;
        while (!chain->closing && cn_cond_wait_until(&chain->tick, &chain->lock, until)) {
        }
        tell_locked(chain);
    }
    pthread_mutex_unlock(&chain->lock);
    return NULL;
}

/* ---- rows in a transaction of their own: group commit ---- */

static cn_err append_batch(cn_chain *chain, cn_conn *conn, commit_batch *group)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    for (size_t i = 0; i < group->n; i++) {
        if (group->audit)
            cn_chain_audit_values(group->audit, values);
        else
            cn_chain_ledger_values(&group->ledger[i], values);
        CN_TRY(append(chain, conn, values));
    }
    group->last = chain->next_counter;
    return CN_OK;
}

static cn_err append_batches(cn_chain *chain, cn_conn *conn, commit_batch *group)
{
    CN_TRY(resync(chain, conn));
    for (; group; group = group->next) CN_TRY(append_batch(chain, conn, group));
    return cn_tx_commit(conn);
}

static commit_batch *take_locked(cn_chain *chain)
{
    commit_batch *all = chain->first;
    chain->first = NULL;
    chain->end = &chain->first;
    return all;
}

/*
 * The transaction is begun before the chain is owned, in the same order as callers of cn_chain_audit_tx do: on SQLite,
 * where a transaction excludes other writers, the other order would be a deadlock. Rows that arrive while this waits
 * are taken along.
 */
static cn_err commit_waiting(cn_chain *chain, commit_batch **taken)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    cn_err err = cn_conn_acquire(chain->db, &conn);
    if (err == CN_OK) err = cn_tx_begin(conn);
    pthread_mutex_lock(&chain->lock);
    if (err == CN_OK) err = own_locked(chain, conn);
    *taken = take_locked(chain);
    pthread_mutex_unlock(&chain->lock);
    if (err != CN_OK) return err;
    err = append_batches(chain, conn, *taken);
    disown(chain, err == CN_OK);
    return err;
}

static void lead(cn_chain *chain)
{
    commit_batch *taken = NULL;
    cn_err err = commit_waiting(chain, &taken);
    pthread_mutex_lock(&chain->lock);
    for (commit_batch *group = taken, *next = NULL; group; group = next) {
        next = group->next; /* it is its owner's again as soon as it is done */
        group->err = err;
        group->done = true;
    }
    chain->leading = false;
    pthread_cond_broadcast(&chain->changed);
    pthread_mutex_unlock(&chain->lock);
}

static cn_err submit(cn_chain *chain, commit_batch *group)
{
    pthread_mutex_lock(&chain->lock);
    *chain->end = group;
    chain->end = &group->next;
    while (!group->done) {
        if (chain->leading) {
            pthread_cond_wait(&chain->changed, &chain->lock);
            continue;
        }
        chain->leading = true;
        pthread_mutex_unlock(&chain->lock);
        lead(chain);
        pthread_mutex_lock(&chain->lock);
    }
    pthread_mutex_unlock(&chain->lock);
    CN_TRY(group->err);
    return head_sync(chain, group->last);
}

cn_err cn_chain_audit(cn_chain *chain, const cn_audit_row *row)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    if (chain->def != cn_chain_def_of(CN_CHAIN_AUDIT)) return CN_ERR_INVALID;
    cn_chain_audit_values(row, values);
    CN_TRY(cn_chain_values_check(chain->def, values));
    commit_batch group = {.audit = row, .n = 1};
    return submit(chain, &group);
}

cn_err cn_chain_ledger(cn_chain *chain, const cn_ledger_row *rows, size_t count)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    if (chain->def != cn_chain_def_of(CN_CHAIN_LEDGER)) return CN_ERR_INVALID;
    for (size_t i = 0; i < count; i++) {
        cn_chain_ledger_values(&rows[i], values);
        CN_TRY(cn_chain_values_check(chain->def, values));
    }
    if (count == 0) return CN_OK;
    commit_batch group = {.ledger = rows, .n = count};
    return submit(chain, &group);
}

/* ---- rows in the caller's transaction ---- */

cn_err cn_chain_audit_tx(cn_chain *chain, cn_conn *conn, const cn_audit_row *row)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    if (chain->def != cn_chain_def_of(CN_CHAIN_AUDIT)) return CN_ERR_INVALID;
    pthread_mutex_lock(&chain->lock);
    bool again = is_mine_locked(chain) && chain->owner_conn == conn;
    cn_err err = again ? CN_OK : own_locked(chain, conn);
    pthread_mutex_unlock(&chain->lock);
    CN_TRY(err);
    cn_chain_audit_values(row, values);
    err = cn_chain_values_check(chain->def, values);
    if (err == CN_OK && !again) err = resync(chain, conn);
    if (err == CN_OK) err = append(chain, conn, values);
    if (err != CN_OK) disown(chain, false);
    return err;
}

cn_err cn_chain_committed(cn_chain *chain)
{
    pthread_mutex_lock(&chain->lock);
    bool mine = is_mine_locked(chain);
    int64_t last = chain->next_counter;
    pthread_mutex_unlock(&chain->lock);
    if (!mine) return CN_ERR_STATE;
    disown(chain, true);
    return head_sync(chain, last);
}

void cn_chain_rolled_back(cn_chain *chain)
{
    pthread_mutex_lock(&chain->lock);
    bool mine = is_mine_locked(chain);
    pthread_mutex_unlock(&chain->lock);
    if (mine) disown(chain, false);
}

cn_err cn_chain_commit(cn_chain *chain, cn_conn *conn)
{
    cn_err err = cn_tx_commit(conn);
    if (err != CN_OK) {
        cn_chain_rolled_back(chain);
        return err;
    }
    err = cn_chain_committed(chain);
    return err == CN_ERR_STATE ? CN_OK : err;
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

cn_err cn_chain_open(cn_chain **out, cn_chain_log log, cn_db *db, const cn_vault *vault, const char *node,
                     const char *heads_path)
{
    if (!node_is_good(node)) return CN_ERR_INVALID;
    cn_chain *chain = CN_NEW(cn_chain);
    if (!chain) return CN_ERR_NOMEM;
    chain->def = cn_chain_def_of(log);
    chain->db = db;
    chain->end = &chain->first;
    memcpy(chain->key, cn_vault_chain_key(vault), sizeof chain->key);
    cn_strcpy(chain->node, sizeof chain->node, node);
    cn_id_new(chain->boot);
    pthread_mutex_init(&chain->lock, NULL);
    cn_cond_init(&chain->changed);
    cn_cond_init(&chain->tick);
    chain->path = cn_strdup(heads_path);
    cn_err err = chain->path ? cn_heads_open(&chain->heads, heads_path) : CN_ERR_NOMEM;
    if (err == CN_OK) chain->has_teller = pthread_create(&chain->teller, NULL, tell, chain) == 0;
    if (err == CN_OK && !chain->has_teller) err = CN_ERR_NOMEM;
    if (err != CN_OK) {
        cn_chain_close(chain);
        return err;
    }
    *out = chain;
    return CN_OK;
}

cn_err cn_chain_heads_copy(cn_chain *chain, const char *path)
{
    chain->copy_path = cn_strdup(path);
    return chain->copy_path ? CN_OK : CN_ERR_NOMEM;
}

void cn_chain_close(cn_chain *chain)
{
    if (!chain) return;
    pthread_mutex_lock(&chain->lock);
    chain->closing = true;
    pthread_cond_signal(&chain->tick);
    pthread_mutex_unlock(&chain->lock);
    if (chain->has_teller) pthread_join(chain->teller, NULL);
    cn_heads_close(chain->heads);
    cn_heads_close(chain->copy);
    free(chain->path);
    free(chain->copy_path);
    pthread_cond_destroy(&chain->tick);
    pthread_cond_destroy(&chain->changed);
    pthread_mutex_destroy(&chain->lock);
    cn_free_secret(chain, sizeof *chain);
}
