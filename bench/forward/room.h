/* The room of bench-forward: a crowd (bench/crowd) whose clients join the SFU over the socket pair, publishers with
 * synthetic VP8 and Opus, receivers that decrypt and compare every packet. One thread. */
#ifndef CN_FORWARD_ROOM_H
#define CN_FORWARD_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "server.h"

typedef struct room_shape {
    unsigned video, voice; /* participants with camera and microphone, with microphone only */
    unsigned speakers;  /* of all, who talk at once: 50 packets a second; the others send a silent one every 400 ms */
    unsigned slots;     /* video slots of each */
    unsigned kbps, fps; /* of each camera */
    bool spread;        /* packets of a frame evenly over its time instead of at once */
    bool record;        /* keep when what left the server, for the floor */
} room_shape;

typedef struct room_counts {
    uint64_t video_in, audio_in;
    uint64_t foreign;                                /* not what anybody in the room wrote */
    uint64_t bad;                                    /* did not decrypt */
    uint64_t missing;                                /* did not come, or by retransmission only */
    double delay_p50_ms, delay_p99_ms, delay_max_ms; /* from a client's send to the arrival in another's kernel */
} room_counts;

typedef struct room room;

/** Joins everybody, waits until all are connected and tells the slots whom to show. NULL with a message on standard
 * error. */
room *room_new(bench_server *server, const room_shape *shape);
/** Plays for so long. */
void room_play(room *played, unsigned ms);
/** Counts from zero again. */
void room_reset(room *played);
/** What was counted until now. Plays on, without media, for what is on its way. */
void room_counts_get(room *played, room_counts *out);
/** Writes what `record` kept: a line `microseconds destination size` per datagram, in the order of their leaving. */
bool room_schedule_write(room *played, const char *path);
void room_free(room *played);

#endif
