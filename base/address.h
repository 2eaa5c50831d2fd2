/* IP addresses as text: lists of networks, and what counts as one neighbour. */
#ifndef CN_BASE_ADDRESS_H
#define CN_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CN_NETWORKS_MAX 32
#define CN_ADDRESS_TEXT 48

/** IPv4 as ::ffff:0:0/96, so that one compare does for both. */
typedef struct cn_address {
    uint8_t bytes[16];
} cn_address;

typedef struct cn_networks {
    size_t count;
    struct {
        cn_address at;
        unsigned bits; /* of the 128 */
    } network[CN_NETWORKS_MAX];
} cn_networks;

/** Takes "192.0.2.1", "2001:db8::1", "[2001:db8::1]", each of them also with ":port" as RFC 7239 §6 writes it. */
bool cn_address_parse(const char *text, size_t len, cn_address *out);
/** "10.0.0.0/8, ::1": addresses and networks separated by commas or blanks. False when one is none, or there are too
 * many. */
bool cn_networks_parse(cn_networks *out, const char *text);
bool cn_networks_have(const cn_networks *networks, const cn_address *address);
/** Shortest form; IPv4 without its prefix. */
void cn_address_format(const cn_address *address, char out[CN_ADDRESS_TEXT]);
/** Whom a bound per address counts: an IPv4 address, or the /64 of an IPv6 one, of which a customer has all; other text
 * as it is. */
void cn_address_neighbour(const char *address, char out[CN_ADDRESS_TEXT]);

#endif
