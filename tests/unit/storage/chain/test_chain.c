/* The append-only logs: they refuse changes, and what was changed behind their back is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
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
#include "storage/db/db_private.h"
#include "storage/vault/master.h"
#include "support_db.h"

typedef struct fixture {
    cn_db_kind kind;
    const char *url;
    char key[128], heads[128];
    cn_db *db;
    cn_vault *vault;
} fixture;

static void set_up(fixture *setup, void **state)
{
    static unsigned serial;
    *setup = (fixture){.kind = SUPPORT_DB_KIND(state), .url = support_db_url(SUPPORT_DB_KIND(state))};
    snprintf(setup->key, sizeof setup->key, "%s/keys/%u", support_dir(), ++serial);
    snprintf(setup->heads, sizeof setup->heads, "%s/heads/%u", support_dir(), serial);
    assert_int_equal(cn_master_key_create(setup->key), CN_OK);
    assert_int_equal(cn_db_open(&setup->db, setup->url, 6), CN_OK);
    assert_int_equal(cn_vault_open(&setup->vault, setup->db, setup->key), CN_OK);
}

static void tear_down(fixture *setup)
{
    cn_vault_close(setup->vault);
    cn_db_close(setup->db);
}

static cn_chain *open_chain(const fixture *setup, cn_chain_log log)
{
    cn_chain *chain = NULL;
    assert_int_equal(cn_chain_open(&chain, log, setup->db, setup->vault, "node1", setup->heads), CN_OK);
    return chain;
}

static void add(cn_chain *chain, const char *action)
{
    cn_audit_row row = {
        .actor = "u1", .action = action, .object = "request:1", .outcome = "ok", .address = "10.0.0.1", .detail = "{}"};
    assert_int_equal(cn_chain_audit(chain, &row), CN_OK);
}

/* The report, and whether it finds the log sound. */
static bool verify(const fixture *setup, cn_chain_log log, char **text)
{
    size_t n = 0;
    *text = NULL;
    FILE *to = open_memstream(text, &n);
    cn_err err = cn_chain_verify(log, setup->db, setup->vault, &(cn_chain_proof){.heads = setup->heads}, to);
    fclose(to);
    assert_true(err == CN_OK || err == CN_ERR_CORRUPT);
    return err == CN_OK;
}

static void expect_sound(const fixture *setup, cn_chain_log log, const char *summary)
{
    char *text = NULL;
    bool sound = verify(setup, log, &text);
    if (!sound || !strstr(text, summary)) fail_msg("expected \"%s\": %s", summary, text);
    free(text);
}

static void expect_fault(const fixture *setup, cn_chain_log log, const char *what)
{
    char *text = NULL;
    bool sound = verify(setup, log, &text);
    if (sound || !strstr(text, what)) fail_msg("expected \"%s\": %s", what, text);
    free(text);
}

/* What somebody with all rights on the database can do. */
static void tamper(const fixture *setup, const char *sql)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_int_equal(cn_conn_acquire(setup->db, &conn), CN_OK);
    const char *off =
        setup->kind == CN_DB_POSTGRES
            ? "ALTER TABLE audit_log DISABLE TRIGGER ALL; ALTER TABLE minute_ledger DISABLE TRIGGER ALL"
            : "DROP TRIGGER IF EXISTS audit_log_no_update; DROP TRIGGER IF EXISTS audit_log_no_delete;"
              "DROP TRIGGER IF EXISTS minute_ledger_no_update; DROP TRIGGER IF EXISTS minute_ledger_no_delete";
    assert_int_equal(cn_db_script(conn, off), CN_OK);
    assert_int_equal(cn_db_script(conn, sql), CN_OK);
}

static void test_append_and_verify(void **state)
{
    fixture setup;
    set_up(&setup, state);
    for (int boot = 0; boot < 2; boot++) {
        cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT);
        for (int i = 0; i < 5; i++) add(chain, "login");
        cn_ledger_row none = {0};
        assert_int_equal(cn_chain_ledger(chain, &none, 1), CN_ERR_INVALID); /* wrong log */
        cn_audit_row bad = {.action = "x\xff"};
        assert_int_equal(cn_chain_audit(chain, &bad), CN_ERR_INVALID);
        cn_chain_close(chain);
    }
    expect_sound(&setup, CN_CHAIN_AUDIT, "audit: 2 chains, 10 rows, 0 faults, 0 rows not covered");
    cn_chain *l = open_chain(&setup, CN_CHAIN_LEDGER);
    cn_ledger_row rows[3] = {
        {.room = "r", .participant = "p1", .kind = "person", .start_ms = 1, .duration_ms = 60000, .end_cause = "leave"},
        {.room = "r", .participant = "p2", .user = "u", .kind = "bot", .area_sum = INT64_MAX, .tier_aggregate = 5},
        {.room = "r", .participant = "p3", .hospital = "h", .tier_max = 3, .rule_version = 1}};
    assert_int_equal(cn_chain_ledger(l, rows, 3), CN_OK);
    assert_int_equal(cn_chain_ledger(l, rows, 0), CN_OK);
    assert_int_equal(cn_chain_ledger(l, rows, 1), CN_OK);
    cn_chain_close(l);
    expect_sound(&setup, CN_CHAIN_LEDGER, "ledger: 1 chains, 4 rows, 0 faults, 0 rows not covered");
    tamper(&setup, "UPDATE minute_ledger SET duration_ms = 1 WHERE counter = 1");
    expect_fault(&setup, CN_CHAIN_LEDGER, "row 1 was changed");
    tear_down(&setup);
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
    fixture setup;
    set_up(&setup, state);
    cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT), *l = open_chain(&setup, CN_CHAIN_LEDGER);
    cn_ledger_row row = {.room = "r"};
    add(chain, "login");
    assert_int_equal(cn_chain_ledger(l, &row, 1), CN_OK);
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_int_equal(cn_conn_acquire(setup.db, &conn), CN_OK);
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        assert_int_not_equal(cn_db_exec(conn, NULL, attempts[i]), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, attempts[0]), CN_ERR_CONFLICT);
    cn_conn_release(conn);
    conn = NULL;
    cn_chain_close(chain);
    cn_chain_close(l);
    expect_sound(&setup, CN_CHAIN_AUDIT, "1 rows, 0 faults");
    expect_sound(&setup, CN_CHAIN_LEDGER, "1 rows, 0 faults");
    tear_down(&setup);
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
        fixture setup;
        set_up(&setup, state);
        cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT);
        for (int k = 0; k < 6; k++) add(chain, "login");
        cn_chain_close(chain);
        expect_sound(&setup, CN_CHAIN_AUDIT, "6 rows, 0 faults");
        tamper(&setup, cases[i].sql);
        expect_fault(&setup, CN_CHAIN_AUDIT, cases[i].found);
        tear_down(&setup);
    }
}

static void test_heads_file(void **state)
{
    fixture setup;
    set_up(&setup, state);
    cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT);
    for (int k = 0; k < 3; k++) add(chain, "login");
    cn_chain_close(chain);
    /* a head torn by a power cut: ignored, and the next chain begins on a line of its own */
    FILE *to = fopen(setup.heads, "a");
    fputs("audit node1 01ABC", to);
    fclose(to);
    expect_sound(&setup, CN_CHAIN_AUDIT, "3 rows, 0 faults");
    chain = open_chain(&setup, CN_CHAIN_AUDIT);
    for (int k = 0; k < 2; k++) add(chain, "login");
    cn_chain_close(chain);
    expect_sound(&setup, CN_CHAIN_AUDIT, "2 chains, 5 rows, 0 faults, 0 rows not covered");
    /* over its bound it is rewritten, and still proves the same */
    to = fopen(setup.heads, "a");
    for (int k = 0; k < 90000; k++)
        fprintf(to, "audit node1 01ARZ3NDEKTSV4RRFFQ69G5FAV %d %064d 2026-11-20T08:15:00.000Z\n", k + 1, k);
    fclose(to);
    struct stat st;
    chain = open_chain(&setup, CN_CHAIN_AUDIT);
    add(chain, "login");
    cn_chain_close(chain);
    assert_int_equal(stat(setup.heads, &st), 0);
    assert_in_range(st.st_size, 300, 1000);
    expect_fault(&setup, CN_CHAIN_AUDIT, "all 90000 rows are missing");
    assert_int_equal(unlink(setup.heads), 0);
    expect_fault(&setup, CN_CHAIN_AUDIT, "file of heads");
    tear_down(&setup);
}

/* The report of a node's own check. */
static char *verify_node(const fixture *setup, const char *copy, int64_t uncovered, bool sound)
{
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    const cn_chain_proof proof = {.heads = setup->heads, .copy = copy, .node = "node1", .uncovered = uncovered};
    cn_err err = cn_chain_verify(CN_CHAIN_AUDIT, setup->db, setup->vault, &proof, to);
    fclose(to);
    if ((err == CN_OK) != sound) fail_msg("%s: %s", cn_err_text(err), text);
    return text;
}

static void expect_node(const fixture *setup, const char *copy, bool sound, const char *what)
{
    CN_AUTO_FREE char *text = verify_node(setup, copy, 0, sound);
    if (!strstr(text, what)) fail_msg("expected \"%s\": %s", what, text);
}

/* Cuts the last `lines` off a file. */
static void cut_lines(const char *path, int lines)
{
    CN_AUTO_FREE char *text = NULL;
    size_t n = 0;
    assert_int_equal(cn_file_read(path, 65536, &text, &n), CN_OK);
    for (; lines > 0 && n > 0; lines--) do
            n--;
        while (n > 0 && text[n - 1] != '\n');
    assert_int_equal(cn_file_write_durable(path, text, n, 0600), CN_OK);
}

static void test_heads_are_kept_twice_and_missed(void **state)
{
    fixture setup;
    char copy[160];
    int64_t adopted = 0;
    set_up(&setup, state);
    snprintf(copy, sizeof copy, "%s.copy", setup.heads);
    cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT);
    assert_int_equal(cn_chain_heads_copy(chain, copy), CN_OK);
    for (int k = 0; k < 5; k++) add(chain, "login");
    cn_chain_close(chain);
    expect_node(&setup, copy, true, "5 rows, 0 faults, 0 rows not covered");
    const cn_chain_proof proof = {.heads = setup.heads, .copy = copy, .node = "node1"};
    /* a line cut off one file, or off both */
    cut_lines(copy, 1);
    expect_node(&setup, copy, false, "no head for 1 rows");
    cut_lines(setup.heads, 2);
    expect_node(&setup, copy, false, "no head for 2 rows");
    free(verify_node(&setup, copy, 2, true));
    /* the start takes in what a crash left */
    assert_int_equal(cn_chain_adopt(CN_CHAIN_AUDIT, setup.db, setup.vault, &proof, 64, &adopted), CN_OK);
    assert_int_equal(adopted, 2);
    expect_node(&setup, copy, true, "5 rows, 0 faults, 0 rows not covered");
    /* also where only the second file lacks one */
    cut_lines(copy, 1);
    assert_int_equal(cn_chain_adopt(CN_CHAIN_AUDIT, setup.db, setup.vault, &proof, 64, &adopted), CN_OK);
    expect_node(&setup, copy, true, "5 rows, 0 faults, 0 rows not covered");
    /* more than a crash leaves is not taken in, and neither is a chain without any head */
    cut_lines(setup.heads, 3);
    cut_lines(copy, 3);
    assert_int_equal(cn_chain_adopt(CN_CHAIN_AUDIT, setup.db, setup.vault, &proof, 1, &adopted), CN_OK);
    assert_int_equal(adopted, 0);
    assert_int_equal(truncate(setup.heads, 0), 0);
    expect_node(&setup, copy, false, "no head for 5 rows");
    assert_int_equal(unlink(copy), 0);
    expect_node(&setup, copy, false, "cannot be read");
    assert_int_equal(truncate(setup.heads, 0), 0);
    assert_int_equal(cn_chain_adopt(CN_CHAIN_AUDIT, setup.db, setup.vault, &proof, 64, &adopted), CN_OK);
    assert_int_equal(adopted, 0);
    tear_down(&setup);
}

/* Rows and heads of before there was a second file. */
static void test_a_new_copy_has_what_the_first_file_has(void **state)
{
    fixture setup;
    char copy[160];
    set_up(&setup, state);
    snprintf(copy, sizeof copy, "%s.copy", setup.heads);
    cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT);
    for (int k = 0; k < 3; k++) add(chain, "login");
    cn_chain_close(chain);
    chain = open_chain(&setup, CN_CHAIN_AUDIT);
    assert_int_equal(cn_chain_heads_copy(chain, copy), CN_OK);
    expect_node(&setup, copy, false, "cannot be read");
    add(chain, "login");
    cn_chain_close(chain);
    expect_node(&setup, copy, true, "2 chains, 4 rows, 0 faults, 0 rows not covered");
    tear_down(&setup);
}

/* As the program `sqlite3` connects: without recursive triggers. */
static void test_nothing_is_replaced_from_outside(void **state)
{
    fixture setup;
    sqlite3 *raw = NULL;
    set_up(&setup, state);
    if (setup.kind != CN_DB_SQLITE) { /* PostgreSQL knows no REPLACE */
        tear_down(&setup);
        return;
    }
    cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT), *ledger = open_chain(&setup, CN_CHAIN_LEDGER);
    const cn_ledger_row row = {.room = "r", .kind = "person", .end_cause = "leave"};
    add(chain, "login");
    assert_int_equal(cn_chain_ledger(ledger, &row, 1), CN_OK);
    assert_int_equal(sqlite3_open(setup.url + strlen("sqlite:"), &raw), SQLITE_OK);
    static const char *const statements[] = {
        "INSERT OR REPLACE INTO audit_log SELECT node, boot, counter, 0, actor, action, object, outcome, address, "
        "detail, "
        "link FROM audit_log",
        "REPLACE INTO minute_ledger SELECT * FROM minute_ledger",
        "UPDATE OR REPLACE audit_log SET at_ms = 0",
    };
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        assert_int_equal(sqlite3_exec(raw, statements[i], NULL, NULL, NULL), SQLITE_CONSTRAINT);
    sqlite3_close(raw);
    cn_chain_close(chain);
    cn_chain_close(ledger);
    tear_down(&setup);
}

static void test_in_a_transaction(void **state)
{
    fixture setup;
    set_up(&setup, state);
    cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT);
    cn_audit_row row = {.action = "settings.set", .outcome = "ok"};
    const char *insert = "INSERT INTO settings (key, value) VALUES ($1, 'x')";
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_int_equal(cn_conn_acquire(setup.db, &conn), CN_OK);
    /* both or neither */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, insert, cn_text("a")), CN_OK);
    assert_int_equal(cn_chain_audit_tx(chain, conn, &row), CN_OK);
    assert_int_equal(cn_chain_audit_tx(chain, conn, &row), CN_OK);
    assert_int_equal(cn_chain_commit(chain, conn), CN_OK);
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_chain_audit_tx(chain, conn, &row), CN_OK);
    cn_tx_rollback(conn);
    cn_chain_rolled_back(chain);
    cn_chain_rolled_back(chain);
    assert_int_equal(cn_chain_committed(chain), CN_ERR_STATE);
    add(chain, "login");
    /* a commit that fails leaves the chain usable, and the next row fits */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_chain_audit_tx(chain, conn, &row), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, insert, cn_text("a")), CN_ERR_CONFLICT);
    assert_int_equal(cn_chain_commit(chain, conn), CN_ERR_STATE);
    /* and so does a row that cannot be stored */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    cn_audit_row bad = {.action = "\xff"};
    assert_int_equal(cn_chain_audit_tx(chain, conn, &bad), CN_ERR_INVALID);
    cn_tx_rollback(conn);
    /* no row: only a commit */
    assert_int_equal(cn_tx_begin(conn), CN_OK);
    assert_int_equal(cn_chain_commit(chain, conn), CN_OK);
    add(chain, "login");
    cn_conn_release(conn);
    conn = NULL;
    cn_chain_close(chain);
    expect_sound(&setup, CN_CHAIN_AUDIT, "1 chains, 4 rows, 0 faults, 0 rows not covered");
    tear_down(&setup);
}

typedef struct writer {
    const fixture *f;
    cn_chain *c;
    int id, own, tx;
} writer;

static void *write_many(void *arg)
{
    writer *output = arg;
    cn_audit_row row = {.action = "x", .outcome = "ok"};
    for (int i = 0; i < 20; i++) {
        if (cn_chain_audit(output->c, &row) == CN_OK) output->own++;
        char key[32];
        snprintf(key, sizeof key, "k%d-%d", output->id, i);
        CN_AUTO_CONN cn_conn *conn = NULL;
        if (cn_conn_acquire(output->f->db, &conn) != CN_OK || cn_tx_begin(conn) != CN_OK) continue;
        if (cn_db_exec(conn, NULL, "INSERT INTO settings (key, value) VALUES ($1, '')", cn_text(key)) != CN_OK)
            continue;
        if (cn_chain_audit_tx(output->c, conn, &row) == CN_OK && cn_chain_commit(output->c, conn) == CN_OK)
            output->tx++;
    }
    return NULL;
}

/* Both kinds of writers at once: no deadlock, no gap, no fork of the chain. */
static void test_threads(void **state)
{
    enum { N = 8 };
    fixture setup;
    set_up(&setup, state);
    cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT);
    pthread_t thread[N];
    writer output[N];
    for (int i = 0; i < N; i++) {
        output[i] = (writer){.f = &setup, .c = chain, .id = i};
        assert_int_equal(pthread_create(&thread[i], NULL, write_many, &output[i]), 0);
    }
    for (int i = 0; i < N; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(output[i].own, 20);
        assert_int_equal(output[i].tx, 20);
    }
    cn_chain_close(chain);
    expect_sound(&setup, CN_CHAIN_AUDIT, "1 chains, 320 rows, 0 faults, 0 rows not covered");
    tear_down(&setup);
}

/* The child says how many rows were answered; after SIGKILL at least so many are there, and the chain is whole. */
static void write_until_killed(const fixture *setup, int to)
{
    cn_db *db = NULL;
    cn_vault *vault = NULL;
    cn_chain *chain = NULL;
    if (cn_db_open(&db, setup->url, 2) != CN_OK || cn_vault_open(&vault, db, setup->key) != CN_OK ||
        cn_chain_open(&chain, CN_CHAIN_AUDIT, db, vault, "node1", setup->heads) != CN_OK)
        _exit(1);
    cn_audit_row row = {.action = "x", .outcome = "ok"};
    for (uint32_t i = 1; cn_chain_audit(chain, &row) == CN_OK; i++)
        if (write(to, &i, sizeof i) != sizeof i) _exit(2);
    _exit(3);
}

static void test_kill_loses_nothing(void **state)
{
    fixture setup;
    set_up(&setup, state);
    int64_t answered = 0;
    for (uint32_t round = 0; round < 5; round++) {
        int pipe_fd[2], status = 0;
        uint32_t count = 0, last = 0;
        assert_int_equal(pipe(pipe_fd), 0);
        pid_t pid = fork();
        if (pid == 0) write_until_killed(&setup, pipe_fd[1]);
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
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_AUTO_ROWS cn_rows *rows = NULL;
        assert_int_equal(cn_conn_acquire(setup.db, &conn), CN_OK);
        assert_int_equal(cn_db_query(conn, &rows, "SELECT COUNT(*) FROM audit_log"), CN_OK);
        assert_true(cn_rows_next(rows));
        int64_t rows_there = cn_rows_int(rows, 0);
        assert_true(rows_there >= answered && rows_there <= answered + 1);
        answered = rows_there; /* one may have been committed and not yet answered */
    }
    expect_sound(&setup, CN_CHAIN_AUDIT, "5 chains");
    tear_down(&setup);
}

/* No space for heads: the caller hears of it, and the chain recovers. */
static void test_heads_disk_full(void **state)
{
    fixture setup;
    set_up(&setup, state);
    if (setup.kind == CN_DB_SQLITE) { /* the limit would hit the database first */
        tear_down(&setup);
        return;
    }
    cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT);
    add(chain, "login");
    struct stat st;
    struct rlimit old, now;
    assert_int_equal(stat(setup.heads, &st), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    now = (struct rlimit){.rlim_cur = (rlim_t)st.st_size + 20, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    cn_audit_row row = {.action = "x"};
    cn_err err = cn_chain_audit(chain, &row);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(err == CN_ERR_NOSPACE || err == CN_ERR_TOOBIG || err == CN_ERR_IO);
    add(chain, "login");
    cn_chain_close(chain);
    expect_sound(&setup, CN_CHAIN_AUDIT, "3 rows, 0 faults, 0 rows not covered");
    tear_down(&setup);
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
    fixture setup;
    set_up(&setup, state);
    cn_chain *chain = open_chain(&setup, CN_CHAIN_AUDIT);
    for (int i = 0; i < 3; i++) add(chain, "login");
    told[0] = 0;
    cn_chain_close(chain); /* sends what was not yet sent */
    assert_non_null(strstr(told, "audit chain: node1 "));
    CN_AUTO_FREE char *heads = NULL;
    assert_int_equal(cn_file_read(setup.heads, 65536, &heads, NULL), CN_OK);
    char *link = strrchr(told, ' ');
    assert_int_equal(strlen(link), 65);
    assert_non_null(strstr(heads, link)); /* the very head of the file */
    assert_non_null(strstr(told, " 3 "));
    tear_down(&setup);
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
    cn_head head;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(cn_head_parse(bad[i], strlen(bad[i]), &head));
    const char *good = "ledger n b 42 00000000000000000000000000000000000000000000000000000000000000ff t";
    assert_true(cn_head_parse(good, strlen(good), &head));
    assert_int_equal(head.counter, 42);
    assert_int_equal(head.link[31], 0xff);
    cn_chain *chain = NULL;
    assert_int_equal(cn_chain_open(&chain, CN_CHAIN_AUDIT, NULL, NULL, "two words", "x"), CN_ERR_INVALID);
    assert_int_equal(cn_chain_open(&chain, CN_CHAIN_AUDIT, NULL, NULL, "", "x"), CN_ERR_INVALID);
    assert_null(chain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_append_and_verify),
        CN_DB_TESTS(test_triggers_refuse),
        CN_DB_TESTS(test_tampering_is_found),
        CN_DB_TESTS(test_heads_are_kept_twice_and_missed),
        CN_DB_TESTS(test_a_new_copy_has_what_the_first_file_has),
        CN_DB_TESTS(test_nothing_is_replaced_from_outside),
        CN_DB_TESTS(test_heads_file),
        CN_DB_TESTS(test_in_a_transaction),
        CN_DB_TESTS(test_threads),
        CN_DB_TESTS(test_kill_loses_nothing),
        CN_DB_TESTS(test_heads_disk_full),
        CN_DB_TESTS(test_syslog),
        cmocka_unit_test(test_head_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
