/*
 * Who may try a password: failures are counted before the password is looked at, so that many tries at once are not many
 * more, by name and address together, by name from everywhere, and by address. Names that nobody has count like others.
 * Blocking: job threads only.
 */
#ifndef CN_CONSULT_ATTEMPTS_H
#define CN_CONSULT_ATTEMPTS_H

#include "consult/consult.h"

#define CN_ATTEMPTS 5          /* wrong passwords of a name from an address, then it is locked for CN_LOGIN_LOCK_MS */
#define CN_ATTEMPTS_ALL 50     /* of a name from all addresses together */
#define CN_ATTEMPTS_ADDRESS 30 /* a minute from an address, whatever the names */

typedef struct cn_attempt {
    char token[33];   /* of the name */
    char address[48]; /* its neighbour (base/address.h) */
    int64_t failures; /* of the name from the address, this one counted as one */
    int64_t left_ms;  /* CN_ERR_RATE: how long it is locked yet; 0: it is the address that tries too much */
} cn_attempt;

/** A try for a name; `user` its account or "". CN_ERR_RATE: none is left, and the password must not be looked at. */
cn_err cn_attempt_begin(cn_attempt *attempt, cn_consult *consult, const char *name, const char *user,
                        const char *address);
/** Every attempt that began ends: the failures of this name from this address and of the address stay counted unless it
 * was right. `conn`: inside a transaction of the caller, only for one that was right. */
void cn_attempt_failed(const cn_attempt *attempt);
cn_err cn_attempt_right(const cn_attempt *attempt, cn_conn *conn);
/** What is counted for an account is forgotten. */
cn_err cn_attempts_forget(cn_conn *conn, const char *user);

/** The bound by address alone, for what asks a password of somebody who is logged in. False: too many. One that may
 * begin ends with whether it failed. */
bool cn_address_may_try(const char *address);
void cn_address_tried(const char *address, bool failed);

#endif
