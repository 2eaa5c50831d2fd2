#include "signaling/http/cors.h"

#include <string.h>
#include <strings.h>

const char *cn_cors_allowed(const char *origins, const char *origin)
{
    if (!origin || !*origin) return NULL;
    size_t want = strlen(origin);
    for (const char *at = origins;;) {
        at += strspn(at, ", \t");
        if (!*at) return NULL;
        size_t n = strcspn(at, ", \t");
        if (n == 1 && *at == '*') return "*";
        /* scheme and host are in lower case where a browser says them */
        if (n == want && strncasecmp(at, origin, n) == 0) return origin;
        at += n;
    }
}
