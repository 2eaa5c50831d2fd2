#include "talk.h"

#define MS 1000000ull

static uint32_t next(talk *speech, uint32_t below)
{
    speech->random ^= speech->random << 13;
    speech->random ^= speech->random >> 17;
    speech->random ^= speech->random << 5;
    return speech->random % below;
}

uint8_t talk_level(talk *speech, double share, uint64_t now_ns)
{
    if (!speech->random) speech->random = 2463534242u;
    if (now_ns >= speech->until_ns) {
        bool first = !speech->until_ns;
        speech->talking = first ? next(speech, 10000) < (uint32_t)(share * 10000) : !speech->talking && share > 0;
        uint64_t spurt = 1000 + next(speech, 3000),
                 rest = share > 0 ? (uint64_t)((double)spurt * (1 / share - 1)) : 3600000;
        if (!speech->talking && first) rest = rest * (1 + next(speech, 99)) / 100; /* not all begin at once */
        speech->until_ns = now_ns + (speech->talking ? spurt : rest) * MS;
    }
    unsigned low = speech->talking ? 18 : 75, span = speech->talking ? 20 : 25;
    unsigned aim = low + next(speech, span);
    if (speech->talking && next(speech, 12) == 0) aim = 55; /* between words */
    speech->level = (uint8_t)((speech->level * 2u + aim) / 3u);
    return (uint8_t)((speech->talking ? 0x80 : 0) | speech->level);
}
