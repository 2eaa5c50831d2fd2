#include "storage/vault/vault.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "storage/vault/master.h"

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

cn_err cn_vault_key_insert(cn_conn *c, const uint8_t master[32], uint32_t id, const char *purpose)
{
    uint8_t key[32], wrapped[32 + CN_SEAL_OVERHEAD];
    char place[64];
    cn_random(key, sizeof key);
    cn_err e = cn_seal(master, place, cn_vault_wrap_place(place, id, purpose), key, sizeof key, wrapped);
    OPENSSL_cleanse(key, sizeof key);
    CN_TRY(e);
    return cn_db_exec(c, NULL, "INSERT INTO data_keys (id, purpose, wrapped, created_ms) VALUES ($1, $2, $3, $4)",
                      cn_int(id), cn_text(purpose), cn_blob(wrapped, sizeof wrapped), cn_int(cn_wall_ms()));
}

static cn_err keys_make_in_tx(cn_conn *c, const uint8_t master[32])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(c, &rows, "SELECT id FROM data_keys LIMIT 1"));
    if (cn_rows_count(rows) > 0) return CN_OK;
    CN_TRY(cn_vault_key_insert(c, master, 1, "chain"));
    CN_TRY(cn_vault_key_insert(c, master, 2, "index"));
    return cn_vault_key_insert(c, master, 3, "seal");
}

/* Another node may do the same at this moment: whoever comes second meets a conflict and uses the first one's keys. */
static cn_err keys_make(cn_conn *c, const uint8_t master[32])
{
    CN_TRY(cn_tx_begin(c));
    cn_err e = keys_make_in_tx(c, master);
    if (e == CN_OK)
        e = cn_tx_commit(c);
    else
        cn_tx_rollback(c);
    return e == CN_ERR_CONFLICT ? CN_OK : e;
}

static uint8_t *key_slot(cn_vault *v, uint32_t id, const char *purpose)
{
    if (strcmp(purpose, "chain") == 0) {
        v->has_chain = true;
        return v->chain;
    }
    if (strcmp(purpose, "index") == 0) {
        v->has_index = true;
        return v->index;
    }
    if (strcmp(purpose, "seal") != 0 || v->n == KEYS_MAX) return NULL;
    v->seal[v->n].id = id;
    return v->seal[v->n++].key;
}

static cn_err key_unwrap(cn_vault *v, const uint8_t master[32], const cn_rows *rows)
{
    char place[64];
    uint32_t id = (uint32_t)cn_rows_int(rows, 0);
    const char *purpose = cn_rows_text(rows, 1);
    size_t n = 0;
    const void *wrapped = cn_rows_blob(rows, 2, &n);
    uint8_t *to = key_slot(v, id, purpose);
    if (!to || n != 32 + CN_SEAL_OVERHEAD) return CN_ERR_CORRUPT;
    cn_err e = cn_unseal(master, place, cn_vault_wrap_place(place, id, purpose), wrapped, n, to);
    if (e == CN_ERR_CRYPTO)
        cn_error(WHERE, "data key %u does not open: this is not the master key of this database", id);
    return e;
}

static cn_err keys_load(cn_vault *v, cn_conn *c, const uint8_t master[32])
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(c, &rows, "SELECT id, purpose, wrapped FROM data_keys ORDER BY id"));
    while (cn_rows_next(rows)) CN_TRY(key_unwrap(v, master, rows));
    return v->n && v->has_index && v->has_chain ? CN_OK : CN_ERR_NOTFOUND;
}

static cn_err keys_load_or_make(cn_vault *v, cn_db *db, const uint8_t master[32])
{
    CN_AUTO_CONN cn_conn *c = NULL;
    CN_TRY(cn_conn_acquire(db, &c));
    CN_TRY(keys_make(c, master));
    cn_err e = keys_load(v, c, master);
    return e == CN_ERR_NOTFOUND ? CN_ERR_CORRUPT : e;
}

cn_err cn_vault_open(cn_vault **out, cn_db *db, const char *master_key_path)
{
    uint8_t master[32];
    CN_TRY(cn_master_key_read(master_key_path, master));
    cn_vault *v = CN_NEW(cn_vault);
    cn_err e = v ? keys_load_or_make(v, db, master) : CN_ERR_NOMEM;
    OPENSSL_cleanse(master, sizeof master);
    if (e != CN_OK) {
        cn_vault_close(v);
        return e;
    }
    *out = v;
    return CN_OK;
}

void cn_vault_close(cn_vault *v)
{
    if (v) cn_free_secret(v, sizeof *v);
}

static void put_number(uint8_t out[NUMBER_LEN], uint32_t id)
{
    for (int i = 0; i < NUMBER_LEN; i++) out[i] = (uint8_t)(id >> (24 - 8 * i));
}

static const data_key *key_numbered(const cn_vault *v, const uint8_t number[NUMBER_LEN])
{
    uint32_t id = 0;
    for (int i = 0; i < NUMBER_LEN; i++) id = id << 8 | number[i];
    for (size_t i = 0; i < v->n; i++)
        if (v->seal[i].id == id) return &v->seal[i];
    return NULL;
}

cn_err cn_vault_seal(const cn_vault *v, const char *place, const char *text, void **out, size_t *n)
{
    *out = NULL;
    *n = 0;
    if (!text) return CN_OK;
    size_t len = strlen(text);
    if (len > TEXT_MAX) return CN_ERR_TOOBIG;
    const data_key *k = &v->seal[v->n - 1];
    uint8_t *sealed = cn_calloc(1, NUMBER_LEN + len + CN_SEAL_OVERHEAD);
    if (!sealed) return CN_ERR_NOMEM;
    put_number(sealed, k->id);
    cn_err e = cn_seal(k->key, place, strlen(place), text, len, sealed + NUMBER_LEN);
    if (e != CN_OK) {
        free(sealed);
        return e;
    }
    *out = sealed;
    *n = NUMBER_LEN + len + CN_SEAL_OVERHEAD;
    return CN_OK;
}

cn_err cn_vault_open_text(const cn_vault *v, const char *place, const void *sealed, size_t n, char **out)
{
    *out = NULL;
    if (!sealed) return CN_OK;
    if (n < NUMBER_LEN + CN_SEAL_OVERHEAD) return CN_ERR_CRYPTO;
    const data_key *k = key_numbered(v, sealed);
    if (!k) return CN_ERR_CRYPTO;
    char *text = cn_calloc(1, n - NUMBER_LEN - CN_SEAL_OVERHEAD + 1);
    if (!text) return CN_ERR_NOMEM;
    cn_err e =
        cn_unseal(k->key, place, strlen(place), (const uint8_t *)sealed + NUMBER_LEN, n - NUMBER_LEN, (uint8_t *)text);
    if (e != CN_OK) {
        free(text);
        return e;
    }
    *out = text;
    return CN_OK;
}

const uint8_t *cn_vault_chain_key(const cn_vault *v)
{
    return v->chain;
}
const uint8_t *cn_vault_index_key(const cn_vault *v)
{
    return v->index;
}
