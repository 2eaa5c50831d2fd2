/* The master key's file, and what is sealed under the key itself. */
#ifndef CN_STORAGE_VAULT_MASTER_H
#define CN_STORAGE_VAULT_MASTER_H

#include <stdint.h>

#include "base/err.h"

/** Creates a new master key file (0400, 32 random bytes in hex); CN_ERR_CONFLICT when it exists. */
cn_err cn_master_key_create(const char *path);

/**
 * The database's connection string for the configuration file: "sealed:…" under the master key. Caller frees *out.
 * Opening copies whatever is not sealed. CN_ERR_CRYPTO when it was sealed under another key.
 */
cn_err cn_master_key_seal_url(const char *path, const char *url, char **out);
cn_err cn_master_key_open_url(const char *path, const char *url, char **out);

/** Reads the 32 bytes; the caller wipes them. CN_ERR_FORBIDDEN when group or others may read the file, CN_ERR_PARSE for
 * other contents. */
cn_err cn_master_key_read(const char *path, uint8_t out[32]);

#endif
