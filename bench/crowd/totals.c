#include "totals.h"

#include <stddef.h>

void crowd_delay_count(uint32_t buckets[CROWD_DELAY_BUCKETS], int64_t ns)
{
    int64_t i = ns / CROWD_DELAY_STEP_NS;
    buckets[i < 0 ? 0 : i < CROWD_DELAY_BUCKETS ? i : CROWD_DELAY_BUCKETS - 1]++;
}

uint64_t crowd_delays(const uint32_t buckets[CROWD_DELAY_BUCKETS])
{
    uint64_t all = 0;
    for (size_t i = 0; i < CROWD_DELAY_BUCKETS; i++) all += buckets[i];
    return all;
}

double crowd_delay_ms(const uint32_t buckets[CROWD_DELAY_BUCKETS], double share)
{
    uint64_t all = crowd_delays(buckets), seen = 0;
    size_t i = 0;
    for (; i < CROWD_DELAY_BUCKETS && all; i++) {
        seen += buckets[i];
        if ((double)seen >= share * (double)all) break;
    }
    return (double)(i + 1) * CROWD_DELAY_STEP_NS / 1e6;
}
