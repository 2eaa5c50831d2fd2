/*
 * Sealed columns: AES-256-GCM under a data key, which is wrapped by the master key that lives outside the data.
 * Every sealed value names its data key (4 bytes big-endian key number, then cn_seal's bytes).
 * The vault is read-only after opening and may be used from any thread.
 */
#ifndef CN_STORAGE_VAULT_H
#define CN_STORAGE_VAULT_H

#include "base/str.h"
#include "storage/db.h"

typedef struct cn_vault cn_vault;

/** Creates a new master key file (0400, 32 random bytes in hex); CN_ERR_CONFLICT when it exists. */
cn_err cn_master_key_create(const char *path);

/** Reads the master key (refuses a file that group or others can read), unwraps the data keys, makes the first one when the database has none. */
cn_err cn_vault_open(cn_vault **out, cn_db *db, const char *master_key_path);
/** Wipes the keys. NULL allowed. */
void cn_vault_close(cn_vault *v);

/** Seals UTF-8 text; `place` is "table.column:rowid" and must be the same when opening. Caller frees *out. NULL text gives NULL and 0. */
cn_err cn_vault_seal(const cn_vault *v, const char *place, const char *text, void **out, size_t *n);
/** Opens into a zero-terminated string that the caller frees. NULL in gives NULL out. CN_ERR_CRYPTO when it was moved or changed. */
cn_err cn_vault_open_text(const cn_vault *v, const char *place, const void *sealed, size_t n, char **out);

/**
 * Keyed index for search (HMAC-SHA-256 under a key of its own, first 16 bytes as hex): equal words give equal tokens.
 * `out` needs 33 bytes. `domain` keeps columns apart ("patient.name").
 */
void cn_vault_token(const cn_vault *v, const char *domain, const char *word, char out[33]);

/** The tokens of a name: the whole (normalised: blanks removed, lower case), each character, each two neighbouring characters. Calls `each` for every distinct one. */
void cn_vault_name_tokens(const cn_vault *v, const char *domain, const char *name, void (*each)(void *arg, const char *token), void *arg);

/** HMAC key of the append-only chains (chain.h); borrowed, 32 bytes. */
const uint8_t *cn_vault_chain_key(const cn_vault *v);

#endif
