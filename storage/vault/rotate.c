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
#include "storage/vault/vault_private.h"

#define WHERE "storage.vault"
#define KEYS_MAX 256

static cn_err rewrap_one(cn_conn *conn, const uint8_t from[32], const uint8_t to[32], const cn_rows *rows)
{
    uint8_t key[32], wrapped[32 + CN_SEAL_OVERHEAD];
    char place[64];
    uint32_t id = (uint32_t)cn_rows_int(rows, 0);
    size_t n = 0, place_n = cn_vault_wrap_place(place, id, cn_rows_text(rows, 1));
    const void *old = cn_rows_blob(rows, 2, &n);
    if (n != sizeof wrapped) return CN_ERR_CORRUPT;
    CN_TRY(cn_unseal(from, place, place_n, old, n, key));
    cn_err err = cn_seal(to, place, place_n, key, sizeof key, wrapped);
    OPENSSL_cleanse(key, sizeof key);
    CN_TRY(err);
    return cn_db_exec(conn, NULL, "UPDATE data_keys SET wrapped = $1 WHERE id = $2", cn_blob(wrapped, sizeof wrapped),
                      cn_int(id));
}

static cn_err rewrap_all(cn_conn *conn, const uint8_t from[32], const uint8_t to[32])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_tx_begin(conn));
    cn_err err = cn_db_query(conn, &rows, "SELECT id, purpose, wrapped FROM data_keys ORDER BY id");
    while (err == CN_OK && cn_rows_next(rows)) err = rewrap_one(conn, from, to, rows);
    if (err == CN_OK) return cn_tx_commit(conn);
    cn_tx_rollback(conn);
    return err;
}

/* Whether the data keys open with this master key; a database without keys opens with any. */
static cn_err opens_with(cn_conn *conn, const uint8_t master[32], bool *out)
{
    uint8_t key[32];
    char place[64];
    size_t n = 0;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT id, purpose, wrapped FROM data_keys ORDER BY id LIMIT 1"));
    *out = true;
    if (!cn_rows_next(rows)) return CN_OK;
    size_t place_n = cn_vault_wrap_place(place, (uint32_t)cn_rows_int(rows, 0), cn_rows_text(rows, 1));
    const void *wrapped = cn_rows_blob(rows, 2, &n);
    *out = n == sizeof key + CN_SEAL_OVERHEAD && cn_unseal(master, place, place_n, wrapped, n, key) == CN_OK;
    OPENSSL_cleanse(key, sizeof key);
    return CN_OK;
}

/* An interrupted rotation left PATH.new: either the database is under it already, or it was never used. */
static cn_err finish_begun(cn_conn *conn, const char *next, bool *done)
{
    uint8_t key[32];
    *done = false;
    if (access(next, F_OK) < 0) return CN_OK;
    cn_err err = cn_master_key_read(next, key);
    if (err == CN_OK)
        err = opens_with(conn, key, done);
    else if (err == CN_ERR_PARSE)
        err = CN_OK; /* torn while it was written: never used */
    OPENSSL_cleanse(key, sizeof key);
    if (err == CN_OK && !*done && unlink(next) < 0) err = cn_err_from_errno(errno);
    return err;
}

static cn_err rotate(cn_conn *conn, const char *path, const char *next)
{
    uint8_t from[32], to[32];
    CN_TRY(cn_master_key_read(path, from));
    cn_err err = cn_master_key_create(next);
    if (err == CN_OK) err = cn_master_key_read(next, to);
    if (err == CN_OK) err = rewrap_all(conn, from, to);
    OPENSSL_cleanse(from, sizeof from);
    OPENSSL_cleanse(to, sizeof to);
    return err;
}

cn_err cn_master_key_rotate(cn_db *db, const char *path)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    char next[PATH_MAX];
    bool done = false;
    if (!cn_fmt(next, sizeof next, "%s.new", path)) return CN_ERR_INVALID;
    CN_TRY(cn_conn_acquire(db, &conn));
    CN_TRY(finish_begun(conn, next, &done));
    /* PATH.new stays after an error: a commit without an answer may have happened, and the next call finds out */
    if (!done) CN_TRY(rotate(conn, path, next));
    if (rename(next, path) < 0) return cn_err_from_errno(errno);
    CN_TRY(cn_fsync_parent(path));
    cn_info(WHERE, "the master key was exchanged%s", done ? " (an interrupted exchange was finished)" : "");
    return CN_OK;
}

static cn_err add_in_tx(cn_conn *conn, const uint8_t master[32])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    bool ours = false;
    CN_TRY(cn_db_query(conn, &rows, "SELECT MAX(id), COUNT(*) FROM data_keys"));
    if (!cn_rows_next(rows) || cn_rows_int(rows, 1) == 0) return CN_ERR_STATE;
    if (cn_rows_int(rows, 1) >= KEYS_MAX) return CN_ERR_FULL;
    CN_TRY(opens_with(conn, master, &ours));
    if (!ours) return CN_ERR_CRYPTO;
    return cn_vault_key_insert(conn, master, (uint32_t)cn_rows_int(rows, 0) + 1, "seal");
}

cn_err cn_vault_add_key(cn_db *db, const char *master_key_path)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    uint8_t master[32];
    CN_TRY(cn_conn_acquire(db, &conn));
    CN_TRY(cn_master_key_read(master_key_path, master));
    cn_err err = cn_tx_begin(conn);
    if (err == CN_OK) {
        err = add_in_tx(conn, master);
        if (err == CN_OK)
            err = cn_tx_commit(conn);
        else
            cn_tx_rollback(conn);
    }
    OPENSSL_cleanse(master, sizeof master);
    return err;
}
