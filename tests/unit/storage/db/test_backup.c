/* The copy that docs/operations.md describes, made while the server writes: it opens, and its logs verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "storage/chain/chain.h"
#include "storage/vault/master.h"
#include "support_db.h"

typedef struct writer {
    cn_chain *c;
    atomic_bool stop;
    atomic_int rows;
} writer;

static void *write_on(void *arg)
{
    writer *output = arg;
    cn_audit_row row = {.action = "x", .outcome = "ok"};
    while (!atomic_load(&output->stop) && cn_chain_audit(output->c, &row) == CN_OK) atomic_fetch_add(&output->rows, 1);
    return NULL;
}

static void copy(const char *from, const char *to)
{
    CN_AUTO_FREE char *bytes = NULL;
    size_t n = 0;
    assert_int_equal(cn_file_read(from, 64 << 20, &bytes, &n), CN_OK);
    assert_int_equal(cn_file_write_durable(to, bytes, n, 0600), CN_OK);
}

/* As another process would do it: a connection of its own. */
static void vacuum_into(const char *url, const char *to)
{
    char sql[256];
    sqlite3 *db = NULL;
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", to);
    assert_int_equal(sqlite3_open(url + strlen("sqlite:"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_copy_while_writing(void **state)
{
    (void)state;
    char key[128], heads[128], heads_copy[128], copied[128], copied_url[160];
    const char *url = support_db_url(CN_DB_SQLITE), *dir = support_dir();
    cn_db *db = NULL;
    cn_vault *vault = NULL;
    writer output = {0};
    pthread_t thread;
    snprintf(key, sizeof key, "%s/key", dir);
    snprintf(heads, sizeof heads, "%s/heads", dir);
    assert_int_equal(cn_master_key_create(key), CN_OK);
    assert_int_equal(cn_db_open(&db, url, 4), CN_OK);
    assert_int_equal(cn_vault_open(&vault, db, key), CN_OK);
    assert_int_equal(cn_chain_open(&output.c, CN_CHAIN_AUDIT, db, vault, "n", heads), CN_OK);
    assert_int_equal(pthread_create(&thread, NULL, write_on, &output), 0);
    for (int i = 0; i < 5; i++) {
        for (int before = atomic_load(&output.rows); atomic_load(&output.rows) < before + 20;) sched_yield();
        snprintf(heads_copy, sizeof heads_copy, "%s/heads-copy%d", dir, i);
        snprintf(copied, sizeof copied, "%s/copy%d.db", dir, i);
        snprintf(copied_url, sizeof copied_url, "sqlite:%s", copied);
        copy(heads, heads_copy); /* heads first, then the database */
        vacuum_into(url, copied);
        cn_db *copied_db = NULL;
        cn_vault *copied_vault = NULL;
        assert_int_equal(cn_db_open(&copied_db, copied_url, 1), CN_OK);
        assert_int_equal(cn_vault_open(&copied_vault, copied_db, key), CN_OK);
        assert_int_equal(
            cn_chain_verify(CN_CHAIN_AUDIT, copied_db, copied_vault, &(cn_chain_proof){.heads = heads_copy}, stderr),
            CN_OK);
        cn_vault_close(copied_vault);
        cn_db_close(copied_db);
    }
    /* the running one verifies as well, in the midst of it */
    assert_int_equal(cn_chain_verify(CN_CHAIN_AUDIT, db, vault, &(cn_chain_proof){.heads = heads}, stderr), CN_OK);
    atomic_store(&output.stop, true);
    pthread_join(thread, NULL);
    cn_chain_close(output.c);
    cn_vault_close(vault);
    cn_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_copy_while_writing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
