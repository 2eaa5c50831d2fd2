/* Offer in, answer out, and what it changes in a peer: transport, sources, slots. Owner thread only. */
#ifndef CN_MEDIA_PEER_OFFER_H
#define CN_MEDIA_PEER_OFFER_H

#include "media/room/peer_impl.h"
#include "media/sdp/plan.h"

/** Nothing is changed when the offer cannot be answered (`problem` says why). Out of memory midway leaves a peer that
 * must be ended. */
cn_err cn_peer_negotiate(cn_peer *peer, const char *offer, const cn_offerer *who, cn_buf *answer, cn_problem *problem);

/** Answers a trickle-ice-sdpfrag with new credentials. */
cn_err cn_peer_restart(cn_peer *peer, const char *fragment, cn_buf *answer, cn_problem *problem);

#endif
