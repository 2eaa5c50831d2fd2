/* What vault.c, rotate.c and tokens.c share. */
#ifndef CN_STORAGE_VAULT_PRIVATE_H
#define CN_STORAGE_VAULT_PRIVATE_H

#include "storage/vault/vault.h"

/** HMAC key of the search tokens; borrowed, 32 bytes. */
const uint8_t *cn_vault_index_key(const cn_vault *vault);

/** Additional data that binds a wrapped key to its number and purpose; gives its length. */
size_t cn_vault_wrap_place(char out[64], uint32_t id, const char *purpose);
/** A new random data key, wrapped, in the caller's transaction. */
cn_err cn_vault_key_insert(cn_conn *conn, const uint8_t master[32], uint32_t id, const char *purpose);

#endif
