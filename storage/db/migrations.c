#include "storage/db/migrations.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/db/db_private.h"

#define WHERE "storage.schema"
#define STEPS_MAX 256
#define WAIT_S 60

/* NNN_what: what runs on both databases, then what is only for this one; either may be missing. */
typedef struct step {
    char name[64];
    char *sql;
    char sha256[2 * CN_SHA256_LEN + 1];
} step;

typedef struct steps {
    size_t n;
    step step[STEPS_MAX];
} steps;

static void steps_free(steps *list)
{
    if (!list) return;
    for (size_t i = 0; i < list->n; i++) free(list->step[i].sql);
    free(list);
}

static bool word_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_';
}

/* Length of the string, quoted name or comment that begins at `text`; 0 where none does. */
static size_t opaque_length(const char *text)
{
    const char *end = NULL;
    size_t extra = 0;
    if (*text == '\'' || *text == '"') {
        end = strchr(text + 1, *text);
        extra = 1;
    } else if (text[0] == '-' && text[1] == '-') {
        end = strchr(text, '\n');
    } else if (text[0] == '/' && text[1] == '*') {
        end = strstr(text + 2, "*/");
        extra = 2;
    } else {
        return 0;
    }
    return end ? (size_t)(end - text) + extra : strlen(text);
}

char *cn_migrations_to_pg(const char *sql)
{
    cn_buf out = {0};
    for (const char *p = sql; *p;) {
        size_t n = opaque_length(p);
        if (n == 0 && word_char(*p)) {
            while (word_char(p[n])) n++;
            if (n == 4 && strncasecmp(p, "BLOB", 4) == 0) {
                cn_buf_str(&out, "BYTEA");
                p += n;
                continue;
            }
        }
        if (n == 0) n = 1;
        cn_buf_add(&out, p, n);
        p += n;
    }
    return cn_buf_take(&out);
}

/* 1 for a file for both databases, 2 for one only for `mine`, 0 for the other database's. */
static int file_rank(const char *name, const char *mine, size_t *stem)
{
    static const char *const suffixes[] = {".sqlite.sql", ".pg.sql"};
    size_t n = strlen(name);
    for (size_t i = 0; i < 2; i++) {
        size_t k = strlen(suffixes[i]);
        if (n <= k || strcmp(name + n - k, suffixes[i]) != 0) continue;
        *stem = n - k;
        return strcmp(suffixes[i], mine) == 0 ? 2 : 0;
    }
    *stem = n > 4 ? n - 4 : n;
    return 1;
}

static step *step_named(steps *list, const char *name, size_t len)
{
    for (size_t i = 0; i < list->n; i++)
        if (strlen(list->step[i].name) == len && memcmp(list->step[i].name, name, len) == 0) return &list->step[i];
    if (list->n == STEPS_MAX || len >= sizeof list->step[0].name) return NULL;
    step *one = &list->step[list->n++];
    memcpy(one->name, name, len);
    return one;
}

static cn_err step_add(step *to, const char *sql)
{
    cn_buf buf = {0};
    if (to->sql) cn_buf_str(&buf, to->sql);
    cn_buf_str(&buf, sql);
    cn_buf_str(&buf, "\n");
    if (buf.err != CN_OK) {
        cn_buf_free(&buf);
        return CN_ERR_NOMEM;
    }
    free(to->sql);
    to->sql = cn_buf_take(&buf);
    return CN_OK;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const step *)left)->name, ((const step *)right)->name);
}

static cn_err steps_collect(steps *list, const cn_migration_file *files, const cn_backend *backend)
{
    for (int rank = 1; rank <= 2; rank++) {
        for (const cn_migration_file *file = files; file->name; file++) {
            size_t stem = 0;
            if (file_rank(file->name, backend->suffix, &stem) != rank) continue;
            step *to = step_named(list, file->name, stem);
            if (!to) return CN_ERR_TOOBIG;
            CN_AUTO_FREE char *pg =
                rank == 1 && backend->kind == CN_DB_POSTGRES ? cn_migrations_to_pg(file->sql) : NULL;
            CN_TRY(step_add(to, pg ? pg : file->sql));
        }
    }
    qsort(list->step, list->n, sizeof *list->step, by_name);
    for (size_t i = 0; i < list->n; i++) {
        uint8_t digest[CN_SHA256_LEN];
        cn_sha256(list->step[i].sql, strlen(list->step[i].sql), digest);
        cn_hex(digest, sizeof digest, list->step[i].sha256);
    }
    return CN_OK;
}

static cn_err has_history(cn_conn *conn, bool *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, cn_conn_backend(conn)->count_history));
    *out = cn_rows_next(rows) && cn_rows_int(rows, 0) > 0;
    return CN_OK;
}

/* How many of the steps are in the database; CN_ERR_STATE when it knows one that we do not. */
static cn_err count_applied(cn_conn *conn, const steps *list, size_t *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT name, sha256 FROM schema_migrations ORDER BY name"));
    *out = 0;
    while (cn_rows_next(rows)) {
        const char *name = cn_rows_text(rows, 0);
        size_t i = 0;
        while (i < list->n && strcmp(list->step[i].name, name) != 0) i++;
        if (i == list->n) {
            cn_error(WHERE, "the database has step %s, which this program does not know: it is too old for it", name);
            return CN_ERR_STATE;
        }
        if (strcmp(list->step[i].sha256, cn_rows_text(rows, 1)) != 0)
            cn_warn(WHERE, "step %s was edited after it had been applied here", name);
        ++*out;
    }
    return CN_OK;
}

static cn_err is_applied(cn_conn *conn, const char *name, bool *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT 1 FROM schema_migrations WHERE name = $1", cn_text(name)));
    *out = cn_rows_count(rows) > 0;
    return CN_OK;
}

static cn_err begin_patiently(cn_conn *conn)
{
    uint64_t until = cn_mono_ms() + WAIT_S * 1000;
    for (;;) {
        cn_err err = cn_tx_begin(conn);
        if (err != CN_ERR_AGAIN || cn_mono_ms() >= until) return err;
    }
}

static cn_err apply_in_tx(cn_conn *conn, const step *one)
{
    bool done = false;
    CN_TRY(is_applied(conn, one->name, &done));
    if (done) return CN_OK;
    CN_TRY(cn_db_script(conn, one->sql));
    CN_TRY(cn_db_exec(conn, NULL, "INSERT INTO schema_migrations (name, sha256, applied_ms) VALUES ($1, $2, $3)",
                      cn_text(one->name), cn_text(one->sha256), cn_int(cn_wall_ms())));
    cn_info(WHERE, "schema step %s", one->name);
    return CN_OK;
}

static cn_err apply(cn_conn *conn, const step *one)
{
    CN_TRY(begin_patiently(conn));
    cn_err err = apply_in_tx(conn, one);
    if (err == CN_OK) return cn_tx_commit(conn);
    cn_tx_rollback(conn);
    cn_error(WHERE, "schema step %s failed and was undone", one->name);
    return err;
}

static cn_err apply_all(cn_conn *conn, const steps *list)
{
    CN_TRY(begin_patiently(conn));
    CN_TRY(cn_db_script(conn, "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT NOT NULL PRIMARY KEY, "
                              "sha256 TEXT NOT NULL, applied_ms BIGINT NOT NULL)"));
    CN_TRY(cn_tx_commit(conn));
    for (size_t i = 0; i < list->n; i++) CN_TRY(apply(conn, &list->step[i]));
    return CN_OK;
}

static cn_err lock_patiently(cn_conn *conn)
{
    uint64_t until = cn_mono_ms() + WAIT_S * 1000;
    for (;;) {
        cn_err err = cn_conn_backend(conn)->schema_lock(cn_conn_raw(conn));
        if (err != CN_ERR_AGAIN || cn_mono_ms() >= until) return err;
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
    }
}

static cn_err bring_up(cn_conn *conn, const steps *list)
{
    bool known = false;
    size_t applied = 0;
    CN_TRY(has_history(conn, &known));
    if (known) CN_TRY(count_applied(conn, list, &applied));
    if (known && applied == list->n) return CN_OK;
    CN_TRY(lock_patiently(conn));
    cn_err err = apply_all(conn, list);
    cn_tx_rollback(conn);
    cn_conn_backend(conn)->schema_unlock(cn_conn_raw(conn));
    return err;
}

cn_err cn_migrations_apply(cn_conn *conn, const cn_migration_file *files)
{
    steps *list = CN_NEW(steps);
    if (!list) return CN_ERR_NOMEM;
    cn_err err = steps_collect(list, files, cn_conn_backend(conn));
    if (err == CN_OK) err = bring_up(conn, list);
    steps_free(list);
    return err;
}
