/* A peer's layers by bandwidth. Owner thread only. */
#ifndef CN_MEDIA_PEER_ALLOCATE_H
#define CN_MEDIA_PEER_ALLOCATE_H

#include "media/room/peer_impl.h"

/** Gives layers by the estimate. */
void cn_peer_allocate(cn_peer *peer, uint64_t now_ns);

#endif
