/*
 * One source to many receivers: what came for a track goes to the slots of this worker that show it. Owner thread only.
 */
#ifndef CN_MEDIA_FANOUT_H
#define CN_MEDIA_FANOUT_H

#include "media/forward/track.h"
#include "media/stream/packet.h"

/** One packet for all slots of this worker that show its layer, by the next cn_fanout_forward at the latest. Borrows. */
void cn_fanout_packet(cn_track *track, cn_packet *packet);
/**
 * Forwards what came for this worker's tracks since the last time: receiver by receiver, so that the packets of a
 * picture which arrived together are neighbours in the batch and leave as one GSO send, and a receiver's data is
 * fetched once for all of them. Before anything else happens that slots could notice: at the end of each read, before
 * other messages.
 */
void cn_fanout_forward(cn_worker *worker);
/** cn_track_second, and tells the publisher what its listeners here lose. Once a second. */
void cn_fanout_second(cn_track *track, uint64_t now_ns);
/** Unbinds the track's slots and frees it. NULL allowed. */
void cn_fanout_end(cn_track *track);

#endif
