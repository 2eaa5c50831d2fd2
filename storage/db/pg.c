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
static cn_err failed(pg *p, const PGresult *r, const char *sql)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    const char *constraint = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);
    char why[320];
    if (!state)
        snprintf(why, sizeof why, "%s", PQstatus(p->c) == CONNECTION_OK ? "no answer" : "connection lost");
    else if (strncmp(state, "22", 2) == 0)
        snprintf(why, sizeof why, "SQLSTATE %s", state);
    else
        snprintf(why, sizeof why, "SQLSTATE %s %s %s", state, constraint ? constraint : "", text ? text : "");
    return cn_db_failed(err_from_state(state), WHERE, sql, why);
}

static bool succeeded(const PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);
    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK;
}

static cn_err pg_script(void *raw, const char *sql)
{
    pg *p = raw;
    PGresult *r = PQexec(p->c, sql);
    cn_err e = succeeded(r) ? CN_OK : failed(p, r, sql);
    PQclear(r);
    return e;
}

static void stmt_drop(void *owner, void *stmt)
{
    pg *p = owner;
    pg_stmt *s = stmt;
    char sql[64];
    snprintf(sql, sizeof sql, "DEALLOCATE %s", s->name);
    /* a lost connection took its statements along */
    if (PQstatus(p->c) == CONNECTION_OK) PQclear(PQexec(p->c, sql));
    free(s);
}

static void pg_close(void *raw)
{
    pg *p = raw;
    if (!p) return;
    PGconn *c = p->c;
    p->c = NULL; /* no DEALLOCATE for each statement: PQstatus(NULL) is CONNECTION_BAD */
    cn_stmt_cache_free(p->cache);
    PQfinish(c);
    free(p);
}

static void on_notice(void *arg, const char *text)
{
    (void)arg;
    cn_debug(WHERE, "%s", text);
}

/* A server set to wait for its replicas stays so; one set to lose commits does not. */
static cn_err set_up(pg *p)
{
    if (PQstatus(p->c) != CONNECTION_OK) {
        /* libpq's text names host and role, never the password */
        cn_error(WHERE, "%s", PQerrorMessage(p->c));
        return CN_ERR_DB;
    }
    PQsetNoticeProcessor(p->c, on_notice, NULL);
    return pg_script(p, "SET lock_timeout = '5s'; SET standard_conforming_strings = on; SET bytea_output = 'hex';"
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
    pg *p = CN_NEW(pg);
    if (!p) return CN_ERR_NOMEM;
    cn_err e = cn_stmt_cache_new(&p->cache, stmt_drop, p);
    if (e == CN_OK) {
        p->c = PQconnectdbParams(keys, values, 1);
        e = p->c ? set_up(p) : CN_ERR_NOMEM;
    }
    if (e != CN_OK) {
        pg_close(p);
        return e;
    }
    *out = p;
    return CN_OK;
}

/* A server that went away has said a last word and closed the socket: it polls readable while nothing is expected. */
static void read_idle(pg *p)
{
    for (int i = 0; i < 10 && PQstatus(p->c) == CONNECTION_OK; i++) {
        struct pollfd s = {.fd = PQsocket(p->c), .events = POLLIN};
        if (poll(&s, 1, 0) <= 0) return;
        (void)PQconsumeInput(p->c);
    }
}

static cn_err pg_revive(void *raw)
{
    pg *p = raw;
    read_idle(p);
    if (PQstatus(p->c) == CONNECTION_OK) return CN_OK;
    cn_stmt_cache_clear(p->cache);
    PQreset(p->c);
    CN_TRY(set_up(p));
    cn_info(WHERE, "connected again");
    return CN_OK;
}

static cn_err bind_one(pg_args *a, size_t i, const cn_val *v)
{
    a->value[i] = NULL;
    a->length[i] = 0;
    a->format[i] = 0;
    a->type[i] = 0;
    switch (v->kind) {
    case CN_VAL_NULL: break;
    case CN_VAL_INT:
        snprintf(a->number[i], sizeof a->number[i], "%" PRId64, v->i);
        a->value[i] = a->number[i];
        a->type[i] = OID_INT8;
        break;
    case CN_VAL_REAL:
        snprintf(a->number[i], sizeof a->number[i], "%.17g", v->r);
        a->value[i] = a->number[i];
        a->type[i] = OID_FLOAT8;
        break;
    case CN_VAL_TEXT:
        a->value[i] = v->s;
        a->type[i] = OID_TEXT;
        break;
    case CN_VAL_BLOB:
        if (v->n > INT_MAX) return CN_ERR_TOOBIG;
        a->value[i] = v->b;
        a->length[i] = (int)v->n;
        a->format[i] = 1;
        a->type[i] = OID_BYTEA;
        break;
    }
    return CN_OK;
}

/* One statement may be prepared for several types of its values: they are part of the cache's key. */
static cn_err cache_key(cn_buf *key, const char *sql, const cn_val *params, size_t n)
{
    for (size_t i = 0; i < n; i++) cn_buf_add(key, &"nirtb"[params[i].kind], 1);
    cn_buf_str(key, " ");
    cn_buf_str(key, sql);
    return key->err;
}

static cn_err stmt_prepare(pg *p, const char *key, const char *sql, size_t n, pg_stmt **out)
{
    pg_stmt *s = CN_NEW(pg_stmt);
    if (!s) return CN_ERR_NOMEM;
    snprintf(s->name, sizeof s->name, "s%" PRIu64, ++p->serial);
    PGresult *r = PQprepare(p->c, s->name, sql, (int)n, p->args.type);
    cn_err e = succeeded(r) ? CN_OK : failed(p, r, sql);
    PQclear(r);
    if (e != CN_OK) {
        free(s);
        return e;
    }
    CN_TRY(cn_stmt_cache_put(p->cache, key, s));
    *out = s;
    return CN_OK;
}

static cn_err add_bytea(const char *text, cn_rows *rows)
{
    size_t n = 0;
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)text, &n);
    if (!bytes) return CN_ERR_NOMEM;
    cn_val v = cn_blob(bytes, n);
    cn_err e = cn_rows_add(rows, &v);
    PQfreemem(bytes);
    return e;
}

static cn_err add_cell(const PGresult *r, int row, int col, cn_rows *rows)
{
    cn_val v = cn_null();
    if (PQgetisnull(r, row, col)) return cn_rows_add(rows, &v);
    const char *text = PQgetvalue(r, row, col);
    switch (PQftype(r, col)) {
    case OID_BOOL: v = cn_int(*text == 't'); break;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID: v = cn_int(strtoll(text, NULL, 10)); break;
    case OID_FLOAT4:
    case OID_FLOAT8: v = cn_real(strtod(text, NULL)); break;
    case OID_BYTEA: return add_bytea(text, rows);
    default:
        v = cn_text(text);
        v.n = (size_t)PQgetlength(r, row, col);
        break;
    }
    return cn_rows_add(rows, &v);
}

static cn_err rows_from(const PGresult *r, cn_rows **out)
{
    cn_rows *rows = NULL;
    int cols = PQnfields(r);
    CN_TRY(cn_rows_new(&rows, (size_t)cols));
    for (int i = 0; i < PQntuples(r); i++) {
        for (int k = 0; k < cols; k++) {
            cn_err e = add_cell(r, i, k, rows);
            if (e == CN_OK) continue;
            cn_rows_free(rows);
            return e;
        }
    }
    *out = rows;
    return CN_OK;
}

/* 0A000 and 26000: the schema changed under a prepared statement, or the server forgot it. */
static bool is_stale(const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    return state && (strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0);
}

static PGresult *execute(pg *p, const pg_stmt *s, size_t n)
{
    const pg_args *a = &p->args;
    return PQexecPrepared(p->c, s->name, (int)n, a->value, a->length, a->format, 0);
}

static cn_err pg_run(void *raw, const char *sql, const cn_val *params, size_t n, cn_rows **rows, int64_t *affected)
{
    pg *p = raw;
    if (n > PARAMS_MAX) return cn_db_failed(CN_ERR_INVALID, WHERE, sql, "too many values");
    for (size_t i = 0; i < n; i++) CN_TRY(bind_one(&p->args, i, &params[i]));
    cn_buf key = {0};
    cn_err e = cache_key(&key, sql, params, n);
    pg_stmt *s = e == CN_OK ? cn_stmt_cache_get(p->cache, key.p) : NULL;
    if (e == CN_OK && !s) e = stmt_prepare(p, key.p, sql, n, &s);
    PGresult *r = e == CN_OK ? execute(p, s, n) : NULL;
    if (r && is_stale(r) && PQtransactionStatus(p->c) == PQTRANS_IDLE) {
        PQclear(r);
        cn_stmt_cache_remove(p->cache, s);
        e = stmt_prepare(p, key.p, sql, n, &s);
        r = e == CN_OK ? execute(p, s, n) : NULL;
    }
    cn_buf_free(&key);
    if (e != CN_OK) return e;
    if (!succeeded(r))
        e = failed(p, r, sql);
    else if (rows)
        e = rows_from(r, rows);
    if (e == CN_OK && affected)
        *affected = PQresultStatus(r) == PGRES_COMMAND_OK ? strtoll(PQcmdTuples(r), NULL, 10) : 0;
    PQclear(r);
    return e;
}

/* The answer to COMMIT may be ROLLBACK, without an error. */
static cn_err pg_commit(void *raw)
{
    pg *p = raw;
    PGresult *r = PQexec(p->c, "COMMIT");
    cn_err e = succeeded(r) ? CN_OK : failed(p, r, "COMMIT");
    if (e == CN_OK && strcmp(PQcmdStatus(r), "COMMIT") != 0) e = CN_ERR_STATE;
    PQclear(r);
    return e;
}

static void pg_rollback(void *raw)
{
    pg *p = raw;
    if (PQtransactionStatus(p->c) != PQTRANS_IDLE && PQstatus(p->c) == CONNECTION_OK) (void)pg_script(p, "ROLLBACK");
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
