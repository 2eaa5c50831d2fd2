#include "media/transport/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

cn_err cn_sockaddr_parse(cn_sockaddr *out, const char *text, uint16_t port)
{
    cn_sockaddr a;
    memset(&a, 0, sizeof a);
    if (!text) return CN_ERR_INVALID;
    if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
        a.v4.sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) == 1) {
        a.v6.sin6_family = AF_INET6;
    } else {
        return CN_ERR_INVALID;
    }
    cn_sockaddr_set_port(&a, port);
    *out = a;
    return CN_OK;
}

void cn_sockaddr_text(const cn_sockaddr *a, char *out, size_t size)
{
    const void *ip = a->any.sa_family == AF_INET ? (const void *)&a->v4.sin_addr : (const void *)&a->v6.sin6_addr;
    if (!inet_ntop(a->any.sa_family, ip, out, (socklen_t)size) && size) out[0] = '\0';
}

cn_err cn_local_ask(int fd, sa_family_t family)
{
    int one = 1;
    int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
    int option = family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO;
    return setsockopt(fd, level, option, &one, sizeof one) ? cn_err_from_errno(errno) : CN_OK;
}

void cn_local_take(cn_local *out, struct msghdr *received)
{
    out->family = AF_UNSPEC;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(received); c; c = CMSG_NXTHDR(received, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&out->info.v4, CMSG_DATA(c), sizeof out->info.v4);
            out->info.v4.ipi_ifindex = 0; /* the way back may be another interface's */
            out->family = AF_INET;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            memcpy(&out->info.v6, CMSG_DATA(c), sizeof out->info.v6);
            /* a link-local address means nothing without its interface */
            if (!IN6_IS_ADDR_LINKLOCAL(&out->info.v6.ipi6_addr)) out->info.v6.ipi6_ifindex = 0;
            out->family = AF_INET6;
        }
    }
}

size_t cn_local_put(const cn_local *local, void *control)
{
    if (local->family == AF_UNSPEC) return 0;
    bool v4 = local->family == AF_INET;
    size_t n = v4 ? sizeof local->info.v4 : sizeof local->info.v6;
    struct cmsghdr *c = control;
    c->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
    c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), &local->info, n);
    return CMSG_SPACE(n);
}

socklen_t cn_sockaddr_len(const cn_sockaddr *a)
{
    return a->any.sa_family == AF_INET ? sizeof a->v4 : sizeof a->v6;
}

uint16_t cn_sockaddr_port(const cn_sockaddr *a)
{
    return ntohs(a->any.sa_family == AF_INET ? a->v4.sin_port : a->v6.sin6_port);
}

void cn_sockaddr_set_port(cn_sockaddr *a, uint16_t port)
{
    if (a->any.sa_family == AF_INET) {
        a->v4.sin_port = htons(port);
    } else {
        a->v6.sin6_port = htons(port);
    }
}

bool cn_sockaddr_wildcard(const cn_sockaddr *a)
{
    return a->any.sa_family == AF_INET ? a->v4.sin_addr.s_addr == htonl(INADDR_ANY)
                                       : IN6_IS_ADDR_UNSPECIFIED(&a->v6.sin6_addr);
}

cn_key cn_sockaddr_key(const cn_sockaddr *a, unsigned sock)
{
    cn_key k = {{0, 0, (uint64_t)sock << 48 | (uint64_t)cn_sockaddr_port(a) << 32}};
    if (a->any.sa_family == AF_INET) {
        k.w[0] = a->v4.sin_addr.s_addr;
    } else {
        memcpy(k.w, &a->v6.sin6_addr, 16);
        k.w[2] |= a->v6.sin6_scope_id;
    }
    return k;
}
