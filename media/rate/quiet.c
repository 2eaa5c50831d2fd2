#include "media/rate/quiet.h"

#define LOOK_MAX_NS 250000000ull /* more between two looks is this thread's own lateness */
#define DUE_NS 2000000000ull
#define CONSENT_NS 8000000000ull

bool cn_quiet_look(cn_quiet *quiet, uint64_t now_ns, uint64_t sign_ns, bool due)
{
    uint64_t span = quiet->looked_ns && now_ns > quiet->looked_ns ? now_ns - quiet->looked_ns : 0;
    bool heard = sign_ns > quiet->looked_ns;
    if (span > LOOK_MAX_NS) span = LOOK_MAX_NS;
    quiet->looked_ns = now_ns;
    quiet->silent_ns = heard ? 0 : quiet->silent_ns + span;
    quiet->due_ns = heard || !due ? 0 : quiet->due_ns + span;
    bool lost = quiet->due_ns >= DUE_NS || quiet->silent_ns >= CONSENT_NS;
    if (!heard && quiet->lost) lost = true; /* only a sign takes it back */
    if (lost == quiet->lost) return false;
    quiet->lost = lost;
    return true;
}
