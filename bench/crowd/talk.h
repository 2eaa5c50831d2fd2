/* Who talks when, and how loud: spurts of one to four seconds with the pauses between syllables, rooms' noise
 * otherwise. Seeded and without I/O. */
#ifndef CN_CROWD_TALK_H
#define CN_CROWD_TALK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct talk {
    uint32_t random;
    uint64_t until_ns; /* end of the spurt or of the silence */
    bool talking;
    uint8_t level;
} talk;

/** `share`: part of the time that this one talks, 0…1. Advances to `now_ns`, in steps of about 20 ms. Returns the
 * RFC 6464 byte: voice flag and level. */
uint8_t talk_level(talk *speech, double share, uint64_t now_ns);

#endif
