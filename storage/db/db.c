#include "storage/db/db.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/db/db_private.h"

#define WHERE "storage.db"
#define WAIT_MS 5000
#define REST_MS 60000

struct cn_conn {
    cn_db *db;
    void *raw; /* NULL until first used */
    uint64_t rested_ms;
    cn_conn *next_free;
    bool in_tx;
    bool failed; /* an error inside the transaction: only a rollback is left */
};

struct cn_db {
    const cn_backend *backend;
    char *url;
    pthread_mutex_t lock; /* guards free and writing */
    pthread_cond_t freed;
    pthread_cond_t written;
    cn_conn *free;
    bool writing;
    unsigned wait_ms, rest_ms;
    unsigned n;
    cn_conn conns[];
};

static const cn_backend *backend_of(const char *url)
{
    if (strncmp(url, "sqlite:", 7) == 0) return &cn_backend_sqlite;
    if (strncmp(url, "postgres://", 11) == 0 || strncmp(url, "postgresql://", 13) == 0 || strchr(url, '='))
        return &cn_backend_pg;
    return NULL;
}

cn_err cn_db_new(cn_db **out, const char *url, unsigned connections)
{
    const cn_backend *backend = backend_of(url);
    if (!backend || connections == 0 || connections > 1000) return CN_ERR_INVALID;
    cn_db *db = cn_calloc(1, sizeof *db + connections * sizeof(cn_conn));
    if (!db) return CN_ERR_NOMEM;
    db->backend = backend;
    pthread_mutex_init(&db->lock, NULL);
    cn_cond_init(&db->freed);
    cn_cond_init(&db->written);
    db->n = connections;
    db->wait_ms = WAIT_MS;
    db->rest_ms = REST_MS;
    for (unsigned i = connections; i-- > 0;) {
        db->conns[i].db = db;
        db->conns[i].next_free = db->free;
        db->free = &db->conns[i];
    }
    db->url = cn_strdup(url);
    if (!db->url) {
        cn_db_close(db);
        return CN_ERR_NOMEM;
    }
    *out = db;
    return CN_OK;
}

void cn_db_close(cn_db *db)
{
    if (!db) return;
    for (unsigned i = 0; i < db->n; i++)
        if (db->conns[i].raw) db->backend->close(db->conns[i].raw);
    pthread_cond_destroy(&db->freed);
    pthread_cond_destroy(&db->written);
    pthread_mutex_destroy(&db->lock);
    /* it may hold a password */
    if (db->url) cn_free_secret(db->url, strlen(db->url));
    free(db);
}

void cn_db_set_wait(cn_db *db, unsigned ms)
{
    db->wait_ms = ms;
}

void cn_db_set_rest(cn_db *db, unsigned ms)
{
    db->rest_ms = ms;
}

static uint64_t deadline_ns(const cn_db *db)
{
    return cn_mono_ns() + (uint64_t)db->wait_ms * 1000000;
}

static cn_conn *take_free(cn_db *db)
{
    uint64_t until = deadline_ns(db);
    pthread_mutex_lock(&db->lock);
    while (!db->free && cn_cond_wait_until(&db->freed, &db->lock, until)) {
    }
    cn_conn *conn = db->free;
    if (conn) db->free = conn->next_free;
    pthread_mutex_unlock(&db->lock);
    return conn;
}

cn_err cn_conn_acquire(cn_db *db, cn_conn **out)
{
    cn_conn *conn = take_free(db);
    if (!conn) {
        cn_warn(WHERE, "all %u connections are busy for %u ms", db->n, db->wait_ms);
        return CN_ERR_TIMEOUT;
    }
    cn_err err = conn->raw ? db->backend->revive(conn->raw) : db->backend->open(&conn->raw, db->url);
    if (err != CN_OK) {
        cn_conn_release(conn);
        return err;
    }
    conn->failed = false;
    *out = conn;
    return CN_OK;
}

void cn_conn_release(cn_conn *conn)
{
    if (!conn) return;
    cn_tx_rollback(conn);
    cn_db *db = conn->db;
    uint64_t now = db->backend->rest && conn->raw ? cn_mono_ms() : 0;
    if (now && now - conn->rested_ms >= db->rest_ms) {
        db->backend->rest(conn->raw);
        conn->rested_ms = now;
    }
    pthread_mutex_lock(&db->lock);
    conn->next_free = db->free;
    db->free = conn;
    pthread_cond_signal(&db->freed);
    pthread_mutex_unlock(&db->lock);
}

static cn_err writer_take(cn_db *db)
{
    if (!db->backend->single_writer) return CN_OK;
    uint64_t until = deadline_ns(db);
    pthread_mutex_lock(&db->lock);
    while (db->writing && cn_cond_wait_until(&db->written, &db->lock, until)) {
    }
    bool got = !db->writing;
    if (got) db->writing = true;
    pthread_mutex_unlock(&db->lock);
    return got ? CN_OK : CN_ERR_AGAIN;
}

static void writer_give(cn_db *db)
{
    if (!db->backend->single_writer) return;
    pthread_mutex_lock(&db->lock);
    db->writing = false;
    pthread_cond_signal(&db->written);
    pthread_mutex_unlock(&db->lock);
}

/* PostgreSQL refuses such text, SQLite would store it: refused by both. */
static cn_err check_texts(const char *sql, const cn_val *params, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (params[i].kind == CN_VAL_TEXT && !cn_utf8_valid(params[i].s, strlen(params[i].s)))
            return cn_db_failed(CN_ERR_INVALID, WHERE, sql, "a text is not UTF-8");
    return CN_OK;
}

static cn_err run(cn_conn *conn, const char *sql, const cn_val *params, size_t count, cn_rows **rows, int64_t *affected)
{
    const cn_backend *backend = conn->db->backend;
    if (conn->failed) return CN_ERR_STATE;
    bool alone = !conn->in_tx && backend->single_writer && backend->writes(conn->raw, sql);
    cn_err err = check_texts(sql, params, count);
    if (err == CN_OK && alone) err = writer_take(conn->db);
    if (err == CN_OK) {
        err = backend->run(conn->raw, sql, params, count, rows, affected);
        if (alone) writer_give(conn->db);
    }
    conn->failed = conn->in_tx && err != CN_OK;
    return err;
}

cn_err cn_db_exec_v(cn_conn *conn, int64_t *affected, const char *sql, const cn_val *params, size_t count)
{
    int64_t changed = 0;
    CN_TRY(run(conn, sql, params, count, NULL, &changed));
    if (affected) *affected = changed;
    return CN_OK;
}

cn_err cn_db_query_v(cn_conn *conn, cn_rows **out, const char *sql, const cn_val *params, size_t count)
{
    return run(conn, sql, params, count, out, NULL);
}

cn_err cn_db_script(cn_conn *conn, const char *sql)
{
    if (conn->failed) return CN_ERR_STATE;
    cn_err err = conn->db->backend->script(conn->raw, sql);
    if (conn->in_tx) conn->failed = err != CN_OK;
    return err;
}

const cn_backend *cn_conn_backend(const cn_conn *conn)
{
    return conn->db->backend;
}
void *cn_conn_raw(const cn_conn *conn)
{
    return conn->raw;
}

cn_err cn_tx_begin(cn_conn *conn)
{
    if (conn->in_tx || conn->failed) return CN_ERR_STATE;
    CN_TRY(writer_take(conn->db));
    cn_err err = conn->db->backend->script(conn->raw, conn->db->backend->begin);
    if (err != CN_OK) {
        writer_give(conn->db);
        return err;
    }
    conn->in_tx = true;
    return CN_OK;
}

void cn_tx_rollback(cn_conn *conn)
{
    if (!conn->in_tx) return;
    bool out = conn->db->backend->rollback(conn->raw);
    if (!out) {
        /* kept, it would hold the lock, and whoever took it next could begin nothing; acquiring opens it again */
        cn_warn(WHERE, "a transaction could not be rolled back: its connection is closed");
        conn->db->backend->close(conn->raw);
        conn->raw = NULL;
    }
    conn->in_tx = false;
    conn->failed = !out;
    writer_give(conn->db);
}

cn_err cn_tx_commit(cn_conn *conn)
{
    if (!conn->in_tx) return CN_ERR_STATE;
    cn_err err = conn->failed ? CN_ERR_STATE : conn->db->backend->commit(conn->raw);
    if (err != CN_OK) {
        cn_tx_rollback(conn);
        return err;
    }
    conn->in_tx = false;
    writer_give(conn->db);
    return CN_OK;
}

cn_err cn_db_ping(cn_db *db)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(db, &conn));
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT 1"));
    /* Reading still works on a full disk: an embedded database is only ready when it can also write. */
    return db->backend->writable ? db->backend->writable(db->url) : CN_OK;
}
