/* Private to consult/accounts*.c. */
#ifndef CN_CONSULT_ACCOUNTS_PRIVATE_H
#define CN_CONSULT_ACCOUNTS_PRIVATE_H

#include "consult/accounts.h"

/** Argon2id, encoded text; caller frees. */
cn_err cn_password_hash(const char *password, char **out);
/** Takes as long for a NULL hash as for a wrong password. */
bool cn_password_verify(const char *encoded, const char *password);

/** Hex SHA-256 of a token. */
void cn_token_hash(const char *token, char out[65]);

/* Failures in memory: per address, and per name that does not exist (so that it locks like one that does). */
typedef struct cn_failures cn_failures;
cn_err cn_failures_new(cn_failures **out);
void cn_failures_free(cn_failures *f);
/** True while `key` has had `limit` failures within the last window. */
bool cn_failures_over(cn_failures *f, const char *key, int64_t now_ms, unsigned limit, int64_t window_ms);
void cn_failures_add(cn_failures *f, const char *key, int64_t now_ms);
void cn_failures_clear(cn_failures *f, const char *key);

#endif
