/* The real server in a temporary folder on free ports of the loopback address, with one user and as many rooms as are
 * asked for. */
#ifndef CN_LOAD_HOST_H
#define CN_LOAD_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct host {
    char folder[64];
    pid_t pid;
    uint16_t port, management;
    char user[32], password[128];
    unsigned rooms; /* "load-0" … */
} host;

typedef struct host_shape {
    const char *program; /* consilium */
    int cpu;             /* < 0: anywhere */
    unsigned workers, rooms, video_max, voice_max;
} host_shape;

/** False with a message on standard error. */
bool host_start(host *machine, const host_shape *shape);
/** Ends it and removes its folder, unless something went wrong and `keep` says to leave the log. */
void host_stop(host *machine, bool keep);

#endif
