/* A simulated bottleneck between a sender that obeys the estimator and a receiver that reports every 50 ms. */
#ifndef CN_TEST_SUPPORT_LINK_H
#define CN_TEST_SUPPORT_LINK_H

#include "media/rate/bwe.h"

#define LINK_FLIGHT 8192

typedef struct link_sim {
    /* the path; may be changed between runs */
    double rate_bps;
    double cross_bps;   /* of somebody else who takes his share first */
    uint64_t delay_ns;  /* one way, without the queue */
    uint64_t jitter_ns; /* up to so much more, never reordering … */
    bool overtaking;    /* … unless this is set */
    uint64_t stall_ns; /* once a second the receiver does not run for so long: what came meanwhile is seen at its end */
    double queue_ms;   /* of the bottleneck at its rate; what does not fit is dropped */
    double loss;       /* at random, 0…1 */
    double burst_loss; /* share of time in which everything is lost, in stretches of 40 ms */
    /* the application */
    double wanted_bps;
    bool layered; /* sends only 150, 500, 1,500 or 4,000 kbit/s, the largest that fits */
    /* state */
    cn_bwe bwe;
    uint64_t now_ns;
    uint64_t seq;
    double queue_bits;
    uint64_t last_arrival_ns, bad_until_ns;
    uint32_t random;
    double owed_bits;
    cn_bwe_probe probe;
    double probe_owed, probe_bytes;
    bool probing;
    struct {
        cn_twcc_result result;
        uint64_t known_ns; /* when the sender hears of it; LINK_NEVER: lost, told with a later one */
        bool told_lost;    /* reported as missing while others that overtook it were there */
    } flight[LINK_FLIGHT];
    uint64_t told; /* numbers below have been reported, if only as missing */
    uint64_t next_feedback_ns;
    /* of the last run */
    double sent_bits, came_bits, lost_packets, packets, queue_ms_max, queue_ms_sum;
    uint64_t run_ms;
} link_sim;

/** A path of `rate_bps`, 20 ms one way, a queue of 300 ms, an application that wants 4 Mbit/s. */
void link_init(link_sim *link, double rate_bps);
/** Runs on; the figures of the last run begin at 0. */
void link_run(link_sim *link, uint64_t ms);
/* In single steps, for another application: link_tick, any number of link_send, link_listen. */
/** A millisecond passes. */
void link_tick(link_sim *link);
/** One packet enters the bottleneck; false: it is lost. */
bool link_send(link_sim *link, uint32_t size);
/** Probes, feedback, figures. */
void link_listen(link_sim *link);
/** What the application sends at present: what fits, or the layer that does. */
double link_layer_bps(const link_sim *link);
/** Mean arrival rate of the last run, bps. */
double link_came_bps(const link_sim *link);

#endif
