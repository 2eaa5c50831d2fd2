/* What goes back to a peer as RTCP. Owner thread only. */
#ifndef CN_MEDIA_PEER_REPORT_H
#define CN_MEDIA_PEER_REPORT_H

#include "media/room/peer_impl.h"

/** Transport-wide feedback; with `all` sender and receiver reports that are due. */
void cn_peer_report(cn_peer *peer, uint64_t now_ns, bool all);

#endif
