#include "storage/db/migrations.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/db/backend.h"

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

static void steps_free(steps *s)
{
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) free(s->step[i].sql);
    free(s);
}

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Length of the string, quoted name or comment that begins at `p`; 0 where none does. */
static size_t opaque_length(const char *p)
{
    const char *end = NULL;
    size_t extra = 0;
    if (*p == '\'' || *p == '"') {
        end = strchr(p + 1, *p);
        extra = 1;
    } else if (p[0] == '-' && p[1] == '-') {
        end = strchr(p, '\n');
    } else if (p[0] == '/' && p[1] == '*') {
        end = strstr(p + 2, "*/");
        extra = 2;
    } else {
        return 0;
    }
    return end ? (size_t)(end - p) + extra : strlen(p);
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

static step *step_named(steps *s, const char *name, size_t n)
{
    for (size_t i = 0; i < s->n; i++)
        if (strlen(s->step[i].name) == n && memcmp(s->step[i].name, name, n) == 0) return &s->step[i];
    if (s->n == STEPS_MAX || n >= sizeof s->step[0].name) return NULL;
    step *one = &s->step[s->n++];
    memcpy(one->name, name, n);
    return one;
}

static cn_err step_add(step *to, const char *sql)
{
    cn_buf b = {0};
    if (to->sql) cn_buf_str(&b, to->sql);
    cn_buf_str(&b, sql);
    cn_buf_str(&b, "\n");
    if (b.err != CN_OK) {
        cn_buf_free(&b);
        return CN_ERR_NOMEM;
    }
    free(to->sql);
    to->sql = cn_buf_take(&b);
    return CN_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const step *)a)->name, ((const step *)b)->name);
}

static cn_err steps_collect(steps *s, const cn_migration_file *files, const cn_backend *backend)
{
    for (int rank = 1; rank <= 2; rank++) {
        for (const cn_migration_file *f = files; f->name; f++) {
            size_t stem = 0;
            if (file_rank(f->name, backend->suffix, &stem) != rank) continue;
            step *to = step_named(s, f->name, stem);
            if (!to) return CN_ERR_TOOBIG;
            CN_AUTO_FREE char *pg = rank == 1 && backend->kind == CN_DB_POSTGRES ? cn_migrations_to_pg(f->sql) : NULL;
            CN_TRY(step_add(to, pg ? pg : f->sql));
        }
    }
    qsort(s->step, s->n, sizeof *s->step, by_name);
    for (size_t i = 0; i < s->n; i++) {
        uint8_t digest[CN_SHA256_LEN];
        cn_sha256(s->step[i].sql, strlen(s->step[i].sql), digest);
        cn_hex(digest, sizeof digest, s->step[i].sha256);
    }
    return CN_OK;
}

static cn_err has_history(cn_conn *c, bool *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(c, &rows, cn_conn_backend(c)->count_history));
    *out = cn_rows_next(rows) && cn_rows_int(rows, 0) > 0;
    return CN_OK;
}

/* How many of the steps are in the database; CN_ERR_STATE when it knows one that we do not. */
static cn_err count_applied(cn_conn *c, const steps *s, size_t *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(c, &rows, "SELECT name, sha256 FROM schema_migrations ORDER BY name"));
    *out = 0;
    while (cn_rows_next(rows)) {
        const char *name = cn_rows_text(rows, 0);
        size_t i = 0;
        while (i < s->n && strcmp(s->step[i].name, name) != 0) i++;
        if (i == s->n) {
            cn_error(WHERE, "the database has step %s, which this program does not know: it is too old for it", name);
            return CN_ERR_STATE;
        }
        if (strcmp(s->step[i].sha256, cn_rows_text(rows, 1)) != 0)
            cn_warn(WHERE, "step %s was edited after it had been applied here", name);
        ++*out;
    }
    return CN_OK;
}

static cn_err is_applied(cn_conn *c, const char *name, bool *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(c, &rows, "SELECT 1 FROM schema_migrations WHERE name = $1", cn_text(name)));
    *out = cn_rows_count(rows) > 0;
    return CN_OK;
}

static cn_err begin_patiently(cn_conn *c)
{
    uint64_t until = cn_mono_ms() + WAIT_S * 1000;
    for (;;) {
        cn_err e = cn_tx_begin(c);
        if (e != CN_ERR_AGAIN || cn_mono_ms() >= until) return e;
    }
}

static cn_err apply_in_tx(cn_conn *c, const step *s)
{
    bool done = false;
    CN_TRY(is_applied(c, s->name, &done));
    if (done) return CN_OK;
    CN_TRY(cn_db_script(c, s->sql));
    CN_TRY(cn_db_exec(c, NULL, "INSERT INTO schema_migrations (name, sha256, applied_ms) VALUES ($1, $2, $3)",
                      cn_text(s->name), cn_text(s->sha256), cn_int(cn_wall_ms())));
    cn_info(WHERE, "schema step %s", s->name);
    return CN_OK;
}

static cn_err apply(cn_conn *c, const step *s)
{
    CN_TRY(begin_patiently(c));
    cn_err e = apply_in_tx(c, s);
    if (e == CN_OK) return cn_tx_commit(c);
    cn_tx_rollback(c);
    cn_error(WHERE, "schema step %s failed and was undone", s->name);
    return e;
}

static cn_err apply_all(cn_conn *c, const steps *s)
{
    CN_TRY(begin_patiently(c));
    CN_TRY(cn_db_script(c, "CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT NOT NULL PRIMARY KEY, "
                           "sha256 TEXT NOT NULL, applied_ms BIGINT NOT NULL)"));
    CN_TRY(cn_tx_commit(c));
    for (size_t i = 0; i < s->n; i++) CN_TRY(apply(c, &s->step[i]));
    return CN_OK;
}

static cn_err lock_patiently(cn_conn *c)
{
    uint64_t until = cn_mono_ms() + WAIT_S * 1000;
    for (;;) {
        cn_err e = cn_conn_backend(c)->schema_lock(cn_conn_raw(c));
        if (e != CN_ERR_AGAIN || cn_mono_ms() >= until) return e;
        nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
    }
}

static cn_err bring_up(cn_conn *c, const steps *s)
{
    bool known = false;
    size_t applied = 0;
    CN_TRY(has_history(c, &known));
    if (known) CN_TRY(count_applied(c, s, &applied));
    if (known && applied == s->n) return CN_OK;
    CN_TRY(lock_patiently(c));
    cn_err e = apply_all(c, s);
    cn_tx_rollback(c);
    cn_conn_backend(c)->schema_unlock(cn_conn_raw(c));
    return e;
}

cn_err cn_migrations_apply(cn_conn *c, const cn_migration_file *files)
{
    steps *s = CN_NEW(steps);
    if (!s) return CN_ERR_NOMEM;
    cn_err e = steps_collect(s, files, cn_conn_backend(c));
    if (e == CN_OK) e = bring_up(c, s);
    steps_free(s);
    return e;
}
