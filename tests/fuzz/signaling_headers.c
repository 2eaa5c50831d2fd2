/* Any bytes as headers and paths: what comes out lies inside what went in. */
// covers: signaling/http/range.c signaling/http/route.c signaling/http/proxy.c signaling/http/cors.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "signaling/http/cors.h"
#include "signaling/http/proxy.h"
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

/* Whoever it says that the client is, it is an address, and only through a proxy of ours. */
static void proxies(const char *text)
{
    static const char *const peers[] = {"10.0.0.1", "::1", "198.51.100.7", ""};
    for (unsigned i = 0; i < 2 * sizeof peers / sizeof *peers; i++) {
        const char *peer = peers[i / 2];
        char address[CN_ADDRESS_TEXT] = "";
        cn_proxies trust = {.forwarded = i % 2};
        cn_address at;
        bool secure = false;
        if (!cn_networks_parse(&trust.trusted, "10.0.0.0/8, ::1")) abort();
        cn_strcpy(address, sizeof address, peer);
        const cn_proxy_said said = {.for_list = text, .proto = text, .forwarded = text};
        cn_proxy_client(&trust, &said, address, &secure);
        if (*peer && !cn_address_parse(address, strlen(address), &at)) abort();
        if (peer == peers[2] && (secure || strcmp(address, peer) != 0)) abort();
    }
    cn_proxies read;
    cn_problem problem = {.err = CN_OK};
    (void)cn_proxies_parse(&read, text, "forwarded", &problem);
    const char *allowed = cn_cors_allowed("https://portal.example http://[::1]:8080", text);
    if (allowed && strcmp(allowed, text) != 0) abort();
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
    proxies(text);
    (void)cn_etag_listed(text, "abc");
    if (cn_cookie_find(text, "sid", out, sizeof out) && (!*out || strlen(out) >= sizeof out)) abort();
    (void)cn_encoding_accepted(text, "br");
    free(text);
    return 0;
}
