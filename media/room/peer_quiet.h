/* Whether a peer is still there. Owner thread only. */
#ifndef CN_MEDIA_PEER_QUIET_H
#define CN_MEDIA_PEER_QUIET_H

#include "media/room/peer_impl.h"

/** Every 100 ms: tells upward who is lost, and who is back. */
void cn_peer_quiet(cn_peer *peer, uint64_t now_ns);

#endif
