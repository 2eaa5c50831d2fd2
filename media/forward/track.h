/*
 * A source as seen by a worker with members of its room (the publisher's own included): history ring per layer, shared
 * by this worker's receivers, and how many slots claim each layer. Owner: the worker. Owner thread only.
 */
#ifndef CN_MEDIA_TRACK_H
#define CN_MEDIA_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "media/stream/history.h"
#include "media/wire/depdesc.h"
#include "media/worker/msg.h"
#include "media/worker/worker.h"

struct cn_slot;

typedef struct cn_track_layer {
    cn_history *history; /* NULL before the first packet */
    cn_layer_info info;  /* of this simulcast layer, or of this spatial layer of stream 0 */
    cn_dd_layout layout; /* of its dependency descriptors; targets 0: none came yet */
    uint64_t layout_since;
    uint32_t active; /* decode targets that the publisher sends */
    bool sr_known;
    int64_t sr_ns; /* server's monotonic time at which sr_rtp was captured */
    uint32_t sr_rtp;
    uint64_t idle_ns; /* since when nobody needs it though it is subscribed, 0: somebody does */
    uint64_t subscribed_ns, failed_ns, keyframe_asked_ns; /* 0: not */
    bool ended;                                           /* it flowed and stopped, since it was subscribed to */
} cn_track_layer;

#define CN_TRACK_TURN 16 /* packets that go to a receiver one after the other */

typedef struct cn_track {
    cn_worker *worker;
    uint32_t room;         /* its number */
    struct cn_track *next; /* in the room */
    uint32_t number;
    unsigned owner; /* worker of the publisher */
    cn_source_info info;
    unsigned spatial;           /* more than 1: layers are the spatial ones of stream 0 */
    uint32_t subscribed;        /* mask of streams */
    unsigned needed;            /* spatial layers of these */
    bool flat;                  /* a slot cannot take spatial layers apart, as told */
    unsigned claims[CN_LAYERS]; /* slots that show or wait for each layer */
    unsigned flat_claims;       /* … that cannot take spatial layers apart */
    struct cn_slot *slots;      /* linked by next_in_track */
    /* what came in this turn and is not forwarded yet */
    cn_packet *turn[CN_TRACK_TURN];
    unsigned turn_n;
    bool turn_listed;
    struct cn_track *next_in_turn;
    cn_losses losses_told; /* of the listeners here, as the publisher's worker knows it */
    cn_track_layer layer[CN_LAYERS];
} cn_track;

cn_err cn_track_new(cn_track **out, cn_worker *worker, uint32_t room, uint32_t number, unsigned owner,
                    const cn_source_info *info);
/** No slot is bound to it any more (cn_fanout_end). NULL allowed. */
void cn_track_free(cn_track *track);

/** One slot more (1) or less (−1) shows a layer or waits for it. Counted only: cn_track_subscribe tells. */
void cn_track_claim(cn_track *track, unsigned layer, int by);
/** One slot more (1) or less (−1) cannot take spatial layers apart. */
void cn_track_claim_flat(cn_track *track, int by);
/** Which layers are claimed here, or were a second ago: tells the publisher's worker when that changed. */
void cn_track_subscribe(cn_track *track);
/** Asks the publisher for a key frame, at most every 50 ms per layer; the publisher's worker lets fewer through. */
void cn_track_keyframe(cn_track *track, unsigned layer);
/** Server's monotonic ns when a timestamp was captured; 0: not known. */
int64_t cn_track_capture(const cn_track *track, unsigned layer, uint32_t rtp);
/** Timestamp of the layer at a server time; false when not known. */
bool cn_track_rtp(const cn_track *track, unsigned layer, int64_t ns, uint32_t *rtp);
/** Layers to choose from, simulcast or spatial, and the stream (SSRC) that carries one. */
static inline unsigned cn_track_layers(const cn_track *track)
{
    return track->spatial > 1 ? track->spatial : track->info.layers;
}
static inline unsigned cn_track_stream(const cn_track *track, int layer)
{
    return track->spatial > 1 ? 0 : (unsigned)layer;
}
/** True when a layer flows or would flow if asked for. */
bool cn_track_usable(const cn_track *track, unsigned layer);
/** A number for this track's stream, unique in the process: what cn_rewrite calls a source. */
static inline uint32_t cn_track_layer_id(const cn_track *track, unsigned layer)
{
    return track->number << 2 | layer;
}
/** The layers' infos are new: what is to be kept is. */
void cn_track_keep(cn_track *track);
/** Puts a packet into its layer's history; false: it is there already, or there is no memory. */
bool cn_track_remember(cn_track *track, cn_packet *packet);
/** Takes the structure that a packet's dependency descriptor brings, and its active decode targets. */
void cn_track_note_structure(cn_track *track, const cn_packet *packet);
/** Tells the publisher's worker the worst losses of the listeners here when they changed. */
void cn_track_tell_loss(cn_track *track, cn_losses losses);
/** Drops history of layers that stopped; subscriptions that nobody needs any more end. Once a second. */
void cn_track_second(cn_track *track, uint64_t now_ns);

#endif
