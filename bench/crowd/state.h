/* The state of a crowd and of its clients, for the files of this folder. */
#ifndef CN_CROWD_STATE_H
#define CN_CROWD_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client/client.h"
#include "client/sdp.h"
#include "film.h"
#include "gather.h"
#include "inlet.h"
#include "outlet.h"
#include "shape.h"
#include "totals.h"

typedef struct crowd crowd;
typedef struct crowd_pc crowd_pc;

typedef struct crowd_watched {
    int fd;
    void (*fn)(void *arg);
    void *arg;
} crowd_watched;

typedef struct crowd_departure {
    int64_t wall_ns;
    uint32_t destination, size;
} crowd_departure;

struct crowd {
    crowd_departure *departures;
    size_t departures_n, departures_max;
    crowd_shape shape;
    crowd_totals totals;
    int epoll;
    bool held;
    film *film; /* what the camera sends of files; NULL: nothing */
    uint64_t now_ns, gone_bad, bad_before;
    crowd_pc *pcs;
    crowd_watched *watched; /* by descriptor */
    size_t watched_n;
};

/* Of an inlet to which a file's frames come. */
typedef struct film_watch {
    crowd_pc *pc;
    gather *frames;
    film_view view;
    FILE *save; /* borrowed */
    bool saved_all;
    uint64_t saved, saved_at, saved_ticks;
} film_watch;

struct crowd_pc {
    crowd *crowd;
    crowd_pc *next;
    rtc_client *client;
    uint16_t sender;
    unsigned layers;
    bool started;
    uint32_t ssrc; /* microphone; +2, +4, +6: layers, each with its RTX one above */
    int64_t arrived_ns;
    cn_rtp_exts exts;     /* of what comes */
    uint8_t codec[128];   /* cn_codec by payload type, of what comes */
    uint8_t by_ssrc[256]; /* hint: 1 + index in inlets */
    uint64_t report_ns, check_ns, nack_ns, names_ns;
    size_t outlet_n, inlet_n;
    outlet *outlets;
    inlet inlets[RTC_SECTIONS];
};

#endif
