#include "media/rate/delaytrend.h"

#include <math.h>
#include <string.h>

#define GROUP_US 5000       /* packets sent within belong together */
#define BURST_US 5000       /* so do those that arrived back to back while the queue fell */
#define BURST_MAX_US 100000 /* but not for longer */
#define POINTS_MIN 8        /* groups before the slope says anything */
#define STANDING_US 150000
#define STEP_US 40000
#define STEP_RISE_US 8000 /* from one window to the next: a line of which a fifth too much is asked */
#define STEP_QUEUE_US 40000
#define STEP_UNUSUAL_US 25000
#define STEP_PACKETS 3 /* fewer say nothing about the smallest */
#define SMOOTH 0.9     /* weight of the past in the smoothed delay */
#define GAIN 4.0       /* of the slope against the threshold */
#define GROUPS_MAX 60
#define THRESHOLD_MS 12.5 /* at first; between the two below later */
#define THRESHOLD_MIN_MS 6.0
#define THRESHOLD_MAX_MS 600.0
#define THRESHOLD_UP 0.0087  /* per ms: slowly up … */
#define THRESHOLD_DOWN 0.039 /* … and down, so that a competing TCP does not starve us (gcc-02 §5.4) */
#define SPIKE_MS 15.0        /* further off than this says nothing about what is usual */
#define NOISE_GAIN 0.03      /* of the newest group in the noise */
#define NOISE_MAX_MS 200.0
#define NOISE_SLOPES 1.5 /* a slope below so many times the noise is what jitter makes now and then */
#define NOISE_STANDS 2   /* times the noise is how long what must not overtake waits for others */
#define NOISY_MS 8.0     /* from here on a queue must stand twice as long */
#define OVER_MS 10.0     /* above the threshold for so long */

void cn_delaytrend_init(cn_delaytrend *t)
{
    *t = (cn_delaytrend){.threshold_ms = THRESHOLD_MS, .base_second = INT64_MIN};
    for (unsigned i = 0; i < CN_TREND_BASES; i++) t->base_us[i] = INT64_MAX;
    for (unsigned i = 0; i < CN_TREND_STEPS; i++) t->steps[i].window = INT64_MIN + 1;
    for (unsigned i = 0; i < CN_TREND_LOWS; i++) t->low[i].window = INT64_MIN + 1;
    t->steep_window = INT64_MIN;
}

/* Slope of the least-squares line through the points; 0 while they are too few. */
static double regression(const cn_delaytrend *t)
{
    unsigned n = t->point_count;
    if (n < POINTS_MIN) return 0;
    double x = 0, y = 0, above = 0, below = 0;
    for (unsigned i = 0; i < n; i++) {
        x += t->points[i].arrival_ms / n;
        y += t->points[i].smooth_ms / n;
    }
    for (unsigned i = 0; i < n; i++) {
        double dx = t->points[i].arrival_ms - x;
        above += dx * (t->points[i].smooth_ms - y);
        below += dx * dx;
    }
    return below > 0 ? above / below : 0;
}

static void adapt_threshold(cn_delaytrend *t, int64_t arrival_us)
{
    double size = fabs(t->slope), passed_ms = t->threshold_us ? (double)(arrival_us - t->threshold_us) / 1000.0 : 0;
    t->threshold_us = arrival_us;
    if (size > t->threshold_ms + SPIKE_MS || passed_ms <= 0) return;
    double gain = size < t->threshold_ms ? THRESHOLD_DOWN : THRESHOLD_UP;
    t->threshold_ms += gain * (size - t->threshold_ms) * fmin(passed_ms, 100);
    t->threshold_ms = fmin(fmax(t->threshold_ms, THRESHOLD_MIN_MS), THRESHOLD_MAX_MS);
}

static void judge(cn_delaytrend *t, double sent_delta_ms, int64_t arrival_us)
{
    if (t->slope > fmax(t->threshold_ms, NOISE_SLOPES * t->noise_ms)) {
        t->over_ms += t->over_groups ? sent_delta_ms : sent_delta_ms / 2;
        t->over_groups++;
        if (t->over_ms > OVER_MS && t->over_groups > 1 && t->slope >= t->former_slope) {
            t->over_ms = 0;
            t->over_groups = 0;
            t->state = CN_TREND_OVER;
        }
    } else {
        t->over_ms = 0;
        t->over_groups = 0;
        t->state = t->slope < -t->threshold_ms ? CN_TREND_UNDER : CN_TREND_NORMAL;
    }
    t->former_slope = t->slope;
    adapt_threshold(t, arrival_us);
}

/* A group and its successor are whole: how much longer the second one took. */
static void compare(cn_delaytrend *t)
{
    double sent_ms = (double)(t->now.last_sent_us - t->former.last_sent_us) / 1000.0;
    double arrival_ms = (double)(t->now.last_arrival_us - t->former.last_arrival_us) / 1000.0;
    double longer_ms = arrival_ms - sent_ms;
    t->noise_ms += NOISE_GAIN * (fmin(fabs(longer_ms - t->longer_ms) / 2, NOISE_MAX_MS) - t->noise_ms);
    t->longer_ms = longer_ms;
    t->sum_ms += longer_ms;
    t->smooth_ms = SMOOTH * t->smooth_ms + (1 - SMOOTH) * t->sum_ms;
    if (!t->groups) t->first_arrival_us = t->now.last_arrival_us;
    if (t->groups < GROUPS_MAX) t->groups++;
    t->points[t->point_next].arrival_ms = (double)(t->now.last_arrival_us - t->first_arrival_us) / 1000.0;
    t->points[t->point_next].smooth_ms = t->smooth_ms;
    t->point_next = (t->point_next + 1) % CN_TREND_POINTS;
    if (t->point_count < CN_TREND_POINTS) t->point_count++;
    t->slope = regression(t) * t->groups * GAIN;
    judge(t, sent_ms, t->now.last_arrival_us);
}

static bool climbs(const cn_delaytrend *t)
{
    for (unsigned i = 0; i < CN_TREND_STEPS; i++) {
        if (t->steps[i].packets < STEP_PACKETS) return false;
        if (i && t->steps[i].window != t->steps[i - 1].window + 1) return false;
        if (i && t->steps[i].least_us < t->steps[i - 1].least_us + STEP_RISE_US) return false;
    }
    int64_t least_us = t->steps[CN_TREND_STEPS - 1].least_us;
    return least_us > STEP_QUEUE_US && least_us > t->usual_us + t->usual_us / 4 + STEP_UNUSUAL_US;
}

static void measure_step(cn_delaytrend *t, int64_t arrival_us)
{
    int64_t window = arrival_us / STEP_US;
    unsigned last = CN_TREND_STEPS - 1;
    if (window > t->steps[last].window) {
        t->usual_us -= t->usual_us / 150;
        if (t->steps[0].packets && t->steps[0].least_us > t->usual_us) t->usual_us = t->steps[0].least_us;
        memmove(t->steps, t->steps + 1, last * sizeof *t->steps);
        t->steps[last].window = window;
        t->steps[last].least_us = t->queue_us;
        t->steps[last].packets = 0;
    }
    if (window < t->steps[last].window) return;
    if (t->queue_us < t->steps[last].least_us) t->steps[last].least_us = t->queue_us;
    t->steps[last].packets++;
    if (climbs(t)) t->steep_window = window;
}

static void measure_queue(cn_delaytrend *t, uint64_t sent_us, int64_t arrival_us)
{
    int64_t delay = arrival_us - (int64_t)sent_us, second = arrival_us / 1000000;
    if (second > t->base_second) {
        int64_t passed = t->base_second == INT64_MIN ? CN_TREND_BASES : second - t->base_second;
        for (int64_t i = 0; i < passed && i < CN_TREND_BASES; i++)
            t->base_us[(uint64_t)(second - i) % CN_TREND_BASES] = INT64_MAX;
        t->base_second = second;
    }
    int64_t *slot = &t->base_us[(uint64_t)t->base_second % CN_TREND_BASES], least = delay;
    if (delay < *slot) *slot = delay;
    for (unsigned i = 0; i < CN_TREND_BASES; i++)
        if (t->base_us[i] < least) least = t->base_us[i];
    t->queue_us = delay - least;
    measure_step(t, arrival_us);
    int64_t window = arrival_us / STANDING_US;
    if (window > t->low[CN_TREND_LOWS - 1].window) {
        bool next = window == t->low[CN_TREND_LOWS - 1].window + 1;
        memmove(t->low, t->low + 1, (CN_TREND_LOWS - 1) * sizeof *t->low);
        if (!next) t->low[CN_TREND_LOWS - 2].least_us = 0;
        t->low[CN_TREND_LOWS - 1].window = window;
        t->low[CN_TREND_LOWS - 1].least_us = t->queue_us;
    } else if (t->queue_us < t->low[CN_TREND_LOWS - 1].least_us) {
        t->low[CN_TREND_LOWS - 1].least_us = t->queue_us;
    }
}

static bool same_group(const cn_delaytrend *t, uint64_t sent_us, int64_t arrival_us)
{
    if (sent_us - t->now.first_sent_us <= GROUP_US) return true;
    int64_t arrival_delta = arrival_us - t->now.last_arrival_us;
    int64_t longer = arrival_delta - (int64_t)(sent_us - t->now.last_sent_us);
    return longer < 0 && arrival_delta <= BURST_US && arrival_us - t->now.first_arrival_us < BURST_MAX_US;
}

void cn_delaytrend_packet(cn_delaytrend *t, uint64_t sent_us, int64_t arrival_us)
{
    measure_queue(t, sent_us, arrival_us);
    cn_trend_group *g = &t->now;
    if (g->any && sent_us < g->last_sent_us) return; /* overtaken: told after what it was sent before */
    if (g->any && !same_group(t, sent_us, arrival_us)) {
        if (t->former.any) compare(t);
        t->former = *g;
        g->any = false;
    }
    if (!g->any)
        *g = (cn_trend_group){.first_sent_us = sent_us,
                              .last_sent_us = sent_us,
                              .first_arrival_us = arrival_us,
                              .last_arrival_us = arrival_us,
                              .any = true};
    if (sent_us > g->last_sent_us) g->last_sent_us = sent_us;
    if (arrival_us > g->last_arrival_us) g->last_arrival_us = arrival_us;
}

cn_trend_state cn_delaytrend_state(const cn_delaytrend *t)
{
    return t->state;
}

uint32_t cn_delaytrend_queue_ms(const cn_delaytrend *t)
{
    return (uint32_t)(t->queue_us / 1000);
}

uint32_t cn_delaytrend_standing_ms(const cn_delaytrend *t)
{
    unsigned from = t->noise_ms > NOISY_MS ? 0 : CN_TREND_LOWS - 2;
    int64_t least = t->low[from].least_us;
    for (unsigned i = from + 1; i < CN_TREND_LOWS; i++)
        if (t->low[i].least_us < least) least = t->low[i].least_us;
    double ms = (double)least / 1000 - NOISE_STANDS * t->noise_ms;
    return ms > 0 ? (uint32_t)ms : 0;
}

bool cn_delaytrend_steep(const cn_delaytrend *t)
{
    return t->steep_window >= t->steps[CN_TREND_STEPS - 1].window - 1; /* a feedback tells of two windows or three */
}
