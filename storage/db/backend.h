/*
 * Private to storage/ and its tests: what a database must offer, and the rows they fill.
 * A raw connection belongs to one thread at a time; db.c sees to that.
 */
#ifndef CN_STORAGE_DB_BACKEND_H
#define CN_STORAGE_DB_BACKEND_H

#include "storage/db/db.h"
#include "storage/db/migrations.h"

typedef struct cn_backend {
    cn_db_kind kind;
    bool single_writer;        /* db.c lets one connection write at a time instead of having them poll for a lock */
    const char *begin;         /* statement that opens a transaction */
    const char *count_history; /* query: 1 when the table schema_migrations exists, 0 otherwise */
    const char *suffix;        /* of the schema steps that are only for this database */

    cn_err (*open)(void **out, const char *url);
    void (*close)(void *raw);
    /* Called when a connection is taken from the pool: opens a lost one again. */
    cn_err (*revive)(void *raw);
    /* Called now and then when one goes back to the pool: gives away what it keeps of the database. May be NULL. */
    void (*rest)(void *raw);
    /* `rows` and `affected` may each be NULL. */
    cn_err (*run)(void *raw, const char *sql, const cn_val *params, size_t count, cn_rows **rows, int64_t *affected);
    /* Whether a statement changes anything; asked only where single_writer is set. */
    bool (*writes)(void *raw, const char *sql);
    /* Several statements without parameters. */
    cn_err (*script)(void *raw, const char *sql);
    cn_err (*commit)(void *raw);
    void (*rollback)(void *raw);
    /* Only one process changes the schema between these two; CN_ERR_AGAIN while another one does. */
    cn_err (*schema_lock)(void *raw);
    void (*schema_unlock)(void *raw);
} cn_backend;

extern const cn_backend cn_backend_sqlite;
extern const cn_backend cn_backend_pg;

/** How long to wait for a connection and for other writers instead of 5 s; for tests, before threads use the pool. */
void cn_db_set_wait(cn_db *db, unsigned ms);
/** How long a connection in use may keep what it read, instead of a minute; for tests, likewise. */
void cn_db_set_rest(cn_db *db, unsigned ms);
/** Several statements without parameters, on a connection of the pool. */
cn_err cn_db_script(cn_conn *conn, const char *sql);
const cn_backend *cn_conn_backend(const cn_conn *conn);
void *cn_conn_raw(const cn_conn *conn);

/** Brings the schema up to the last of `files` (see README). CN_ERR_STATE when the database knows later steps. */
cn_err cn_migrations_apply(cn_conn *conn, const cn_migration_file *files);
/** `sql` with the word BLOB outside of strings and comments written as BYTEA. Caller frees; NULL when memory is out. */
char *cn_migrations_to_pg(const char *sql);

/** An empty result with `cols` columns. */
cn_err cn_rows_new(cn_rows **out, size_t cols);
/** Appends the next cell, copying its bytes; after every `cols` cells a row is complete. CN_ERR_TOOBIG over 64 MiB. */
cn_err cn_rows_add(cn_rows *rows, const cn_val *value);

/* Statement cache of one connection: bounded, the least recently used goes first. */
typedef struct cn_stmt_cache cn_stmt_cache;
cn_err cn_stmt_cache_new(cn_stmt_cache **out, void (*drop)(void *owner, void *stmt), void *owner);
void *cn_stmt_cache_get(cn_stmt_cache *cache, const char *key);
/** Takes the statement over, also when it fails. */
cn_err cn_stmt_cache_put(cn_stmt_cache *cache, const char *key, void *stmt);
/** Drops one statement, or all of them. */
void cn_stmt_cache_remove(cn_stmt_cache *cache, const void *stmt);
void cn_stmt_cache_clear(cn_stmt_cache *cache);
void cn_stmt_cache_free(cn_stmt_cache *cache);

/** Logs why a statement failed (its text holds no values) and returns `err`; what callers are expected to handle goes
 * to debug. */
cn_err cn_db_failed(cn_err err, const char *where, const char *sql, const char *why);

#endif
