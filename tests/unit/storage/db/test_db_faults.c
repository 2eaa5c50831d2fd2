/* What was answered is on disk: kill -9, a lost server, a full disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "storage/db/db_private.h"
#include "support_db.h"

#define INSERT "INSERT INTO settings (key, value) VALUES ($1, $2)"

static cn_db *open_db(const char *url)
{
    cn_db *db = NULL;
    assert_int_equal(cn_db_open(&db, url, 2), CN_OK);
    return db;
}

static cn_conn *conn_of(cn_db *db)
{
    cn_conn *conn = NULL;
    assert_int_equal(cn_conn_acquire(db, &conn), CN_OK);
    return conn;
}

static int64_t count_like(cn_db *db, const char *pattern)
{
    CN_AUTO_CONN cn_conn *conn = conn_of(db);
    CN_AUTO_ROWS cn_rows *rows = NULL;
    assert_int_equal(cn_db_query(conn, &rows, "SELECT COUNT(*) FROM settings WHERE key LIKE $1", cn_text(pattern)),
                     CN_OK);
    assert_true(cn_rows_next(rows));
    return cn_rows_int(rows, 0);
}

/* Two rows in a transaction each time, so that half of one would show. */
static cn_err commit_pair(cn_conn *conn, const char *prefix, uint32_t index)
{
    char key[64];
    CN_TRY(cn_tx_begin(conn));
    for (int half = 0; half < 2; half++) {
        snprintf(key, sizeof key, "%s-%u-%d", prefix, index, half);
        cn_err err = cn_db_exec(conn, NULL, INSERT, cn_text(key), cn_text("value"));
        if (err == CN_OK) continue;
        cn_tx_rollback(conn);
        return err;
    }
    return cn_tx_commit(conn);
}

static void commit_until_killed(const char *url, const char *prefix, int to)
{
    cn_db *db = NULL;
    cn_conn *conn = NULL;
    if (cn_db_open(&db, url, 1) != CN_OK || cn_conn_acquire(db, &conn) != CN_OK) _exit(1);
    for (uint32_t i = 1; commit_pair(conn, prefix, i) == CN_OK; i++)
        if (write(to, &i, sizeof i) != sizeof i) _exit(2);
    _exit(3);
}

static void test_kill_loses_nothing(void **state)
{
    const char *url = support_db_url(SUPPORT_DB_KIND(state));
    for (uint32_t round = 0; round < 8; round++) {
        char prefix[16], pattern[20];
        int pipe_fd[2], status = 0;
        uint32_t count = 0, last = 0;
        snprintf(prefix, sizeof prefix, "r%u", round);
        snprintf(pattern, sizeof pattern, "r%u-%%", round);
        assert_int_equal(pipe(pipe_fd), 0);
        pid_t pid = fork();
        if (pid == 0) commit_until_killed(url, prefix, pipe_fd[1]);
        close(pipe_fd[1]);
        while (read(pipe_fd[0], &count, sizeof count) == sizeof count) {
            last = count;
            if (count == 5 + 9 * round) kill(pid, SIGKILL);
        }
        close(pipe_fd[0]);
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        cn_db *db = open_db(url);
        /* PostgreSQL may still be finishing the last statement of the dead client */
        int64_t rows = count_like(db, pattern);
        assert_true(rows == 2 * (int64_t)last || rows == 2 * (int64_t)last + 2);
        assert_true(last >= 5 + 9 * round);
        cn_db_close(db);
    }
}

/* The server itself crashes and comes back: answered commits are there, the pool connects again by itself. */
static void test_pg_crash_and_return(void **state)
{
    (void)state;
    cn_db *db = open_db(support_db_url(CN_DB_POSTGRES));
    uint32_t n = 0;
    CN_AUTO_CONN cn_conn *conn = conn_of(db);
    for (n = 0; n < 20; n++) assert_int_equal(commit_pair(conn, "crash", n), CN_OK);
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, INSERT, cn_text("crash-open"), cn_text("")), CN_OK);
    support_pg_kill(SIGQUIT); /* immediate shutdown: no checkpoint, recovery at the next start */
    assert_int_equal(cn_tx_commit(conn), CN_ERR_DB);
    assert_int_equal(cn_db_exec(conn, NULL, INSERT, cn_text("x"), cn_text("")), CN_ERR_DB);
    cn_conn_release(conn);
    conn = NULL;
    uint64_t before = cn_mono_ms();
    assert_int_equal(cn_db_ping(db), CN_ERR_DB);
    assert_in_range(cn_mono_ms() - before, 0, 4000);
    support_pg_restart();
    assert_int_equal(cn_db_ping(db), CN_OK);
    assert_int_equal(count_like(db, "crash%"), 40);
    conn = conn_of(db);
    assert_int_equal(commit_pair(conn, "crash", n), CN_OK); /* statements are prepared anew */
    cn_conn_release(conn);
    conn = NULL;
    cn_db_close(db);
}

/* A connection that a firewall or an administrator cut while it was idle is noticed before it is used. */
static void test_pg_idle_cut(void **state)
{
    (void)state;
    cn_db *db = open_db(support_db_url(CN_DB_POSTGRES));
    cn_conn *conn = conn_of(db), *connection = conn_of(db);
    CN_AUTO_ROWS cn_rows *pid = NULL;
    assert_int_equal(cn_db_query(conn, &pid, "SELECT pg_backend_pid()"), CN_OK);
    assert_true(cn_rows_next(pid));
    cn_conn_release(conn);
    CN_AUTO_ROWS cn_rows *done = NULL;
    assert_int_equal(cn_db_query(connection, &done, "SELECT pg_terminate_backend(CAST($1 AS INTEGER), 5000)",
                                 cn_int(cn_rows_int(pid, 0))),
                     CN_OK);
    conn = conn_of(db);
    CN_AUTO_ROWS cn_rows *again = NULL;
    assert_int_equal(cn_db_query(conn, &again, "SELECT pg_backend_pid()"), CN_OK);
    assert_true(cn_rows_next(again));
    assert_true(cn_rows_int(again, 0) != cn_rows_int(pid, 0));
    cn_conn_release(conn);
    cn_conn_release(connection);
    cn_db_close(db);
}

/* Another node changed the schema under prepared statements. */
static void test_schema_changes_underneath(void **state)
{
    cn_db *db = open_db(support_db_url(SUPPORT_DB_KIND(state)));
    cn_conn *conn = conn_of(db), *connection = conn_of(db);
    assert_int_equal(cn_db_exec(conn, NULL, INSERT, cn_text("k"), cn_text("v")), CN_OK);
    for (int i = 0; i < 2; i++) {
        CN_AUTO_ROWS cn_rows *rows = NULL;
        assert_int_equal(cn_db_query(conn, &rows, "SELECT * FROM settings"), CN_OK);
        assert_true(cn_rows_next(rows));
        assert_string_equal(cn_rows_text(rows, 1), "v");
        assert_int_equal(
            cn_db_exec(connection, NULL,
                       i ? "ALTER TABLE settings ADD COLUMN two TEXT" : "ALTER TABLE settings ADD COLUMN one TEXT"),
            CN_OK);
    }
    CN_AUTO_ROWS cn_rows *rows = NULL;
    assert_int_equal(cn_db_query(conn, &rows, "SELECT * FROM settings"), CN_OK);
    assert_true(cn_rows_next(rows));
    assert_true(cn_rows_null(rows, 3));
    cn_conn_release(conn);
    cn_conn_release(connection);
    cn_db_close(db);
}

/* Fills until it is refused with `expected`; returns the number of rows that were answered, or -1 for another error. */
static int64_t fill(cn_conn *conn, size_t count, cn_err expected)
{
    CN_AUTO_FREE char *text = cn_calloc(1, count + 1);
    char key[32];
    memset(text, 'x', count);
    for (int64_t i = 0; i < 100000; i++) {
        snprintf(key, sizeof key, "fill-%d", (int)i);
        cn_err err = cn_db_exec(conn, NULL, INSERT, cn_text(key), cn_text(text));
        if (err != CN_OK) return err == expected ? i : -1;
    }
    return -1;
}

/* A write error that is not ENOSPC (SQLite does not tell which): refused, nothing lost, usable afterwards. */
/* The larger of the database's files: what the schema took. */
static rlim_t size_of_files(const char *url)
{
    static const char *const ends[] = {"", "-wal"};
    const char *path = strchr(url, ':') ? strchr(url, ':') + 1 : url;
    rlim_t most = 0;
    for (size_t i = 0; i < 2; i++) {
        char name[300];
        struct stat st;
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        if (stat(name, &st) == 0 && (rlim_t)st.st_size > most) most = (rlim_t)st.st_size;
    }
    assert_true(most > 0);
    return most;
}

static void test_write_error(void **state)
{
    (void)state;
    struct rlimit old, now;
    const char *url = support_db_url(CN_DB_SQLITE);
    cn_db *db = open_db(url);
    CN_AUTO_CONN cn_conn *conn = conn_of(db);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    now = (struct rlimit){.rlim_cur = size_of_files(url) + 200000, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    int64_t rows = fill(conn, 10000, CN_ERR_DB);
    cn_err ping = cn_db_ping(db);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_in_range(rows, 1, 1000);
    assert_true(ping == CN_ERR_DB || ping == CN_OK); /* one page may still fit */
    assert_int_equal(count_like(db, "fill-%"), rows);
    assert_int_equal(cn_db_exec(conn, NULL, INSERT, cn_text("after"), cn_text("")), CN_OK);
    cn_conn_release(conn);
    conn = NULL;
    cn_db_close(db);
}

/* In a mount namespace of its own: a file system of 2 MiB fills up, the answer is NOSPACE, reading goes on, and room
 * helps. */
static int on_small_disk(void)
{
    char root[128], url[160], ballast[160];
    cn_db *db = NULL;
    cn_conn *conn = NULL;
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return 77;
    snprintf(root, sizeof root, "%s/small", support_dir());
    snprintf(url, sizeof url, "sqlite:%s/x.db", root);
    snprintf(ballast, sizeof ballast, "%s/ballast", root);
    mkdir(root, 0700);
    if (mount("tmpfs", root, "tmpfs", 0, "size=2m") < 0) return 77;
    FILE *file = fopen(ballast, "w");
    char *block = cn_calloc(1, 500000);
    if (!file || !block || fwrite(block, 500000, 1, file) != 1 || fclose(file) != 0) return 1;
    free(block);
    if (cn_db_open(&db, url, 2) != CN_OK || cn_conn_acquire(db, &conn) != CN_OK) return 2;
    int64_t rows = fill(conn, 10000, CN_ERR_NOSPACE);
    if (rows < 10) return 3;
    /* the journal may still have pages to spare */
    for (int i = 0; i < 500; i++) {
        char key[32];
        snprintf(key, sizeof key, "spare-%d", i);
        if (cn_db_exec(conn, NULL, INSERT, cn_text(key), cn_text("")) != CN_OK) break;
    }
    if (cn_db_ping(db) != CN_ERR_NOSPACE) return 4;
    if (cn_tx_begin(conn) == CN_OK && cn_db_exec(conn, NULL, INSERT, cn_text("y"), cn_text("z")) == CN_OK &&
        cn_tx_commit(conn) != CN_ERR_NOSPACE)
        return 5;
    cn_tx_rollback(conn);
    if (count_like(db, "fill-%") != rows) return 6;
    if (unlink(ballast) < 0 || cn_db_ping(db) != CN_OK) return 7;
    if (cn_db_exec(conn, NULL, INSERT, cn_text("after"), cn_text("")) != CN_OK) return 8;
    cn_conn_release(conn);
    cn_db_close(db);
    if (cn_db_open(&db, url, 1) != CN_OK || count_like(db, "fill-%") != rows || count_like(db, "after") != 1) return 9;
    cn_db_close(db);
    return 0;
}

/* SQLite's own, but that a rollback fails while it is told to. */
static bool no_rollback;

int sqlite3_exec(sqlite3 *handle, const char *sql, int (*each)(void *, int, char **, char **), void *arg, char **why)
{
    static int (*real)(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sqlite3_exec");
    if (no_rollback && strcmp(sql, "ROLLBACK") == 0) return SQLITE_IOERR;
    return real(handle, sql, each, arg, why);
}

/* A disk that fails may not even take a transaction back. What is left then holds the lock: it must not go back to the
 * pool, where whoever took it could begin nothing ever again. */
static void test_a_rollback_that_fails(void **state)
{
    (void)state;
    cn_db *db = open_db(support_db_url(CN_DB_SQLITE));
    for (int round = 0; round < 3; round++) {
        CN_AUTO_CONN cn_conn *conn = conn_of(db);
        assert_int_equal(cn_tx_begin(conn), CN_OK);
        assert_int_equal(cn_db_exec(conn, NULL, INSERT, cn_text("half"), cn_text("value")), CN_OK);
        no_rollback = true;
        cn_tx_rollback(conn);
        no_rollback = false;
        assert_int_equal(cn_tx_begin(conn), CN_ERR_STATE);
        assert_int_equal(cn_db_exec(conn, NULL, INSERT, cn_text("half"), cn_text("value")), CN_ERR_STATE);
    }
    cn_conn *one = conn_of(db), *other = conn_of(db);
    assert_int_equal(commit_pair(one, "one", 1), CN_OK);
    assert_int_equal(commit_pair(other, "other", 1), CN_OK);
    cn_conn_release(one);
    cn_conn_release(other);
    assert_int_equal(count_like(db, "half"), 0);
    assert_int_equal(count_like(db, "o%"), 4);
    cn_db_close(db);
}

static void test_full_disk(void **state)
{
    (void)state;
    int status = 0;
    (void)support_dir();
    pid_t pid = fork();
    if (pid == 0) _exit(on_small_disk());
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip(); /* not permitted to mount */
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* The command line beside the server: comes, writes, sees what is there, goes; five times. */
static int beside(const char *url, int orders, int answers)
{
    char order, name[24];
    for (int i = 0; read(orders, &order, 1) == 1; i++) {
        cn_db *db = NULL;
        cn_conn *conn = NULL;
        if (cn_db_open(&db, url, 2) != CN_OK || cn_conn_acquire(db, &conn) != CN_OK) return 1;
        if (count_like(db, "server-%") != i) return 2;
        snprintf(name, sizeof name, "beside-%d", i);
        if (cn_db_exec(conn, NULL, INSERT, cn_text(name), cn_text("")) != CN_OK) return 3;
        cn_conn_release(conn);
        cn_db_close(db);
        if (write(answers, &order, 1) != 1) return 4;
    }
    return 0;
}

/* An open database goes on after another process had it open too: both see what the other wrote. */
static void test_another_process_beside(void **state)
{
    const char *url = support_db_url(SUPPORT_DB_KIND(state));
    int orders[2], answers[2], status = 0;
    assert_int_equal(pipe(orders), 0);
    assert_int_equal(pipe(answers), 0);
    pid_t pid = fork(); /* before the database is open here: SQLite's locks are the process's */
    if (pid == 0) {
        close(orders[1]);
        _exit(beside(url, orders[0], answers[1]));
    }
    close(orders[0]);
    close(answers[1]);
    cn_db *db = open_db(url);
    cn_conn *first = conn_of(db), *second = conn_of(db); /* both are opened only when both are needed */
    cn_conn_release(first);
    cn_conn_release(second);
    for (int i = 0; i < 5; i++) {
        char order = 'x', name[24];
        assert_int_equal(write(orders[1], &order, 1), 1);
        if (read(answers[0], &order, 1) != 1) break;
        assert_int_equal(count_like(db, "beside-%"), i + 1);
        CN_AUTO_CONN cn_conn *conn = conn_of(db);
        snprintf(name, sizeof name, "server-%d", i);
        assert_int_equal(cn_db_exec(conn, NULL, INSERT, cn_text(name), cn_text("")), CN_OK);
    }
    close(orders[1]);
    waitpid(pid, &status, 0);
    close(answers[0]);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(count_like(db, "beside-%"), 5);
    cn_db_close(db);
    db = open_db(url);
    assert_int_equal(count_like(db, "server-%"), 5);
    cn_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_kill_loses_nothing),         CN_DB_TESTS(test_another_process_beside),
        cmocka_unit_test(test_pg_crash_and_return),   cmocka_unit_test(test_pg_idle_cut),
        CN_DB_TESTS(test_schema_changes_underneath),  cmocka_unit_test(test_write_error),
        cmocka_unit_test(test_a_rollback_that_fails), cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
