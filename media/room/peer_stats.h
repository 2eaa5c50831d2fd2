/* What is told of a peer upward. Owner thread only. */
#ifndef CN_MEDIA_PEER_STATS_H
#define CN_MEDIA_PEER_STATS_H

#include "media/room/peer_impl.h"

/** Tells the area of what is really being sent, when it changed. */
void cn_peer_area(cn_peer *peer, uint64_t now_ns);
/** Every 2 s. */
void cn_peer_stats(cn_peer *peer, uint64_t now_ns);

#endif
