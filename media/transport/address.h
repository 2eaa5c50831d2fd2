/* Socket addresses: numeric texts, a form that the kernel takes, and a key for maps. Pure. */
#ifndef CN_MEDIA_ADDRESS_H
#define CN_MEDIA_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "media/transport/keymap.h"

typedef union cn_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} cn_sockaddr;

/** The own address that a datagram was sent to, on a socket that is bound to all of them: the answer leaves from there.
 */
typedef struct cn_local {
    sa_family_t family; /* AF_UNSPEC: the socket's own */
    union {
        struct in_pktinfo v4;
        struct in6_pktinfo v6;
    } info;
} cn_local;

#define CN_LOCAL_CONTROL CMSG_SPACE(sizeof(struct in6_pktinfo)) /* bytes of its control message at most */

/** Asks the kernel to tell it on every datagram of a UDP socket. */
cn_err cn_local_ask(int fd, sa_family_t family);
/** Takes it from a received message; AF_UNSPEC when it is not there. */
void cn_local_take(cn_local *out, struct msghdr *received);
/** Writes the control message for sending from there, aligned as cmsghdr is; returns its bytes with padding, 0 for
 * AF_UNSPEC. */
size_t cn_local_put(const cn_local *local, void *control);

/** Numeric IPv4 or IPv6 and a port in host order. CN_ERR_INVALID for anything else. */
cn_err cn_sockaddr_parse(cn_sockaddr *out, const char *text, uint16_t port);
/** The address without port; `size` ≥ INET6_ADDRSTRLEN. "" for an unknown family. */
void cn_sockaddr_text(const cn_sockaddr *addr, char *out, size_t size);
socklen_t cn_sockaddr_len(const cn_sockaddr *addr);
uint16_t cn_sockaddr_port(const cn_sockaddr *addr);
void cn_sockaddr_set_port(cn_sockaddr *addr, uint16_t port);
/** 0.0.0.0 or ::. */
bool cn_sockaddr_wildcard(const cn_sockaddr *addr);
/** Remote address as seen on the socket number `sock`. */
cn_key cn_sockaddr_key(const cn_sockaddr *addr, unsigned sock);

#endif
