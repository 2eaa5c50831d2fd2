/* The packets of one received stream, put into their order and together to frames. Holds only what came too early. */
#ifndef CN_CROWD_GATHER_H
#define CN_CROWD_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payload.h"

#define GATHER_WINDOW 1024 /* packets; what is missing for longer is given up, and its frame with it */

typedef struct gather gather;

typedef struct gather_packet {
    uint64_t seq; /* extended */
    uint32_t ts;
    bool marker, again; /* again: by retransmission */
    const uint8_t *payload;
    size_t n; /* 0: padding alone */
} gather_packet;

typedef struct gather_frame {
    const uint8_t *bytes; /* until the next packet */
    size_t n;
    uint64_t seq; /* of its last packet */
    uint32_t ts;
    bool whole; /* from its first packet to its marker; otherwise only that something of it came is known */
    bool again; /* its last packet was a retransmission */
} gather_frame;

typedef void (*gather_fn)(void *arg, const gather_frame *frame);

gather *gather_new(cn_codec codec, gather_fn fn, void *arg);
/** A new packet (none twice), in any order. Calls back with each frame that it completes. */
void gather_put(gather *gathered, const gather_packet *packet);
/** NULL allowed. */
void gather_free(gather *gathered);

#endif
