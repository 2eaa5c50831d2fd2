/* Small header grammars: ranges, entity tags, cookies. Pure. */
#ifndef CN_SIGNALING_RANGE_H
#define CN_SIGNALING_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cn_range { CN_RANGE_WHOLE, CN_RANGE_PART, CN_RANGE_BAD } cn_range;

/**
 * One byte range of a representation of `size` bytes (RFC 9110 §14). Several ranges, other units and malformed ones:
 * WHOLE, as the RFC allows. BAD: none of it exists (416).
 */
cn_range cn_range_parse(const char *header, int64_t size, int64_t *from, int64_t *len);

/** If-None-Match (weak comparison, RFC 9110 §13.1.2): "*" or a list; `etag` without quotes. */
bool cn_etag_listed(const char *header, const char *etag);

/** Value of a cookie in a Cookie header, copied to `out`; NULL when absent, empty or longer than `size` - 1. */
const char *cn_cookie_find(const char *header, const char *name, char *out, size_t size);

#endif
