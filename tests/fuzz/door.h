/* The door as it serves, but on the caller's thread and on one end of a pair of sockets: what is written to the other end has been
 * taken in, and answered, when door_turn returns. */
#ifndef CN_FUZZ_DOOR_H
#define CN_FUZZ_DOOR_H

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "input.h"
#include "signaling/door/door.h"
#include "signaling/door/door_impl.h"

enum { DOOR_TURNS = 6 };

/** Once; it lives as long as the target. */
static inline cn_door *door_open(cn_door_config config)
{
    cn_door *door = NULL;
    config.listen = "127.0.0.1";
    config.tls_cert = config.tls_key = config.tls_ciphers = "";
    if (!config.cors_origins) config.cors_origins = "";
    config.management_port = -1;
    cn_log_set_level(CN_LOG_ERROR);
    if (cn_door_new(&door, &config) != CN_OK) __builtin_trap();
    lws_set_log_level(0, NULL);
    return door;
}

/** Our end of a new connection. */
static inline int door_connect(cn_door *door)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) __builtin_trap();
    if (!lws_adopt_socket_vhost(door->vhost, pair[1])) {
        close(pair[0]);
        return -1;
    }
    return pair[0];
}

static inline void door_turn(cn_door *door)
{
    for (unsigned i = 0; i < DOOR_TURNS; i++) lws_service(door->ctx, -1);
}

/** Writes all of it, as fast as it is taken; what comes back is thrown away. False: the door has closed. */
static inline bool door_write(cn_door *door, int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    char answer[65536];
    for (unsigned idle = 0; len;) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
            idle = 0;
        } else if (n < 0 && errno != EAGAIN) {
            return false;
        } else if (++idle == 1000) {
            return false;
        }
        door_turn(door);
        if (len && recv(fd, answer, sizeof answer, 0) == 0) return false;
    }
    return true;
}

/** The connection's end, on both sides: nothing of it is left. */
static inline void door_close(cn_door *door, int fd)
{
    close(fd);
    for (unsigned i = 0; i < 1000 && door->crowd.unknown; i++) lws_service(door->ctx, -1);
    door_turn(door);
}

#endif
