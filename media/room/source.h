/*
 * What a peer publishes: one microphone, camera, screen or device on its publisher's worker. SSRCs, loss, reports,
 * layers' sizes and rates, key frame requests, and who is subscribed. Owner: the peer. Owner thread only.
 */
#ifndef CN_MEDIA_SOURCE_H
#define CN_MEDIA_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/forward/line.h"
#include "media/room/room.h"
#include "media/wire/depdesc.h"
#include "media/stream/flow.h"
#include "media/worker/msg.h"
#include "media/stream/nackgen.h"
#include "media/stream/ntpmap.h"
#include "media/stream/recent.h"
#include "media/wire/rtp.h"
#include "media/sdp/sdp.h"
#include "media/worker/worker.h"

struct cn_source;

/** What an incoming SSRC is: a layer, or its retransmissions. */
typedef struct cn_stream {
    struct cn_source *source;
    uint8_t layer;
    bool rtx;
    uint32_t ssrc; /* 0: not known yet */
} cn_stream;

/** What a stream's dependency descriptors refer to. */
typedef struct cn_described {
    bool any;
    uint64_t since; /* extended number of the packet that brought the structure */
    uint32_t active;
    cn_dd_structure structure;
    cn_dd_layout layout;
} cn_described;

/** A spatial layer of a source that sends one stream. */
typedef struct cn_spatial_layer {
    cn_layer_info info;
    cn_flow flow;
    uint32_t window[CN_TEMPORAL]; /* bytes of all that is needed for it, by temporal layers */
} cn_spatial_layer;

typedef struct cn_source_layer {
    char rid[17];
    cn_stream media, rtx;
    cn_seq seq; /* audio; video's numbers are extended by `nack` */
    cn_nackgen nack;
    cn_recvstats stats;
    cn_ntpmap map;
    uint64_t sr_ntp, sr_ns; /* of the last sender report: for LSR and DLSR */
    cn_layer_info info;
    cn_flow flow;
    uint32_t window_bytes, window_frames;
    uint32_t window_tid[CN_TEMPORAL]; /* bytes of each temporal layer */
    cn_described *dd;                 /* NULL: no dependency descriptors were agreed */
    uint64_t keyframe_asked_ns;       /* the request that is not answered yet, 0: none */
    uint64_t keyframe_last_ns;        /* its last PLI */
    uint64_t keyframe_used_ns;        /* until when the allowance is used up */
    uint64_t plis;                    /* sent */
    uint8_t behind;                   /* frames of another layer since its last packet */
    bool keyframe_wanted;
    uint64_t subscribers; /* bit per worker */
    uint8_t level_last;
} cn_source_layer;

typedef struct cn_source {
    cn_line *line;
    cn_room *room;
    uint32_t number;
    cn_source_kind kind;
    bool video, on;
    char mid[CN_MEDIA_ID];
    cn_codec codec;
    cn_sdp_h264 h264;
    uint8_t pt, rtx_pt;
    uint8_t red_pt; /* of the same audio with redundancy; CN_SDP_NO_PT: not agreed */
    uint64_t since_ns, measured_ns, announced_ns;
    uint32_t rid_mask;                      /* told upward */
    uint64_t rid_idle_ns;                   /* since when fewer are wanted than told; 0: not */
    uint8_t listeners_lost[CN_WORKERS_MAX]; /* worst fraction that a listener on each worker misses, in 1/256 */
    uint64_t flat;                          /* bit per worker with a receiver who cannot take spatial layers apart */
    bool flat_told;
    unsigned spatial_count; /* more than 1: layers of the one stream, those that the publisher leaves out included */
    uint8_t spatial_needed[CN_WORKERS_MAX]; /* layers of them that each worker shows or waits for */
    uint8_t unwatched;                      /* told: so many of the largest may be left out */
    uint8_t left_out;                       /* … so many may still be, after that was taken back */
    uint64_t unwatched_ns;                  /* since when more could be left out than told; 0: not */
    uint64_t woken_ns;                      /* when it was taken back */
    uint64_t asleep_ns;                     /* when layers that were wanted again did not come; 0: they did */
    cn_spatial_layer spatial[CN_LAYERS];
    cn_recent recent; /* of a microphone */
    unsigned layers;
    cn_source_layer layer[]; /* in the offer's order */
} cn_source;

/** Made from an accepted section; registers its SSRCs with the peer and tells all workers. */
cn_err cn_source_new(cn_source **out, cn_line *line, cn_room *room, cn_source_kind kind, const cn_sdp_section *section,
                     const cn_sdp_codec *codec);
/** Tells all workers that it is gone and frees. NULL allowed. */
void cn_source_free(cn_source *source);

/** The SSRCs of its layers by RID, as far as they are known. */
typedef struct cn_source_ssrcs {
    unsigned count;
    struct {
        char rid[17];
        uint32_t media, rtx; /* 0: not known */
    } layer[CN_LAYERS];
} cn_source_ssrcs;
cn_source_ssrcs cn_source_known(const cn_source *source);
/** Another codec in the same section: its layers keep their SSRCs. A browser writes RIDs only until a first report
 * about an SSRC came (RFC 8852 §3 leaves it to the sender), so that they could not be learnt again. */
void cn_source_inherit(cn_source *source, const cn_source_ssrcs *known);

/** SOURCE_ADD and SOURCE_LAYERS to one worker that just opened the room. */
void cn_source_introduce(cn_source *source, unsigned to);

/** The stream that a packet of an unknown SSRC belongs to (by RID, or payload type), bound to the SSRC from now on;
 * NULL when none fits. The MID, if any, was compared before. */
cn_stream *cn_source_learn(cn_source *source, const cn_rtp *rtp);

/** A decrypted packet of one of its streams. `packet` is writable. */
void cn_source_packet(cn_stream *st, uint8_t *packet, cn_rtp *rtp, uint64_t now_ns);
/** Its layers as tracks know them. */
cn_layers_info cn_source_layers(const cn_source *source);
/** A sender report about one of its layers. */
void cn_source_sender_report(cn_source *source, unsigned layer, uint64_t ntp, uint32_t rtp_ts);
/** Sends the PLI that is wanted, unless the last one is too recent: then a later tick does. */
void cn_source_ask(cn_source *source, unsigned layer, uint64_t now_ns);
/** Asks for what is missing of a layer and due. */
void cn_source_ask_missing(cn_source *source, cn_source_layer *layer, uint64_t now_ns);
/** NACKs, waiting key frame requests, measurement. Every 20 ms. */
void cn_source_tick(cn_source *source, uint64_t now_ns);
/** Fills at most `max` report blocks; returns how many. A microphone's say the worst fraction that any of its listeners
 * misses, so that its encoder protects the speech for him (Opus FEC); counts of lost packets are those on the way here.
 */
size_t cn_source_reports(cn_source *source, cn_rtcp_block *out, size_t max, uint64_t now_ns);
/** Muted or switched on. */
void cn_source_switch(cn_source *source, bool on);
/** A worker has no members of the room any more. */
void cn_source_unsubscribe_all(cn_source *source, unsigned worker);

/* message handlers */
void cn_source_on_subscribe(cn_worker *worker, cn_msg *msg);
void cn_source_on_keyframe(cn_worker *worker, cn_msg *msg);
void cn_source_on_loss(cn_worker *worker, cn_msg *msg);

#endif
