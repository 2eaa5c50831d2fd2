/* Error codes of the whole program. One table makes the enum, the names and the texts; codes are never OR-ed together.
 */
#ifndef CN_BASE_ERR_H
#define CN_BASE_ERR_H

#include <stddef.h>
#include <stdint.h>

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

/*
 * What is wrong, in one word for programs: pages make a sentence of it in their own language. name, the word as it goes
 * out, names of the numbers that belong to it ("" where there is none)
 */
#define CN_WRONG_TABLE(X)                                                         \
    X(NONE, "", "", "")                                                           \
    X(MISSING, "missing", "", "")             /* must be there */                 \
    X(TYPE, "type", "", "")                   /* another kind of JSON value */    \
    X(SHORT, "too_short", "min", "max")       /* in characters */                 \
    X(LONG, "too_long", "min", "max")         /* in characters */                 \
    X(RANGE, "range", "min", "max")           /* a whole number */                \
    X(MANY, "too_many", "min", "max")         /* entries of a list */             \
    X(FORMAT, "format", "", "")               /* not written as it must be */     \
    X(UNKNOWN, "unknown", "", "")             /* names nothing that there is */   \
    X(FUTURE, "future", "", "")               /* a day that has not come yet */   \
    X(CHECKSUM, "checksum", "", "")           /* a digit of it is mistyped */     \
    X(OTHER_SEX, "other_sex", "", "")         /* says another sex */              \
    X(OTHER_BIRTH, "other_birth", "", "")     /* says another date of birth */    \
    X(BOOKED, "booked", "", "")               /* somebody has another one then */ \
    X(PARTED, "parted", "", "")               /* the asker's part has ended */    \
    X(PASSWORD, "password", "tries_left", "") /* before the account is locked */  \
    X(LOCKED, "locked", "minutes", "")        /* until it is open again */        \
    X(ADDRESS, "address", "minutes", "")      /* too many attempts from one address */

typedef enum cn_wrong {
#define X(name, word, first, second) CN_WRONG_##name,
    CN_WRONG_TABLE(X)
#undef X
        CN_WRONG_COUNT
} cn_wrong;

/** The word of a row; "" for CN_WRONG_NONE and for a number outside the table. */
const char *cn_wrong_word(cn_wrong wrong);
/** Name of its first (0) or second (1) number; "" where it has none. */
const char *cn_wrong_number(cn_wrong wrong, size_t which);

/** What is wrong with which field: the material of an RFC 9457 problem document. Texts never carry patients' data. */
typedef struct cn_problem {
    cn_err err;
    char field[64];    /* JSON path of the field, "" where the whole input is meant */
    char detail[224];  /* one plain English sentence */
    cn_wrong wrong;    /* CN_WRONG_NONE where the error says enough */
    int64_t number[2]; /* the word's numbers */
} cn_problem;

/** Fills `problem` (NULL allowed) and returns `err`, so that a check reads `return cn_problem_set(problem, CN_ERR_INVALID,
 * "age", "…")`. */
cn_err cn_problem_set(cn_problem *problem, cn_err err, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/** Adds the word and its numbers to a problem that was just set (NULL allowed); returns `err`. */
cn_err cn_problem_say(cn_problem *problem, cn_err err, cn_wrong wrong, int64_t first, int64_t second);

/** cn_problem_set with CN_ERR_INVALID and a word that has no numbers. */
cn_err cn_problem_field(cn_problem *problem, cn_wrong wrong, const char *field, const char *detail);

/** Puts `parent` and a dot before the field of a problem (NULL allowed): "name" of "patient" is "patient.name". */
void cn_problem_within(cn_problem *problem, const char *parent);

/** Returns early when an expression yields an error. */
#define CN_TRY(expr)                                  \
    do {                                              \
        cn_err cn_try_err_ = (expr);                  \
        if (cn_try_err_ != CN_OK) return cn_try_err_; \
    } while (0)

#endif
