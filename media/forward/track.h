/*
 * A source as seen by a worker with members of its room (the publisher's own included): history ring per layer, shared
 * by this worker's receivers, and the slots that show it. Owner: the worker. Owner thread only.
 */
#ifndef CN_MEDIA_TRACK_H
#define CN_MEDIA_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "media/wire/depdesc.h"
#include "media/stream/history.h"
#include "media/worker/msg.h"
#include "media/worker/worker.h"

struct cn_room;
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
    struct cn_room *room;
    struct cn_track *next; /* in the room */
    uint32_t number;
    unsigned owner; /* worker of the publisher */
    cn_source_info info;
    unsigned spatial;      /* more than 1: layers are the spatial ones of stream 0 */
    uint32_t subscribed;   /* mask of streams */
    unsigned needed;       /* spatial layers that slots show or wait for */
    bool flat;             /* a slot cannot take spatial layers apart */
    struct cn_slot *slots; /* linked by next_in_track */
    /* what came in this turn and is not forwarded yet */
    cn_packet *turn[CN_TRACK_TURN];
    unsigned turn_n;
    bool turn_listed;
    struct cn_track *next_in_turn;
    uint8_t loss_told; /* worst of the listeners here, as the publisher's worker knows it */
    cn_track_layer layer[CN_LAYERS];
} cn_track;

cn_err cn_track_new(cn_track **out, struct cn_room *room, uint32_t number, unsigned owner, const cn_source_info *info);
/** Unbinds its slots. NULL allowed. */
void cn_track_free(cn_track *track);

/** Recomputes which layers this worker's slots need, or needed a second ago, and tells the publisher's worker when that
 * changed. */
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
/** Drops history of layers that stopped, and tells the publisher what its listeners here lose. Once a second. */
void cn_track_second(cn_track *track, uint64_t now_ns);

/** One packet for all slots of this worker that show its layer, by the next cn_track_forward at the latest. Borrows. */
void cn_track_packet(cn_track *track, cn_packet *packet);
/**
 * Forwards what came for this worker's tracks since the last time: receiver by receiver, so that the packets of a
 * picture which arrived together are neighbours in the batch and leave as one GSO send, and a receiver's data is
 * fetched once for all of them. Before anything else happens that slots could notice: at the end of each read, before
 * other messages.
 */
void cn_track_forward(cn_worker *worker);

/* message handlers */
void cn_track_on_packet(cn_worker *worker, cn_msg *msg);
void cn_track_on_switch(cn_worker *worker, cn_msg *msg);
void cn_track_on_layers(cn_worker *worker, cn_msg *msg);
void cn_track_on_sender_report(cn_worker *worker, cn_msg *msg);

#endif
