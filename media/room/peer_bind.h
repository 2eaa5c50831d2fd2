/* Which slot of a peer shows what. Owner thread only. */
#ifndef CN_MEDIA_PEER_BIND_H
#define CN_MEDIA_PEER_BIND_H

#include "media/room/peer_impl.h"

/** Binds audio slots to the ranked microphones and video slots to what is wanted. Before the peer is connected, too:
 * what it will show then is asked for and remembered meanwhile. */
void cn_peer_bind(cn_peer *peer);
/** The same for all peers here after the ranking alone changed, some in this turn and the rest in the next ones. */
void cn_peer_bind_ranked(cn_room *room);
/** Slots of all peers here are bound anew: something was added, removed, switched. */
void cn_peer_bind_room(cn_room *room);
/** cn_media_show. */
void cn_peer_show(cn_peer *peer, const cn_slot_want *wants, size_t count, cn_tier tier_max);

#endif
