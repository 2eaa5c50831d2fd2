/* Plays a scene against a server and says what it cost. */
#ifndef CN_LOAD_PLAY_H
#define CN_LOAD_PLAY_H

#include <stdbool.h>

#include "crowd/crowd.h"
#include "gateway.h"
#include "host.h"
#include "proc.h"
#include "scene.h"

/* What a listener of a lecture from files got. */
typedef struct play_listener {
    const char *tier; /* wanted */
    char state[16];   /* of its slot at the end of the measured time */
    crowd_frames frames;
} play_listener;

#define PLAY_LISTENERS 16

typedef struct play_result {
    crowd_totals totals, direct; /* direct: delays of packets that pass no server */
    proc_use before, after;
    uint64_t softirq_ns;
    bool softirq_known;
    double seconds, join_seconds;
    double own_cpu; /* share of its core that the generator used */
    char profile[40];
    char server[64];                                           /* name and version */
    unsigned streams_wanted, streams_delivered, audio_missing; /* slots, and those on which packets came */
    /* of a lecture from files */
    play_listener listeners[PLAY_LISTENERS]; /* the first ones */
    unsigned listeners_n;
    double settled_s;            /* after so long everybody had the layer that he may have */
    double ceiling_ms;           /* from the host's call to the last frame above the ceiling; < 0: none was set */
    char ceiling_state[16];      /* of the first listener's slot afterwards */
    crowd_frames ceiling_frames; /* what it got afterwards */
} play_result;

typedef struct play_options {
    crowd_shape shape;
    unsigned warm, seconds;
    int server_cpu;
    const char *ceiling;  /* tier that the host sets for the room at the end, NULL: none */
    const char *save;     /* file for the frames that come to the first listener, NULL: none */
    const char *schedule; /* file for what left the server and when, as bench-floor reads it; NULL: none */
} play_options;

/** False with a message on standard error when the room could not be set up. */
bool play_consilium(play_result *out, const host *machine, const scene *setting, const play_options *opts);
bool play_janus(play_result *out, const gateway_host *gateway, const scene *setting, const play_options *opts);

#endif
