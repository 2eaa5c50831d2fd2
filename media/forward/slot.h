/*
 * One outgoing SSRC of a peer: what it shows, in which layer, rewritten into one unbroken stream; retransmission,
 * sender reports. Owner: the peer. Owner thread only.
 */
#ifndef CN_MEDIA_SLOT_H
#define CN_MEDIA_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "media/forward/line.h"
#include "media/forward/track.h"
#include "media/kinds.h"
#include "media/sdp/sdp.h"
#include "media/stream/packet.h"

typedef struct cn_slot cn_slot;

cn_err cn_slot_new(cn_slot **out, cn_line *line, const char *mid, bool video, unsigned index);
/** NULL allowed. */
void cn_slot_free(cn_slot *slot);
/** Takes the formats of a negotiated section. */
void cn_slot_negotiate(cn_slot *slot, const cn_sdp_section *section);

/** Shows a track from its next key frame (video) or packet (audio) on; NULL: nothing. The same track again changes
 * nothing. */
void cn_slot_bind(cn_slot *slot, cn_track *track);
/** Sets the layer to go to; −1: paused. `tid`: temporal layers up to this one. Begins. */
void cn_slot_target(cn_slot *slot, int layer, unsigned tid);
/** A queue stands on the receiver's line: a layer that is to be left for a smaller one ends now, not when the smaller
 * one begins. A picture may stand for a moment; a voice that waits behind it is not understood. */
void cn_slot_give_way(cn_slot *slot);
/** The track's layers became those of one stream, or of several. */
void cn_slot_layers_changed(cn_slot *slot);
/** The peer is connected, or the target is new: starts from the history's key-frame run, else asks for a key frame.
 * Before the peer is connected it only asks. */
void cn_slot_begin(cn_slot *slot);
/** The next to get a packet of its track after the present one: brings it, and what its successors are known by,
 * nearer. */
void cn_slot_prefetch(const cn_slot *slot);
/** A packet of its track. */
void cn_slot_packet(cn_slot *slot, cn_packet *packet);
/** The receiver asks for a key frame. */
void cn_slot_keyframe(cn_slot *slot);
/** Asks again for key frames that did not come; falls back when a layer stopped. Every 100 ms, over TCP every 20. */
void cn_slot_tick(cn_slot *slot, uint64_t now_ns);
/** Sends on with a kept run. Every 20 ms while line->replaying. */
void cn_slot_replay(cn_slot *slot, uint64_t now_ns);
/** Tells upward that there is nothing to see and why, unless that was told before. */
void cn_slot_tell(cn_slot *slot, cn_slot_state state);

#endif
