#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/vault/master.h"

#define WHERE "storage.vault"
#define KEYS_MAX 256

static cn_err rewrap_one(cn_conn *c, const uint8_t from[32], const uint8_t to[32], const cn_rows *rows)
{
    uint8_t key[32], wrapped[32 + CN_SEAL_OVERHEAD];
    char place[64];
    uint32_t id = (uint32_t)cn_rows_int(rows, 0);
    size_t n = 0, place_n = cn_vault_wrap_place(place, id, cn_rows_text(rows, 1));
    const void *old = cn_rows_blob(rows, 2, &n);
    if (n != sizeof wrapped) return CN_ERR_CORRUPT;
    CN_TRY(cn_unseal(from, place, place_n, old, n, key));
    cn_err e = cn_seal(to, place, place_n, key, sizeof key, wrapped);
    OPENSSL_cleanse(key, sizeof key);
    CN_TRY(e);
    return cn_db_exec(c, NULL, "UPDATE data_keys SET wrapped = $1 WHERE id = $2", cn_blob(wrapped, sizeof wrapped),
                      cn_int(id));
}

static cn_err rewrap_all(cn_conn *c, const uint8_t from[32], const uint8_t to[32])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_tx_begin(c));
    cn_err e = cn_db_query(c, &rows, "SELECT id, purpose, wrapped FROM data_keys ORDER BY id");
    while (e == CN_OK && cn_rows_next(rows)) e = rewrap_one(c, from, to, rows);
    if (e == CN_OK) return cn_tx_commit(c);
    cn_tx_rollback(c);
    return e;
}

/* Whether the data keys open with this master key; a database without keys opens with any. */
static cn_err opens_with(cn_conn *c, const uint8_t master[32], bool *out)
{
    uint8_t key[32];
    char place[64];
    size_t n = 0;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(c, &rows, "SELECT id, purpose, wrapped FROM data_keys ORDER BY id LIMIT 1"));
    *out = true;
    if (!cn_rows_next(rows)) return CN_OK;
    size_t place_n = cn_vault_wrap_place(place, (uint32_t)cn_rows_int(rows, 0), cn_rows_text(rows, 1));
    const void *wrapped = cn_rows_blob(rows, 2, &n);
    *out = n == sizeof key + CN_SEAL_OVERHEAD && cn_unseal(master, place, place_n, wrapped, n, key) == CN_OK;
    OPENSSL_cleanse(key, sizeof key);
    return CN_OK;
}

/* An interrupted rotation left PATH.new: either the database is under it already, or it was never used. */
static cn_err finish_begun(cn_conn *c, const char *next, bool *done)
{
    uint8_t key[32];
    *done = false;
    if (access(next, F_OK) < 0) return CN_OK;
    cn_err e = cn_master_key_read(next, key);
    if (e == CN_OK)
        e = opens_with(c, key, done);
    else if (e == CN_ERR_PARSE)
        e = CN_OK; /* torn while it was written: never used */
    OPENSSL_cleanse(key, sizeof key);
    if (e == CN_OK && !*done && unlink(next) < 0) e = cn_err_from_errno(errno);
    return e;
}

static cn_err rotate(cn_conn *c, const char *path, const char *next)
{
    uint8_t from[32], to[32];
    CN_TRY(cn_master_key_read(path, from));
    cn_err e = cn_master_key_create(next);
    if (e == CN_OK) e = cn_master_key_read(next, to);
    if (e == CN_OK) e = rewrap_all(c, from, to);
    OPENSSL_cleanse(from, sizeof from);
    OPENSSL_cleanse(to, sizeof to);
    return e;
}

cn_err cn_master_key_rotate(cn_db *db, const char *path)
{
    CN_AUTO_CONN cn_conn *c = NULL;
    char next[PATH_MAX];
    bool done = false;
    if (!cn_fmt(next, sizeof next, "%s.new", path)) return CN_ERR_INVALID;
    CN_TRY(cn_conn_acquire(db, &c));
    CN_TRY(finish_begun(c, next, &done));
    /* PATH.new stays after an error: a commit without an answer may have happened, and the next call finds out */
    if (!done) CN_TRY(rotate(c, path, next));
    if (rename(next, path) < 0) return cn_err_from_errno(errno);
    CN_TRY(cn_fsync_parent(path));
    cn_info(WHERE, "the master key was exchanged%s", done ? " (an interrupted exchange was finished)" : "");
    return CN_OK;
}

static cn_err add_in_tx(cn_conn *c, const uint8_t master[32])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    bool ours = false;
    CN_TRY(cn_db_query(c, &rows, "SELECT MAX(id), COUNT(*) FROM data_keys"));
    if (!cn_rows_next(rows) || cn_rows_int(rows, 1) == 0) return CN_ERR_STATE;
    if (cn_rows_int(rows, 1) >= KEYS_MAX) return CN_ERR_FULL;
    CN_TRY(opens_with(c, master, &ours));
    if (!ours) return CN_ERR_CRYPTO;
    return cn_vault_key_insert(c, master, (uint32_t)cn_rows_int(rows, 0) + 1, "seal");
}

cn_err cn_vault_add_key(cn_db *db, const char *master_key_path)
{
    CN_AUTO_CONN cn_conn *c = NULL;
    uint8_t master[32];
    CN_TRY(cn_conn_acquire(db, &c));
    CN_TRY(cn_master_key_read(master_key_path, master));
    cn_err e = cn_tx_begin(c);
    if (e == CN_OK) {
        e = add_in_tx(c, master);
        if (e == CN_OK)
            e = cn_tx_commit(c);
        else
            cn_tx_rollback(c);
    }
    OPENSSL_cleanse(master, sizeof master);
    return e;
}
