/* Sealed columns, search tokens and the master key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/vault/master.h"
#include "storage/vault/vault.h"
#include "support_db.h"

static cn_db *open_db(const char *url)
{
    cn_db *db = NULL;
    assert_int_equal(cn_db_open(&db, url, 2), CN_OK);
    return db;
}

static cn_vault *open_vault(cn_db *db, const char *key)
{
    cn_vault *vault = NULL;
    assert_int_equal(cn_vault_open(&vault, db, key), CN_OK);
    return vault;
}

static const char *new_key(char path[128], const char *name)
{
    snprintf(path, 128, "%s/keys/%s", support_dir(), name);
    unlink(path);
    assert_int_equal(cn_master_key_create(path), CN_OK);
    return path;
}

static void test_seal_and_open(void **state)
{
    char key[128];
    const char *url = support_db_url(SUPPORT_DB_KIND(state));
    cn_db *db = open_db(url);
    cn_vault *vault = open_vault(db, new_key(key, "a"));
    void *sealed = NULL, *twice = NULL;
    size_t n = 0, m = 0;
    char *text = NULL;
    assert_int_equal(cn_vault_seal(vault, "patients.name:7", "王小明", &sealed, &n), CN_OK);
    assert_int_equal(cn_vault_seal(vault, "patients.name:7", "王小明", &twice, &m), CN_OK);
    assert_int_equal(n, m);
    assert_memory_not_equal(sealed, twice, n); /* the same name twice does not show */
    assert_null(memmem(sealed, n, "王", 3));
    free(twice);
    /* a new process with the same master key reads it */
    cn_vault_close(vault);
    cn_db_close(db);
    db = open_db(url);
    vault = open_vault(db, key);
    assert_int_equal(cn_vault_open_text(vault, "patients.name:7", sealed, n, &text), CN_OK);
    assert_string_equal(text, "王小明");
    free(text);
    /* moved to another row or column, changed in any byte, cut */
    assert_int_equal(cn_vault_open_text(vault, "patients.name:8", sealed, n, &text), CN_ERR_CRYPTO);
    assert_int_equal(cn_vault_open_text(vault, "patients.phone:7", sealed, n, &text), CN_ERR_CRYPTO);
    for (size_t i = 0; i < n; i++) {
        ((uint8_t *)sealed)[i] ^= 1;
        assert_int_equal(cn_vault_open_text(vault, "patients.name:7", sealed, n, &text), CN_ERR_CRYPTO);
        ((uint8_t *)sealed)[i] ^= 1;
        assert_int_equal(cn_vault_open_text(vault, "patients.name:7", sealed, i, &text), CN_ERR_CRYPTO);
    }
    assert_null(text);
    assert_int_equal(cn_vault_seal(vault, "x", NULL, &twice, &m), CN_OK); /* NULL stays NULL */
    assert_null(twice);
    assert_int_equal(cn_vault_open_text(vault, "x", NULL, 0, &text), CN_OK);
    assert_null(text);
    free(sealed);
    cn_vault_close(vault);
    cn_db_close(db);
}

static void test_wrong_master_key(void **state)
{
    char a[128], b[128];
    cn_db *db = open_db(support_db_url(SUPPORT_DB_KIND(state)));
    cn_vault *vault = open_vault(db, new_key(a, "a")), *none = NULL;
    cn_vault_close(vault);
    assert_int_equal(cn_vault_open(&none, db, new_key(b, "b")), CN_ERR_CRYPTO);
    assert_int_equal(cn_master_key_create(a), CN_ERR_CONFLICT);
    assert_int_equal(chmod(a, 0440), 0);
    assert_int_equal(cn_vault_open(&none, db, a), CN_ERR_FORBIDDEN);
    assert_int_equal(chmod(a, 0600), 0);
    assert_int_equal(truncate(a, 63), 0);
    assert_int_equal(cn_vault_open(&none, db, a), CN_ERR_PARSE);
    assert_int_equal(cn_vault_open(&none, db, "/nonexistent/key"), CN_ERR_NOTFOUND);
    assert_null(none);
    /* rows of data_keys exchanged */
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_int_equal(cn_conn_acquire(db, &conn), CN_OK);
    cn_db *other = open_db(support_db_url(SUPPORT_DB_KIND(state)));
    vault = open_vault(other, b);
    cn_vault_close(vault);
    CN_AUTO_CONN cn_conn *connection = NULL;
    assert_int_equal(cn_conn_acquire(other, &connection), CN_OK);
    assert_int_equal(
        cn_db_exec(connection, NULL,
                   "UPDATE data_keys SET wrapped = (SELECT k.wrapped FROM data_keys k WHERE k.id = 3) WHERE id = 2"),
        CN_OK);
    assert_int_equal(cn_vault_open(&none, other, b), CN_ERR_CRYPTO);
    cn_conn_release(conn);
    cn_conn_release(connection);
    conn = connection = NULL;
    cn_db_close(other);
    cn_db_close(db);
}

typedef struct opener {
    const char *url, *key;
    uint8_t chain[32];
    cn_err err;
} opener;

static void *open_all(void *arg)
{
    opener *job = arg;
    cn_db *db = NULL;
    cn_vault *vault = NULL;
    job->err = cn_db_open(&db, job->url, 1);
    if (job->err == CN_OK) job->err = cn_vault_open(&vault, db, job->key);
    if (job->err == CN_OK) memcpy(job->chain, cn_vault_chain_key(vault), 32);
    cn_vault_close(vault);
    cn_db_close(db);
    return NULL;
}

/* Several nodes meet an empty database: one makes schema and keys, all use the same ones. */
static void test_concurrent_first_start(void **state)
{
    enum { NODES = 6 };
    char key[128];
    pthread_t thread[NODES];
    opener node[NODES];
    const char *url = support_db_url(SUPPORT_DB_KIND(state));
    new_key(key, "shared");
    for (int i = 0; i < NODES; i++) {
        node[i] = (opener){.url = url, .key = key};
        assert_int_equal(pthread_create(&thread[i], NULL, open_all, &node[i]), 0);
    }
    for (int i = 0; i < NODES; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(node[i].err, CN_OK);
        assert_memory_equal(node[i].chain, node[0].chain, 32);
    }
}

typedef struct found {
    size_t n;
    char token[200][33];
} found;

static void keep(void *arg, const char *token)
{
    found *hit = arg;
    assert_true(hit->n < 200);
    snprintf(hit->token[hit->n++], 33, "%s", token);
}

static bool has(const found *hit, const char *token)
{
    for (size_t i = 0; i < hit->n; i++)
        if (strcmp(hit->token[i], token) == 0) return true;
    return false;
}

static bool matches(const cn_vault *vault, const found *name, const char *typed)
{
    found hit = {0};
    cn_vault_search_tokens(vault, "patient.name", typed, keep, &hit);
    for (size_t i = 0; i < hit.n; i++)
        if (!has(name, hit.token[i])) return false;
    return hit.n > 0;
}

static void test_tokens(void **state)
{
    char key[128], a[33], b[33];
    cn_db *db = open_db(support_db_url(SUPPORT_DB_KIND(state)));
    cn_vault *vault = open_vault(db, new_key(key, "t"));
    cn_vault_token(vault, "patient.name", "Li  Lei", a);
    cn_vault_token(vault, "patient.name", "ｌｉ　ＬＥＩ", b);
    assert_string_equal(a, b);
    cn_vault_token(vault, "patient.phone", "lilei", b);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 32);
    found hit = {0};
    cn_vault_name_tokens(vault, "patient.name", "欧阳 娜娜", keep, &hit);
    assert_int_equal(hit.n, 7); /* whole, 3 distinct characters, 3 pairs */
    cn_vault_token(vault, "patient.name", "欧阳娜娜", a);
    assert_true(has(&hit, a));
    static const char *const yes[] = {"欧", "阳娜", "欧阳娜", "欧阳娜娜", " 娜 娜 "};
    static const char *const no[] = {"欧娜", "阳欧", "王", "", " ", "欧阳娜娜娃"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) assert_true(matches(vault, &hit, yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(matches(vault, &hit, no[i]));
    found one = {0}, none = {0}, broken = {0};
    cn_vault_name_tokens(vault, "patient.name", "王", keep, &one);
    assert_int_equal(one.n, 1);
    cn_vault_name_tokens(vault, "patient.name", "", keep, &none);
    assert_int_equal(none.n, 0);
    cn_vault_name_tokens(vault, "patient.name", "\xff\xe7\x8e", keep, &broken); /* not UTF-8: no reading past the end */
    assert_in_range(broken.n, 1, 6);
    char longest[601] = {0};
    memset(longest, 'a', 600);
    for (int i = 0; i < 600; i++) longest[i] = (char)('0' + i % 75);
    found many = {0};
    cn_vault_name_tokens(vault, "patient.name", longest, keep, &many);
    assert_in_range(many.n, 60, 129);
    cn_vault_close(vault);
    cn_db_close(db);
}

static void test_sealed_url(void **state)
{
    (void)state;
    char a[128], b[128], *sealed = NULL, *url = NULL;
    new_key(a, "ua");
    new_key(b, "ub");
    assert_int_equal(cn_master_key_seal_url(a, "host=db password=secret", &sealed), CN_OK);
    assert_memory_equal(sealed, "sealed:", 7);
    assert_null(strstr(sealed, "secret"));
    assert_int_equal(cn_master_key_open_url(a, sealed, &url), CN_OK);
    assert_string_equal(url, "host=db password=secret");
    free(url);
    url = NULL;
    assert_int_equal(cn_master_key_open_url(b, sealed, &url), CN_ERR_CRYPTO);
    assert_int_equal(cn_master_key_open_url(a, "sealed:!!", &url), CN_ERR_PARSE);
    assert_null(url);
    assert_int_equal(cn_master_key_open_url("/nonexistent", "sqlite:x.db", &url), CN_OK);
    assert_string_equal(url, "sqlite:x.db");
    free(url);
    free(sealed);
}

static void expect_opens(cn_db *db, const char *key, const void *sealed, size_t len, const char *expected)
{
    char *text = NULL;
    cn_vault *vault = open_vault(db, key);
    assert_int_equal(cn_vault_open_text(vault, "p", sealed, len, &text), CN_OK);
    assert_string_equal(text, expected);
    free(text);
    cn_vault_close(vault);
}

static void test_rotation(void **state)
{
    char key[128], next[140], saved[128], t1[33], t2[33];
    void *a = NULL, *b = NULL;
    size_t na = 0, nb = 0;
    cn_db *db = open_db(support_db_url(SUPPORT_DB_KIND(state)));
    cn_vault *vault = open_vault(db, new_key(key, "rot")), *none = NULL;
    uint8_t chain[32];
    memcpy(chain, cn_vault_chain_key(vault), 32);
    assert_int_equal(cn_vault_seal(vault, "p", "first", &a, &na), CN_OK);
    cn_vault_token(vault, "d", "w", t1);
    cn_vault_close(vault);
    /* another data key: new values name it, old ones stay readable */
    assert_int_equal(cn_vault_add_key(db, key), CN_OK);
    vault = open_vault(db, key);
    assert_int_equal(cn_vault_seal(vault, "p", "second", &b, &nb), CN_OK);
    assert_memory_not_equal(a, b, 4);
    cn_vault_close(vault);
    /* another master key: everything stays as it was, and the old one is worth nothing */
    snprintf(next, sizeof next, "%s.new", key);
    snprintf(saved, sizeof saved, "%s/keys/saved", support_dir());
    unlink(saved);
    assert_int_equal(link(key, saved), 0);
    assert_int_equal(cn_master_key_rotate(db, key), CN_OK);
    assert_int_equal(access(next, F_OK), -1);
    assert_int_equal(cn_vault_open(&none, db, saved), CN_ERR_CRYPTO);
    assert_int_equal(cn_vault_add_key(db, saved), CN_ERR_CRYPTO);
    expect_opens(db, key, a, na, "first");
    expect_opens(db, key, b, nb, "second");
    vault = open_vault(db, key);
    assert_memory_equal(chain, cn_vault_chain_key(vault), 32);
    cn_vault_token(vault, "d", "w", t2);
    assert_string_equal(t1, t2);
    cn_vault_close(vault);
    /* interrupted after the commit and before the exchange of the files: the next call finishes */
    unlink(saved);
    assert_int_equal(link(key, saved), 0);
    assert_int_equal(cn_master_key_rotate(db, key), CN_OK);
    assert_int_equal(rename(key, next), 0);
    assert_int_equal(rename(saved, key), 0);
    assert_int_equal(cn_vault_open(&none, db, key), CN_ERR_CRYPTO);
    assert_int_equal(cn_master_key_rotate(db, key), CN_OK);
    expect_opens(db, key, a, na, "first");
    /* interrupted before: the unused key is thrown away */
    assert_int_equal(cn_master_key_create(next), CN_OK);
    assert_int_equal(cn_master_key_rotate(db, key), CN_OK);
    expect_opens(db, key, b, nb, "second");
    assert_null(none);
    free(a);
    free(b);
    cn_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_seal_and_open), CN_DB_TESTS(test_wrong_master_key), CN_DB_TESTS(test_concurrent_first_start),
        CN_DB_TESTS(test_rotation),      CN_DB_TESTS(test_tokens),           cmocka_unit_test(test_sealed_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
