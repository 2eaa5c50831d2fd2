/* Schema steps: order, both dialects, failure, several processes at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "storage/db/db_private.h"
#include "storage/db/migrations.h"
#include "support_db.h"

static cn_db *open_db(void **state, cn_conn **conn)
{
    cn_db *db = NULL;
    assert_int_equal(cn_db_open(&db, support_db_url(SUPPORT_DB_KIND(state)), 2), CN_OK);
    assert_int_equal(cn_conn_acquire(db, conn), CN_OK);
    /* what the program carries is applied; these tests bring their own steps */
    assert_int_equal(cn_db_script(*conn, "DELETE FROM schema_migrations"), CN_OK);
    return db;
}

static int64_t number(cn_conn *conn, const char *sql)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    assert_int_equal(cn_db_query(conn, &rows, sql), CN_OK);
    assert_true(cn_rows_next(rows));
    return cn_rows_int(rows, 0);
}

static void test_order_and_dialects(void **state)
{
    static const cn_migration_file files[] = {
        /* as the build sorts them: by name, so that the special ones may stand before the common one */
        {"002_more.pg.sql", "INSERT INTO a (id, n) VALUES ('pg', 2)"},
        {"002_more.sql", "ALTER TABLE a ADD COLUMN n BIGINT NOT NULL DEFAULT 1;"},
        {"002_more.sqlite.sql", "INSERT INTO a (id, n) VALUES ('sqlite', 2)"},
        {"001_first.sql", "CREATE TABLE a (id TEXT NOT NULL PRIMARY KEY, b BLOB); -- a BLOB; it's 病理\nINSERT INTO a "
                          "(id, b) VALUES ('BLOB', NULL);"},
        {"003_pg_only.pg.sql", "INSERT INTO a (id) VALUES ('x')"},
        {NULL, NULL},
    };
    cn_conn *conn = NULL;
    cn_db *db = open_db(state, &conn);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(cn_migrations_apply(conn, files), CN_OK);
        bool pg = SUPPORT_DB_KIND(state) == CN_DB_POSTGRES;
        assert_int_equal(number(conn, "SELECT COUNT(*) FROM a"), pg ? 3 : 2);
        assert_int_equal(number(conn, "SELECT COUNT(*) FROM a WHERE id = 'BLOB' AND n = 1"), 1);
        assert_int_equal(number(conn, pg ? "SELECT n FROM a WHERE id = 'pg'" : "SELECT n FROM a WHERE id = 'sqlite'"),
                         2);
        assert_int_equal(number(conn, "SELECT COUNT(*) FROM schema_migrations"), pg ? 3 : 2);
    }
    cn_conn_release(conn);
    cn_db_close(db);
}

static void test_failure_is_undone(void **state)
{
    static const cn_migration_file broken[] = {
        {"001_a.sql", "CREATE TABLE a (id TEXT)"},
        {"002_b.sql",
         "CREATE TABLE b (id TEXT); INSERT INTO a (id) VALUES ('x'); INSERT INTO nowhere (id) VALUES (1);"},
        {"003_c.sql", "CREATE TABLE c (id TEXT)"},
        {NULL, NULL}};
    static const cn_migration_file mended[] = {
        {"001_a.sql", "CREATE TABLE a (id TEXT)"}, {"002_b.sql", "CREATE TABLE b (id TEXT)"}, {NULL, NULL}};
    cn_conn *conn = NULL;
    cn_db *db = open_db(state, &conn);
    assert_int_equal(cn_migrations_apply(conn, broken), CN_ERR_DB);
    assert_int_equal(number(conn, "SELECT COUNT(*) FROM a"), 0);
    assert_int_equal(number(conn, "SELECT COUNT(*) FROM schema_migrations"), 1);
    assert_int_equal(cn_db_exec(conn, NULL, "SELECT * FROM b"), CN_ERR_DB);
    assert_int_equal(cn_migrations_apply(conn, mended), CN_OK);
    assert_int_equal(number(conn, "SELECT COUNT(*) FROM b"), 0);
    /* a program that does not know step 002 must not touch this database */
    const cn_migration_file older[] = {mended[0], {NULL, NULL}};
    assert_int_equal(cn_migrations_apply(conn, older), CN_ERR_STATE);
    cn_conn_release(conn);
    cn_db_close(db);
}

/* Processes, not threads: what holds them apart must be the database. */
static void test_processes_at_once(void **state)
{
    enum { N = 5 };
    const char *url = support_db_url(SUPPORT_DB_KIND(state));
    pid_t pid[N];
    for (int i = 0; i < N; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            cn_db *db = NULL;
            cn_err err = cn_db_open(&db, url, 1);
            cn_db_close(db);
            _exit((int)err);
        }
    }
    for (int i = 0; i < N; i++) {
        int status = 0;
        waitpid(pid[i], &status, 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), CN_OK);
    }
    cn_db *db = NULL;
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_int_equal(cn_db_open(&db, url, 1), CN_OK);
    assert_int_equal(cn_conn_acquire(db, &conn), CN_OK);
    assert_int_equal(number(conn, "SELECT COUNT(*) FROM schema_migrations WHERE name = '001_core'"), 1);
    cn_conn_release(conn);
    conn = NULL;
    cn_db_close(db);
}

static void test_blob_becomes_bytea(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = {
        {"a BLOB, b blob", "a BYTEA, b BYTEA"},
        {"BLOBS my_blob blob1 ablob", "BLOBS my_blob blob1 ablob"},
        {"'BLOB' \"BLOB\" -- BLOB\nBLOB", "'BLOB' \"BLOB\" -- BLOB\nBYTEA"},
        {"/* BLOB */ BLOB(", "/* BLOB */ BYTEA("},
        {"'it''s BLOB' BLOB", "'it''s BLOB' BYTEA"},
        {"'open BLOB", "'open BLOB"},
        {"-- BLOB", "-- BLOB"},
        {"/* BLOB", "/* BLOB"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *to = cn_migrations_to_pg(cases[i].from);
        assert_string_equal(to, cases[i].to);
        free(to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_order_and_dialects),
        CN_DB_TESTS(test_failure_is_undone),
        CN_DB_TESTS(test_processes_at_once),
        cmocka_unit_test(test_blob_becomes_bytea),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
