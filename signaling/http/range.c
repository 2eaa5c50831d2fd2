#include "signaling/http/range.h"

#include <string.h>

#include "base/str.h"

/* Digits up to `stop`; -1 when there are none or too many. */
static int64_t number(const char **at)
{
    char digits[20];
    size_t n = strspn(*at, "0123456789");
    int64_t value = -1;
    if (n == 0 || n >= sizeof digits) return -1;
    memcpy(digits, *at, n);
    digits[n] = '\0';
    *at += n;
    return cn_parse_i64(digits, 0, INT64_MAX, &value) ? value : -1;
}

cn_range cn_range_parse(const char *header, int64_t size, int64_t *from, int64_t *len)
{
    *from = 0;
    *len = size;
    if (!header || strncmp(header, "bytes=", 6) != 0) return CN_RANGE_WHOLE;
    header += 6;
    int64_t first = number(&header), last = -1;
    if (*header++ != '-') return CN_RANGE_WHOLE;
    bool has_last = *header >= '0' && *header <= '9';
    if (has_last) last = number(&header);
    if (*header || (has_last && last < 0) || (first < 0 && !has_last)) return CN_RANGE_WHOLE;
    if (first < 0) { /* the last bytes */
        if (last == 0 || size == 0) return CN_RANGE_BAD;
        *len = last < size ? last : size;
        *from = size - *len;
        return CN_RANGE_PART;
    }
    if (has_last && last < first) return CN_RANGE_WHOLE;
    if (first >= size) return CN_RANGE_BAD;
    if (!has_last || last >= size) last = size - 1;
    *from = first;
    *len = last - first + 1;
    return CN_RANGE_PART;
}

bool cn_etag_listed(const char *header, const char *etag)
{
    size_t want = strlen(etag);
    while (header && *header) {
        header += strspn(header, " \t,");
        if (*header == '*') return true;
        if (strncmp(header, "W/", 2) == 0) header += 2;
        if (*header != '"') return false;
        const char *close = strchr(++header, '"');
        if (!close) return false;
        if ((size_t)(close - header) == want && memcmp(header, etag, want) == 0) return true;
        header = close + 1;
    }
    return false;
}

const char *cn_cookie_find(const char *header, const char *name, char *out, size_t size)
{
    size_t want = strlen(name);
    while (header && *header) {
        header += strspn(header, " ;");
        size_t n = strcspn(header, ";");
        if (n > want && header[want] == '=' && memcmp(header, name, want) == 0) {
            size_t len = n - want - 1;
            if (len == 0 || len >= size) return NULL;
            memcpy(out, header + want + 1, len);
            out[len] = '\0';
            return out;
        }
        header += n;
    }
    return NULL;
}
