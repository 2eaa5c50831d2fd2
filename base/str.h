/* Strings and bytes: bounded copies, a growing buffer, hex, base64url, UTF-8. */
#ifndef CN_BASE_STR_H
#define CN_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** Copies with a terminating zero; false when `src` did not fit (then cut at a whole byte). */
bool cn_strcpy(char *dst, size_t size, const char *src);

/** snprintf that says whether everything fitted. */
bool cn_fmt(char *dst, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/** Whole string as a signed 64-bit decimal number inside [min, max]; nothing else allowed, no blanks. */
bool cn_parse_i64(const char *text, int64_t min, int64_t max, int64_t *out);

/** Valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool cn_utf8_valid(const void *bytes, size_t len);

/** Number of code points of valid UTF-8. */
size_t cn_utf8_length(const char *text);

/** Lower-case hex; out needs 2 × len + 1 bytes. */
void cn_hex(const void *bytes, size_t len, char *out);

/** Exactly len bytes from 2 × len hex digits of `text` (whole string); false otherwise. */
bool cn_unhex(const char *text, void *out, size_t len);

/** base64url without padding (RFC 4648 §5); out needs 4 * ((len + 2) / 3) + 1 bytes. */
void cn_b64url(const void *bytes, size_t len, char *out);
/** The same as a text of its own, which the caller frees; NULL without memory. */
char *cn_b64url_new(const void *bytes, size_t len);

/** Standard base64 as well as base64url, with or without padding; false on bad input or when more than `size` bytes. */
bool cn_unb64(const char *text, size_t len, void *out, size_t size, size_t *out_len);

/** Growing byte buffer. Zero-initialise; after a failed append `err` sticks and later appends do nothing. */
typedef struct cn_buf {
    char *p;  /* always zero-terminated once something was appended */
    size_t n; /* bytes used */
    size_t cap;
    size_t max; /* bound in bytes; 0 means 64 MiB; appending past it sets CN_ERR_TOOBIG */
    cn_err err;
} cn_buf;

void cn_buf_add(cn_buf *buf, const void *bytes, size_t len);
void cn_buf_str(cn_buf *buf, const char *text);
void cn_buf_fmt(cn_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** Frees and zeroes; NULL allowed. */
void cn_buf_free(cn_buf *buf);
/** Hands the bytes over (caller frees) and zeroes the buffer; NULL when empty or failed. */
char *cn_buf_take(cn_buf *buf);

#endif
