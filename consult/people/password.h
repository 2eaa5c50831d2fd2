/* Passwords as Argon2id (RFC 9106). */
#ifndef CN_CONSULT_PASSWORD_H
#define CN_CONSULT_PASSWORD_H

#include <stdbool.h>

#include "base/err.h"

#define CN_PASSWORD_HASH 128

/** Encoded form with its own random salt: 19 MiB, 2 passes, 1 lane. */
cn_err cn_password_hash(const char *password, char out[CN_PASSWORD_HASH]);
/** False also for a damaged encoded form. Constant time in the password. */
bool cn_password_verify(const char *encoded, const char *password);

#endif
