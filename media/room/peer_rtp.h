/* Packets as the transport hands them over. `arg` is the peer. Owner thread only. */
#ifndef CN_MEDIA_PEER_RTP_H
#define CN_MEDIA_PEER_RTP_H

#include "media/room/peer_impl.h"

void cn_peer_rtp(void *arg, uint8_t *packet, size_t len, uint64_t now_ns);
void cn_peer_rtcp(void *arg, uint8_t *packet, size_t len, uint64_t now_ns);

#endif
