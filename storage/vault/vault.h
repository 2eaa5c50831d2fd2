/*
 * Sealed columns: AES-256-GCM under a data key, which is wrapped by the master key that lives outside the data.
 * Every sealed value names its data key (4 bytes big-endian key number, then cn_seal's bytes).
 * The vault is read-only after opening and may be used from any thread.
 */
#ifndef CN_STORAGE_VAULT_H
#define CN_STORAGE_VAULT_H

#include "base/str.h"
#include "storage/db/db.h"

typedef struct cn_vault cn_vault;

/**
 * A new master key in place of the one at `path`: every data key is wrapped anew, then the file is exchanged (the new
 * key lies at PATH.new meanwhile). After an interruption the same call finishes what was begun. Running servers keep
 * working: they have the data keys already. Connection strings sealed under the old key must be sealed again.
 */
cn_err cn_master_key_rotate(cn_db *db, const char *path);
/** A new data key, which seals from the next cn_vault_open on; older values name their key and stay readable.
 * CN_ERR_FULL at 256 keys. */
cn_err cn_vault_add_key(cn_db *db, const char *master_key_path);

/** Reads the master key (refuses a file that group or others can read), unwraps the data keys, makes the first one when
 * the database has none. */
cn_err cn_vault_open(cn_vault **out, cn_db *db, const char *master_key_path);
/** Wipes the keys. NULL allowed. */
void cn_vault_close(cn_vault *vault);

/** Seals UTF-8 text; `place` is "table.column:rowid" and must be the same when opening. Caller frees *out. NULL text
 * gives NULL and 0. */
cn_err cn_vault_seal(const cn_vault *vault, const char *place, const char *text, void **out, size_t *length);
/** Opens into a zero-terminated string that the caller frees. NULL in gives NULL out. CN_ERR_CRYPTO when it was moved
 * or changed. */
cn_err cn_vault_open_text(const cn_vault *vault, const char *place, const void *sealed, size_t len, char **out);

/**
 * Keyed index for search (HMAC-SHA-256 under a key of its own, first 16 bytes as hex): equal words give equal tokens.
 * `out` needs 33 bytes. `domain` keeps columns apart ("patient.name"). The word is normalised first: blanks removed,
 * ASCII letters in lower case, full-width forms as ASCII.
 */
void cn_vault_token(const cn_vault *vault, const char *domain, const char *word, char out[33]);

/** The tokens of a name: the whole (normalised), each character, each two neighbouring characters (of the first 64).
 * Calls `each` for every distinct one. */
void cn_vault_name_tokens(const cn_vault *vault, const char *domain, const char *name,
                          void (*each)(void *arg, const char *token), void *arg);

/**
 * The tokens that a name must all have to match what was typed: the character, or every two neighbouring ones. Calls
 * `each` for every distinct one, at least once unless `typed` is blank. A match may hold the pairs in another place:
 * compare the opened names afterwards.
 */
void cn_vault_search_tokens(const cn_vault *vault, const char *domain, const char *typed,
                            void (*each)(void *arg, const char *token), void *arg);

/** HMAC key of the append-only chains (chain.h); borrowed, 32 bytes. */
const uint8_t *cn_vault_chain_key(const cn_vault *vault);

#endif
