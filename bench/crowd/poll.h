/* The descriptors of a crowd: its clients' sockets, and what else is to be read while it plays. */
#ifndef CN_CROWD_POLL_H
#define CN_CROWD_POLL_H

#include <stdbool.h>

typedef struct crowd crowd;

/** Calls `fn` from crowd_play whenever `fd` can be read. */
bool crowd_watch(crowd *throng, int fd, void (*fn)(void *arg), void *arg);
void crowd_unwatch(crowd *throng, int fd);
/** Waits for so long, and reads what came. */
void crowd_receive(crowd *throng, int wait_ms);

#endif
