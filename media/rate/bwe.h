/*
 * What fits towards one receiver: the server's send-side estimator. From transport-wide feedback it takes the delay
 * gradient (delaytrend.h), loss and the acknowledged rate; from the application whether it is held back, and then asks
 * for probes: a burst of padding at a higher rate, whose arrival tells whether more would fit. Plain struct, injected
 * clock (draft-ietf-rmcat-gcc-02, with drain and probing of our own). Rates in bits per second above UDP.
 */
#ifndef CN_MEDIA_BWE_H
#define CN_MEDIA_BWE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/rate/delaytrend.h"
#include "media/rate/twcc.h"

#define CN_BWE_START 2000000u
#define CN_BWE_MIN 64000u
#define CN_BWE_MAX 100000000u
#define CN_BWE_BUCKETS 16 /* of acknowledged bytes, 50 ms each */

/** A probe that is wanted: `bytes` in all, paced at `bps`. */
typedef struct cn_bwe_probe {
    uint32_t bps, bytes;
} cn_bwe_probe;

typedef struct cn_bwe {
    cn_delaytrend trend;
    double bps;           /* by delay */
    double loss_bps;      /* by loss */
    double min, max;      /* REMB lowers max */
    uint64_t last_ns;     /* of the former feedback; 0: none */
    uint64_t cut_ns;      /* of the former decrease by delay */
    uint64_t loss_ns;     /* of the former decrease by loss */
    uint64_t spared_ns;   /* of the former decrease by delay that spared who was held back; 0: none */
    uint32_t spared_ms;   /* the queue then */
    uint64_t drain_ns;    /* until then the queue that was built is drained; 0: no */
    uint64_t standing_ns; /* a decrease because of a standing queue is judged then; 0: none */
    uint64_t crowd_ns;    /* until then others are taken to keep the queue full */
    uint32_t rtt_ms;
    double capacity, deviation; /* of the link, learnt from decreases; 0: not known */
    struct {
        int64_t slot; /* arrival time ÷ 50 ms */
        uint32_t bytes;
    } acked[CN_BWE_BUCKETS];
    int64_t acked_first, acked_newest; /* slots; INT64_MIN: none */
    double acked_bps;                  /* at the former feedback, 0: not known */
    double loss;                       /* when last judged */
    /* since then, of what was sent after the former decrease; held: a stretch that waits for what was overtaken */
    uint32_t loss_lost, loss_all, held_lost, held_all;
    uint64_t held_last, loss_last; /* their last numbers */
    uint64_t loss_since_ns;
    uint64_t overtaking_ns; /* until then packets are taken to overtake each other; 0: they do not */
    /* probes */
    struct {
        bool under_way;
        uint32_t bps;
        uint64_t first, last; /* extended numbers; last UINT64_MAX: still being sent */
        uint64_t began_ns;
        uint64_t sent_first_ns, sent_last_ns;
        int64_t arrival_first_us, arrival_last_us;
        uint32_t bytes, first_bytes, last_bytes, acked, lost;
    } probe;
    uint64_t probe_next_ns, probe_wait_ns;
    uint64_t echo_ns; /* until then a small queue is the former probe's */
    bool proved;      /* a probe has been answered */
    /* of a receiver without transport-wide feedback (bwe_reports.c) */
    struct {
        bool any;            /* he reports */
        bool queue;          /* the former stretch had a long one */
        uint64_t since_ns;   /* of the first look */
        uint64_t raised_ns;  /* when more was tried last */
        uint64_t settled_ns; /* reports of what was sent before are not judged: of a former cut */
        double limit;        /* what came through at the last cut … */
        uint64_t limit_ns;   /* … and nothing above it is tried until then; 0: no */
        uint64_t wait_ns;    /* how long that was, doubling while tries fail */
    } reports;
} cn_bwe;

void cn_bwe_init(cn_bwe *bwe);

/** A feedback: results in order of number, the round trip in ms (0: not known). Returns the estimate. */
uint32_t cn_bwe_feedback(cn_bwe *bwe, const cn_twcc_result *results, size_t count, uint32_t rtt_ms, uint64_t now_ns);

/** What receiver reports tell of a stretch of time (reported.h). */
typedef struct cn_bwe_heard {
    double loss;         /* 0…1 */
    uint32_t sent_bps;   /* in that time, all that was sent … */
    uint32_t came_bps;   /* … and what of it came by then */
    uint32_t queue_ms;   /* for how long packets wait on the way, besides the round trip */
    uint32_t rtt_ms;     /* 0: not known */
    uint32_t wanted_bps; /* what the application would send if it could */
    uint64_t from_ns;    /* the stretch's begin */
} cn_bwe_heard;

/** Without transport-wide feedback: takes what reports tell. No loss and no queue: twice as much is tried, up to what is
 * wanted; what failed is tried again after a while, which doubles. Returns the estimate. */
uint32_t cn_bwe_report(cn_bwe *bwe, const cn_bwe_heard *heard, uint64_t now_ns);

/** What the smallest pictures would take, for a receiver without transport-wide feedback. */
typedef struct cn_bwe_least {
    uint32_t first_bps, all_bps; /* of the most important picture; of all of them; with the voices */
    uint32_t ceiling_bps;        /* up to which a picture is sent although no report says that it comes */
} cn_bwe_least;

/** A report can only tell of what is sent: the most important picture is tried in its smallest layer at once, and all of
 * them for a receiver who never reports. Nothing while a limit is known. Returns the estimate. */
uint32_t cn_bwe_try_least(cn_bwe *bwe, const cn_bwe_least *least, uint64_t now_ns);

/** Present estimate. */
uint32_t cn_bwe_bps(const cn_bwe *bwe);
/** What to send for now: the estimate, or less while a queue is being drained. */
uint32_t cn_bwe_budget(const cn_bwe *bwe, uint64_t now_ns);
/** Is a queue that more than fits has built being drained? */
bool cn_bwe_drains(const cn_bwe *bwe, uint64_t now_ns);
/** Is the line the limit? True when it has been found to be within the last 30 s and what is wanted (as in
 * cn_bwe_probe_want) takes half of the estimate or more, or when a probe found no room for it, or the receiver's
 * ceiling is below it. */
bool cn_bwe_binds(const cn_bwe *bwe, uint32_t wanted_bps, uint64_t now_ns);
/** A ceiling from the receiver (REMB, draft-alvestrand-rmcat-remb-03) or 0 for none. */
void cn_bwe_cap(cn_bwe *bwe, uint32_t bps);

/** Should padding be sent? `wanted_bps`: what the application would send if it could; nothing is probed above
 * 1.25 × that. */
bool cn_bwe_probe_want(cn_bwe *bwe, uint32_t wanted_bps, uint64_t now_ns, cn_bwe_probe *out);
/** The probe's first packet has this extended number … */
void cn_bwe_probe_begin(cn_bwe *bwe, uint64_t seq, uint64_t now_ns);
/** … and this was its last: every packet between counts, media too. */
void cn_bwe_probe_end(cn_bwe *bwe, uint64_t seq);

#endif
