/*
 * One thin API over SQLite (embedded) and PostgreSQL (production).
 *
 * A cn_db is a pool of connections and may be used from any job thread; a cn_conn belongs to the thread that acquired
 * it until it is released. All calls block: never call them on the door's or a media thread. SQL is what both databases
 * understand; parameters are $1, $2 … in both; times are BIGINT milliseconds, booleans are INTEGER 0/1, identifiers are
 * TEXT (cn_id_new), sealed values are BLOB/BYTEA. Only prepared statements.
 */
#ifndef CN_STORAGE_DB_H
#define CN_STORAGE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "storage/db/rows.h"

typedef struct cn_db cn_db;
typedef struct cn_conn cn_conn;

/** Opens `url` ("sqlite:FILE" or a libpq connection string) with `connections` connections and applies missing
 * migrations (in one transaction each); open.c. */
cn_err cn_db_open(cn_db **out, const char *url, unsigned connections);
/** One `SELECT 1` and, for SQLite, whether its disk has room and may be written: what /readyz asks, which anybody may
 * call as often as he likes, so that nothing is written. CN_ERR_DB or CN_ERR_NOSPACE. */
cn_err cn_db_ping(cn_db *db);
/** NULL allowed. All connections must have been released. */
void cn_db_close(cn_db *db);

/** Waits at most 5 s for a free connection: CN_ERR_TIMEOUT. A lost PostgreSQL connection is opened again here:
 * CN_ERR_DB when that fails. */
cn_err cn_conn_acquire(cn_db *db, cn_conn **out);
/** Rolls back a transaction left open. NULL allowed. */
void cn_conn_release(cn_conn *conn);

/**
 * Runs one statement. `affected` (NULL allowed) gets the number of rows changed.
 * CN_ERR_CONFLICT for a violated constraint, CN_ERR_NOSPACE for a full disk, CN_ERR_DB otherwise; the database's own
 * text goes to the log without values. Usage: cn_db_exec(c, &n, "UPDATE x SET a = $1 WHERE id = $2", cn_int(3),
 * cn_text(id))
 */
#define cn_db_exec(c, affected, sql, ...)                               \
    cn_db_exec_v((c), (affected), (sql), (const cn_val[]){__VA_ARGS__}, \
                 sizeof((cn_val[]){__VA_ARGS__}) / sizeof(cn_val))
#define cn_db_query(c, out, sql, ...) \
    cn_db_query_v((c), (out), (sql), (const cn_val[]){__VA_ARGS__}, sizeof((cn_val[]){__VA_ARGS__}) / sizeof(cn_val))
cn_err cn_db_exec_v(cn_conn *conn, int64_t *affected, const char *sql, const cn_val *params, size_t count);
/** Rows are fetched whole into memory (limit your query); free with cn_rows_free. */
cn_err cn_db_query_v(cn_conn *conn, cn_rows **out, const char *sql, const cn_val *params, size_t count);

static inline void cn_cleanup_conn(cn_conn **conn)
{
    cn_conn_release(*conn);
}
#define CN_AUTO_CONN __attribute__((cleanup(cn_cleanup_conn)))

/**
 * Transactions (not nested). SQLite: BEGIN IMMEDIATE; PostgreSQL: READ COMMITTED; a serialisation failure or busy
 * database gives CN_ERR_AGAIN. A commit that answered CN_OK is on disk (SQLite: WAL, synchronous=FULL; PostgreSQL:
 * synchronous_commit=on).
 */
cn_err cn_tx_begin(cn_conn *conn);
cn_err cn_tx_commit(cn_conn *conn);
void cn_tx_rollback(cn_conn *conn);

#endif
