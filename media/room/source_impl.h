/* A source's state: what the files source*.c share, and what peers report of it. */
#ifndef CN_MEDIA_SOURCE_IMPL_H
#define CN_MEDIA_SOURCE_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "media/forward/line.h"
#include "media/room/room.h"
#include "media/room/source.h"
#include "media/sdp/sdp.h"
#include "media/stream/arrivals.h"
#include "media/stream/flow.h"
#include "media/stream/nackgen.h"
#include "media/stream/ntpmap.h"
#include "media/stream/recent.h"
#include "media/stream/seq.h"
#include "media/wire/depdesc.h"
#include "media/worker/msg.h"

/** What an incoming SSRC is: a layer, or its retransmissions. */
struct cn_stream {
    struct cn_source *source;
    uint8_t layer;
    bool rtx;
    uint32_t ssrc; /* 0: not known yet */
};

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

/** What a layer's claim to a size is held against: payload bytes of its newest key frame and the one before, by spatial
 * layer. */
typedef struct cn_sized {
    bool any, open; /* there was one; the newest is still coming */
    uint32_t ts;
    uint64_t since_ns; /* when its first packet came */
    uint32_t key[CN_LAYERS], former[CN_LAYERS];
} cn_sized;

typedef struct cn_source_layer {
    char rid[17];
    cn_stream media, rtx;
    cn_seq seq; /* audio; video's numbers are extended by `nack` */
    cn_nackgen nack;
    cn_recvstats stats;
    cn_ntpmap map;
    cn_arrivals arrivals;   /* as long as no sender report came */
    uint64_t sr_ntp, sr_ns; /* of the last sender report: for LSR and DLSR */
    cn_layer_info info;
    cn_sized sized;
    cn_flow flow;
    uint32_t window_bytes, window_frames;
    uint32_t window_tid[CN_TEMPORAL]; /* bytes of each temporal layer */
    cn_described *dd;                 /* NULL: no dependency descriptors were agreed */
    uint64_t keyframe_asked_ns;       /* the request that is not answered yet, 0: none */
    uint64_t keyframe_last_ns;        /* its last PLI */
    uint8_t keyframe_answered;        /* key frames in a row that came as soon as they were asked for */
    uint8_t keyframe_ignored;         /* … of these, while packets came */
    uint8_t keyframe_unanswered;      /* PLIs since the last key frame */
    uint64_t keyframe_used_ns;        /* until when the allowance is used up */
    uint8_t behind;                   /* frames of another layer since its last packet */
    bool keyframe_wanted;
    uint64_t subscribers; /* bit per worker */
    uint8_t level_last;
} cn_source_layer;

struct cn_source {
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
    uint64_t since_ns, measured_ns;
    uint64_t switched_ns;                     /* on or off */
    uint32_t rid_mask;                        /* told upward */
    uint64_t rid_idle_ns;                     /* since when fewer are wanted than told; 0: not */
    cn_losses listeners_lost[CN_WORKERS_MAX]; /* of those on each worker */
    uint64_t flat;                            /* bit per worker with a receiver who cannot take spatial layers apart */
    bool flat_told;
    unsigned spatial_count; /* more than 1: layers of the one stream, those that the publisher leaves out included */
    uint8_t spatial_needed[CN_WORKERS_MAX]; /* layers of them that each worker shows or waits for */
    uint8_t unwatched;                      /* told: so many of the largest may be left out */
    uint8_t left_out;                       /* … so many may still be, after that was taken back */
    uint64_t unwatched_ns;                  /* since when more could be left out than told; 0: not */
    uint64_t woken_ns;                      /* when it was taken back */
    uint64_t asleep_ns;                     /* when layers that were wanted again did not come; 0: they did */
    cn_spatial_layer spatial[CN_LAYERS];
    uint64_t allocated[CN_LAYERS]; /* areas by the encoder's own word, of its streams or spatial layers; 0: none */
    uint64_t allocated_ns;         /* when it was said */
    uint8_t doubted[CN_LAYERS];    /* seconds in a row in which a layer's size was not believed */
    bool doubt_told;
    cn_recent recent; /* of a microphone */
    unsigned layers;
    cn_source_layer layer[]; /* in the offer's order */
};

static inline cn_msg cn_source_message(const cn_source *source, cn_msg_kind kind)
{
    return (cn_msg){.kind = (uint8_t)kind, .room = source->room->number, .source = source->number};
}

#endif
