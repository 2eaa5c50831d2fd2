/* What crowd.c and pc.c share. */
#ifndef CN_CROWD_PRIVATE_H
#define CN_CROWD_PRIVATE_H

#include "base/mem.h"
#include "film.h"
#include "gather.h"
#include "inlet.h"
#include "media/rate/twcc.h"
#include "outlet.h"
#include "pc.h"
#include "client/client.h"

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
typedef struct watch {
    crowd_pc *pc;
    gather *frames;
    film_view view;
    FILE *save; /* borrowed */
    bool saved_all;
    uint64_t saved, saved_at, saved_ticks;
} watch;

struct crowd_pc {
    crowd *crowd;
    crowd_pc *next;
    rtc_client *client;
    uint16_t sender, twcc_seq;
    unsigned layers;
    bool started;
    uint32_t ssrc; /* microphone; +2, +4, +6: layers, each with its RTX one above */
    int64_t arrived_ns;
    cn_rtp_exts exts_out, exts_in;
    uint8_t kind[128];
    uint8_t by_ssrc[256]; /* hint: 1 + index in inlets */
    cn_twcc_in twcc;
    uint64_t report_ns, check_ns, nack_ns, names_ns;
    size_t outlet_n, inlet_n;
    outlet *outlets;
    inlet inlets[CROWD_SECTIONS];
};

void crowd_pc_turn(crowd_pc *pc);
void crowd_pc_send(crowd_pc *pc, outlet *feed, const outlet_packet *pkt, bool again);
void crowd_delay_count(uint32_t buckets[CROWD_DELAY_BUCKETS], int64_t ns);

bool watch_open(crowd_pc *pc, inlet *in);
/** A packet that inlet_arrived took as new. */
void watch_packet(inlet *in, const cn_rtp *rtp, uint16_t seq, bool again, const uint8_t *payload, size_t len);
/** Counts from zero. */
void watch_reset(inlet *in);
void watch_close(inlet *in);

#endif
