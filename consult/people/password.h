/* Passwords: what they must be, and their stored form, Argon2id (RFC 9106). */
#ifndef CN_CONSULT_PASSWORD_H
#define CN_CONSULT_PASSWORD_H

#include <stdbool.h>

#include "base/err.h"

#define CN_PASSWORD_HASH 128

/** At least 10 characters with a digit, a letter and a symbol, without the username (MLPS 1.7). */
cn_err cn_password_check(const char *username, const char *password, cn_problem *problem);
/** A random one of 14 characters that passes the check, without look-alikes. */
void cn_password_generate(char out[16]);

/** Encoded form with its own random salt: 19 MiB, 2 passes, 1 lane. */
cn_err cn_password_hash(const char *password, char out[CN_PASSWORD_HASH]);
/** False also for a damaged encoded form. Constant time in the password. */
bool cn_password_verify(const char *encoded, const char *password);

#endif
