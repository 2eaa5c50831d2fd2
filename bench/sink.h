/* The receiving process of a bench: UDP sockets on loopback that it drains and counts. */
#ifndef CN_BENCH_SINK_H
#define CN_BENCH_SINK_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

typedef struct sink {
    pid_t pid;
    int counts; /* reads the total after sink_stop */
    int stop;
    size_t n;
    struct sockaddr_in *to;
} sink;

/** Starts a process, pinned to `core`, with `count` sockets on ephemeral ports of 127.0.0.1; their addresses are in
 * `to`.
 */
cn_err sink_start(sink *out, size_t count, int core);

/** Ends it after it drained what had arrived; returns how many datagrams came. */
uint64_t sink_stop(sink *drain);

#endif
