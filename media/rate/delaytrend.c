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

void cn_delaytrend_init(cn_delaytrend *trend)
{
    *trend = (cn_delaytrend){.threshold_ms = THRESHOLD_MS, .base_second = INT64_MIN};
    for (unsigned i = 0; i < CN_TREND_BASES; i++) trend->base_us[i] = INT64_MAX;
    for (unsigned i = 0; i < CN_TREND_STEPS; i++) trend->steps[i].window = INT64_MIN + 1;
    for (unsigned i = 0; i < CN_TREND_LOWS; i++) trend->low[i].window = INT64_MIN + 1;
    trend->steep_window = INT64_MIN;
}

/* Slope of the least-squares line through the points; 0 while they are too few. */
static double regression(const cn_delaytrend *trend)
{
    unsigned n = trend->point_count;
    if (n < POINTS_MIN) return 0;
    double x = 0, y = 0, above = 0, below = 0;
    for (unsigned i = 0; i < n; i++) {
        x += trend->points[i].arrival_ms / n;
        y += trend->points[i].smooth_ms / n;
    }
    for (unsigned i = 0; i < n; i++) {
        double dx = trend->points[i].arrival_ms - x;
        above += dx * (trend->points[i].smooth_ms - y);
        below += dx * dx;
    }
    return below > 0 ? above / below : 0;
}

static void adapt_threshold(cn_delaytrend *trend, int64_t arrival_us)
{
    double size = fabs(trend->slope),
           passed_ms = trend->threshold_us ? (double)(arrival_us - trend->threshold_us) / 1000.0 : 0;
    trend->threshold_us = arrival_us;
    if (size > trend->threshold_ms + SPIKE_MS || passed_ms <= 0) return;
    double gain = size < trend->threshold_ms ? THRESHOLD_DOWN : THRESHOLD_UP;
    trend->threshold_ms += gain * (size - trend->threshold_ms) * fmin(passed_ms, 100);
    trend->threshold_ms = fmin(fmax(trend->threshold_ms, THRESHOLD_MIN_MS), THRESHOLD_MAX_MS);
}

static void judge(cn_delaytrend *trend, double sent_delta_ms, int64_t arrival_us)
{
    if (trend->slope > fmax(trend->threshold_ms, NOISE_SLOPES * trend->noise_ms)) {
        trend->over_ms += trend->over_groups ? sent_delta_ms : sent_delta_ms / 2;
        trend->over_groups++;
        if (trend->over_ms > OVER_MS && trend->over_groups > 1 && trend->slope >= trend->former_slope) {
            trend->over_ms = 0;
            trend->over_groups = 0;
            trend->state = CN_TREND_OVER;
        }
    } else {
        trend->over_ms = 0;
        trend->over_groups = 0;
        trend->state = trend->slope < -trend->threshold_ms ? CN_TREND_UNDER : CN_TREND_NORMAL;
    }
    trend->former_slope = trend->slope;
    adapt_threshold(trend, arrival_us);
}

/* A group and its successor are whole: how much longer the second one took. */
static void compare(cn_delaytrend *trend)
{
    double sent_ms = (double)(trend->now.last_sent_us - trend->former.last_sent_us) / 1000.0;
    double arrival_ms = (double)(trend->now.last_arrival_us - trend->former.last_arrival_us) / 1000.0;
    double longer_ms = arrival_ms - sent_ms;
    trend->noise_ms += NOISE_GAIN * (fmin(fabs(longer_ms - trend->longer_ms) / 2, NOISE_MAX_MS) - trend->noise_ms);
    trend->longer_ms = longer_ms;
    trend->sum_ms += longer_ms;
    trend->smooth_ms = SMOOTH * trend->smooth_ms + (1 - SMOOTH) * trend->sum_ms;
    if (!trend->groups) trend->first_arrival_us = trend->now.last_arrival_us;
    if (trend->groups < GROUPS_MAX) trend->groups++;
    trend->points[trend->point_next].arrival_ms =
        (double)(trend->now.last_arrival_us - trend->first_arrival_us) / 1000.0;
    trend->points[trend->point_next].smooth_ms = trend->smooth_ms;
    trend->point_next = (trend->point_next + 1) % CN_TREND_POINTS;
    if (trend->point_count < CN_TREND_POINTS) trend->point_count++;
    trend->slope = regression(trend) * trend->groups * GAIN;
    judge(trend, sent_ms, trend->now.last_arrival_us);
}

static bool climbs(const cn_delaytrend *trend)
{
    for (unsigned i = 0; i < CN_TREND_STEPS; i++) {
        if (trend->steps[i].packets < STEP_PACKETS) return false;
        if (i && trend->steps[i].window != trend->steps[i - 1].window + 1) return false;
        if (i && trend->steps[i].least_us < trend->steps[i - 1].least_us + STEP_RISE_US) return false;
    }
    int64_t least_us = trend->steps[CN_TREND_STEPS - 1].least_us;
    return least_us > STEP_QUEUE_US && least_us > trend->usual_us + trend->usual_us / 4 + STEP_UNUSUAL_US;
}

static void measure_step(cn_delaytrend *trend, int64_t arrival_us)
{
    int64_t window = arrival_us / STEP_US;
    unsigned last = CN_TREND_STEPS - 1;
    if (window > trend->steps[last].window) {
        trend->usual_us -= trend->usual_us / 150;
        if (trend->steps[0].packets && trend->steps[0].least_us > trend->usual_us)
            trend->usual_us = trend->steps[0].least_us;
        memmove(trend->steps, trend->steps + 1, last * sizeof *trend->steps);
        trend->steps[last].window = window;
        trend->steps[last].least_us = trend->queue_us;
        trend->steps[last].packets = 0;
    }
    if (window < trend->steps[last].window) return;
    if (trend->queue_us < trend->steps[last].least_us) trend->steps[last].least_us = trend->queue_us;
    trend->steps[last].packets++;
    if (climbs(trend)) trend->steep_window = window;
}

static void measure_queue(cn_delaytrend *trend, uint64_t sent_us, int64_t arrival_us)
{
    int64_t delay = arrival_us - (int64_t)sent_us, second = arrival_us / 1000000;
    if (second > trend->base_second) {
        int64_t passed = trend->base_second == INT64_MIN ? CN_TREND_BASES : second - trend->base_second;
        for (int64_t i = 0; i < passed && i < CN_TREND_BASES; i++)
            trend->base_us[(uint64_t)(second - i) % CN_TREND_BASES] = INT64_MAX;
        trend->base_second = second;
    }
    int64_t *slot = &trend->base_us[(uint64_t)trend->base_second % CN_TREND_BASES], least = delay;
    if (delay < *slot) *slot = delay;
    for (unsigned i = 0; i < CN_TREND_BASES; i++)
        if (trend->base_us[i] < least) least = trend->base_us[i];
    trend->queue_us = delay - least;
    measure_step(trend, arrival_us);
    int64_t window = arrival_us / STANDING_US;
    if (window > trend->low[CN_TREND_LOWS - 1].window) {
        bool next = window == trend->low[CN_TREND_LOWS - 1].window + 1;
        memmove(trend->low, trend->low + 1, (CN_TREND_LOWS - 1) * sizeof *trend->low);
        if (!next) trend->low[CN_TREND_LOWS - 2].least_us = 0;
        trend->low[CN_TREND_LOWS - 1].window = window;
        trend->low[CN_TREND_LOWS - 1].least_us = trend->queue_us;
    } else if (trend->queue_us < trend->low[CN_TREND_LOWS - 1].least_us) {
        trend->low[CN_TREND_LOWS - 1].least_us = trend->queue_us;
    }
}

static bool same_group(const cn_delaytrend *trend, uint64_t sent_us, int64_t arrival_us)
{
    if (sent_us - trend->now.first_sent_us <= GROUP_US) return true;
    int64_t arrival_delta = arrival_us - trend->now.last_arrival_us;
    int64_t longer = arrival_delta - (int64_t)(sent_us - trend->now.last_sent_us);
    return longer < 0 && arrival_delta <= BURST_US && arrival_us - trend->now.first_arrival_us < BURST_MAX_US;
}

void cn_delaytrend_packet(cn_delaytrend *trend, uint64_t sent_us, int64_t arrival_us)
{
    measure_queue(trend, sent_us, arrival_us);
    cn_trend_group *group = &trend->now;
    if (group->any && sent_us < group->last_sent_us) return; /* overtaken: told after what it was sent before */
    if (group->any && !same_group(trend, sent_us, arrival_us)) {
        if (trend->former.any) compare(trend);
        trend->former = *group;
        group->any = false;
    }
    if (!group->any)
        *group = (cn_trend_group){.first_sent_us = sent_us,
                                  .last_sent_us = sent_us,
                                  .first_arrival_us = arrival_us,
                                  .last_arrival_us = arrival_us,
                                  .any = true};
    if (sent_us > group->last_sent_us) group->last_sent_us = sent_us;
    if (arrival_us > group->last_arrival_us) group->last_arrival_us = arrival_us;
}

cn_trend_state cn_delaytrend_state(const cn_delaytrend *trend)
{
    return trend->state;
}

uint32_t cn_delaytrend_queue_ms(const cn_delaytrend *trend)
{
    return (uint32_t)(trend->queue_us / 1000);
}

uint32_t cn_delaytrend_standing_ms(const cn_delaytrend *trend)
{
    unsigned from = trend->noise_ms > NOISY_MS ? 0 : CN_TREND_LOWS - 2;
    int64_t least = trend->low[from].least_us;
    for (unsigned i = from + 1; i < CN_TREND_LOWS; i++)
        if (trend->low[i].least_us < least) least = trend->low[i].least_us;
    double ms = (double)least / 1000 - NOISE_STANDS * trend->noise_ms;
    return ms > 0 ? (uint32_t)ms : 0;
}

bool cn_delaytrend_steep(const cn_delaytrend *trend)
{
    return trend->steep_window >=
           trend->steps[CN_TREND_STEPS - 1].window - 1; /* a feedback tells of two windows or three */
}
