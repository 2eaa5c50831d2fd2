/* The grants of docs/operations.md: the role that serves can write everything it needs and change no log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/chain/chain.h"
#include "storage/db/db_private.h"
#include "storage/vault/master.h"
#include "support_db.h"

/* The SQL block of the manual that follows the line `mark`. */
static char *manual_sql(const char *mark)
{
    char *text = NULL;
    assert_int_equal(cn_file_read(CN_SOURCE_DIR "/docs/operations.md", 1 << 20, &text, NULL), CN_OK);
    char *from = strstr(text, mark);
    assert_non_null(from);
    from = strstr(from, "```sql\n");
    assert_non_null(from);
    from += 7;
    char *end = strstr(from, "```");
    assert_non_null(end);
    char *sql = cn_strndup(from, (size_t)(end - from));
    free(text);
    return sql;
}

static void test_serving_role(void **state)
{
    (void)state;
    const char *url = support_db_url(CN_DB_POSTGRES);
    char app_url[400], key[128], heads[128];
    cn_db *owner = NULL, *app = NULL;
    cn_vault *vault = NULL;
    cn_chain *chain = NULL;
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_int_equal(cn_db_open(&owner, url, 2), CN_OK);
    assert_int_equal(cn_conn_acquire(owner, &conn), CN_OK);
    assert_int_equal(cn_db_script(conn, "CREATE ROLE consilium_app LOGIN"), CN_OK);
    /* the manual speaks of schema public; this test's tables live in their own */
    CN_AUTO_ROWS cn_rows *schema = NULL;
    assert_int_equal(cn_db_query(conn, &schema, "SELECT current_schema()"), CN_OK);
    assert_true(cn_rows_next(schema));
    CN_AUTO_FREE char *sql = manual_sql("<!-- grants -->");
    cn_buf buf = {0};
    for (char *p = sql; *p;) {
        bool here = strncmp(p, "public", 6) == 0;
        if (here)
            cn_buf_str(&buf, cn_rows_text(schema, 0));
        else
            cn_buf_add(&buf, p, 1);
        p += here ? 6 : 1;
    }
    assert_int_equal(cn_db_script(conn, buf.p), CN_OK);
    cn_buf_free(&buf);
    cn_conn_release(conn);
    conn = NULL;
    snprintf(app_url, sizeof app_url, "%s user=consilium_app", url);
    snprintf(key, sizeof key, "%s/keys/roles", support_dir());
    snprintf(heads, sizeof heads, "%s/heads-roles", support_dir());
    assert_int_equal(cn_master_key_create(key), CN_OK);
    assert_int_equal(cn_db_open(&app, app_url, 4), CN_OK);
    assert_int_equal(cn_db_ping(app), CN_OK);
    assert_int_equal(cn_vault_open(&vault, app, key), CN_OK);
    assert_int_equal(cn_chain_open(&chain, CN_CHAIN_AUDIT, app, vault, "n", heads), CN_OK);
    cn_audit_row row = {.action = "login", .outcome = "ok"};
    assert_int_equal(cn_chain_audit(chain, &row), CN_OK);
    assert_int_equal(cn_conn_acquire(app, &conn), CN_OK);
    CN_AUTO_ROWS cn_rows *who = NULL;
    assert_int_equal(cn_db_query(conn, &who, "SELECT current_user"), CN_OK);
    assert_true(cn_rows_next(who));
    assert_string_equal(cn_rows_text(who, 0), "consilium_app");
    assert_int_equal(cn_db_exec(conn, NULL, "INSERT INTO settings (key, value) VALUES ('a', 'b')"), CN_OK);
    assert_int_equal(cn_db_exec(conn, NULL, "DELETE FROM settings"), CN_OK);
    static const char *const refused[] = {"UPDATE audit_log SET actor = 'x'",
                                          "DELETE FROM audit_log",
                                          "TRUNCATE audit_log",
                                          "DELETE FROM minute_ledger",
                                          "DROP TRIGGER audit_log_no_change ON audit_log",
                                          "ALTER TABLE audit_log DISABLE TRIGGER ALL",
                                          "DROP TABLE audit_log",
                                          "SET session_replication_role = replica",
                                          "DELETE FROM schema_migrations",
                                          "CREATE TABLE mine (id TEXT)"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_int_equal(cn_db_exec(conn, NULL, refused[i]), CN_ERR_DB);
    cn_conn_release(conn);
    conn = NULL;
    cn_chain_close(chain);
    assert_int_equal(cn_chain_verify(CN_CHAIN_AUDIT, app, vault, &(cn_chain_proof){.heads = heads}, stderr), CN_OK);
    cn_vault_close(vault);
    cn_db_close(app);
    cn_db_close(owner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_serving_role)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
