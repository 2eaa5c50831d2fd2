/*
 * Private to storage/ and its tests: what a database must offer. sqlite.c and pg.c fill the table.
 * A raw connection belongs to one thread at a time; db.c sees to that.
 */
#ifndef CN_STORAGE_DB_BACKEND_H
#define CN_STORAGE_DB_BACKEND_H

#include "storage/db/rows.h"

typedef enum cn_db_kind { CN_DB_SQLITE, CN_DB_POSTGRES } cn_db_kind;

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
    /* Whether what it writes to can be written: CN_ERR_NOSPACE, CN_ERR_DB. Writes nothing itself. NULL: it says so on reading. */
    cn_err (*writable)(const char *url);
    /* Several statements without parameters. */
    cn_err (*script)(void *raw, const char *sql);
    cn_err (*commit)(void *raw);
    /* False: it is still in the transaction, and holds what that locked. A connection that was lost is in none. */
    bool (*rollback)(void *raw);
    /* Only one process changes the schema between these two; CN_ERR_AGAIN while another one does. */
    cn_err (*schema_lock)(void *raw);
    void (*schema_unlock)(void *raw);
} cn_backend;

extern const cn_backend cn_backend_sqlite;
extern const cn_backend cn_backend_pg;

/** Logs why a statement failed (its text holds no values) and returns `err`; what callers are expected to handle goes
 * to debug. */
cn_err cn_db_failed(cn_err err, const char *where, const char *sql, const char *why);

#endif
