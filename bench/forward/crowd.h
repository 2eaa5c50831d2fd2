/* A room full of clients over real sockets: publishers with synthetic VP8 and Opus, receivers that decrypt and check
 * every packet, transport-wide feedback as browsers send it. One thread. */
#ifndef CN_BENCH_CROWD_H
#define CN_BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "server.h"

typedef struct crowd_shape {
    unsigned video, voice; /* participants with camera and microphone, with microphone only */
    unsigned speakers;  /* of all, who talk at once: 50 packets a second; the others send a silent one every 400 ms */
    unsigned slots;     /* video slots of each */
    unsigned kbps, fps; /* of each camera */
    bool spread;        /* packets of a frame evenly over its time instead of at once */
    bool record;        /* keep when what left the server, for the floor */
} crowd_shape;

typedef struct crowd_counts {
    uint64_t sent_video, sent_audio;
    uint64_t video_in, audio_in, bytes_in, foreign; /* foreign: payload not of this run */
    uint64_t bad;                                   /* did not decrypt */
    uint64_t missing;                               /* gaps in the sequence numbers of what arrived */
    uint64_t plis, checks_ok;
    double delay_p50_ms, delay_p99_ms, delay_max_ms; /* from a client's send to another client's receive */
} crowd_counts;

typedef struct crowd crowd;

/** Joins everybody, waits until all are connected and tells the slots whom to show. NULL with a message on standard
 * error. */
crowd *crowd_new(bench_server *server, const crowd_shape *shape);
/** Plays for so long. */
void crowd_play(crowd *throng, unsigned ms);
/** Counts from zero again. */
void crowd_reset(crowd *throng);
void crowd_counts_get(crowd *throng, crowd_counts *out);
/** Writes what `record` kept: a line `microseconds destination size` per datagram, in the order of their leaving. */
bool crowd_schedule_write(crowd *throng, const char *path);
void crowd_free(crowd *throng);

#endif
