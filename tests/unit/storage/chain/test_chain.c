/* The append-only logs: they refuse changes, and what was changed behind their back is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "storage/chain/chain_private.h"
#include "storage/db/backend.h"
#include "support_db.h"

typedef struct fixture {
    cn_db_kind kind;
    const char *url;
    char key[128], heads[128];
    cn_db *db;
    cn_vault *vault;
} fixture;

static void set_up(fixture *f, void **state)
{
    static unsigned serial;
    *f = (fixture){.kind = SUPPORT_DB_KIND(state), .url = support_db_url(SUPPORT_DB_KIND(state))};
    snprintf(f->key, sizeof f->key, "%s/keys/%u", support_dir(), ++serial);
    snprintf(f->heads, sizeof f->heads, "%s/heads/%u", support_dir(), serial);
    assert_int_equal(cn_master_key_create(f->key), CN_OK);
    assert_int_equal(cn_db_open(&f->db, f->url, 6), CN_OK);
    assert_int_equal(cn_vault_open(&f->vault, f->db, f->key), CN_OK);
}

static void tear_down(fixture *f)
{
    cn_vault_close(f->vault);
    cn_db_close(f->db);
}

static cn_chain *open_chain(const fixture *f, cn_chain_log log)
{
    cn_chain *c = NULL;
    assert_int_equal(cn_chain_open(&c, log, f->db, f->vault, "node1", f->heads), CN_OK);
    return c;
}

static void add(cn_chain *c, const char *action)
{
    cn_audit_row row = {
        .actor = "u1", .action = action, .object = "request:1", .outcome = "ok", .address = "10.0.0.1", .detail = "{}"};
    assert_int_equal(cn_chain_audit(c, &row), CN_OK);
}

/* The report, and whether it finds the log sound. */
static bool verify(const fixture *f, cn_chain_log log, char **text)
{
    size_t n = 0;
    *text = NULL;
    FILE *to = open_memstream(text, &n);
    cn_err e = cn_chain_verify(log, f->db, f->vault, f->heads, to);
    fclose(to);
    assert_true(e == CN_OK || e == CN_ERR_CORRUPT);
    return e == CN_OK;
}

static void expect_sound(const fixture *f, cn_chain_log log, const char *summary)
{
    char *text = NULL;
    bool sound = verify(f, log, &text);
    if (!sound || !strstr(text, summary)) fail_msg("expected \"%s\": %s", summary, text);
    free(text);
}

static void expect_fault(const fixture *f, cn_chain_log log, const char *what)
{
    char *text = NULL;
    bool sound = verify(f, log, &text);
    if (sound || !strstr(text, what)) fail_msg("expected \"%s\": %s", what, text);
    free(text);
}

/* What somebody with all rights on the database can do. */
static void tamper(const fixture *f, const char *sql)
{
    CN_AUTO_CONN cn_conn *c = NULL;
    assert_int_equal(cn_conn_acquire(f->db, &c), CN_OK);
    const char *off =
        f->kind == CN_DB_POSTGRES
            ? "ALTER TABLE audit_log DISABLE TRIGGER ALL; ALTER TABLE minute_ledger DISABLE TRIGGER ALL"
            : "DROP TRIGGER IF EXISTS audit_log_no_update; DROP TRIGGER IF EXISTS audit_log_no_delete;"
              "DROP TRIGGER IF EXISTS minute_ledger_no_update; DROP TRIGGER IF EXISTS minute_ledger_no_delete";
    assert_int_equal(cn_db_script(c, off), CN_OK);
    assert_int_equal(cn_db_script(c, sql), CN_OK);
}

static void test_append_and_verify(void **state)
{
    fixture f;
    set_up(&f, state);
    for (int boot = 0; boot < 2; boot++) {
        cn_chain *c = open_chain(&f, CN_CHAIN_AUDIT);
        for (int i = 0; i < 5; i++) add(c, "login");
        cn_ledger_row none = {0};
        assert_int_equal(cn_chain_ledger(c, &none, 1), CN_ERR_INVALID); /* wrong log */
        cn_audit_row bad = {.action = "x\xff"};
        assert_int_equal(cn_chain_audit(c, &bad), CN_ERR_INVALID);
        cn_chain_close(c);
    }
    expect_sound(&f, CN_CHAIN_AUDIT, "audit: 2 chains, 10 rows, 0 faults, 0 rows not covered");
    cn_chain *l = open_chain(&f, CN_CHAIN_LEDGER);
    cn_ledger_row rows[3] = {
        {.room = "r", .participant = "p1", .kind = "person", .start_ms = 1, .duration_ms = 60000, .end_cause = "leave"},
        {.room = "r", .participant = "p2", .user = "u", .kind = "bot", .area_sum = INT64_MAX, .tier_aggregate = 5},
        {.room = "r", .participant = "p3", .hospital = "h", .tier_max = 3, .rule_version = 1}};
    assert_int_equal(cn_chain_ledger(l, rows, 3), CN_OK);
    assert_int_equal(cn_chain_ledger(l, rows, 0), CN_OK);
    assert_int_equal(cn_chain_ledger(l, rows, 1), CN_OK);
    cn_chain_close(l);
    expect_sound(&f, CN_CHAIN_LEDGER, "ledger: 1 chains, 4 rows, 0 faults, 0 rows not covered");
    tamper(&f, "UPDATE minute_ledger SET duration_ms = 1 WHERE counter = 1");
    expect_fault(&f, CN_CHAIN_LEDGER, "row 1 was changed");
    tear_down(&f);
}

static void test_triggers_refuse(void **state)
{
    static const char *const attempts[] = {
        "UPDATE audit_log SET actor = 'x'",
        "UPDATE audit_log SET actor = actor WHERE counter = 1",
        "DELETE FROM audit_log",
        "UPDATE minute_ledger SET duration_ms = 0",
        "DELETE FROM minute_ledger WHERE counter = 1",
        "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log",
        "REPLACE INTO minute_ledger SELECT * FROM minute_ledger",
        "TRUNCATE audit_log",
        "TRUNCATE minute_ledger",
        "INSERT INTO audit_log SELECT * FROM audit_log WHERE true ON CONFLICT (node, boot, counter) DO UPDATE SET "
        "actor = 'x'",
    };
    fixture f;
    set_up(&f, state);
    cn_chain *a = open_chain(&f, CN_CHAIN_AUDIT), *l = open_chain(&f, CN_CHAIN_LEDGER);
    cn_ledger_row row = {.room = "r"};
    add(a, "login");
    assert_int_equal(cn_chain_ledger(l, &row, 1), CN_OK);
    CN_AUTO_CONN cn_conn *c = NULL;
    assert_int_equal(cn_conn_acquire(f.db, &c), CN_OK);
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        assert_int_not_equal(cn_db_exec(c, NULL, attempts[i]), CN_OK);
    assert_int_equal(cn_db_exec(c, NULL, attempts[0]), CN_ERR_CONFLICT);
    cn_conn_release(c);
    c = NULL;
    cn_chain_close(a);
    cn_chain_close(l);
    expect_sound(&f, CN_CHAIN_AUDIT, "1 rows, 0 faults");
    expect_sound(&f, CN_CHAIN_LEDGER, "1 rows, 0 faults");
    tear_down(&f);
}

static void test_tampering_is_found(void **state)
{
    static const struct {
        const char *sql, *found;
    } cases[] = {
        {"UPDATE audit_log SET outcome = 'denied' WHERE counter = 3", "row 3 was changed"},
        {"UPDATE audit_log SET at_ms = at_ms + 1 WHERE counter = 6", "row 6 was changed"},
        /* a text moved across the border of two columns */
        {"UPDATE audit_log SET actor = 'u', action = '1login' WHERE counter = 2", "row 2 was changed"},
        {"DELETE FROM audit_log WHERE counter = 6", "rows 6 to 6 are missing at the end"},
        {"DELETE FROM audit_log WHERE counter >= 4", "rows 4 to 6 are missing at the end"},
        {"DELETE FROM audit_log WHERE counter = 1", "rows 1 to 1 are missing"},
        {"DELETE FROM audit_log WHERE counter IN (3, 4)", "rows 3 to 4 are missing"},
        {"DELETE FROM audit_log", "all 6 rows are missing"},
        /* two rows swapped, links and all */
        {"UPDATE audit_log SET counter = 100 WHERE counter = 2; UPDATE audit_log SET counter = 2 WHERE counter = 4;"
         "UPDATE audit_log SET counter = 4 WHERE counter = 100",
         "row 2 was changed, or stands in another's place"},
        /* the tail removed and the counters closed up */
        {"DELETE FROM audit_log WHERE counter = 5; UPDATE audit_log SET counter = 5 WHERE counter = 6",
         "row 5 was changed"},
        {"UPDATE audit_log SET boot = 'OTHER'", "row 1 was changed"},
        {"UPDATE audit_log SET node = 'node2' WHERE counter = 6", "rows 1 to 5 are missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f;
        set_up(&f, state);
        cn_chain *c = open_chain(&f, CN_CHAIN_AUDIT);
        for (int k = 0; k < 6; k++) add(c, "login");
        cn_chain_close(c);
        expect_sound(&f, CN_CHAIN_AUDIT, "6 rows, 0 faults");
        tamper(&f, cases[i].sql);
        expect_fault(&f, CN_CHAIN_AUDIT, cases[i].found);
        tear_down(&f);
    }
}

static void test_heads_file(void **state)
{
    fixture f;
    set_up(&f, state);
    cn_chain *c = open_chain(&f, CN_CHAIN_AUDIT);
    for (int k = 0; k < 3; k++) add(c, "login");
    cn_chain_close(c);
    /* a head torn by a power cut: ignored, and the next chain begins on a line of its own */
    FILE *to = fopen(f.heads, "a");
    fputs("audit node1 01ABC", to);
    fclose(to);
    expect_sound(&f, CN_CHAIN_AUDIT, "3 rows, 0 faults");
    c = open_chain(&f, CN_CHAIN_AUDIT);
    for (int k = 0; k < 2; k++) add(c, "login");
    cn_chain_close(c);
    expect_sound(&f, CN_CHAIN_AUDIT, "2 chains, 5 rows, 0 faults, 0 rows not covered");
    /* over its bound it is rewritten, and still proves the same */
    to = fopen(f.heads, "a");
    for (int k = 0; k < 90000; k++)
        fprintf(to, "audit node1 01ARZ3NDEKTSV4RRFFQ69G5FAV %d %064d 2026-11-20T08:15:00.000Z\n", k + 1, k);
    fclose(to);
    struct stat st;
    c = open_chain(&f, CN_CHAIN_AUDIT);
    add(c, "login");
    cn_chain_close(c);
    assert_int_equal(stat(f.heads, &st), 0);
    assert_in_range(st.st_size, 300, 1000);
    expect_fault(&f, CN_CHAIN_AUDIT, "all 90000 rows are missing");
    assert_int_equal(unlink(f.heads), 0);
    expect_fault(&f, CN_CHAIN_AUDIT, "file of heads");
    tear_down(&f);
}

static void test_in_a_transaction(void **state)
{
    fixture f;
    set_up(&f, state);
    cn_chain *c = open_chain(&f, CN_CHAIN_AUDIT);
    cn_audit_row row = {.action = "settings.set", .outcome = "ok"};
    const char *insert = "INSERT INTO settings (key, value) VALUES ($1, 'x')";
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_int_equal(cn_conn_acquire(f.db, &conn), CN_OK);
    /* both or neither */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, insert, cn_text("a")), CN_OK);
    assert_int_equal(cn_chain_audit_tx(c, conn, &row), CN_OK);
    assert_int_equal(cn_chain_audit_tx(c, conn, &row), CN_OK);
    assert_int_equal(cn_chain_commit(c, conn), CN_OK);
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_chain_audit_tx(c, conn, &row), CN_OK);
    cn_tx_rollback(conn);
    cn_chain_rolled_back(c);
    cn_chain_rolled_back(c);
    assert_int_equal(cn_chain_committed(c), CN_ERR_STATE);
    add(c, "login");
    /* a commit that fails leaves the chain usable, and the next row fits */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_chain_audit_tx(c, conn, &row), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, insert, cn_text("a")), CN_ERR_CONFLICT);
    assert_int_equal(cn_chain_commit(c, conn), CN_ERR_STATE);
    /* and so does a row that cannot be stored */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    cn_audit_row bad = {.action = "\xff"};
    assert_int_equal(cn_chain_audit_tx(c, conn, &bad), CN_ERR_INVALID);
    cn_tx_rollback(conn);
    /* no row: only a commit */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_chain_commit(c, conn), CN_OK);
    add(c, "login");
    cn_conn_release(conn);
    conn = NULL;
    cn_chain_close(c);
    expect_sound(&f, CN_CHAIN_AUDIT, "1 chains, 4 rows, 0 faults, 0 rows not covered");
    tear_down(&f);
}

typedef struct writer {
    const fixture *f;
    cn_chain *c;
    int id, own, tx;
} writer;

static void *write_many(void *arg)
{
    writer *w = arg;
    cn_audit_row row = {.action = "x", .outcome = "ok"};
    for (int i = 0; i < 20; i++) {
        if (cn_chain_audit(w->c, &row) == CN_OK) w->own++;
        char key[32];
        snprintf(key, sizeof key, "k%d-%d", w->id, i);
        CN_AUTO_CONN cn_conn *conn = NULL;
        if (cn_conn_acquire(w->f->db, &conn) != CN_OK || cn_tx_begin(conn) != CN_OK) continue;
        if (cn_db_exec(conn, NULL, "INSERT INTO settings (key, value) VALUES ($1, '')", cn_text(key)) != CN_OK)
            continue;
        if (cn_chain_audit_tx(w->c, conn, &row) == CN_OK && cn_chain_commit(w->c, conn) == CN_OK) w->tx++;
    }
    return NULL;
}

/* Both kinds of writers at once: no deadlock, no gap, no fork of the chain. */
static void test_threads(void **state)
{
    enum { N = 8 };
    fixture f;
    set_up(&f, state);
    cn_chain *c = open_chain(&f, CN_CHAIN_AUDIT);
    pthread_t thread[N];
    writer w[N];
    for (int i = 0; i < N; i++) {
        w[i] = (writer){.f = &f, .c = c, .id = i};
        assert_int_equal(pthread_create(&thread[i], NULL, write_many, &w[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(w[i].own, 20);
        assert_int_equal(w[i].tx, 20);
    }
    cn_chain_close(c);
    expect_sound(&f, CN_CHAIN_AUDIT, "1 chains, 320 rows, 0 faults, 0 rows not covered");
    tear_down(&f);
}

/* The child says how many rows were answered; after SIGKILL at least so many are there, and the chain is whole. */
static void write_until_killed(const fixture *f, int to)
{
    cn_db *db = NULL;
    cn_vault *v = NULL;
    cn_chain *c = NULL;
    if (cn_db_open(&db, f->url, 2) != CN_OK || cn_vault_open(&v, db, f->key) != CN_OK ||
        cn_chain_open(&c, CN_CHAIN_AUDIT, db, v, "node1", f->heads) != CN_OK)
        _exit(1);
    cn_audit_row row = {.action = "x", .outcome = "ok"};
    for (uint32_t i = 1; cn_chain_audit(c, &row) == CN_OK; i++)
        if (write(to, &i, sizeof i) != sizeof i) _exit(2);
    _exit(3);
}

static void test_kill_loses_nothing(void **state)
{
    fixture f;
    set_up(&f, state);
    int64_t answered = 0;
    for (uint32_t round = 0; round < 5; round++) {
        int pipe_fd[2], status = 0;
        uint32_t count = 0, last = 0;
        assert_int_equal(pipe(pipe_fd), 0);
        pid_t pid = fork();
        if (pid == 0) write_until_killed(&f, pipe_fd[1]);
        close(pipe_fd[1]);
        while (read(pipe_fd[0], &count, sizeof count) == sizeof count) {
            last = count;
            if (count == 10 + 7 * round) kill(pid, SIGKILL);
        }
        close(pipe_fd[0]);
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        assert_true(last >= 10);
        answered += last;
        CN_AUTO_CONN cn_conn *c = NULL;
        CN_AUTO_ROWS cn_rows *rows = NULL;
        assert_int_equal(cn_conn_acquire(f.db, &c), CN_OK);
        assert_int_equal(cn_db_query(c, &rows, "SELECT COUNT(*) FROM audit_log"), CN_OK);
        assert_true(cn_rows_next(rows));
        int64_t rows_there = cn_rows_int(rows, 0);
        assert_true(rows_there >= answered && rows_there <= answered + 1);
        answered = rows_there; /* one may have been committed and not yet answered */
    }
    expect_sound(&f, CN_CHAIN_AUDIT, "5 chains");
    tear_down(&f);
}

/* No space for heads: the caller hears of it, and the chain recovers. */
static void test_heads_disk_full(void **state)
{
    fixture f;
    set_up(&f, state);
    if (f.kind == CN_DB_SQLITE) { /* the limit would hit the database first */
        tear_down(&f);
        return;
    }
    cn_chain *c = open_chain(&f, CN_CHAIN_AUDIT);
    add(c, "login");
    struct stat st;
    struct rlimit old, now;
    assert_int_equal(stat(f.heads, &st), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    now = (struct rlimit){.rlim_cur = (rlim_t)st.st_size + 20, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    cn_audit_row row = {.action = "x"};
    cn_err e = cn_chain_audit(c, &row);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(e == CN_ERR_NOSPACE || e == CN_ERR_TOOBIG || e == CN_ERR_IO);
    add(c, "login");
    cn_chain_close(c);
    expect_sound(&f, CN_CHAIN_AUDIT, "3 rows, 0 faults, 0 rows not covered");
    tear_down(&f);
}

/* The C library's own, replaced: what would go to the log daemon. */
static char told[512];
static void keep_told(const char *fmt, va_list args)
{
    vsnprintf(told, sizeof told, fmt, args);
}
void syslog(int priority, const char *fmt, ...)
{
    (void)priority;
    va_list args;
    va_start(args, fmt);
    keep_told(fmt, args);
    va_end(args);
}
void __syslog_chk(int priority, int flag, const char *fmt, ...);
void __syslog_chk(int priority, int flag, const char *fmt, ...)
{
    (void)priority;
    (void)flag;
    va_list args;
    va_start(args, fmt);
    keep_told(fmt, args);
    va_end(args);
}

static void test_syslog(void **state)
{
    fixture f;
    set_up(&f, state);
    cn_chain *c = open_chain(&f, CN_CHAIN_AUDIT);
    for (int i = 0; i < 3; i++) add(c, "login");
    told[0] = 0;
    cn_chain_close(c); /* sends what was not yet sent */
    assert_non_null(strstr(told, "audit chain: node1 "));
    CN_AUTO_FREE char *heads = NULL;
    assert_int_equal(cn_file_read(f.heads, 65536, &heads, NULL), CN_OK);
    char *link = strrchr(told, ' ');
    assert_int_equal(strlen(link), 65);
    assert_non_null(strstr(heads, link)); /* the very head of the file */
    assert_non_null(strstr(told, " 3 "));
    tear_down(&f);
}

static void test_head_lines(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "audit",
        "audit n b 1",
        "audit n b 0 0000000000000000000000000000000000000000000000000000000000000000 t",
        "audit n b 1x 0000000000000000000000000000000000000000000000000000000000000000 t",
        "audit n b 1 00000000000000000000000000000000000000000000000000000000000000 t",
        "audit  b 1 0000000000000000000000000000000000000000000000000000000000000000 t",
        "toolonglog n b 1 0000000000000000000000000000000000000000000000000000000000000000 t",
    };
    cn_head h;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(cn_head_parse(bad[i], strlen(bad[i]), &h));
    const char *good = "ledger n b 42 00000000000000000000000000000000000000000000000000000000000000ff t";
    assert_true(cn_head_parse(good, strlen(good), &h));
    assert_int_equal(h.counter, 42);
    assert_int_equal(h.link[31], 0xff);
    cn_chain *c = NULL;
    assert_int_equal(cn_chain_open(&c, CN_CHAIN_AUDIT, NULL, NULL, "two words", "x"), CN_ERR_INVALID);
    assert_int_equal(cn_chain_open(&c, CN_CHAIN_AUDIT, NULL, NULL, "", "x"), CN_ERR_INVALID);
    assert_null(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_append_and_verify),  CN_DB_TESTS(test_triggers_refuse),  CN_DB_TESTS(test_tampering_is_found),
        CN_DB_TESTS(test_heads_file),         CN_DB_TESTS(test_in_a_transaction), CN_DB_TESTS(test_threads),
        CN_DB_TESTS(test_kill_loses_nothing), CN_DB_TESTS(test_heads_disk_full),  CN_DB_TESTS(test_syslog),
        cmocka_unit_test(test_head_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
