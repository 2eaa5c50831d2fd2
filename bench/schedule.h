/* A sender's schedule: which packet of which size leaves for whom and when. */
#ifndef CN_BENCH_SCHEDULE_H
#define CN_BENCH_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct sched_packet {
    uint64_t at_us;       /* since the start, ascending */
    uint32_t destination; /* 0 … destinations − 1 */
    uint16_t size;        /* of the protected packet above UDP */
} sched_packet;

typedef struct schedule {
    sched_packet *packets;
    size_t count;
    uint32_t destinations;
} schedule;

#define SCHED_SIZE_MIN 28 /* RTP header and authentication tag */
#define SCHED_SIZE_MAX 1472
#define SCHED_DESTINATIONS_MAX 4096

/** Evenly spread bursts: each destination in turn gets `run` packets of `size`; `rate` packets per second in all. */
cn_err schedule_make(schedule *out, uint32_t destinations, uint16_t size, double rate, uint32_t run, double seconds);

/** A text file with a line "microseconds destination size" per packet, times ascending. CN_ERR_PARSE tells the line in
 * `*line`. */
cn_err schedule_read(schedule *out, const char *path, size_t *line);

void schedule_free(schedule *plan);

#endif
