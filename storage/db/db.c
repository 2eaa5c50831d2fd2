#include "storage/db/backend.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

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

static void cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

static cn_err migrate(cn_db *db)
{
    CN_AUTO_CONN cn_conn *c = NULL;
    CN_TRY(cn_conn_acquire(db, &c));
    return cn_migrations_apply(c, cn_migration_files);
}

cn_err cn_db_open(cn_db **out, const char *url, unsigned connections)
{
    const cn_backend *backend = backend_of(url);
    if (!backend || connections == 0 || connections > 1000) return CN_ERR_INVALID;
    cn_db *db = cn_calloc(1, sizeof *db + connections * sizeof(cn_conn));
    if (!db) return CN_ERR_NOMEM;
    db->backend = backend;
    pthread_mutex_init(&db->lock, NULL);
    cond_init(&db->freed);
    cond_init(&db->written);
    db->n = connections;
    db->wait_ms = WAIT_MS;
    db->rest_ms = REST_MS;
    for (unsigned i = connections; i-- > 0;) {
        db->conns[i].db = db;
        db->conns[i].next_free = db->free;
        db->free = &db->conns[i];
    }
    db->url = cn_strdup(url);
    cn_err e = db->url ? migrate(db) : CN_ERR_NOMEM;
    if (e != CN_OK) {
        cn_db_close(db);
        return e;
    }
    *out = db;
    return CN_OK;
}

cn_db_kind cn_db_kind_of(const cn_db *db)
{
    return db->backend->kind;
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

static struct timespec deadline(const cn_db *db)
{
    uint64_t at = cn_mono_ns() + (uint64_t)db->wait_ms * 1000000;
    return (struct timespec){.tv_sec = (time_t)(at / 1000000000), .tv_nsec = (long)(at % 1000000000)};
}

static cn_conn *take_free(cn_db *db)
{
    struct timespec until = deadline(db);
    pthread_mutex_lock(&db->lock);
    while (!db->free && pthread_cond_timedwait(&db->freed, &db->lock, &until) != ETIMEDOUT) {
    }
    cn_conn *c = db->free;
    if (c) db->free = c->next_free;
    pthread_mutex_unlock(&db->lock);
    return c;
}

cn_err cn_conn_acquire(cn_db *db, cn_conn **out)
{
    cn_conn *c = take_free(db);
    if (!c) {
        cn_warn(WHERE, "all %u connections are busy for %u ms", db->n, db->wait_ms);
        return CN_ERR_TIMEOUT;
    }
    cn_err e = c->raw ? db->backend->revive(c->raw) : db->backend->open(&c->raw, db->url);
    if (e != CN_OK) {
        cn_conn_release(c);
        return e;
    }
    *out = c;
    return CN_OK;
}

void cn_conn_release(cn_conn *c)
{
    if (!c) return;
    cn_tx_rollback(c);
    cn_db *db = c->db;
    uint64_t now = db->backend->rest && c->raw ? cn_mono_ms() : 0;
    if (now && now - c->rested_ms >= db->rest_ms) {
        db->backend->rest(c->raw);
        c->rested_ms = now;
    }
    pthread_mutex_lock(&db->lock);
    c->next_free = db->free;
    db->free = c;
    pthread_cond_signal(&db->freed);
    pthread_mutex_unlock(&db->lock);
}

static cn_err writer_take(cn_db *db)
{
    if (!db->backend->single_writer) return CN_OK;
    struct timespec until = deadline(db);
    pthread_mutex_lock(&db->lock);
    while (db->writing && pthread_cond_timedwait(&db->written, &db->lock, &until) != ETIMEDOUT) {
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
static cn_err check_texts(const char *sql, const cn_val *params, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (params[i].kind == CN_VAL_TEXT && !cn_utf8_valid(params[i].s, strlen(params[i].s)))
            return cn_db_failed(CN_ERR_INVALID, WHERE, sql, "a text is not UTF-8");
    return CN_OK;
}

static cn_err run(cn_conn *c, const char *sql, const cn_val *params, size_t n, cn_rows **rows, int64_t *affected)
{
    const cn_backend *b = c->db->backend;
    if (c->failed) return CN_ERR_STATE;
    bool alone = !c->in_tx && b->single_writer && b->writes(c->raw, sql);
    cn_err e = check_texts(sql, params, n);
    if (e == CN_OK && alone) e = writer_take(c->db);
    if (e == CN_OK) {
        e = b->run(c->raw, sql, params, n, rows, affected);
        if (alone) writer_give(c->db);
    }
    c->failed = c->in_tx && e != CN_OK;
    return e;
}

cn_err cn_db_exec_v(cn_conn *c, int64_t *affected, const char *sql, const cn_val *params, size_t n)
{
    int64_t changed = 0;
    CN_TRY(run(c, sql, params, n, NULL, &changed));
    if (affected) *affected = changed;
    return CN_OK;
}

cn_err cn_db_query_v(cn_conn *c, cn_rows **out, const char *sql, const cn_val *params, size_t n)
{
    return run(c, sql, params, n, out, NULL);
}

cn_err cn_db_script(cn_conn *c, const char *sql)
{
    if (c->failed) return CN_ERR_STATE;
    cn_err e = c->db->backend->script(c->raw, sql);
    if (c->in_tx) c->failed = e != CN_OK;
    return e;
}

const cn_backend *cn_conn_backend(const cn_conn *c)
{
    return c->db->backend;
}
void *cn_conn_raw(const cn_conn *c)
{
    return c->raw;
}

cn_err cn_tx_begin(cn_conn *c)
{
    if (c->in_tx) return CN_ERR_STATE;
    CN_TRY(writer_take(c->db));
    cn_err e = c->db->backend->script(c->raw, c->db->backend->begin);
    if (e != CN_OK) {
        writer_give(c->db);
        return e;
    }
    c->in_tx = true;
    return CN_OK;
}

void cn_tx_rollback(cn_conn *c)
{
    if (!c->in_tx) return;
    c->db->backend->rollback(c->raw);
    c->in_tx = c->failed = false;
    writer_give(c->db);
}

cn_err cn_tx_commit(cn_conn *c)
{
    if (!c->in_tx) return CN_ERR_STATE;
    cn_err e = c->failed ? CN_ERR_STATE : c->db->backend->commit(c->raw);
    if (e != CN_OK) {
        cn_tx_rollback(c);
        return e;
    }
    c->in_tx = false;
    writer_give(c->db);
    return CN_OK;
}

cn_err cn_db_ping(cn_db *db)
{
    CN_AUTO_CONN cn_conn *c = NULL;
    CN_TRY(cn_conn_acquire(db, &c));
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(c, &rows, "SELECT 1"));
    /* Reading still works on a full disk: an embedded database is only ready when it can also write. */
    if (!db->backend->single_writer) return CN_OK;
    char now[CN_TIME_TEXT];
    cn_time_format(cn_wall_ms(), now);
    return cn_db_exec(c, NULL,
                      "INSERT INTO settings (key, value) VALUES ('storage.ping', $1) "
                      "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                      cn_text(now));
}

cn_err cn_db_failed(cn_err e, const char *where, const char *sql, const char *why)
{
    cn_log_level level = e == CN_ERR_CONFLICT || e == CN_ERR_AGAIN ? CN_LOG_DEBUG : CN_LOG_ERROR;
    cn_log(level, where, "%s: %s (%.200s)", cn_err_name(e), why, sql);
    return e;
}
