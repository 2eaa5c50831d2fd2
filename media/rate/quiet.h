/*
 * Whether a peer has fallen silent although it should be heard from. Looked at about every 100 ms, with the time of its
 * last sign of life (anything authentic: RTP, RTCP, a connectivity check).
 *
 * What is due often (a microphone or picture that flows, feedback for what it is sent) makes silence news after 2 s. Of
 * a peer who sends nothing and is sent nothing by right, only consent checks are due (RFC 7675: every 4 to 6 s), so that
 * his silence is news after 8 s. Only what was looked at counts: while this thread itself stood still, nobody could be
 * heard. Plain struct, all zero to begin with.
 */
#ifndef CN_MEDIA_QUIET_H
#define CN_MEDIA_QUIET_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cn_quiet {
    uint64_t looked_ns;
    uint64_t silent_ns, due_ns; /* looked at without a sign; of that, while something was due */
    bool lost;
} cn_quiet;

/** One look. `sign_ns`: when the last sign came; `due`: by right it would come at least once a second. True when
 * `quiet->lost` has changed. */
bool cn_quiet_look(cn_quiet *quiet, uint64_t now_ns, uint64_t sign_ns, bool due);

#endif
