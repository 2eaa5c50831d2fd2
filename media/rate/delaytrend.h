/*
 * Does the queue in front of a receiver grow? Delay gradient over groups of packets with an adaptive threshold
 * (draft-ietf-rmcat-gcc-02 §5, with a regression line in the Kalman filter's place, as in Carlucci et al., "Analysis
 * and Design of the Google Congestion Control", 2016). Plain struct, no clock of its own.
 */
#ifndef CN_MEDIA_DELAYTREND_H
#define CN_MEDIA_DELAYTREND_H

#include <stdbool.h>
#include <stdint.h>

#define CN_TREND_POINTS 20 /* groups in the regression at most: a quarter of a second to a second */
#define CN_TREND_BASES 10  /* seconds over which the smallest delay counts as that of an empty queue */
#define CN_TREND_LOWS 4    /* windows of 150 ms in which a queue stands: the last two, or all when delay varies much */
#define CN_TREND_STEPS 3   /* windows of 40 ms in which a steep rise is looked for */

typedef enum cn_trend_state { CN_TREND_NORMAL, CN_TREND_UNDER, CN_TREND_OVER } cn_trend_state;

/* Packets that were sent within 5 ms, or arrived as one burst. */
typedef struct cn_trend_group {
    uint64_t first_sent_us, last_sent_us;
    int64_t first_arrival_us, last_arrival_us;
    bool any;
} cn_trend_group;

typedef struct cn_delaytrend {
    cn_trend_group now, former;
    double sum_ms, smooth_ms; /* delay against the first group, raw and smoothed */
    struct {
        double arrival_ms, smooth_ms;
    } points[CN_TREND_POINTS];
    unsigned point_count, point_next;
    unsigned groups; /* counted up to 60: the fewer, the less the slope says */
    int64_t first_arrival_us;
    double slope;        /* modified: ms, comparable with the threshold */
    double former_slope; /* of the former group */
    double longer_ms;    /* how much longer the newest group took than its forerunner */
    double noise_ms;     /* mean change of that from group to group, halved: jitter, but no steady growth */
    double threshold_ms;
    int64_t threshold_us; /* arrival time of its former change */
    double over_ms;       /* time above the threshold */
    unsigned over_groups;
    cn_trend_state state;
    int64_t base_us[CN_TREND_BASES]; /* smallest arrival − sent per second */
    int64_t base_second;
    int64_t queue_us; /* of the newest packet, above the smallest delay of the last seconds */
    struct {
        int64_t window, least_us; /* smallest queue in 150 ms */
    } low[CN_TREND_LOWS];
    struct {
        int64_t window, least_us; /* smallest queue in 40 ms */
        unsigned packets;
    } steps[CN_TREND_STEPS]; /* newest last */
    int64_t usual_us;        /* how large their queue has been, fading by half in four seconds */
    int64_t steep_window;    /* the last one in which it climbed */
} cn_delaytrend;

void cn_delaytrend_init(cn_delaytrend *trend);

/** An acknowledged packet, in order of sending: when it left (server's clock) and when it came (receiver's clock), µs.
 */
void cn_delaytrend_packet(cn_delaytrend *trend, uint64_t sent_us, int64_t arrival_us);

/** Judgement over what came so far. */
cn_trend_state cn_delaytrend_state(const cn_delaytrend *trend);

/** How long the newest packet queued, ms, against the emptiest moment of the last CN_TREND_BASES seconds. */
uint32_t cn_delaytrend_queue_ms(const cn_delaytrend *trend);

/** The queue that did not go away for 150 to 300 ms, or 450 to 600 ms where delay varies much: the smallest of that
 * time, ms. A full queue no longer grows, so the gradient says nothing of it. */
uint32_t cn_delaytrend_standing_ms(const cn_delaytrend *trend);

/** Does the queue climb so steeply that there is no time to wait for the regression? Its smallest value in each of the
 * last windows of 40 ms was clearly above the one before, and is well above what jitter makes of it. */
bool cn_delaytrend_steep(const cn_delaytrend *trend);

#endif
