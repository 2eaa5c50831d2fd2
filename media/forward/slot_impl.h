/* A slot's state. Private to what forwards and to those who own slots: they read it and write what is asked for. */
#ifndef CN_MEDIA_SLOT_IMPL_H
#define CN_MEDIA_SLOT_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "media/forward/line.h"
#include "media/forward/slot.h"
#include "media/forward/track.h"
#include "media/kinds.h"
#include "media/rate/allocate.h"
#include "media/rate/allowance.h"
#include "media/sdp/sdp.h"
#include "media/stream/rewrite.h"
#include "media/stream/svc.h"

#define CN_SLOT_FORMATS CN_SDP_ANSWER_CODECS

typedef struct cn_slot_format {
    cn_codec codec;
    uint8_t pt, rtx_pt; /* CN_SDP_NO_PT: no retransmission */
    cn_sdp_h264 h264;
} cn_slot_format;

struct cn_slot {
    /* what every packet touches stands first, in few cache lines */
    cn_line *line;
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
    bool replays;     /* sends a kept run, faster than it came, and then goes on with what comes */
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

    uint32_t counted; /* the picture's area for minutes, as last known */

    uint8_t claimed;   /* layers that the track counts it for */
    bool claimed_flat; /* … and as one that cannot take spatial layers apart */

    unsigned index; /* among the slots of its kind */
    char mid[CN_MEDIA_ID];

    /* what is asked for (video) */
    cn_slot_want want;
    cn_alloc_slot alloc;
    unsigned lowered; /* while a queue is drained: 1 + the layer before, 0: it was not */

    uint64_t replay_at, replay_ns; /* next packet's number; the last step */
    double replay_owed;            /* bits */

    uint32_t start_ts;   /* outgoing timestamp from which on the present source is shown */
    uint32_t told_track; /* the last event's */
    cn_slot_state told;
    uint32_t former; /* track that it played before, by number, and until when */
    uint64_t former_ns;

    /* the receiver's last report on it */
    uint8_t fraction_lost;
    uint64_t heard_ns; /* when, 0: none about the present source */
    uint32_t jitter;
    cn_allowance keyframes;      /* of his requests */
    cn_reported_stream reported; /* of the SSRC, whatever it shows */
};

#endif
