#include "media/transport/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

cn_err cn_sockaddr_parse(cn_sockaddr *out, const char *text, uint16_t port)
{
    cn_sockaddr addr;
    memset(&addr, 0, sizeof addr);
    if (!text) return CN_ERR_INVALID;
    if (inet_pton(AF_INET, text, &addr.v4.sin_addr) == 1) {
        addr.v4.sin_family = AF_INET;
    } else if (inet_pton(AF_INET6, text, &addr.v6.sin6_addr) == 1) {
        addr.v6.sin6_family = AF_INET6;
    } else {
        return CN_ERR_INVALID;
    }
    cn_sockaddr_set_port(&addr, port);
    *out = addr;
    return CN_OK;
}

void cn_sockaddr_text(const cn_sockaddr *addr, char *out, size_t size)
{
    const void *ip =
        addr->any.sa_family == AF_INET ? (const void *)&addr->v4.sin_addr : (const void *)&addr->v6.sin6_addr;
    if (!inet_ntop(addr->any.sa_family, ip, out, (socklen_t)size) && size) out[0] = '\0';
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
    for (struct cmsghdr *control = CMSG_FIRSTHDR(received); control; control = CMSG_NXTHDR(received, control)) {
        if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
            memcpy(&out->info.v4, CMSG_DATA(control), sizeof out->info.v4);
            out->info.v4.ipi_ifindex = 0; /* the way back may be another interface's */
            out->family = AF_INET;
        } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
            memcpy(&out->info.v6, CMSG_DATA(control), sizeof out->info.v6);
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

socklen_t cn_sockaddr_len(const cn_sockaddr *addr)
{
    return addr->any.sa_family == AF_INET ? sizeof addr->v4 : sizeof addr->v6;
}

uint16_t cn_sockaddr_port(const cn_sockaddr *addr)
{
    return ntohs(addr->any.sa_family == AF_INET ? addr->v4.sin_port : addr->v6.sin6_port);
}

void cn_sockaddr_set_port(cn_sockaddr *addr, uint16_t port)
{
    if (addr->any.sa_family == AF_INET) {
        addr->v4.sin_port = htons(port);
    } else {
        addr->v6.sin6_port = htons(port);
    }
}

bool cn_sockaddr_wildcard(const cn_sockaddr *addr)
{
    return addr->any.sa_family == AF_INET ? addr->v4.sin_addr.s_addr == htonl(INADDR_ANY)
                                          : IN6_IS_ADDR_UNSPECIFIED(&addr->v6.sin6_addr);
}

cn_key cn_sockaddr_key(const cn_sockaddr *addr, unsigned sock)
{
    cn_key key = {{0, 0, (uint64_t)sock << 48 | (uint64_t)cn_sockaddr_port(addr) << 32}};
    if (addr->any.sa_family == AF_INET) {
        key.w[0] = addr->v4.sin_addr.s_addr;
    } else {
        memcpy(key.w, &addr->v6.sin6_addr, 16);
        key.w[2] |= addr->v6.sin6_scope_id;
    }
    return key;
}
