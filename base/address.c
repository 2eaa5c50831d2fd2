#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/str.h"

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static bool parse_plain(const char *text, cn_address *out)
{
    struct in_addr four;
    if (inet_pton(AF_INET, text, &four) == 1) {
        memcpy(out->bytes, mapped, sizeof mapped);
        memcpy(out->bytes + sizeof mapped, &four, sizeof four);
        return true;
    }
    return inet_pton(AF_INET6, text, out->bytes) == 1;
}

bool cn_address_parse(const char *text, size_t len, cn_address *out)
{
    char plain[CN_ADDRESS_TEXT];
    if (len == 0 || len >= sizeof plain) return false;
    memcpy(plain, text, len);
    plain[len] = '\0';
    if (strlen(plain) != len) return false;
    if (*plain == '[') {
        char *end = strchr(plain, ']');
        if (!end || (end[1] && end[1] != ':')) return false;
        *end = '\0';
        return strchr(plain + 1, ':') && parse_plain(plain + 1, out);
    }
    char *colon = strchr(plain, ':');
    if (colon && !strchr(colon + 1, ':')) *colon = '\0'; /* one alone: a port after IPv4 */
    return parse_plain(plain, out);
}

static bool parse_network(cn_networks *out, const char *text, size_t len)
{
    if (out->count == CN_NETWORKS_MAX) return false;
    const char *slash = memchr(text, '/', len);
    size_t n = slash ? (size_t)(slash - text) : len;
    char bits_text[8];
    int64_t bits = 128;
    cn_address at;
    if (!cn_address_parse(text, n, &at)) return false;
    bool four = memcmp(at.bytes, mapped, sizeof mapped) == 0;
    if (slash) {
        size_t digits = len - n - 1;
        if (digits == 0 || digits >= sizeof bits_text) return false;
        memcpy(bits_text, slash + 1, digits);
        bits_text[digits] = '\0';
        if (!cn_parse_i64(bits_text, 0, four ? 32 : 128, &bits)) return false;
        if (four) bits += 96;
    }
    out->network[out->count].at = at;
    out->network[out->count++].bits = (unsigned)bits;
    return true;
}

bool cn_networks_parse(cn_networks *out, const char *text)
{
    out->count = 0;
    for (const char *at = text;;) {
        at += strspn(at, ", \t");
        if (!*at) return true;
        size_t n = strcspn(at, ", \t");
        if (!parse_network(out, at, n)) return false;
        at += n;
    }
}

static bool same_bits(const uint8_t *left, const uint8_t *right, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(left, right, whole) != 0) return false;
    return rest == 0 || (left[whole] ^ right[whole]) >> (8 - rest) == 0;
}

bool cn_networks_have(const cn_networks *networks, const cn_address *address)
{
    for (size_t i = 0; i < networks->count; i++)
        if (same_bits(networks->network[i].at.bytes, address->bytes, networks->network[i].bits)) return true;
    return false;
}

void cn_address_format(const cn_address *address, char out[CN_ADDRESS_TEXT])
{
    bool four = memcmp(address->bytes, mapped, sizeof mapped) == 0;
    *out = '\0';
    (void)inet_ntop(four ? AF_INET : AF_INET6, four ? address->bytes + sizeof mapped : address->bytes, out,
                    CN_ADDRESS_TEXT);
}

void cn_address_neighbour(const char *address, char out[CN_ADDRESS_TEXT])
{
    cn_address at;
    if (!cn_address_parse(address, strlen(address), &at)) {
        cn_strcpy(out, CN_ADDRESS_TEXT, address);
        return;
    }
    if (memcmp(at.bytes, mapped, sizeof mapped) != 0) memset(at.bytes + 8, 0, 8);
    cn_address_format(&at, out);
}
