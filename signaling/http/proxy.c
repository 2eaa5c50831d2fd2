#include "signaling/http/proxy.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

cn_err cn_proxies_parse(cn_proxies *out, const char *trusted, const char *header, cn_problem *problem)
{
    *out = (cn_proxies){.forwarded = strcasecmp(header, "forwarded") == 0};
    if (!out->forwarded && strcasecmp(header, "x-forwarded-for") != 0)
        return cn_problem_set(problem, CN_ERR_INVALID, "server.proxy_header",
                              "'%s' is none of x-forwarded-for, forwarded", header);
    if (!cn_networks_parse(&out->trusted, trusted))
        return cn_problem_set(problem, CN_ERR_INVALID, "server.trusted_proxies",
                              "addresses or networks (10.0.0.0/8) separated by commas are expected, at most %d",
                              CN_NETWORKS_MAX);
    return CN_OK;
}

typedef struct piece {
    const char *text;
    size_t n;
} piece;

static piece trimmed(const char *text, size_t n)
{
    while (n && (*text == ' ' || *text == '\t' || *text == '"')) text++, n--;
    while (n && (text[n - 1] == ' ' || text[n - 1] == '\t' || text[n - 1] == '"')) n--;
    return (piece){text, n};
}

/* The last element of a list of `n` bytes; `n` becomes the length of what stands before it. */
static piece take_last(const char *list, size_t *n)
{
    size_t at = *n;
    while (at && list[at - 1] != ',') at--;
    piece last = trimmed(list + at, *n - at);
    *n = at ? at - 1 : 0;
    return last;
}

/* Value of name=value inside one element of Forwarded. */
static piece parameter(piece element, const char *name)
{
    size_t want = strlen(name);
    for (size_t from = 0; from < element.n;) {
        const char *at = element.text + from, *end = memchr(at, ';', element.n - from);
        piece pair = trimmed(at, end ? (size_t)(end - at) : element.n - from);
        if (pair.n > want && pair.text[want] == '=' && strncasecmp(pair.text, name, want) == 0)
            return trimmed(pair.text + want + 1, pair.n - want - 1);
        from += (end ? (size_t)(end - at) : element.n - from) + 1;
    }
    return (piece){"", 0};
}

static void take_proto(piece proto, bool *secure)
{
    if (proto.n == 5 && strncasecmp(proto.text, "https", 5) == 0) *secure = true;
    if (proto.n == 4 && strncasecmp(proto.text, "http", 4) == 0) *secure = false;
}

static bool is_trusted(const cn_proxies *proxies, const char *address)
{
    cn_address at;
    return cn_address_parse(address, strlen(address), &at) && cn_networks_have(&proxies->trusted, &at);
}

void cn_proxy_client(const cn_proxies *proxies, const cn_proxy_said *said, char address[CN_ADDRESS_TEXT], bool *secure)
{
    const char *list = proxies->forwarded ? said->forwarded : said->for_list;
    size_t left = list ? strlen(list) : 0, protos = said->proto ? strlen(said->proto) : 0;
    while (is_trusted(proxies, address)) {
        piece element = take_last(list ? list : "", &left);
        piece client = proxies->forwarded ? parameter(element, "for") : element;
        /* fewer protocols than hops: what nginx usually sets is one, the client's own */
        if (proxies->forwarded)
            take_proto(parameter(element, "proto"), secure);
        else if (protos)
            take_proto(take_last(said->proto, &protos), secure);
        cn_address at;
        if (!cn_address_parse(client.text, client.n, &at)) return;
        cn_address_format(&at, address);
    }
}
