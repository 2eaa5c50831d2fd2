/* Proxies in front that are trusted: who the client behind them is, and whether he came by HTTPS. Pure. */
#ifndef CN_SIGNALING_PROXY_H
#define CN_SIGNALING_PROXY_H

#include "base/address.h"
#include "base/err.h"

typedef struct cn_proxies {
    cn_networks trusted;
    bool forwarded; /* they write Forwarded (RFC 7239) and not X-Forwarded-For and X-Forwarded-Proto */
} cn_proxies;

/** `trusted` as in the configuration, `header` "x-forwarded-for" or "forwarded". CN_ERR_INVALID with the field's name. */
cn_err cn_proxies_parse(cn_proxies *out, const char *trusted, const char *header, cn_problem *problem);

/** What the trusted kind of header says; NULL: not there. A proxy passes on what its client wrote into the other kind. */
typedef struct cn_proxy_said {
    const char *for_list;  /* X-Forwarded-For */
    const char *proto;     /* X-Forwarded-Proto */
    const char *forwarded; /* Forwarded */
} cn_proxy_said;

/**
 * The client's address in place of the peer's, when the peer is trusted: the last one of the list that is none of our
 * proxies; everything before it is only what the client claims. What cannot be read ends the walk at the hop before.
 * `secure` becomes true when the proxy that he came to says HTTPS, false when it says HTTP.
 */
void cn_proxy_client(const cn_proxies *proxies, const cn_proxy_said *said, char address[CN_ADDRESS_TEXT], bool *secure);

#endif
