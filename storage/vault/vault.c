#include "storage/vault/vault.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/vault/master.h"
#include "storage/vault/vault_private.h"

#define WHERE "storage.vault"
#define KEYS_MAX 256
#define NUMBER_LEN 4
#define TEXT_MAX ((size_t)16 << 20)

typedef struct data_key {
    uint32_t id;
    uint8_t key[32];
} data_key;

struct cn_vault {
    size_t n;
    data_key seal[KEYS_MAX]; /* by id; the last one seals */
    uint8_t index[32];
    uint8_t chain[32];
    bool has_index;
    bool has_chain;
};

/* The wrapped key is bound to its number and purpose: rows of data_keys cannot be exchanged. */
size_t cn_vault_wrap_place(char out[64], uint32_t id, const char *purpose)
{
    return (size_t)snprintf(out, 64, "data_keys.wrapped:%u:%s", id, purpose);
}

cn_err cn_vault_key_insert(cn_conn *conn, const uint8_t master[32], uint32_t id, const char *purpose)
{
    uint8_t key[32], wrapped[32 + CN_SEAL_OVERHEAD];
    char place[64];
    cn_random(key, sizeof key);
    cn_err err = cn_seal(master, place, cn_vault_wrap_place(place, id, purpose), key, sizeof key, wrapped);
    OPENSSL_cleanse(key, sizeof key);
    CN_TRY(err);
    return cn_db_exec(conn, NULL, "INSERT INTO data_keys (id, purpose, wrapped, created_ms) VALUES ($1, $2, $3, $4)",
                      cn_int(id), cn_text(purpose), cn_blob(wrapped, sizeof wrapped), cn_int(cn_wall_ms()));
}

static cn_err keys_make_in_tx(cn_conn *conn, const uint8_t master[32])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT id FROM data_keys LIMIT 1"));
    if (cn_rows_count(rows) > 0) return CN_OK;
    CN_TRY(cn_vault_key_insert(conn, master, 1, "chain"));
    CN_TRY(cn_vault_key_insert(conn, master, 2, "index"));
    return cn_vault_key_insert(conn, master, 3, "seal");
}

/* Another node may do the same at this moment: whoever comes second meets a conflict and uses the first one's keys. */
static cn_err keys_make(cn_conn *conn, const uint8_t master[32])
{
    CN_TRY(cn_tx_begin(conn));
    cn_err err = keys_make_in_tx(conn, master);
    if (err == CN_OK)
        err = cn_tx_commit(conn);
    else
        cn_tx_rollback(conn);
    return err == CN_ERR_CONFLICT ? CN_OK : err;
}

static uint8_t *key_slot(cn_vault *vault, uint32_t id, const char *purpose)
{
    if (strcmp(purpose, "chain") == 0) {
        vault->has_chain = true;
        return vault->chain;
    }
    if (strcmp(purpose, "index") == 0) {
        vault->has_index = true;
        return vault->index;
    }
    if (strcmp(purpose, "seal") != 0 || vault->n == KEYS_MAX) return NULL;
    vault->seal[vault->n].id = id;
    return vault->seal[vault->n++].key;
}

static cn_err key_unwrap(cn_vault *vault, const uint8_t master[32], const cn_rows *rows)
{
    char place[64];
    uint32_t id = (uint32_t)cn_rows_int(rows, 0);
    const char *purpose = cn_rows_text(rows, 1);
    size_t n = 0;
    const void *wrapped = cn_rows_blob(rows, 2, &n);
    uint8_t *to = key_slot(vault, id, purpose);
    if (!to || n != 32 + CN_SEAL_OVERHEAD) return CN_ERR_CORRUPT;
    cn_err err = cn_unseal(master, place, cn_vault_wrap_place(place, id, purpose), wrapped, n, to);
    if (err == CN_ERR_CRYPTO)
        cn_error(WHERE, "data key %u does not open: this is not the master key of this database", id);
    return err;
}

static cn_err keys_load(cn_vault *vault, cn_conn *conn, const uint8_t master[32])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT id, purpose, wrapped FROM data_keys ORDER BY id"));
    while (cn_rows_next(rows)) CN_TRY(key_unwrap(vault, master, rows));
    return vault->n && vault->has_index && vault->has_chain ? CN_OK : CN_ERR_NOTFOUND;
}

static cn_err keys_load_or_make(cn_vault *vault, cn_db *db, const uint8_t master[32])
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(db, &conn));
    CN_TRY(keys_make(conn, master));
    cn_err err = keys_load(vault, conn, master);
    return err == CN_ERR_NOTFOUND ? CN_ERR_CORRUPT : err;
}

cn_err cn_vault_open(cn_vault **out, cn_db *db, const char *master_key_path)
{
    uint8_t master[32];
    CN_TRY(cn_master_key_read(master_key_path, master));
    cn_vault *vault = CN_NEW(cn_vault);
    cn_err err = vault ? keys_load_or_make(vault, db, master) : CN_ERR_NOMEM;
    OPENSSL_cleanse(master, sizeof master);
    if (err != CN_OK) {
        cn_vault_close(vault);
        return err;
    }
    *out = vault;
    return CN_OK;
}

void cn_vault_close(cn_vault *vault)
{
    if (vault) cn_free_secret(vault, sizeof *vault);
}

static void put_number(uint8_t out[NUMBER_LEN], uint32_t id)
{
    for (int i = 0; i < NUMBER_LEN; i++) out[i] = (uint8_t)(id >> (24 - 8 * i));
}

static const data_key *key_numbered(const cn_vault *vault, const uint8_t number[NUMBER_LEN])
{
    uint32_t id = 0;
    for (int i = 0; i < NUMBER_LEN; i++) id = id << 8 | number[i];
    for (size_t i = 0; i < vault->n; i++)
        if (vault->seal[i].id == id) return &vault->seal[i];
    return NULL;
}

cn_err cn_vault_seal(const cn_vault *vault, const char *place, const char *text, void **out, size_t *length)
{
    *out = NULL;
    *length = 0;
    if (!text) return CN_OK;
    size_t len = strlen(text);
    if (len > TEXT_MAX) return CN_ERR_TOOBIG;
    const data_key *key = &vault->seal[vault->n - 1];
    uint8_t *sealed = cn_calloc(1, NUMBER_LEN + len + CN_SEAL_OVERHEAD);
    if (!sealed) return CN_ERR_NOMEM;
    put_number(sealed, key->id);
    cn_err err = cn_seal(key->key, place, strlen(place), text, len, sealed + NUMBER_LEN);
    if (err != CN_OK) {
        free(sealed);
        return err;
    }
    *out = sealed;
    *length = NUMBER_LEN + len + CN_SEAL_OVERHEAD;
    return CN_OK;
}

cn_err cn_vault_open_text(const cn_vault *vault, const char *place, const void *sealed, size_t len, char **out)
{
    *out = NULL;
    if (!sealed) return CN_OK;
    if (len < NUMBER_LEN + CN_SEAL_OVERHEAD) return CN_ERR_CRYPTO;
    const data_key *key = key_numbered(vault, sealed);
    if (!key) return CN_ERR_CRYPTO;
    char *text = cn_calloc(1, len - NUMBER_LEN - CN_SEAL_OVERHEAD + 1);
    if (!text) return CN_ERR_NOMEM;
    cn_err err = cn_unseal(key->key, place, strlen(place), (const uint8_t *)sealed + NUMBER_LEN, len - NUMBER_LEN,
                           (uint8_t *)text);
    if (err != CN_OK) {
        free(text);
        return err;
    }
    *out = text;
    return CN_OK;
}

const uint8_t *cn_vault_chain_key(const cn_vault *vault)
{
    return vault->chain;
}
const uint8_t *cn_vault_index_key(const cn_vault *vault)
{
    return vault->index;
}
