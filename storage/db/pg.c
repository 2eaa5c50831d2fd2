#include "storage/db/backend.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/db/cache.h"
#include "storage/db/rows_private.h"

#define WHERE "storage.pg"
#define PARAMS_MAX 512
#define SCHEMA_LOCK "7308895131446373377"

/* pg_type.dat: these numbers are fixed */
enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701
};

/* What PQexecPrepared wants, filled anew for each statement. */
typedef struct pg_args {
    const char *value[PARAMS_MAX];
    int length[PARAMS_MAX];
    int format[PARAMS_MAX];
    Oid type[PARAMS_MAX];
    char number[PARAMS_MAX][32];
} pg_args;

typedef struct pg {
    PGconn *c;
    cn_stmt_cache *cache;
    uint64_t serial; /* of statement names */
    pg_args args;
} pg;

typedef struct pg_stmt {
    char name[24];
} pg_stmt;

static cn_err err_from_state(const char *state)
{
    static const struct {
        const char *prefix;
        cn_err e;
    } table[] = {{"23", CN_ERR_CONFLICT},   {"40", CN_ERR_AGAIN},      {"55P03", CN_ERR_AGAIN},
                 {"53100", CN_ERR_NOSPACE}, {"57014", CN_ERR_TIMEOUT}, {"08P01", CN_ERR_INVALID}};
    for (size_t i = 0; state && i < sizeof table / sizeof *table; i++)
        if (strncmp(state, table[i].prefix, strlen(table[i].prefix)) == 0) return table[i].e;
    return CN_ERR_DB;
}

/* Messages of class 22 (data exceptions) quote values, and so does every DETAIL: neither is logged. */
static cn_err failed(pg *db, const PGresult *result, const char *sql)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    char why[320];
    if (!state)
        snprintf(why, sizeof why, "%s", PQstatus(db->c) == CONNECTION_OK ? "no answer" : "connection lost");
    else if (strncmp(state, "22", 2) == 0)
        snprintf(why, sizeof why, "SQLSTATE %s", state);
    else
        snprintf(why, sizeof why, "SQLSTATE %s %s %s", state, constraint ? constraint : "", text ? text : "");
    return cn_db_failed(err_from_state(state), WHERE, sql, why);
}

static bool succeeded(const PGresult *result)
{
    ExecStatusType s = PQresultStatus(result);
    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

static cn_err pg_script(void *raw, const char *sql)
{
    pg *db = raw;
    PGresult *result = PQexec(db->c, sql);
    cn_err err = succeeded(result) ? CN_OK : failed(db, result, sql);
    PQclear(result);
    return err;
}

static void stmt_drop(void *owner, void *stmt)
{
    pg *db = owner;
    pg_stmt *statement = stmt;
    char sql[64];
    snprintf(sql, sizeof sql, "DEALLOCATE %s", statement->name);
    /* a lost connection took its statements along */
    if (PQstatus(db->c) == CONNECTION_OK) PQclear(PQexec(db->c, sql));
    free(statement);
}

static void pg_close(void *raw)
{
    pg *db = raw;
    if (!db) return;
    PGconn *conn = db->c;
    db->c = NULL; /* no DEALLOCATE for each statement: PQstatus(NULL) is CONNECTION_BAD */
    cn_stmt_cache_free(db->cache);
    PQfinish(conn);
    free(db);
}

static void on_notice(void *arg, const char *text)
{
    (void)arg;
    cn_debug(WHERE, "%s", text);
}

/* A server set to wait for its replicas stays so; one set to lose commits does not. */
static cn_err set_up(pg *db)
{
    if (PQstatus(db->c) != CONNECTION_OK) {
        /* libpq's text names host and role, never the password */
        cn_error(WHERE, "%s", PQerrorMessage(db->c));
        return CN_ERR_DB;
    }
    PQsetNoticeProcessor(db->c, on_notice, NULL);
    return pg_script(db, "SET lock_timeout = '5s'; SET standard_conforming_strings = on; SET bytea_output = 'hex';"
                         "SET default_transaction_isolation = 'read committed';"
                         "SELECT set_config('synchronous_commit', 'on', false)"
                         " WHERE current_setting('synchronous_commit') IN ('off', 'local')");
}

static cn_err pg_open(void **out, const char *url)
{
    /* what stands before dbname may be overridden by the connection string */
    static const char *const keys[] = {"connect_timeout", "keepalives_idle", "application_name",
                                       "dbname",          "client_encoding", NULL};
    const char *const values[] = {"5", "30", "consilium", url, "UTF8", NULL};
    pg *db = CN_NEW(pg);
    if (!db) return CN_ERR_NOMEM;
    cn_err err = cn_stmt_cache_new(&db->cache, stmt_drop, db);
    if (err == CN_OK) {
        db->c = PQconnectdbParams(keys, values, 1);
        err = db->c ? set_up(db) : CN_ERR_NOMEM;
    }
    if (err != CN_OK) {
        pg_close(db);
        return err;
    }
    *out = db;
    return CN_OK;
}

/* A server that went away has said a last word and closed the socket: it polls readable while nothing is expected. */
static void read_idle(pg *db)
{
    for (int i = 0; i < 10 && PQstatus(db->c) == CONNECTION_OK; i++) {
        struct pollfd polled = {.fd = PQsocket(db->c), .events = POLLIN};
        if (poll(&polled, 1, 0) <= 0) return;
        (void)PQconsumeInput(db->c);
    }
}

static cn_err pg_revive(void *raw)
{
    pg *db = raw;
    read_idle(db);
    if (PQstatus(db->c) == CONNECTION_OK) return CN_OK;
    cn_stmt_cache_clear(db->cache);
    PQreset(db->c);
    CN_TRY(set_up(db));
    cn_info(WHERE, "connected again");
    return CN_OK;
}

static cn_err bind_one(pg_args *args, size_t index, const cn_val *value)
{
    args->value[index] = NULL;
    args->length[index] = 0;
    args->format[index] = 0;
    args->type[index] = 0;
    switch (value->kind) {
    case CN_VAL_NULL: break;
    case CN_VAL_INT:
        snprintf(args->number[index], sizeof args->number[index], "%" PRId64, value->i);
        args->value[index] = args->number[index];
        args->type[index] = OID_INT8;
        break;
    case CN_VAL_REAL:
        snprintf(args->number[index], sizeof args->number[index], "%.17g", value->r);
        args->value[index] = args->number[index];
        args->type[index] = OID_FLOAT8;
        break;
    case CN_VAL_TEXT:
        args->value[index] = value->s;
        args->type[index] = OID_TEXT;
        break;
    case CN_VAL_BLOB:
        if (value->n > INT_MAX) return CN_ERR_TOOBIG;
        args->value[index] = value->b;
        args->length[index] = (int)value->n;
        args->format[index] = 1;
        args->type[index] = OID_BYTEA;
        break;
    }
    return CN_OK;
}

/* One statement may be prepared for several types of its values: they are part of the cache's key. */
static cn_err cache_key(cn_buf *key, const char *sql, const cn_val *params, size_t count)
{
    for (size_t i = 0; i < count; i++) cn_buf_add(key, &"nirtb"[params[i].kind], 1);
    cn_buf_str(key, " ");
    cn_buf_str(key, sql);
    return key->err;
}

static cn_err stmt_prepare(pg *db, const char *key, const char *sql, size_t len, pg_stmt **out)
{
    pg_stmt *statement = CN_NEW(pg_stmt);
    if (!statement) return CN_ERR_NOMEM;
    snprintf(statement->name, sizeof statement->name, "s%" PRIu64, ++db->serial);
    PGresult *result = PQprepare(db->c, statement->name, sql, (int)len, db->args.type);
    cn_err err = succeeded(result) ? CN_OK : failed(db, result, sql);
    PQclear(result);
    if (err != CN_OK) {
        free(statement);
        return err;
    }
    CN_TRY(cn_stmt_cache_put(db->cache, key, statement));
    *out = statement;
    return CN_OK;
}

static cn_err add_bytea(const char *text, cn_rows *rows)
{
    size_t n = 0;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &n);
    if (!bytes) return CN_ERR_NOMEM;
    cn_val value = cn_blob(bytes, n);
    cn_err err = cn_rows_add(rows, &value);
    PQfreemem(bytes);
    return err;
}

static cn_err add_cell(const PGresult *result, int row, int col, cn_rows *rows)
{
    cn_val value = cn_null();
    if (PQgetisnull(result, row, col)) return cn_rows_add(rows, &value);
    const char *text = PQgetvalue(result, row, col);
    switch (PQftype(result, col)) {
    case OID_BOOL: value = cn_int(*text == 't'); break;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID: value = cn_int(strtoll(text, NULL, 10)); break;
    case OID_FLOAT4:
    case OID_FLOAT8: value = cn_real(strtod(text, NULL)); break;
    case OID_BYTEA: return add_bytea(text, rows);
    default:
        value = cn_text(text);
        value.n = (size_t)PQgetlength(result, row, col);
        break;
    }
    return cn_rows_add(rows, &value);
}

static cn_err rows_from(const PGresult *result, cn_rows **out)
{
    cn_rows *rows = NULL;
    int cols = PQnfields(result);
    CN_TRY(cn_rows_new(&rows, (size_t)cols));
    for (int i = 0; i < PQntuples(result); i++) {
        for (int k = 0; k < cols; k++) {
            cn_err err = add_cell(result, i, k, rows);
            if (err == CN_OK) continue;
            cn_rows_free(rows);
            return err;
        }
    }
    *out = rows;
    return CN_OK;
}

/* 0A000 and 26000: the schema changed under a prepared statement, or the server forgot it. */
static bool is_stale(const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return state && (strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0);
}

static PGresult *execute(pg *db, const pg_stmt *statement, size_t count)
{
    const pg_args *args = &db->args;
    return PQexecPrepared(db->c, statement->name, (int)count, args->value, args->length, args->format, 0);
}

static cn_err pg_run(void *raw, const char *sql, const cn_val *params, size_t count, cn_rows **rows, int64_t *affected)
{
    pg *db = raw;
    if (count > PARAMS_MAX) return cn_db_failed(CN_ERR_INVALID, WHERE, sql, "too many values");
    for (size_t i = 0; i < count; i++) CN_TRY(bind_one(&db->args, i, &params[i]));
    cn_buf key = {0};
    cn_err err = cache_key(&key, sql, params, count);
    pg_stmt *statement = err == CN_OK ? cn_stmt_cache_get(db->cache, key.p) : NULL;
    if (err == CN_OK && !statement) err = stmt_prepare(db, key.p, sql, count, &statement);
    PGresult *result = err == CN_OK ? execute(db, statement, count) : NULL;
    if (result && is_stale(result) && PQtransactionStatus(db->c) == PQTRANS_IDLE) {
        PQclear(result);
        cn_stmt_cache_remove(db->cache, statement);
        err = stmt_prepare(db, key.p, sql, count, &statement);
        result = err == CN_OK ? execute(db, statement, count) : NULL;
    }
    cn_buf_free(&key);
    if (err != CN_OK) return err;
    if (!succeeded(result))
        err = failed(db, result, sql);
    else if (rows)
        err = rows_from(result, rows);
    if (err == CN_OK && affected)
        *affected = PQresultStatus(result) == PGRES_COMMAND_OK ? strtoll(PQcmdTuples(result), NULL, 10) : 0;
    PQclear(result);
    return err;
}

/* The answer to COMMIT may be ROLLBACK, without an error. */
static cn_err pg_commit(void *raw)
{
    pg *db = raw;
    PGresult *result = PQexec(db->c, "COMMIT");
    cn_err err = succeeded(result) ? CN_OK : failed(db, result, "COMMIT");
    if (err == CN_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0) err = CN_ERR_STATE;
    PQclear(result);
    return err;
}

static bool pg_rollback(void *raw)
{
    pg *db = raw;
    if (PQtransactionStatus(db->c) == PQTRANS_IDLE || PQstatus(db->c) != CONNECTION_OK) return true;
    return pg_script(db, "ROLLBACK") == CN_OK || PQstatus(db->c) != CONNECTION_OK;
}

static cn_err pg_schema_lock(void *raw)
{
    return pg_script(raw, "SELECT pg_advisory_lock(" SCHEMA_LOCK ")");
}
static void pg_schema_unlock(void *raw)
{
    (void)pg_script(raw, "SELECT pg_advisory_unlock(" SCHEMA_LOCK ")");
}

const cn_backend cn_backend_pg = {
    .kind = CN_DB_POSTGRES,
    .single_writer = false,
    .begin = "BEGIN ISOLATION LEVEL READ COMMITTED",
    .count_history = "SELECT COUNT(*) FROM pg_class WHERE oid = to_regclass('schema_migrations')",
    .suffix = ".pg.sql",
    .open = pg_open,
    .close = pg_close,
    .revive = pg_revive,
    .run = pg_run,
    .script = pg_script,
    .commit = pg_commit,
    .rollback = pg_rollback,
    .schema_lock = pg_schema_lock,
    .schema_unlock = pg_schema_unlock,
};
