#include "viewer/dicom/peers.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"

static cn_err wrong(cn_problem *problem, cn_err err, size_t number, const char *what)
{
    return cn_problem_set(problem, err, "dicom.peers", "Entry %zu: %s.", number, what);
}

/* The text from `at` to `end` without blanks around it. */
static bool cut(const char *at, const char *end, char *out, size_t size)
{
    while (at < end && *at == ' ') at++;
    while (end > at && end[-1] == ' ') end--;
    size_t len = (size_t)(end - at);
    if (len == 0 || len >= size) return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

/* As the listener writes addresses, so that two ways to write one are the same. */
static bool plain_address(char address[CN_NET_ADDRESS])
{
    unsigned char bytes[16];
    for (int family = AF_INET;; family = AF_INET6) {
        if (inet_pton(family, address, bytes) == 1) return inet_ntop(family, bytes, address, CN_NET_ADDRESS) != NULL;
        if (family == AF_INET6) return false;
    }
}

static cn_err parse_one(const char *entry, const char *end, size_t number, cn_dicom_peer *out, cn_problem *problem)
{
    const char *at = memchr(entry, '@', (size_t)(end - entry));
    const char *equals = at ? memchr(at, '=', (size_t)(end - at)) : NULL;
    if (!equals) return wrong(problem, CN_ERR_INVALID, number, "must be TITLE@ADDRESS=ACCOUNT");
    if (!cut(entry, at, out->title, sizeof(out->title)))
        return wrong(problem, CN_ERR_INVALID, number, "a title has 1 to 16 characters");
    if (!cut(at + 1, equals, out->address, sizeof(out->address)) || !plain_address(out->address))
        return wrong(problem, CN_ERR_INVALID, number, "the address must be one of IPv4 or IPv6");
    if (!cut(equals + 1, end, out->account, sizeof(out->account)))
        return wrong(problem, CN_ERR_INVALID, number, "the account is missing or too long");
    return CN_OK;
}

cn_err cn_peers_parse(const char *text, cn_dicom_peer *peers, size_t *count, cn_problem *problem)
{
    size_t found = 0;
    for (const char *at = text + strspn(text, ", "); *at; at += strspn(at, ", ")) {
        const char *end = at + strcspn(at, ",");
        if (found == CN_PEERS_MAX) return wrong(problem, CN_ERR_FULL, found + 1, "there are too many");
        CN_TRY(parse_one(at, end, found + 1, &peers[found], problem));
        found++;
        at = end;
    }
    *count = found;
    return CN_OK;
}

const cn_dicom_peer *cn_peers_find(const cn_dicom_peer *peers, size_t count, const char *title, const char *address)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(peers[i].title, title) == 0 && strcmp(peers[i].address, address) == 0) return &peers[i];
    return NULL;
}
