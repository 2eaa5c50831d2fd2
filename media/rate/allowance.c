#include "media/rate/allowance.h"

#define EVERY_NS 1000000000ull
#define EVERY_MAX_NS 32000000000ull
#define ANSWERED_NS 500000000ull

bool cn_allowance_take(cn_allowance *allowance, uint64_t now_ns)
{
    uint64_t every_ns = allowance->every_ns ? allowance->every_ns : EVERY_NS;
    uint64_t since_ns = now_ns - allowance->granted_ns;
    if (!allowance->granted_ns || since_ns > 2 * every_ns) {
        every_ns = EVERY_NS;
        allowance->insists = false;
    } else if (since_ns > ANSWERED_NS) {
        allowance->insists = true;
    }
    /* two may come together, of one who does not insist: the second loss right after the first */
    if (allowance->used_ns > now_ns + (every_ns > EVERY_NS ? 0 : EVERY_NS)) return false;
    if (allowance->insists && every_ns < EVERY_MAX_NS) every_ns *= 2;
    allowance->insists = false;
    allowance->every_ns = every_ns;
    allowance->used_ns = (allowance->used_ns > now_ns ? allowance->used_ns : now_ns) + every_ns;
    allowance->granted_ns = now_ns;
    return true;
}
