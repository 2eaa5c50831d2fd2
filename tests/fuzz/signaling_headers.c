/* Any bytes as headers and paths: what comes out lies inside what went in. */
// covers: signaling/http/range.c signaling/http/route.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "signaling/http/range.h"
#include "signaling/http/route.h"
#include "signaling/http/statics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ranges(const char *text)
{
    static const int64_t sizes[] = {0, 1, 1000, INT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t from, n;
        cn_range range = cn_range_parse(text, sizes[i], &from, &n);
        if (range != CN_RANGE_BAD && (from < 0 || n < 0 || from > sizes[i] || n > sizes[i] - from)) abort();
    }
}

static void paths(const char *text)
{
    char allow[64];
    for (int method = 0; method < CN_METHOD_COUNT; method++) {
        cn_route_match match;
        cn_route_find(cn_route_tables, (cn_method)method, text, &match);
        if (match.params > CN_ROUTE_PARAMS) abort();
        for (size_t i = 0; match.route && i < match.params; i++)
            if (!*match.param[i].value || strchr(match.param[i].value, '/') || !strstr(text, match.param[i].value))
                abort();
        cn_route_allow(match.allowed, allow, sizeof allow);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[32];
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    ranges(text);
    paths(text);
    (void)cn_etag_listed(text, "abc");
    if (cn_cookie_find(text, "sid", out, sizeof out) && (!*out || strlen(out) >= sizeof out)) abort();
    (void)cn_encoding_accepted(text, "br");
    free(text);
    return 0;
}
