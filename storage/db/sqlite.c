#include "storage/db/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/db/cache.h"
#include "storage/db/rows_private.h"

#define WHERE "storage.sqlite"
#define BUSY_MS 5000
#define PARAMS_MAX 512
#define ROOM_BYTES (256u << 10) /* free on the disk, so that a transaction can be written */

typedef struct lite {
    sqlite3 *db;
    cn_stmt_cache *cache;
} lite;

typedef struct lite_stmt {
    sqlite3_stmt *stmt;
    size_t n;
    int index[]; /* SQLite's number of parameter $1, $2 … */
} lite_stmt;

static cn_err err_from(int rc)
{
    static const struct {
        int rc;
        cn_err e;
    } table[] = {{SQLITE_OK, CN_OK},
                 {SQLITE_CONSTRAINT, CN_ERR_CONFLICT},
                 {SQLITE_BUSY, CN_ERR_AGAIN},
                 {SQLITE_LOCKED, CN_ERR_AGAIN},
                 {SQLITE_FULL, CN_ERR_NOSPACE},
                 {SQLITE_NOMEM, CN_ERR_NOMEM},
                 {SQLITE_TOOBIG, CN_ERR_TOOBIG}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].rc == (rc & 0xff)) return table[i].e;
    return CN_ERR_DB;
}

static cn_err failed(lite *db, int rc, const char *sql)
{
    return cn_db_failed(err_from(rc), WHERE, sql, sqlite3_errmsg(db->db));
}

static void stmt_drop(void *owner, void *stmt)
{
    (void)owner;
    lite_stmt *statement = stmt;
    sqlite3_finalize(statement->stmt);
    free(statement);
}

static cn_err lite_script(void *raw, const char *sql)
{
    lite *db = raw;
    int rc = sqlite3_exec(db->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? CN_OK : failed(db, rc, sql);
}

static void lite_close(void *raw)
{
    lite *db = raw;
    if (!db) return;
    cn_stmt_cache_free(db->cache);
    sqlite3_close(db->db);
    free(db);
}

/* Two processes that switch a new file to WAL at once get SQLITE_BUSY without the busy handler being asked. */
static cn_err set_wal(lite *db)
{
    for (unsigned tries = 0;; tries++) {
        int rc = sqlite3_exec(db->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if (rc == SQLITE_OK) return CN_OK;
        if ((rc & 0xff) != SQLITE_BUSY || tries == BUSY_MS / 10) return failed(db, rc, "PRAGMA journal_mode = WAL");
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
}

/* SQLite gives its journals the mode of the database file. A file that is there is left alone: closing a descriptor of
 * it would take this process's locks from connections that are open already (POSIX), another process would then think
 * itself alone and delete the journal under them. */
static cn_err create_private(const char *path)
{
    CN_AUTO_FREE char *dir = cn_strdup(path);
    if (!dir) return CN_ERR_NOMEM;
    char *slash = strrchr(dir, '/');
    if (slash && slash != dir) {
        *slash = 0;
        CN_TRY(cn_mkdirs(dir));
    }
    CN_AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 && errno != EEXIST ? cn_err_from_errno(errno) : CN_OK;
}

static cn_err lite_writable(const char *url)
{
    struct statvfs fs;
    const char *path = url + strlen("sqlite:");
    if (statvfs(path, &fs) < 0 || (fs.f_flag & ST_RDONLY) || access(path, W_OK) < 0) return CN_ERR_DB;
    return (uint64_t)fs.f_bavail * fs.f_frsize < ROOM_BYTES ? CN_ERR_NOSPACE : CN_OK;
}

static cn_err lite_open(void **out, const char *url)
{
    const char *path = url + strlen("sqlite:");
    if (!*path || *path == ':') return CN_ERR_INVALID;
    CN_TRY(create_private(path));
    lite *db = CN_NEW(lite);
    if (!db) return CN_ERR_NOMEM;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    cn_err err = CN_OK;
    int rc = sqlite3_open_v2(path, &db->db, flags, NULL);
    if (rc != SQLITE_OK) err = db->db ? failed(db, rc, "open") : CN_ERR_NOMEM;
    if (err == CN_OK) err = cn_stmt_cache_new(&db->cache, stmt_drop, db);
    if (err == CN_OK) {
        sqlite3_busy_timeout(db->db, BUSY_MS);
        err = set_wal(db);
    }
    if (err == CN_OK)
        err =
            lite_script(db, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON;"
                            "PRAGMA case_sensitive_like = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;"
                            "PRAGMA cache_size = -2000; PRAGMA journal_size_limit = 67108864");
    if (err != CN_OK) {
        lite_close(db);
        return err;
    }
    *out = db;
    return CN_OK;
}

static cn_err lite_revive(void *raw)
{
    (void)raw;
    return CN_OK;
}

/* What was read since stays in the system's page cache, once and not once per connection. */
static void lite_rest(void *raw)
{
    lite *db = raw;
    (void)sqlite3_db_release_memory(db->db);
}

/* $1, $2 … are named parameters to SQLite: their places are looked up once. */
static cn_err stmt_index(lite_stmt *statement)
{
    for (size_t i = 0; i < statement->n; i++) {
        char name[24];
        snprintf(name, sizeof name, "$%zu", i + 1);
        statement->index[i] = sqlite3_bind_parameter_index(statement->stmt, name);
        if (statement->index[i] == 0) return CN_ERR_INVALID;
    }
    return CN_OK;
}

static cn_err stmt_prepare(lite *db, const char *sql, lite_stmt **out)
{
    sqlite3_stmt *stmt = NULL;
    const char *tail = NULL;
    int rc = sqlite3_prepare_v3(db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &tail);
    if (rc != SQLITE_OK) return failed(db, rc, sql);
    size_t n = (size_t)sqlite3_bind_parameter_count(stmt);
    bool one = stmt && tail && strspn(tail, " \n\t;") == strlen(tail);
    lite_stmt *statement = one ? cn_calloc(1, sizeof *statement + n * sizeof(int)) : NULL;
    if (!statement) {
        sqlite3_finalize(stmt);
        return one ? CN_ERR_NOMEM : cn_db_failed(CN_ERR_INVALID, WHERE, sql, "not exactly one statement");
    }
    statement->stmt = stmt;
    statement->n = n;
    cn_err err = stmt_index(statement);
    if (err != CN_OK) {
        stmt_drop(db, statement);
        return cn_db_failed(err, WHERE, sql, "parameters are not $1, $2 … without gaps");
    }
    CN_TRY(cn_stmt_cache_put(db->cache, sql, statement));
    *out = statement;
    return CN_OK;
}

static int bind_one(sqlite3_stmt *stmt, int at, const cn_val *value)
{
    switch (value->kind) {
    case CN_VAL_INT: return sqlite3_bind_int64(stmt, at, value->i);
    case CN_VAL_REAL: return sqlite3_bind_double(stmt, at, value->r);
    case CN_VAL_TEXT: return sqlite3_bind_text(stmt, at, value->s, -1, SQLITE_STATIC);
    case CN_VAL_BLOB: return sqlite3_bind_blob64(stmt, at, value->b, value->n, SQLITE_STATIC);
    case CN_VAL_NULL: break;
    }
    return sqlite3_bind_null(stmt, at);
}

static cn_err add_column(sqlite3_stmt *stmt, int col, cn_rows *rows)
{
    cn_val value = cn_null();
    switch (sqlite3_column_type(stmt, col)) {
    case SQLITE_INTEGER: value = cn_int(sqlite3_column_int64(stmt, col)); break;
    case SQLITE_FLOAT: value = cn_real(sqlite3_column_double(stmt, col)); break;
    case SQLITE_TEXT:
        value = cn_text((const char *)sqlite3_column_text(stmt, col));
        value.n = (size_t)sqlite3_column_bytes(stmt, col);
        break;
    case SQLITE_BLOB: {
        const void *p = sqlite3_column_blob(stmt, col);
        value = cn_blob(p ? p : "", (size_t)sqlite3_column_bytes(stmt, col)); /* NULL also for an empty blob */
        break;
    }
    default: break;
    }
    return cn_rows_add(rows, &value);
}

/* The rows of a statement whose first step answered *rc. CN_OK and the last answer in *rc, or what failed in making the
 * rows. */
static cn_err fetch(sqlite3_stmt *stmt, cn_rows *rows, int *rc)
{
    int cols = sqlite3_column_count(stmt);
    for (; *rc == SQLITE_ROW; *rc = sqlite3_step(stmt))
        for (int i = 0; rows && i < cols; i++) CN_TRY(add_column(stmt, i, rows));
    return CN_OK;
}

static cn_err stmt_run(lite *db, lite_stmt *statement, const char *sql, const cn_val *params, cn_rows **rows)
{
    for (size_t i = 0; i < statement->n; i++) {
        int rc = bind_one(statement->stmt, statement->index[i], &params[i]);
        if (rc != SQLITE_OK) return failed(db, rc, sql);
    }
    cn_rows *r = NULL;
    /* the first step may prepare the statement anew after a change of the schema: only then the columns are known */
    int rc = sqlite3_step(statement->stmt);
    cn_err err = rows ? cn_rows_new(&r, (size_t)sqlite3_column_count(statement->stmt)) : CN_OK;
    if (err == CN_OK) err = fetch(statement->stmt, r, &rc);
    if (err == CN_OK && rc != SQLITE_DONE) err = failed(db, rc, sql);
    if (err != CN_OK) {
        cn_rows_free(r);
        return err;
    }
    if (rows) *rows = r;
    return CN_OK;
}

/* A statement that cannot be prepared writes nothing: running it will say why. */
static bool lite_writes(void *raw, const char *sql)
{
    lite *db = raw;
    lite_stmt *statement = cn_stmt_cache_get(db->cache, sql);
    sqlite3_stmt *probe = NULL;
    if (statement) return !sqlite3_stmt_readonly(statement->stmt);
    bool writes = sqlite3_prepare_v2(db->db, sql, -1, &probe, NULL) == SQLITE_OK && !sqlite3_stmt_readonly(probe);
    sqlite3_finalize(probe);
    return writes;
}

static cn_err lite_run(void *raw, const char *sql, const cn_val *params, size_t count, cn_rows **rows,
                       int64_t *affected)
{
    lite *db = raw;
    lite_stmt *statement = cn_stmt_cache_get(db->cache, sql);
    if (!statement) CN_TRY(stmt_prepare(db, sql, &statement));
    if (statement->n != count || count > PARAMS_MAX)
        return cn_db_failed(CN_ERR_INVALID, WHERE, sql, "wrong number of values");
    cn_err err = stmt_run(db, statement, sql, params, rows);
    if (err == CN_OK && affected) *affected = sqlite3_stmt_readonly(statement->stmt) ? 0 : sqlite3_changes64(db->db);
    sqlite3_reset(statement->stmt);
    sqlite3_clear_bindings(statement->stmt);
    return err;
}

static cn_err lite_commit(void *raw)
{
    return lite_script(raw, "COMMIT");
}

static bool lite_rollback(void *raw)
{
    lite *db = raw;
    /* a full disk makes SQLite roll back by itself */
    return sqlite3_get_autocommit(db->db) || lite_script(db, "ROLLBACK") == CN_OK;
}

/* The transaction of each schema step keeps others out; in WAL mode IMMEDIATE excludes as much as EXCLUSIVE does. */
static cn_err lite_schema_lock(void *raw)
{
    (void)raw;
    return CN_OK;
}

static void lite_schema_unlock(void *raw)
{
    (void)raw;
}

const cn_backend cn_backend_sqlite = {
    .kind = CN_DB_SQLITE,
    .single_writer = true,
    .writable = lite_writable,
    .begin = "BEGIN IMMEDIATE",
    .count_history = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
    .suffix = ".sqlite.sql",
    .open = lite_open,
    .close = lite_close,
    .revive = lite_revive,
    .rest = lite_rest,
    .run = lite_run,
    .writes = lite_writes,
    .script = lite_script,
    .commit = lite_commit,
    .rollback = lite_rollback,
    .schema_lock = lite_schema_lock,
    .schema_unlock = lite_schema_unlock,
};
