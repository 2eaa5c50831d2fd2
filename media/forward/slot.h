/*
 * One outgoing SSRC of a peer: what it shows, in which layer, rewritten into one unbroken stream; retransmission,
 * sender reports. Owner: the peer. Owner thread only.
 */
#ifndef CN_MEDIA_SLOT_H
#define CN_MEDIA_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "media/rate/allocate.h"
#include "media/kinds.h"
#include "media/stream/packet.h"
#include "media/stream/rewrite.h"
#include "media/sdp/sdp.h"
#include "media/stream/svc.h"
#include "media/forward/track.h"

struct cn_peer;

#define CN_SLOT_FORMATS CN_SDP_ANSWER_CODECS

typedef struct cn_slot_format {
    cn_codec codec;
    uint8_t pt, rtx_pt; /* CN_SDP_NO_PT: no retransmission */
    cn_sdp_h264 h264;
} cn_slot_format;

typedef struct cn_slot {
    /* what every packet touches stands first, in few cache lines */
    struct cn_peer *peer;
    cn_track *track; /* what is shown */
    struct cn_slot *next_in_track, **link_in_track;
    const cn_slot_format *format; /* for the track's codec, NULL: cannot decode it */
    cn_rewrite *rewrite;
    uint32_t ssrc, rtx_ssrc;
    int current, target; /* layers, −1: none */
    int interim;         /* layer taken while the target does not flow yet, −1: none */
    bool video;
    bool active;      /* negotiated to be received */
    bool gave_way;    /* no longer the layer that was shown, and not yet the smaller one */
    bool held;        /* the receiver's TCP connection is too far behind: nothing until it caught up */
    uint8_t red_pt;   /* audio with redundancy; CN_SDP_NO_PT: the receiver has none */
    bool red_settled; /* no block older than the present source's first packet can come any more */
    uint16_t rtx_seq, width, height;
    uint32_t red_from_ts; /* incoming; blocks older than the present source's first packet are left out */
    /* what was really sent */
    uint32_t packets, octets; /* of the SSRC, for sender reports */
    uint32_t window_bytes, bps;
    uint64_t last_packet_ns, reported_ns;
    uint64_t waiting_ns; /* since when a key frame is awaited, 0: not */
    cn_svc svc;
    unsigned tid; /* temporal layers up to this one are wanted */
    cn_slot_format formats[CN_SLOT_FORMATS];
    size_t format_count;

    unsigned index; /* among the slots of its kind */
    char mid[CN_MEDIA_ID];

    /* what is asked for (video) */
    cn_slot_want want;
    cn_alloc_slot alloc;
    unsigned lowered; /* while a queue is drained: 1 + the layer before, 0: it was not */

    uint32_t start_ts;   /* outgoing timestamp from which on the present source is shown */
    uint32_t told_track; /* the last event's */
    cn_slot_state told;
    uint32_t former; /* track that it played before, by number, and until when */
    uint64_t former_ns;

    /* the receiver's last report on it */
    uint8_t fraction_lost;
    uint64_t heard_ns; /* when, 0: none about the present source */
    uint32_t jitter;
} cn_slot;

cn_err cn_slot_new(cn_slot **out, struct cn_peer *peer, const char *mid, bool video, unsigned index);
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
/** Spatial layers of the track's stream that it shows or waits for; 0: none. */
unsigned cn_slot_spatial(const cn_slot *slot);
/** True when it cannot be shown a stream with spatial layers of the track's codec. */
bool cn_slot_flat(const cn_slot *slot);
/** Mask of the streams that this slot needs of its track. */
uint32_t cn_slot_needs(const cn_slot *slot);
/** The next to get a packet of its track after the present one: brings it, and what its successors are known by,
 * nearer. */
void cn_slot_prefetch(const cn_slot *slot);
/** A packet of its track. */
void cn_slot_packet(cn_slot *slot, cn_packet *packet);
/** The receiver asks again for a packet. */
void cn_slot_nack(cn_slot *slot, uint16_t seq, uint32_t rtt_ms);
/** The receiver asks for a key frame. */
void cn_slot_keyframe(cn_slot *slot);
/** Asks again for key frames that did not come; falls back when a layer stopped. Every 100 ms, over TCP every 20. */
void cn_slot_tick(cn_slot *slot, uint64_t now_ns);
/** Tells upward that there is nothing to see and why, unless that was told before. */
void cn_slot_tell(cn_slot *slot, cn_slot_state state);
/** Sender report and CNAME; returns bytes written, 0 when there is nothing to say. */
size_t cn_slot_report(cn_slot *slot, uint8_t *out, size_t cap, uint64_t now_ns, uint64_t now_ntp);

#endif
