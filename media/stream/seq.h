/* Sequence numbers and timestamps that wrap: comparison, and 16-bit numbers extended to 64 bits. */
#ifndef CN_MEDIA_SEQ_H
#define CN_MEDIA_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/** Unwraps 16-bit sequence numbers. Zeroed is ready. */
typedef struct cn_seq {
    uint64_t
        highest; /* 0: nothing seen; extended numbers start at 65,536, so that what came before the first has one */
} cn_seq;

/** The extended number nearest to the highest one seen (RFC 3550 A.1's idea of a cycle); moves the highest forward. */
static inline uint64_t cn_seq_extend(cn_seq *counter, uint16_t seq)
{
    if (!counter->highest) return counter->highest = 65536u + seq;
    int16_t ahead = (int16_t)(uint16_t)(seq - (uint16_t)counter->highest);
    uint64_t ext = counter->highest + (uint64_t)(int64_t)ahead;
    if (ahead > 0) counter->highest = ext;
    return ext;
}

/** Like cn_seq_extend without moving anything: for a NACK's numbers. 0 when nothing was seen yet. */
static inline uint64_t cn_seq_nearest(const cn_seq *counter, uint16_t seq)
{
    if (!counter->highest) return 0;
    return counter->highest + (uint64_t)(int64_t)(int16_t)(uint16_t)(seq - (uint16_t)counter->highest);
}

/** a − b of RTP timestamps, wrap-safe, in ticks. */
static inline int32_t cn_ts_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/** ns → ticks of `clock` Hz, rounded to the nearest; exact for days of ns. */
static inline int64_t cn_ticks_from_ns(int64_t ns, uint32_t clock)
{
    int64_t s = ns / 1000000000, rest = ns % 1000000000;
    return s * (int64_t)clock + (rest * (int64_t)clock + (rest < 0 ? -500000000 : 500000000)) / 1000000000;
}

/** Ticks of `clock` Hz → ns. `clock` is not 0. */
static inline int64_t cn_ns_from_ticks(int64_t ticks, uint32_t clock)
{
    int64_t s = ticks / (int64_t)clock, rest = ticks % (int64_t)clock;
    return s * 1000000000 + rest * 1000000000 / (int64_t)clock;
}

#endif
