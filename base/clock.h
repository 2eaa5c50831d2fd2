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

#define CN_TIME_TEXT 32

/** ISO 8601 with milliseconds in UTC, "2026-11-20T08:15:00.000Z", from wall ms. */
void cn_time_format(int64_t wall_ms, char out[CN_TIME_TEXT]);

#endif
