/* What loopback itself takes: the delay of packets that pass no server. */
#ifndef CN_LOAD_DIRECT_H
#define CN_LOAD_DIRECT_H

#include "crowd/totals.h"

/** Sends `total` packets of `bytes` from one socket to another, one every 200 us, and counts their delays as the crowd
 * counts them: from before the send to the arrival in the kernel. False when the sockets cannot be had. */
bool direct_play(crowd_totals *out, unsigned total, unsigned bytes);

#endif
