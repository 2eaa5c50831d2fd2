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

/** What came. Delays are from the time that stands in a datagram (sink_due_put) to its arrival in this end's kernel, in
 * ms, by steps of 10 µs; above 500 ms: 500. */
typedef struct sink_counts {
    uint64_t datagrams;
    double p50_ms, p95_ms, p99_ms;
} sink_counts;

/** Ends it after it drained what had arrived. All 0 when it did not tell. */
sink_counts sink_stop(sink *drain);

#define SINK_DUE_AT 4 /* where a datagram's due time stands: in place of RTP time stamp and SSRC */

/** `due_ns`: wall clock. */
void sink_due_put(uint8_t *datagram, uint64_t due_ns);

#endif
