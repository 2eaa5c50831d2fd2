/* Receiving the frames of a file: inlets whose packets are put together and compared. */
#ifndef CN_CROWD_WATCH_H
#define CN_CROWD_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "media/wire/rtp.h"
#include "inlet.h"
#include "totals.h"

typedef struct crowd crowd;
typedef struct crowd_pc crowd_pc;

bool film_watch_open(crowd_pc *pc, inlet *in);
/** A packet that inlet_arrived took as new. */
void film_watch_packet(inlet *in, const cn_rtp *rtp, uint16_t seq, bool again, const uint8_t *payload, size_t len);
/** Counts from zero. */
void film_watch_reset(inlet *in);
void film_watch_close(inlet *in);

void crowd_pc_frames(const crowd_pc *pc, crowd_frames *out);
/** From now on, writes the frames that come to this connection, from the first key frame of the largest layer to the
 * first gap, as IVF or as H.264 byte stream. The caller closes `file` after the last crowd_play. */
void crowd_pc_save(crowd_pc *pc, FILE *file);
/** When a whole frame of this layer last came to anybody (cn_mono_ns), 0: never. */
uint64_t crowd_layer_seen_ns(const crowd *throng, unsigned layer);

#endif
