/* The database API: the same behaviour from SQLite and PostgreSQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "storage/db/db_private.h"
#include "support_db.h"

static cn_db *open_db(void **state, unsigned number)
{
    cn_db *db = NULL;
    assert_int_equal(cn_db_open(&db, support_db_url(SUPPORT_DB_KIND(state)), number), CN_OK);
    return db;
}

static cn_conn *conn_of(cn_db *db)
{
    cn_conn *conn = NULL;
    assert_int_equal(cn_conn_acquire(db, &conn), CN_OK);
    return conn;
}

static void make_table(cn_conn *conn)
{
    const char *blob = cn_conn_backend(conn)->kind == CN_DB_POSTGRES ? "BYTEA" : "BLOB";
    char sql[256];
    snprintf(sql, sizeof sql,
             "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, n BIGINT, small INTEGER, d DOUBLE PRECISION, b %s, "
             "parent TEXT REFERENCES t (id))",
             blob);
    assert_int_equal(cn_db_exec(conn, NULL, sql), CN_OK);
}

static int64_t count(cn_conn *conn)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    assert_int_equal(cn_db_query(conn, &rows, "SELECT COUNT(*) FROM t"), CN_OK);
    assert_true(cn_rows_next(rows));
    return cn_rows_int(rows, 0);
}

static void test_values_round_trip(void **state)
{
    cn_db *db = open_db(state, 1);
    cn_conn *conn = conn_of(db);
    make_table(conn);
    int64_t n = 0;
    const uint8_t bytes[] = {0, 1, 0xff, '\\', 'x', 0};
    assert_int_equal(cn_db_exec(conn, &n, "INSERT INTO t (id, n, small, d, b) VALUES ($1, $2, $3, $4, $5)",
                                cn_text("王'小\"明; --"), cn_int(INT64_MIN), cn_int(1), cn_real(0.1),
                                cn_blob(bytes, sizeof bytes)),
                     CN_OK);
    assert_int_equal(n, 1);
    assert_int_equal(cn_db_exec(conn, &n, "INSERT INTO t (id, n, small, d, b) VALUES ($1, $2, $3, $4, $5)", cn_text(""),
                                cn_null(), cn_null(), cn_null(), cn_blob("", 0)),
                     CN_OK);
    CN_AUTO_ROWS cn_rows *rows = NULL;
    assert_int_equal(cn_db_query(conn, &rows, "SELECT id, n, small, d, b FROM t ORDER BY id DESC"), CN_OK);
    assert_int_equal(cn_rows_count(rows), 2);
    assert_true(cn_rows_next(rows));
    assert_string_equal(cn_rows_text(rows, 0), "王'小\"明; --");
    assert_int_equal(cn_rows_int(rows, 1), INT64_MIN);
    assert_string_equal(cn_rows_text(rows, 1), "-9223372036854775808");
    assert_int_equal(cn_rows_int(rows, 2), 1);
    assert_true(strtod(cn_rows_text(rows, 3), NULL) == 0.1);
    size_t len = 0;
    const void *b = cn_rows_blob(rows, 4, &len);
    assert_int_equal(len, sizeof bytes);
    assert_memory_equal(b, bytes, len);
    assert_true(cn_rows_next(rows));
    assert_string_equal(cn_rows_text(rows, 0), "");
    assert_true(cn_rows_null(rows, 1));
    assert_int_equal(cn_rows_int(rows, 1), 0);
    assert_null(cn_rows_text(rows, 1));
    assert_null(cn_rows_text(rows, 3));
    assert_false(cn_rows_null(rows, 4));
    assert_non_null(cn_rows_blob(rows, 4, &len));
    assert_int_equal(len, 0);
    assert_false(cn_rows_next(rows));
    cn_conn_release(conn);
    cn_db_close(db);
}

/* Each of these differs between the two databases unless somebody sees to it. */
static void test_common_sql(void **state)
{
    cn_db *db = open_db(state, 1);
    cn_conn *conn = conn_of(db);
    make_table(conn);
    int64_t n = -1;
    for (int i = 0; i < 12; i++) {
        char id[16];
        snprintf(id, sizeof id, "%s%d", i % 2 ? "a" : "A", i);
        assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id, n) VALUES ($1, $2)", cn_text(id), cn_int(i)),
                         CN_OK);
    }
    CN_AUTO_ROWS cn_rows *like = NULL, *sum = NULL, *back = NULL, *again = NULL, *bound = NULL;
    assert_int_equal(
        cn_db_query(conn, &like, "SELECT id FROM t WHERE id LIKE $1 ESCAPE '\\' ORDER BY id", cn_text("a%")), CN_OK);
    assert_int_equal(cn_rows_count(like), 6);
    /* $2 before $1, one of them twice, 64-bit against an INTEGER column */
    assert_int_equal(cn_db_query(conn, &bound,
                                 "SELECT id FROM t WHERE n < $2 AND n >= $1 AND (small IS NULL OR small < $2) LIMIT $3",
                                 cn_int(2), cn_int(INT64_MAX), cn_int(4)),
                     CN_OK);
    assert_int_equal(cn_rows_count(bound), 4);
    assert_int_equal(
        cn_db_query(conn, &sum, "SELECT SUM(n), AVG(n), EXISTS (SELECT 1 FROM t WHERE n = 3), MAX(n) FROM t"), CN_OK);
    assert_true(cn_rows_next(sum));
    assert_int_equal(cn_rows_int(sum, 0), 66);
    assert_true(strtod(cn_rows_text(sum, 1), NULL) == 5.5);
    assert_int_equal(cn_rows_int(sum, 2), 1);
    assert_int_equal(
        cn_db_query(conn, &back, "UPDATE t SET n = n + $1 WHERE id = $2 RETURNING n", cn_int(100), cn_text("a3")),
        CN_OK);
    assert_true(cn_rows_next(back));
    assert_int_equal(cn_rows_int(back, 0), 103);
    assert_int_equal(cn_db_exec(conn, &n,
                                "INSERT INTO t (id, n) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = excluded.n",
                                cn_text("a3"), cn_int(3)),
                     CN_OK);
    assert_int_equal(n, 1);
    assert_int_equal(cn_db_exec(conn, &n, "INSERT INTO t (id) VALUES ($1) ON CONFLICT (id) DO NOTHING", cn_text("a3")),
                     CN_OK);
    assert_int_equal(n, 0);
    assert_int_equal(cn_db_exec(conn, &n, "UPDATE t SET small = $1 WHERE n >= $2", cn_null(), cn_int(6)), CN_OK);
    assert_int_equal(n, 6);
    /* the same text with another type of value */
    assert_int_equal(cn_db_exec(conn, &n, "UPDATE t SET small = $1 WHERE n >= $2", cn_int(1), cn_int(6)), CN_OK);
    assert_int_equal(cn_db_query(conn, &again, "SELECT id FROM t WHERE small = 1"), CN_OK);
    assert_int_equal(cn_rows_count(again), 6);
    cn_conn_release(conn);
    cn_db_close(db);
}

static void test_errors(void **state)
{
    cn_db *db = open_db(state, 2);
    cn_conn *conn = conn_of(db);
    make_table(conn);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ($1)", cn_text("a")), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ($1)", cn_text("a")), CN_ERR_CONFLICT);
    assert_int_equal(
        cn_db_exec(conn, NULL, "INSERT INTO t (id, parent) VALUES ($1, $2)", cn_text("b"), cn_text("nobody")),
        CN_ERR_CONFLICT);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ($1)", cn_null()), CN_ERR_CONFLICT);
    assert_int_equal(cn_db_exec(conn, NULL, "SELEC 1"), CN_ERR_DB);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO nowhere (id) VALUES ($1)", cn_text("a")), CN_ERR_DB);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ($1)"), CN_ERR_INVALID);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ($1)", cn_text("broken \xe7 text")),
                     CN_ERR_INVALID);
    /* the connection is still good */
    assert_int_equal(count(conn), 1);
    /* inside a transaction an error leaves only the rollback */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_tx_begin(conn), CN_ERR_STATE);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ($1)", cn_text("c")), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ($1)", cn_text("a")), CN_ERR_CONFLICT);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ($1)", cn_text("d")), CN_ERR_STATE);
    assert_int_equal(cn_tx_commit(conn), CN_ERR_STATE);
    assert_int_equal(cn_tx_commit(conn), CN_ERR_STATE);
    assert_int_equal(count(conn), 1);
    cn_conn_release(conn);
    cn_db_close(db);
    cn_db *none = NULL;
    assert_int_equal(cn_db_open(&none, "mysql://x", 1), CN_ERR_INVALID);
    assert_int_equal(cn_db_open(&none, "sqlite:", 1), CN_ERR_INVALID);
    assert_int_equal(cn_db_open(&none, "sqlite:/proc/nothing/x.db", 1) == CN_OK, 0);
    assert_int_equal(cn_db_open(&none, "host=/nonexistent dbname=x", 1), CN_ERR_DB);
    assert_null(none);
}

static void test_transactions(void **state)
{
    cn_db *db = open_db(state, 2);
    cn_conn *conn = conn_of(db), *connection = conn_of(db);
    make_table(conn);
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ('x')"), CN_OK);
    assert_int_equal(count(conn), 1);
    assert_int_equal(count(connection), 0); /* readers neither wait nor see it */
    cn_tx_rollback(conn);
    assert_int_equal(count(conn), 0);
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ('x')"), CN_OK);
    assert_int_equal(cn_tx_commit(conn), CN_OK);
    assert_int_equal(count(connection), 1);
    /* released in the middle: undone, and the next user finds no transaction */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ('y')"), CN_OK);
    cn_conn_release(conn);
    conn = conn_of(db);
    assert_int_equal(count(conn), 1);
    assert_int_equal(cn_tx_commit(conn), CN_ERR_STATE);
    cn_conn_release(conn);
    cn_conn_release(connection);
    assert_int_equal(cn_db_ping(db), CN_OK);
    cn_db_close(db);
}

/* More statements than the cache holds, each still answering its own question. */
static void test_statement_cache(void **state)
{
    cn_db *db = open_db(state, 1);
    cn_conn *conn = conn_of(db);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 300; i++) {
            char sql[64];
            snprintf(sql, sizeof sql, "SELECT %d + CAST($1 AS BIGINT)", i);
            CN_AUTO_ROWS cn_rows *rows = NULL;
            assert_int_equal(cn_db_query(conn, &rows, sql, cn_int(1000)), CN_OK);
            assert_true(cn_rows_next(rows));
            assert_int_equal(cn_rows_int(rows, 0), 1000 + i);
        }
    }
    cn_conn_release(conn);
    cn_db_close(db);
}

typedef struct adder {
    cn_db *db;
    int rounds;
    int done;
} adder;

static void *add_many(void *arg)
{
    adder *job = arg;
    for (int i = 0; i < job->rounds; i++) {
        CN_AUTO_CONN cn_conn *conn = NULL;
        if (cn_conn_acquire(job->db, &conn) != CN_OK || cn_tx_begin(conn) != CN_OK) break;
        if (cn_db_exec(conn, NULL, "UPDATE t SET n = n + 1 WHERE id = $1", cn_text("a")) != CN_OK) break;
        if (cn_tx_commit(conn) != CN_OK) break;
        CN_AUTO_ROWS cn_rows *rows = NULL;
        if (cn_db_query(conn, &rows, "SELECT n FROM t WHERE id = $1", cn_text("a")) != CN_OK) break;
        job->done++;
    }
    return NULL;
}

/* Six threads share three connections; nobody fails, nothing is lost. */
static void test_pool_threads(void **state)
{
    cn_db *db = open_db(state, 3);
    cn_conn *conn = conn_of(db);
    make_table(conn);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id, n) VALUES ('a', 0)"), CN_OK);
    cn_conn_release(conn);
    pthread_t thread[6];
    adder arg[6];
    for (int i = 0; i < 6; i++) {
        arg[i] = (adder){.db = db, .rounds = 40};
        assert_int_equal(pthread_create(&thread[i], NULL, add_many, &arg[i]), 0);
    }
    for (int i = 0; i < 6; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(arg[i].done, 40);
    }
    conn = conn_of(db);
    CN_AUTO_ROWS cn_rows *rows = NULL;
    assert_int_equal(cn_db_query(conn, &rows, "SELECT n FROM t WHERE id = 'a'"), CN_OK);
    assert_true(cn_rows_next(rows));
    assert_int_equal(cn_rows_int(rows, 0), 240);
    cn_conn_release(conn);
    cn_db_close(db);
}

static void test_pool_is_bounded(void **state)
{
    cn_db *db = open_db(state, 1);
    cn_db_set_wait(db, 200);
    cn_conn *conn = conn_of(db), *none = NULL;
    uint64_t before = cn_mono_ms();
    assert_int_equal(cn_conn_acquire(db, &none), CN_ERR_TIMEOUT);
    assert_in_range(cn_mono_ms() - before, 190, 2000);
    assert_null(none);
    cn_conn_release(conn);
    conn = conn_of(db);
    cn_conn_release(conn);
    cn_db_close(db);
}

/* Writing through a second connection inside one's own transaction must end with an error instead of never. */
static void test_second_writer_gives_up(void **state)
{
    cn_db *db = open_db(state, 2);
    cn_db_set_wait(db, 200);
    cn_conn *conn = conn_of(db), *connection = conn_of(db);
    if (SUPPORT_DB_KIND(state) == CN_DB_POSTGRES)
        assert_int_equal(cn_db_script(connection, "SET lock_timeout = '200ms'"), CN_OK);
    make_table(conn);
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id) VALUES ('x')"), CN_OK);
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, "UPDATE t SET n = 1"), CN_OK);
    assert_int_equal(cn_db_exec(connection, NULL, "UPDATE t SET n = 2"), CN_ERR_AGAIN);
    CN_AUTO_ROWS cn_rows *back = NULL, *read = NULL;
    assert_int_equal(cn_db_query(connection, &back, "UPDATE t SET n = 2 RETURNING n"), CN_ERR_AGAIN);
    /* reading does not wait, however the statement begins */
    assert_int_equal(cn_db_query(connection, &read, "WITH x AS (SELECT id FROM t) SELECT id FROM x"), CN_OK);
    assert_int_equal(cn_rows_count(read), 1);
    assert_int_equal(cn_tx_commit(conn), CN_OK);
    assert_int_equal(cn_db_exec(connection, NULL, "UPDATE t SET n = 2"), CN_OK);
    cn_conn_release(conn);
    cn_conn_release(connection);
    cn_db_close(db);
}

/* A connection that goes back to the pool gives away the pages it kept; and it works as before. */
static void test_what_was_read_is_given_away(void **state)
{
    cn_db *db = open_db(state, 1);
    cn_db_set_rest(db, 3600000);
    cn_conn *conn = conn_of(db);
    make_table(conn);
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    for (int i = 0; i < 2000; i++) {
        char id[300];
        snprintf(id, sizeof id, "%0280d", i);
        assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO t (id, n) VALUES ($1, $2)", cn_text(id), cn_int(i)),
                         CN_OK);
    }
    assert_int_equal(cn_tx_commit(conn), CN_OK);
    sqlite3_int64 kept = sqlite3_memory_used();
    cn_conn_release(conn); /* used a moment ago: keeps them */
    assert_true(sqlite3_memory_used() >= kept);
    cn_db_set_rest(db, 0);
    cn_conn_release(conn_of(db));
    if (SUPPORT_DB_KIND(state) == CN_DB_SQLITE) assert_true(sqlite3_memory_used() < kept - 500000);
    conn = conn_of(db);
    assert_int_equal(count(conn), 2000);
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, "DELETE FROM t"), CN_OK);
    cn_conn_release(conn); /* rolls back, then gives away */
    conn = conn_of(db);
    assert_int_equal(count(conn), 2000);
    cn_conn_release(conn);
    cn_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_values_round_trip),
        CN_DB_TESTS(test_common_sql),
        CN_DB_TESTS(test_errors),
        CN_DB_TESTS(test_transactions),
        CN_DB_TESTS(test_statement_cache),
        CN_DB_TESTS(test_pool_threads),
        CN_DB_TESTS(test_pool_is_bounded),
        CN_DB_TESTS(test_second_writer_gives_up),
        CN_DB_TESTS(test_what_was_read_is_given_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
