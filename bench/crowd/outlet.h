/* One stream that a client sends: a microphone, or a layer of a camera. Says when its next packet is due and what it
 * is, and remembers the last ones for retransmission. No I/O. */
#ifndef CN_CROWD_OUTLET_H
#define CN_CROWD_OUTLET_H

#include <stdbool.h>
#include <stdint.h>

#include "footage.h"
#include "payload.h"
#include "shape.h"
#include "talk.h"

#define OUTLET_PAST 512
#define OUTLET_VOICE_NS 20000000ull   /* from packet to packet of who talks, … */
#define OUTLET_SILENT_NS 400000000ull /* … and of who never does */

typedef struct outlet_packet {
    payload_piece piece;
    uint32_t ts;
    uint16_t seq;
    uint8_t level;
    bool there;
    const footage_frame *frame; /* its payload is this cut of a file's frame; NULL: as payload_write makes it */
    const packing_cut *cut;
} outlet_packet;

typedef struct outlet {
    uint16_t sender;
    uint8_t layer;
    bool video, acknowledged; /* acknowledged: a report named it, MID and RID may be left out */
    bool key_wanted;
    uint32_t ssrc, ts, index, frames, key_frame, random; /* key_frame: the last one, as `frames` counted it */
    uint16_t seq, rtx_seq, picture;
    uint8_t tl0;
    uint64_t next_ns;
    /* the frame under way */
    unsigned left, in_frame, bytes_left;
    bool key;
    size_t recorded;        /* next packet of the recording */
    const footage *footage; /* the camera's frames come from here; NULL: are made up */
    size_t frame;           /* of the file: the one under way */
    crowd_voice voice;
    talk speech;
    uint32_t packets, octets;
    outlet_packet past[OUTLET_PAST]; /* video */
} outlet;

/** The packet that is due now, or NULL; until the next call. */
const outlet_packet *outlet_next(outlet *feed, const crowd_shape *shape, uint64_t now_ns);
/** A packet sent before, for a NACK; NULL when it is too old. */
const outlet_packet *outlet_past(const outlet *feed, uint16_t seq);

#endif
