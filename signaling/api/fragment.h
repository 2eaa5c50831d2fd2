/* What a PATCH of WHIP or WHEP carries (application/trickle-ice-sdpfrag, RFC 8840 §9): is it one, and what is in it. Pure. */
#ifndef CN_SIGNALING_FRAGMENT_H
#define CN_SIGNALING_FRAGMENT_H

#include <stdbool.h>
#include <stdint.h>

/** Of its ICE credentials, so that another pair is known from the one in use; 0: it names none. Also of an offer. */
uint64_t cn_fragment_credentials(const char *sdp);
/** Lines of SDP only, with a candidate, the end of them, or whole credentials. */
bool cn_fragment_valid(const char *fragment);

#endif
