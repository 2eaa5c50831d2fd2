/* Error codes of the whole program. One table makes the enum, the names and the texts; codes are never OR-ed together.
 */
#ifndef CN_BASE_ERR_H
#define CN_BASE_ERR_H

#include <stddef.h>

/* name, text in plain English */
#define CN_ERR_TABLE(X)                                \
    X(OK, "no error")                                  \
    X(NOMEM, "out of memory")                          \
    X(INVALID, "a value is not acceptable")            \
    X(PARSE, "the input is malformed")                 \
    X(NOTFOUND, "not found")                           \
    X(FORBIDDEN, "not permitted")                      \
    X(UNAUTH, "not logged in")                         \
    X(CONFLICT, "conflicts with the present state")    \
    X(STATE, "not possible in this state")             \
    X(FULL, "a limit is reached")                      \
    X(TOOBIG, "too large")                             \
    X(RATE, "too many attempts")                       \
    X(UNSUPPORTED, "not supported")                    \
    X(TIMEOUT, "took too long")                        \
    X(AGAIN, "not ready yet")                          \
    X(CLOSED, "closed")                                \
    X(NOSPACE, "the disk is full")                     \
    X(IO, "input/output error")                        \
    X(DB, "the database cannot be reached or refused") \
    X(CRYPTO, "a cryptographic check failed")          \
    X(CORRUPT, "stored data is damaged")               \
    X(CRASHED, "a helper process ended unexpectedly")

typedef enum cn_err {
#define X(name, text) CN_ERR_##name,
    CN_ERR_TABLE(X)
#undef X
        CN_ERR_COUNT
} cn_err;

#define CN_OK CN_ERR_OK

/** Name of a code without its prefix, err.g. "NOTFOUND"; "?" for a number outside the table. */
const char *cn_err_name(cn_err err);

/** Plain English text of a code. */
const char *cn_err_text(cn_err err);

/** Maps an errno value (ENOSPC, ENOENT, EACCES, ENOMEM, EAGAIN…) to a code; CN_ERR_IO where nothing fits. */
cn_err cn_err_from_errno(int err);

/** What is wrong with which field: the material of an RFC 9457 problem document. Texts never carry patients' data. */
typedef struct cn_problem {
    cn_err err;
    char field[64];   /* JSON path of the field, "" where the whole input is meant */
    char detail[224]; /* one plain English sentence */
} cn_problem;

/** Fills `problem` (NULL allowed) and returns `err`, so that a check reads `return cn_problem_set(problem, CN_ERR_INVALID,
 * "age", "…")`. */
cn_err cn_problem_set(cn_problem *problem, cn_err err, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** Returns early when an expression yields an error. */
#define CN_TRY(expr)                                  \
    do {                                              \
        cn_err cn_try_err_ = (expr);                  \
        if (cn_try_err_ != CN_OK) return cn_try_err_; \
    } while (0)

#endif
