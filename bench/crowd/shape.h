/* What the cameras and microphones of a crowd are like. */
#ifndef CN_CROWD_SHAPE_H
#define CN_CROWD_SHAPE_H

#include <stdint.h>

#include "client/names.h"
#include "footage.h"
#include "recording.h"

typedef struct crowd_layer_shape {
    uint16_t width, height, kbps;
} crowd_layer_shape;

typedef enum crowd_pace { CROWD_EVEN, CROWD_BURST, CROWD_RECORDED } crowd_pace;

/* Of a microphone: its person talks when it is his turn, all the time, or never (one packet every 400 ms, as with DTX). */
typedef enum crowd_voice { CROWD_TALKS, CROWD_SPEAKS, CROWD_SILENT } crowd_voice;

typedef struct crowd_shape {
    cn_codec codec;
    unsigned fps;
    crowd_layer_shape layer[RTC_LAYERS];
    /* All frames but key frames are alike, and all packets but a frame's last one have so many bytes; 0: both vary as an
     * encoder's. */
    unsigned packet_bytes;
    crowd_pace pace; /* packets of a frame evenly over its time, or at once, or the largest layer as recorded */
    const recording *recording; /* CROWD_RECORDED: borrowed */
    unsigned talkers;           /* how many of CROWD_TALKS talk at a time, on average */
    unsigned microphones;       /* of all */
    const char *profile;        /* SRTP, in OpenSSL's form */
    /* What the one camera sends, from the smallest layer, instead of what payload_write makes up; borrowed. NULL: not.
     */
    const footage *footage[RTC_LAYERS];
} crowd_shape;

#endif
