/* Time. Leaf types take time as an argument; what runs reads it here, once per turn. */
#ifndef CN_BASE_CLOCK_H
#define CN_BASE_CLOCK_H

#include <stdint.h>

/** Monotonic time in nanoseconds since an arbitrary start. */
uint64_t cn_mono_ns(void);

/** Monotonic time in milliseconds. */
uint64_t cn_mono_ms(void);

/** Wall clock, milliseconds since 1970-01-01 UTC. */
int64_t cn_wall_ms(void);

/** Wall clock as a 64-bit NTP timestamp (RFC 5905): seconds since 1900 in the upper half, fraction in the lower. */
uint64_t cn_ntp_from_wall_ns(int64_t wall_ns);

/** Wall clock, nanoseconds since 1970-01-01 UTC. */
int64_t cn_wall_ns(void);

/** An instant that other processes understand, after a restart too; kept in three columns. */
typedef struct cn_instant {
    char boot[40]; /* of the machine: its monotonic clock means something within it only; "" where it has no name */
    int64_t mono_ms;
    int64_t wall_ms;
} cn_instant;

void cn_instant_now(cn_instant *out);

/**
 * Milliseconds from `since` to `now`. Within one boot by the monotonic clock, whatever was done to the wall clock
 * meanwhile; time that the machine slept does not count. Over a boot, or between machines, by the wall clock;
 * INT64_MAX where that went back, so that nobody knows.
 */
int64_t cn_instant_passed(const cn_instant *since, const cn_instant *now);

#define CN_TIME_TEXT 32

/** ISO 8601 with milliseconds in UTC, "2026-11-20T08:15:00.000Z", from wall ms. */
void cn_time_format(int64_t wall_ms, char out[CN_TIME_TEXT]);

#endif
