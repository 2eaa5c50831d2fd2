#include "talk.h"

#define MS 1000000ull

static uint32_t next(talk *t, uint32_t below)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 17;
    t->random ^= t->random << 5;
    return t->random % below;
}

uint8_t talk_level(talk *t, double share, uint64_t now_ns)
{
    if (!t->random) t->random = 2463534242u;
    if (now_ns >= t->until_ns) {
        bool first = !t->until_ns;
        t->talking = first ? next(t, 10000) < (uint32_t)(share * 10000) : !t->talking && share > 0;
        uint64_t spurt = 1000 + next(t, 3000), rest = share > 0 ? (uint64_t)((double)spurt * (1 / share - 1)) : 3600000;
        if (!t->talking && first) rest = rest * (1 + next(t, 99)) / 100; /* not all begin at once */
        t->until_ns = now_ns + (t->talking ? spurt : rest) * MS;
    }
    unsigned low = t->talking ? 18 : 75, span = t->talking ? 20 : 25;
    unsigned aim = low + next(t, span);
    if (t->talking && next(t, 12) == 0) aim = 55; /* between words */
    t->level = (uint8_t)((t->level * 2u + aim) / 3u);
    return (uint8_t)((t->talking ? 0x80 : 0) | t->level);
}
